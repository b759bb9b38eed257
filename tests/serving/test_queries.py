"""New rows of a query come once, whatever its watermark does; the past of a job comes from anywhere."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from outlearn.errors import ParameterError, ReadError, SchemaError
from outlearn.pipeline.monitor import Monitor
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.jobs import Job, Jobs
from outlearn.serving.runs import RunQueue
from outlearn.serving.settings import Settings
from outlearn.serving.sources import SourceBatch, batches, between, forget, past
from outlearn.serving.store.database import Database

DAY = 86_400.0
START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


@dataclass
class Shop:
    """A job on a table `t`, and what was said."""

    database: Database
    settings: Settings
    job: Job
    said: list[str] = field(default_factory=list)

    def sql(self, statement: str, **values: Any) -> None:
        engine = create_engine(self.settings.databases["shop"])
        with engine.begin() as connection:
            connection.execute(text(statement), values)
        engine.dispose()

    def look(self) -> Iterator[SourceBatch]:
        reading = self.job.spec.reading(self.settings)
        yield from batches(self.database, self.settings, self.job, reading, tell=self.said.append)

    def commit(self, batch: SourceBatch) -> None:
        with self.database.writing() as connection:
            batch.commit(self.database, connection, self.job.id)

    def take(self, most: int | None = None) -> list[Any]:
        """Return the names of new rows, and commit the batches, of at most so many."""
        names: list[Any] = []
        for number, batch in enumerate(self.look()):
            if number == most:
                break
            names += batch.source.read()["name"].to_list()
            self.commit(batch)
        return names


def opened(database: Database, url: str, admin: Actor, roots: dict[str, Path], **document: Any) -> Shop:
    settings = Settings(databases={"shop": url}, roots=roots, batch_rows=4)
    source = {"query": "select * from t -- all of it", "database": "shop", "watermark": "id"}
    job = Jobs(database, settings, RunQueue(database)).add(
        admin, {"name": "shop", "source": source, **document}
    )
    return Shop(database, settings, job)


@pytest.fixture
def shop(database: Database, admin: Actor, new_url: Callable[..., str]) -> Shop:
    """A shop in a database of the same make as the store."""
    url = new_url(empty=True).replace("postgresql://", "postgresql+psycopg://")
    shop = opened(database, url, admin, {})
    shop.sql("create table t (id integer, name varchar(20))")
    return shop


def add(shop: Shop, *rows: tuple[int | None, str]) -> None:
    for id, name in rows:
        shop.sql("insert into t values (:id, :name)", id=id, name=name)


def test_rows_above_the_watermark_are_new(shop: Shop) -> None:
    add(shop, (2, "b"), (1, "a"))
    assert shop.take() == ["a", "b"]
    assert shop.take() == []
    add(shop, (3, "c"))
    (batch,) = shop.look()
    assert (batch.name, batch.start_row) == ("query on shop", 2)
    assert shop.take() == ["c"]


def test_rows_of_one_watermark_are_told_apart_across_batches(shop: Shop) -> None:
    add(shop, *[(1, f"n{i}") for i in range(6)])
    assert sorted(shop.take(most=1) + shop.take()) == [f"n{i}" for i in range(6)]
    add(shop, (1, "n6"), (1, "n0"), (2, "z"))  # one of them just like a row that was read
    assert shop.take() in (["n6", "n0", "z"], ["n0", "n6", "z"])
    assert shop.take() == []


def test_rows_without_a_watermark_are_told_of(shop: Shop) -> None:
    add(shop, (None, "x"), (1, "a"))
    assert shop.take() == ["a"]
    assert any("without a value of the watermark 'id'" in words for words in shop.said)
    shop.said.clear()
    assert shop.take() == []
    assert any("without a value of the watermark 'id'" in words for words in shop.said)


def test_a_watermark_that_goes_back_is_told_of(shop: Shop) -> None:
    add(shop, (100, "a"))
    shop.take()
    shop.sql("delete from t")
    add(shop, (1, "b"))
    assert shop.take() == []
    assert any("has the watermark 100 or above any more" in words for words in shop.said)


def test_a_query_only_reads(database: Database, admin: Actor, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    sqlite3.connect(tmp_path / "shop.db").execute("create table t (id integer, name text)")
    source = {"query": "delete from t", "database": "shop", "watermark": "id"}
    shop = opened(database, url, admin, {}, source=source)
    with pytest.raises(ReadError, match="begins with 'delete'"):
        shop.take()


def test_an_unknown_watermark_names_the_close_ones(database: Database, admin: Actor, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("create table t (number integer, name text)")
    connection.execute("insert into t values (1, 'a')")
    connection.commit()
    source = {"query": "select * from t", "database": "shop", "watermark": "nummer"}
    shop = opened(database, url, admin, {}, source=source)
    with pytest.raises((ReadError, SchemaError), match="nummer"):
        shop.take()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("double precision", [0.1, 0.30000000000000004, 0.5]),
        ("numeric(20, 10)", ["0.1", "0.3000000001", "0.5"]),
        ("timestamp", ["2026-01-01 00:00:00.000001", "2026-01-01 00:00:00.000002", "2026-01-02 00:00:00"]),
        ("date", ["2026-01-01", "2026-01-02", "2026-01-03"]),
        ("varchar(20)", ["a''b", "b:c", "c\\"]),
    ],
)
def test_watermarks_of_any_type(shop: Shop, kind: str, values: list[Any]) -> None:
    shop.sql("drop table t")
    shop.sql(f"create table t (id {kind}, name varchar(20))")
    for number, value in enumerate(values):
        written = value if isinstance(value, float) else f"'{value}'"
        shop.sql(f"insert into t values ({written}, :name)".replace("b:c", r"b\:c"), name=f"n{number}")
        assert shop.take() == [f"n{number}"]
    assert shop.take() == []


def test_a_changed_query_goes_on_where_it_was(shop: Shop, admin: Actor) -> None:
    add(shop, (1, "a"), (2, "b"))
    shop.take()
    source = {"query": "select id, name, 1 as one from t", "database": "shop", "watermark": "id"}
    jobs = Jobs(shop.database, shop.settings, RunQueue(shop.database))
    shop.job = jobs.change(admin, "shop", {"name": "shop", "source": source})
    add(shop, (3, "c"))
    assert shop.take() == ["c"]


def test_a_backfill_has_its_own_progress(shop: Shop) -> None:
    shop.sql("drop table t")
    shop.sql("create table t (id varchar(20), name varchar(20))")
    for day in range(1, 10):
        shop.sql("insert into t values (:id, :name)", id=f"2026-01-0{day}", name=f"n{day}")
    shop.take()
    window = (START + 2 * DAY, START + 8 * DAY)
    reading = shop.job.spec.reading(shop.settings)

    def look(run: int) -> Iterator[SourceBatch]:
        return between(shop.database, shop.settings, shop.job, reading, window, run)

    first = next(look(7))
    assert first.source.read()["name"].to_list() == ["n3", "n4"]
    shop.commit(first)
    assert [batch.source.read()["name"].to_list() for batch in look(7)] == [["n5", "n6", "n7", "n8"]]
    forget(shop.database, shop.job, 7)
    assert next(look(7)).source.read()["name"].to_list() == ["n3", "n4"]
    assert shop.take() == []


def test_the_past_of_a_query_is_its_newest_rows(shop: Shop) -> None:
    add(shop, *[(i, f"n{i % 3}") for i in range(10)])
    spec = shop.job.spec.from_document({**shop.job.spec.to_document(), "past": {"most": 3}})
    job = Job(shop.job.id, "shop", spec, "active", 1, 0.0, 0.0, None, None)
    assert past(shop.database, shop.settings, job).open(spec.read).read()["id"].to_list() == [7, 8, 9]


@given(st.lists(st.sampled_from(["one", "same", "look", "crash", "batch"]), max_size=10))
@settings(max_examples=5, deadline=None)
def test_every_row_of_a_query_comes_once(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("query")
    store = Database.open(f"sqlite:///{folder / 'store.db'}")
    store.upgrade()
    shop = opened(store, f"sqlite:///{folder / 'shop.db'}", Actor("a", UserRole.ADMIN, Via.CLI), {})
    shop.sql("create table t (id integer, name text)")
    came: list[int] = []
    written = mark = 0
    for action in [*actions, "look"]:
        if action in ("one", "same"):
            mark += action == "one"
            for _ in range(3):
                add(shop, (mark, f"{written}"))
                written += 1
        elif action == "crash":
            list(shop.look())
        else:
            came += shop.take(1 if action == "batch" else None)
    store.close()
    assert sorted(map(int, came)) == list(range(written))


@pytest.fixture
def files(tmp_path: Path, database: Database, admin: Actor) -> Callable[..., tuple[Jobs, Job, Path]]:
    root = tmp_path / "in"
    root.mkdir()

    def make(**document: Any) -> tuple[Jobs, Job, Path]:
        jobs = Jobs(database, Settings(roots={"in": root}, batch_rows=10), RunQueue(database))
        source = {"files": "*.csv", "root": "in"}
        return jobs, jobs.add(admin, {"name": "files", "source": source, **document}), root

    return make


def test_the_past_of_files_is_their_newest_rows_in_their_order(files: Any) -> None:
    jobs, job, root = files(past={"most": 25})
    for number in range(3):
        rows = "".join(f"{10 * number + i},x\n" for i in range(10))
        (root / f"{number}.csv").write_text(f"id,name\n{rows}")
    with (root / "2.csv").open("a") as stream:
        stream.write("99")  # half a row
    opened = past(jobs.database, jobs.settings, job).open(job.spec.read)
    assert opened.read()["id"].to_list() == list(range(5, 30))


def test_the_past_may_end_at_an_age(files: Any) -> None:
    jobs, job, root = files(past={"rolling": "2d"}, table={"time_column": "at"})
    rows = "".join(f"2026-01-0{day},{day}\n" for day in range(1, 8))
    (root / "a.csv").write_text(f"at,n\n{rows}")
    found = past(jobs.database, jobs.settings, job, now=START + 6 * DAY)
    assert found.open(job.spec.read).read()["n"].to_list() == [5, 6, 7]


def test_a_reference_is_drawn_evenly_and_a_model_fits_to_it(files: Any) -> None:
    jobs, job, root = files(past={"reference": "good/*", "root": "in", "most": 60})
    (root / "good").mkdir()
    frame = pl.DataFrame({"a": [i * i % 31 for i in range(100)], "b": ["x", "y"] * 50})
    frame.write_csv(root / "good" / "1.csv")
    frame.write_parquet(root / "good" / "2.parquet")
    said: list[str] = []
    rows = past(jobs.database, jobs.settings, job, tell=said.append, now=2e9)
    monitor = Monitor.fit(rows, detector="knn", known_normal=True)
    assert monitor.total == 60
    assert any("200 rows, of which 60 were drawn" in words for words in said)


def test_a_job_without_rows_says_so(files: Any) -> None:
    jobs, job, _ = files()
    with pytest.raises(ReadError, match="no rows yet"):
        past(jobs.database, jobs.settings, job)


def test_files_are_backfilled_by_the_time_of_rows(files: Any) -> None:
    jobs, job, root = files(table={"time_column": "at"})
    rows = "".join(f"2026-01-{day:02},{day}\n" for day in range(1, 29))
    (root / "a.csv").write_text(f"at,n\n{rows}")
    reading = job.spec.reading(jobs.settings)
    window = (START + 8 * DAY, START + 11 * DAY)
    found = list(between(jobs.database, jobs.settings, job, reading, window, 1))
    assert [batch.source.read()["n"].to_list() for batch in found] == [[9, 10], [11]]
    assert [batch.place(0) for batch in found] == [("a.csv", 8), ("a.csv", 10)]


def test_a_backfill_without_times_takes_files_by_their_own(files: Any) -> None:
    jobs, job, root = files()
    for number in range(3):
        (root / f"{number}.csv").write_text(f"n,m\n{number},x\n")
        os.utime(root / f"{number}.csv", (START + number * DAY, START + number * DAY))
    reading = job.spec.reading(jobs.settings)
    found = between(jobs.database, jobs.settings, job, reading, (START + DAY, START + 2 * DAY), 1)
    assert [batch.name for batch in found] == ["1.csv"]


def test_a_query_of_numbers_is_backfilled_by_a_time_column_alone(shop: Shop) -> None:
    add(shop, (1, "a"))
    reading = shop.job.spec.reading(shop.settings)
    with pytest.raises(ParameterError, match="name a time column"):
        list(between(shop.database, shop.settings, shop.job, reading, (0.0, 1.0), 1))
