import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, func, insert, inspect, select, text, update

from outlearn.errors import StoreError
from outlearn.serving.store.database import Database
from outlearn.serving.store.migrations import latest
from outlearn.serving.store.tables import METADATA, blobs


def add(connection, name):
    connection.execute(insert(blobs).values(digest=name, content=b"x"))


def count(database):
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(blobs)).scalar_one()


def test_a_block_of_changes_is_kept_whole_or_not_at_all(database):
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        add(connection, "a")
        add(connection, 1 / 0)
    assert count(database) == 0
    with database.writing() as connection:
        add(connection, "a")
        add(connection, "b")
    assert count(database) == 2


def test_one_writes_at_a_time_so_that_what_it_read_holds_until_it_ends(database):
    with database.writing() as connection:
        connection.execute(insert(blobs).values(digest="n", content=b"0"))

    def count_up(_):
        with database.writing() as connection:
            before = int(connection.execute(select(blobs.c.content)).scalar_one())
            connection.execute(update(blobs).values(content=str(before + 1).encode()))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(80)))
    with database.reading() as connection:
        assert connection.execute(select(blobs.c.content)).scalar_one() == b"80"


def test_a_reader_sees_one_moment_and_waits_for_no_writer(database):
    with database.writing() as connection:
        add(connection, "a")
    query = select(func.count()).select_from(blobs)
    with database.reading() as reader:
        first = reader.execute(query).scalar_one()
        with database.writing() as writer:
            add(writer, "b")
            assert reader.execute(query).scalar_one() == 1
        assert (first, reader.execute(query).scalar_one()) == (1, 1)
    assert count(database) == 2


def test_the_lock_of_writers_goes_with_a_writer_that_is_killed(url, database):
    program = (
        "import os, sys\n"
        "from outlearn.serving.store.database import Database\n"
        "with Database.open(sys.argv[1]).writing() as connection:\n"
        "    connection.exec_driver_sql(\"INSERT INTO blobs (digest, content) VALUES ('a', 'x')\")\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, url], check=False).returncode == -9
    with database.writing() as connection:
        add(connection, "b")
    assert count(database) == 1


def test_upgrade_does_nothing_the_second_time_and_several_may_try_at_once(new_url):
    url = new_url(empty=True)
    start = threading.Barrier(6)

    def upgrade(_):
        database = Database.open(url)
        start.wait()
        database.upgrade()
        database.upgrade()
        return database

    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(upgrade, range(6)))
    assert count(opened[0]) == 0
    with opened[0].reading() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == latest()
    for database in opened:
        database.close()


def test_a_store_of_a_later_version_is_refused(database):
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"a later version of outlearn made the store .*upgrade outlearn"):
        database.upgrade()


def quoted(condition):
    return set(condition.split("'")[1::2])


def test_the_migrations_make_the_tables_as_they_are_declared(database):
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, METADATA) == []
        inspected = inspect(connection)
        for table in METADATA.sorted_tables:  # which the comparison leaves out
            declared = [part for part in table.constraints if isinstance(part, CheckConstraint)]
            made = {
                part["name"]: quoted(part["sqltext"]) for part in inspected.get_check_constraints(table.name)
            }
            assert made == {part.name: quoted(str(part.sqltext)) for part in declared}
            assert inspected.get_pk_constraint(table.name)["constrained_columns"] == [
                column.name for column in table.primary_key
            ]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("not a url", "is no URL of a database; wanted sqlite:///PATH"),
        ("mysql://u:hush@h/d", "the store cannot be in mysql"),
        ("sqlite://", "in memory would be lost"),
        ("sqlite:///:memory:", "in memory would be lost"),
        ("sqlite:////nowhere/at/all/store.db", "there is no folder /nowhere/at/all"),
    ],
)
def test_what_is_no_place_for_a_store_is_refused(url, wanted):
    with pytest.raises(StoreError, match=wanted) as caught:
        Database.open(url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("form", ["u:hush1@127.0.0.1:1/d", "127.0.0.1:1/d?user=u&password=hush1"])
def test_a_server_that_does_not_answer_is_told_of_without_passwords(form):
    database = Database.open(f"postgresql://{form}")
    for block in (database.reading, database.writing):
        with (
            pytest.raises(StoreError, match=r"the database does not answer") as caught,
            block() as connection,
        ):
            connection.execute(text("SELECT 1"))
        assert "hush1" not in str(caught.value)
    assert "hush1" not in database.name
    assert "hush1" not in repr(database)


def test_a_store_without_tables_is_told_of(new_url):
    database = Database.open(new_url(empty=True))
    for block in (database.reading, database.writing):
        with (
            pytest.raises(StoreError, match=r"holds no store yet, or one of another version"),
            block() as connection,
        ):
            add(connection, "a")
    database.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_told_of(tmp_path, content):
    (tmp_path / "a.db").write_bytes(content)
    database = Database.open(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(StoreError, match="is damaged, or is no database"):
        database.upgrade()
    database.close()
    assert (tmp_path / "a.db").read_bytes() == content


def test_a_store_that_may_not_be_written_to_is_told_of(tmp_path, migrated_sqlite):
    path = tmp_path / "a.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # the disk is full
    with pytest.raises(StoreError, match="full"), database.writing() as connection:
        connection.execute(insert(blobs).values(digest="a", content=b"x" * 2_000_000))
    database.close()


def test_a_store_that_went_away_and_came_back_is_used_again(new_url, request):
    url = new_url()
    database = Database.open(url)
    assert count(database) == 0
    if not database.is_sqlite:
        server = request.getfixturevalue("postgres_server")
        server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{database.engine.url.database}'"
        )
    assert count(database) == 0
    database.close()


def test_a_store_of_sqlite_is_as_safe_as_it_is_declared(tmp_path, migrated_sqlite):
    path = tmp_path / "a.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database.open(f"sqlite:///{path}")
    with database.reading() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    database.close()
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()
