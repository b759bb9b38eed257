"""Queries of a real PostgreSQL server read, and do nothing else, and end in their time."""

import time
from contextlib import suppress

import pytest

from outlearn.data.readers import ReadOptions, open_source
from outlearn.errors import ReadError
from tests import postgres

pytest.importorskip("psycopg")
pytestmark = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing() or "a server can be had")

SETUP = (
    "create table t (a int, b text, c timestamptz, d numeric)",
    "insert into t select i, 'x' || i, timestamptz '2026-01-01 00:00+00' + i * interval '1 hour', i / 4.0 "
    "from generate_series(1, 300) i",
    "create sequence s",
    """create function writes() returns int language plpgsql as
       $$ begin insert into t values (999, 'by a function'); return 1; end $$""",
    """create function sneaks() returns int language plpgsql as
       $$ begin perform set_config('transaction_read_only', 'off', false); delete from t; return 1; end $$""",
)


@pytest.fixture(scope="module")
def server(postgres_server):
    postgres_server.run("create database shop")
    postgres_server.run(*SETUP, database="shop")
    yield postgres_server
    postgres_server.run("drop database shop (force)")


@pytest.fixture
def state(server):
    """What must be the same after a query: tables and their rows, large objects, sequences, settings."""

    def look():
        return [
            server.run(query, database="shop")
            for query in (
                "select * from t order by a",
                "select oid, relname from pg_class order by oid",
                "select last_value, is_called from s",
                "select loid from pg_largeobject",
                "select setdatabase, setconfig from pg_db_role_setting",
                "select rolname, rolsuper from pg_roles order by 1",
            )
        ]

    return look


def read(server, query, **options):
    return open_source(server.url("shop"), options=ReadOptions(query=query, **options)).read()


def test_rows_are_read(server):
    frame = read(server, "select * from t where b like 'x%' and a::text <> '12:ab' order by a")
    assert frame.height == 300 and frame["a"].to_list() == list(range(1, 301))
    assert frame["d"].to_list()[:2] == [0.25, 0.5]
    assert frame["c"][0] == "2026-01-01 01:00:00+00:00"


def test_rows_come_through_a_cursor_of_the_server(server):
    """A table of any size: the driver would otherwise hold all rows before the first is given."""
    source = open_source(
        server.url("shop"), options=ReadOptions(query="select a from t, generate_series(1, 20) order by a")
    )
    assert sum(frame.height for frame in source.batches(1_000)) == 6_000


@pytest.mark.parametrize(
    "query",
    [
        "drop table t",
        "delete from t returning *",
        "truncate t",
        "with gone as (delete from t returning *) select * from gone",
        "with new as (insert into t values (7) returning a) select * from new",
        "select * into u from t",
        "explain analyze delete from t",
        "select writes()",
        "select sneaks()",
        "select set_config('transaction_read_only', 'off', true), writes()",
        "select nextval('s')",
        "select setval('s', 9)",
        "select * from t for update",
        "select 1; drop table t",
        "select 1; commit; drop table t",
        "select $$;$$; drop table t",
        "select E'\\';' ; drop table t; --'",
        "/* /* */ ; */ select 1 */; drop table t",
        "copy t to program 'true'",
        "do $$ begin delete from t; end $$",
        "set transaction read write",
        "select dblink_exec('dbname=shop', 'drop table t')",
    ],
)
def test_what_does_more_than_read_is_refused_and_does_nothing(query, server, state):
    before = state()
    with pytest.raises(ReadError) as caught:
        read(server, query)
    assert "\n" not in str(caught.value)
    assert state() == before


@pytest.mark.parametrize("query", ["select lo_create(77)", "select pg_notify('a', 'b')"])
def test_what_the_server_lets_pass_is_rolled_back(query, server, state):
    """Functions on large objects are no writes to servers before version 16."""
    before = state()
    with suppress(ReadError):
        read(server, query)
    assert state() == before


@pytest.mark.parametrize(
    "query",
    [
        "select pg_sleep(600)",
        "select count(*) from generate_series(1, 1000000000000)",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
        "with recursive n(i) as (select 1 union all select 1 - i from n) select i from n",
        "select set_config('statement_timeout', '0', false), pg_sleep(600)",
    ],
)
def test_an_endless_query_is_stopped_here_and_on_the_server(query, server):
    begun = time.monotonic()
    with pytest.raises(ReadError, match=r"more than 0\.5 seconds.*--query-timeout"):
        read(server, query, query_timeout=0.5)
    assert time.monotonic() - begun < 5
    working = "select query from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() "
    while server.run(f"{working} and datname = 'shop'", database="postgres"):
        assert time.monotonic() - begun < 10
        time.sleep(0.05)


def test_what_the_server_says_is_one_line_without_a_secret(server):
    url = server.url("shop").replace("@", ":Tr0ub4dor@", 1)
    with pytest.raises(ReadError, match="nothing_of_that_name") as caught:
        open_source(url, options=ReadOptions(query="select * from nothing_of_that_name"))
    assert "\n" not in str(caught.value) and "Tr0ub4dor" not in str(caught.value)
