import json
import tracemalloc
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from sqlalchemy import insert, select, update

from outlearn.errors import AccessError, ConflictError, OutputError, ReadError, StoreError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts import Accounts
from outlearn.serving.definition import KeepSpec
from outlearn.serving.store import backup
from outlearn.serving.store.audit import entries, verify
from outlearn.serving.store.backup import back_up, restore
from outlearn.serving.store.database import Database
from outlearn.serving.store.retention import sweep
from outlearn.serving.store.tables import METADATA, audit, blobs, events, incidents, pushed, sessions
from tests.serving.filled import Filled


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request, url_of):
    database = Database.open(url_of(request.param, empty=True))
    yield database
    database.close()


@pytest.fixture
def filled(database, admin):
    """A store with rows in all tables but those that pass."""
    filled = Filled(database)
    Accounts(database).add_user(admin, "ana", UserRole.ANALYST)
    Accounts(database).new_key(admin, "ana", "nightly")
    for state in ("open", "decided"):
        filled.verdict(filled.incident(3, state))
    filled.version(2, "retired", base_id=filled.model, parent_id=filled.model)
    filled.add(pushed, job_id=filled.job, received=0.1, name="Zoë\n", rows=3, content=bytes(range(256)))
    filled.add(events, when=1 / 3, job_id=filled.job, kind="x", detail='{"é": "\\u0000"}')
    return filled


def contents(database, without=()):
    """Return all rows by table, the entries of the audit about backups left out."""
    with database.reading() as connection:
        verify(connection)
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key))
                if table is not audit or not row.action.startswith("store.")
            ]
            for table in METADATA.sorted_tables
            if table not in without
        }


def test_a_store_comes_back_as_it_was_in_either_database(filled, target, tmp_path, admin):
    before = contents(filled.database)
    made = back_up(filled.database, tmp_path / "a.zip", admin)
    assert {name: count for name, count in made.rows.items() if count} == {
        name: len(rows) for name, rows in before.items() if rows
    }
    assert restore(target, tmp_path / "a.zip", admin) == made
    assert contents(target) == before
    with filled.database.reading() as one, target.reading() as other:
        assert [entry.action for entry in entries(one, limit=1)] == ["store.backup"]
        assert [entry.action for entry in entries(other, limit=1)] == ["store.restore"]


def test_numbers_go_on_after_the_highest_ever_given(filled, target, tmp_path, admin):
    gone = filled.incident(91, "decided")
    sweep(filled.database, filled.job, KeepSpec())
    assert max(filled.ids(incidents)) < gone
    back_up(filled.database, tmp_path / "a.zip", admin)
    restore(target, tmp_path / "a.zip", admin)
    restored = Filled.__new__(Filled)
    restored.database, restored.job, restored.model = target, filled.job, filled.model
    assert restored.incident(0, "open") == gone + 1


def test_what_holds_for_a_while_is_left_out(database, target, tmp_path, admin):
    accounts = Accounts(database)
    accounts.add_user(admin, "ana", UserRole.ADMIN, "brown otter under a bridge")
    accounts.log_in("ana", "brown otter under a bridge")
    accounts.invite(admin, "ana")
    back_up(database, tmp_path / "a.zip", admin)
    restore(target, tmp_path / "a.zip", admin)
    assert contents(target)["sessions"] == contents(target)["invites"] == []
    assert len(contents(database)["sessions"]) == 1
    assert Accounts(target).log_in("ana", "brown otter under a bridge").actor.role is UserRole.ADMIN


def test_a_backup_is_of_one_moment_though_others_write(filled, tmp_path, admin, monkeypatch, target):
    before, write = contents(filled.database), backup._write

    def slow(connection, table, archive):
        filled.add(events, when=5.0, kind="later", detail="{}")
        return write(connection, table, archive)

    monkeypatch.setattr(backup, "_write", slow)
    back_up(filled.database, tmp_path / "a.zip", admin)
    restore(target, tmp_path / "a.zip", admin)
    assert contents(target) == before


