"""Queries read, and do nothing else: not to the database, not to other files, and not for ever."""

import sqlite3
import time

import pytest
import sqlalchemy

from outlearn.data.readers import ReadOptions, open_source, sql
from outlearn.data.readers.sql_reading import GUARDS, QueryClock, guard_of, prepare
from outlearn.data.readers.sql_statement import check_statement
from outlearn.errors import ParameterError, ReadError

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) "


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a b#%.db"
    connection = sqlite3.connect(path)
    connection.executescript("create table t (a, b); insert into t values (1, 'x'), (2, 'y')")
    connection.close()
    return path


def read(path, query, **options):
    return open_source(f"sqlite:///{path}", options=ReadOptions(query=query, **options)).read()


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select * from t;", 2),
        ("select ';' as c, '--' as d -- one; two", 1),
        ("/* a; b */ select 1", 1),
        ("select [a;b], `c;d` from (select 1 as [a;b], 2 as `c;d`)", 1),
        ("with x as (select 1) select * from x, t", 2),
        ("values (1), (2), (3)", 3),
        ("select * from t where b = '12:ab' or b like '%x' or 1", 2),
        ("pragma table_info(t)", 2),
        ("select value from json_each('[1, 2]')", 2),
        ("select name from pragma_table_info('t')", 2),
        ("explain query plan select * from t", 1),
        (f"{ENDLESS} select i from n limit 20", 20),
    ],
)
def test_what_reads_is_read(query, rows, path):
    assert read(path, query).height == rows


@pytest.mark.parametrize(
    "query",
    [
        "drop table t",
        "delete from t",
        "delete from t returning a",
        "insert into t values (3, 'z')",
        "update t set a = 9",
        "create table u (a)",
        "create temp table u as select 1",
        "vacuum into '{folder}/other.db'",
        "attach '{folder}/other.db' as other",
        "pragma query_only = off",
        "pragma journal_mode = wal",
        "pragma writable_schema = on",
        "select 1; drop table t",
        "select 'it''s'; drop table t",
        "select 1 /* ; */ ; drop table t -- ;",
        "with x as (select 1) delete from t",
        "with x as (select 1) update sqlite_master set sql = 'x'",
        "explain analyze; drop table t",
        "select load_extension('x')",
        "select writefile('{folder}/other.db', 'x')",
        "begin exclusive",
        "",
        "-- nothing",
        "select zeroblob(999999999)",
    ],
)
def test_what_does_more_than_read_is_refused_and_does_nothing(query, path):
    before = path.read_bytes()
    with pytest.raises(ReadError) as caught:
        read(path, query.format(folder=path.parent))
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("columns", ["i", "count(*)", "group_concat(i)"])
def test_an_endless_query_is_stopped(columns, path):
    begun = time.monotonic()
    with pytest.raises(ReadError, match=r"took more than 0\.3 seconds and was stopped.*--query-timeout"):
        read(path, f"{ENDLESS} select {columns} from n", query_timeout=0.3)
    assert time.monotonic() - begun < 10


def test_time_that_others_take_does_not_count(path):
    source = open_source(f"sqlite:///{path}", options=ReadOptions(query="select * from t", query_timeout=0.5))
    for _ in source.batches(1):
        time.sleep(0.6)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_limit_that_is_none_is_refused(seconds):
    with pytest.raises(ParameterError, match="query_timeout"):
        ReadOptions(query_timeout=seconds)


def test_large_rows_come_in_small_pieces(path, monkeypatch):
    monkeypatch.setattr(sql, "_BATCH_BYTES", 100_000)
    query = f"{ENDLESS} select i, hex(zeroblob(5000)) as wide from n limit 300"
    source = open_source(f"sqlite:///{path}", options=ReadOptions(query=query, as_text=("wide",)))
    sizes = [frame.height for frame in source.batches(10**6)]
    assert sum(sizes) == 300 and max(sizes[1:]) < 20


def test_a_database_with_a_log_is_read_while_another_writes(path):
    with sqlite3.connect(path) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("insert into t values (3, 'z')")
        writer.commit()
        writer.execute("insert into t values (4, 'uncommitted')")
        assert read(path, "select * from t").height == 3
        writer.rollback()
    writer.close()


def test_a_file_and_folder_without_permission_to_write_are_read(path):
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode = wal")
    connection.close()
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert read(path, "select * from t").height == 2
    finally:
        path.parent.chmod(0o755)