def test_a_backup_appears_whole_or_not_at_all(filled, tmp_path, admin, monkeypatch):
    path = tmp_path / "a.zip"
    path.write_bytes(b"from before")
    monkeypatch.setattr(backup, "_numbers", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        back_up(filled.database, path, admin)
    assert path.read_bytes() == b"from before"
    assert [other.name for other in tmp_path.glob("*.zip*")] == ["a.zip"]


def test_a_backup_is_for_its_owner_alone_and_never_over_the_store(filled, tmp_path, admin):
    back_up(filled.database, tmp_path / "a.zip", admin)
    assert (tmp_path / "a.zip").stat().st_mode & 0o777 == 0o600
    if filled.database.is_sqlite:
        store = filled.database.engine.url.database
        for name in (store, f"{store}-wal"):
            with pytest.raises(OutputError, match="is the store itself"):
                back_up(filled.database, type(tmp_path)(name), admin)
    with pytest.raises(OutputError, match="cannot write to"):
        back_up(filled.database, tmp_path / "absent" / "a.zip", admin)


def test_only_an_admin_backs_up_and_restores(filled, tmp_path):
    operator = Actor("otto", UserRole.OPERATOR, Via.API)
    for act in (back_up, restore):
        with pytest.raises(AccessError, match="it takes admin"):
            act(filled.database, tmp_path / "a.zip", operator)
    assert not (tmp_path / "a.zip").exists()


def test_a_store_that_is_not_empty_is_left_as_it_is(filled, tmp_path, admin):
    back_up(filled.database, tmp_path / "a.zip", admin)
    before = contents(filled.database)
    with pytest.raises(ConflictError, match=r"is not empty: it has \w+; restore into a new database"):
        restore(filled.database, tmp_path / "a.zip", admin)
    assert contents(filled.database) == before


def rewritten(path, change):
    """Write an archive anew, with its members changed."""
    with ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def changed_manifest(**values):
    def change(members):
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | values).encode()

    return change


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            lambda m: m.update({"tables/jobs.jsonl": m["tables/jobs.jsonl"].replace(b"other", b"ather")}),
            "damaged",
        ),
        (lambda m: m.update({"tables/events.jsonl": m["tables/events.jsonl"] * 2}), "events|damaged"),
        (lambda m: m.update({"tables/comments.jsonl": b""}), "damaged: tables/comments.jsonl"),
        (lambda m: m.update({"tables/pushed.jsonl": b'[1,1,0.1,"x",3,"?",0.5]\n'}), "is no row"),
        (lambda m: m.update({"tables/pushed.jsonl": b"not json\n"}), "is no row"),
        (lambda m: m.update({"tables/users.jsonl": b""}), "damaged|cannot be kept"),
        (lambda m: m.pop("tables/users.jsonl"), "its tables are not those of its version"),
        (lambda m: m.update({"more": b""}), "its tables are not those of its version"),
        (lambda m: m.pop("manifest.json"), "is no backup of a store"),
        (lambda m: m.update({"manifest.json": b"[]"}), "is no backup of a store"),
        (changed_manifest(revision="9999"), "with tables of 9999; this outlearn reads version 1"),
        (changed_manifest(version=2), "of version 2"),
        (changed_manifest(members={"x": 3}), "is no backup of a store"),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_kept_of_it(
    filled, target, tmp_path, admin, change, wanted
):
    path = tmp_path / "a.zip"
    back_up(filled.database, path, admin)
    rewritten(path, change)
    with pytest.raises(ReadError, match=wanted):
        restore(target, path, admin)
    target.upgrade()
    assert not any(contents(target).values())


def test_an_archive_that_was_cut_or_is_none_is_refused(filled, target, tmp_path, admin):
    path = tmp_path / "a.zip"
    back_up(filled.database, path, admin)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"x" * 1000, whole[:300] + bytes(200) + whole[500:]):
        path.write_bytes(content)
        with pytest.raises(ReadError, match=r"damaged|cannot be read as a backup|is no row"):
            restore(target, path, admin)
    with pytest.raises(ReadError, match="cannot be read as a backup"):
        restore(target, tmp_path / "absent.zip", admin)
    target.upgrade()
    assert not any(contents(target).values())


def test_an_audit_that_was_changed_before_it_was_backed_up_is_refused(filled, target, tmp_path, admin):
    with filled.database.writing() as connection:
        connection.execute(update(audit).where(audit.c.seq == 1).values(who="ben"))
    back_up(filled.database, tmp_path / "a.zip", admin)
    with pytest.raises(StoreError, match="entry 1 of the audit was changed"):
        restore(target, tmp_path / "a.zip", admin)
    target.upgrade()
    assert not any(contents(target).values())


def test_memory_is_bounded_by_the_largest_row(database, target, tmp_path, admin):
    with database.writing() as connection:
        for number in range(20):
            connection.execute(insert(blobs).values(digest=f"{number:064}", content=bytes(500_000)))
    tracemalloc.start()
    back_up(database, tmp_path / "a.zip", admin)
    restore(target, tmp_path / "a.zip", admin)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000
    assert len(contents(target, without=(sessions,))["blobs"]) == 20