def test_a_locked_database_says_so(path):
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("begin exclusive")
        with pytest.raises(ReadError, match="database is locked; another program is writing"):
            read(path, "select * from t", query_timeout=0.2)
    other.close()


def test_an_address_of_sqlite_cannot_ask_for_more(path):
    url = f"sqlite:///file:{path.parent}/new.db?mode=rwc&uri=true"
    with pytest.raises(ReadError):
        open_source(url, options=ReadOptions(query="select 1"))
    assert list(path.parent.iterdir()) == [path]


# ---- other databases: what they are told, for none is here to be asked


class Recorder:
    """What a connection of SQLAlchemy was asked to run; `unknown` statements fail."""

    def __init__(self, unknown=()):
        self.asked, self.unknown, self.connection = [], unknown, self
        self.dbapi_connection = type("Driver", (), {"timeout": 0, "call_timeout": 0})()

    def exec_driver_sql(self, statement):
        if any(word in statement for word in self.unknown):
            raise sqlalchemy.exc.OperationalError(statement, None, Exception("unknown"))
        self.asked.append(statement)


@pytest.mark.parametrize(
    ("dialect", "asked"),
    [
        ("postgresql", ["SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = 2500"]),
        ("mysql", ["SET SESSION TRANSACTION READ ONLY", "SET SESSION max_execution_time = 2500"]),
        ("oracle", ["SET TRANSACTION READ ONLY"]),
        ("duckdb", []),
        ("mssql", []),
    ],
)
def test_a_connection_is_held_to_reading_and_its_time(dialect, asked):
    connection = Recorder()
    prepare(connection, guard_of(dialect), 2.5)
    assert connection.asked == asked
    assert (connection.dbapi_connection.call_timeout == 2500) == (dialect == "oracle")
    assert (connection.dbapi_connection.timeout == 2) == (dialect == "mssql")


def test_mariadb_has_another_name_for_the_limit():
    connection = Recorder(unknown=("max_execution_time",))
    prepare(connection, guard_of("mysql"), 2.5)
    assert connection.asked[1:] == ["SET SESSION max_statement_time = 2"]


def test_a_database_that_cannot_be_held_to_reading_is_not_asked():
    with pytest.raises(sqlalchemy.exc.OperationalError):
        prepare(Recorder(unknown=("READ ONLY",)), guard_of("postgresql"), 1)


def test_duckdb_is_opened_for_reading_and_without_the_outside():
    assert GUARDS["duckdb"].connect["read_only"] is True
    assert GUARDS["duckdb"].connect["config"]["enable_external_access"] is False


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("postgresql", "select $tag$ ; $tag$, E'\\'; ', 1"),
        ("postgresql", 'select "a;b" /* one /* two; */ ; */ from t'),
        ("mysql", "select 1 # ; no"),
        ("mysql", "select `a;b`, ';' from t"),
        ("mssql", "select [update], 'drop' from t"),
        ("snowflake", 'select "delete" from t -- drop'),
    ],
)
def test_one_statement_is_known_as_one(dialect, query):
    guard = guard_of(dialect)
    check_statement(query, guard.syntax, trusted=guard.trusted)


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("postgresql", "select 1; commit; drop table t"),
        ("postgresql", "select '\\'; drop table t; --'"),
        ("postgresql", "select $a$ $a$; drop table t"),
        ("postgresql", "/* /* */ select */ drop table t"),
        ("postgresql", "copy t to program 'sh'"),
        ("mysql", "select '\\'; drop table t; -- '"),
        ("mysql", "select 1 /*! ; drop table t */"),
        ("mysql", "select * from t into  outfile '/x'"),
        ("mysql", "/*!50000 drop table t */"),
        ("mssql", "with x as (select 1 as a) delete from t"),
        ("mssql", "select * into u from t"),
        ("mssql", "exec xp_cmdshell 'x'"),
        ("clickhouse", "select 1 union all insert into t values (1)"),
    ],
)
def test_what_may_be_several_statements_or_changes_something_is_refused(dialect, query):
    guard = guard_of(dialect)
    with pytest.raises(ReadError):
        check_statement(query, guard.syntax, trusted=guard.trusted)


def test_a_query_that_is_stopped_from_another_thread_says_that_it_was_late():
    stopped, clock = [], QueryClock(0.05)
    with pytest.raises(ReadError, match="took more than"), clock.running(lambda: stopped.append(1)):
        time.sleep(0.15)
        raise RuntimeError("interrupted")
    assert stopped == [1]
    with pytest.raises(RuntimeError, match="own"), QueryClock(9).running():
        raise RuntimeError("own")
