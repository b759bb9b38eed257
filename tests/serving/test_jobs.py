"""Jobs change as operators say, with an entry in the audit; rows that are pushed are taken in or refused."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import func, select

from outlearn.data.readers import Source
from outlearn.errors import (
    AbsentError,
    AccessError,
    ConflictError,
    ParameterError,
    ReadError,
    SchemaError,
)
from outlearn.pipeline.monitor import Monitor
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.jobs import Jobs
from outlearn.serving.runs import RunQueue
from outlearn.serving.settings import Settings
from outlearn.serving.sources import batches, past
from outlearn.serving.store import audit
from outlearn.serving.store.database import Database
from outlearn.serving.store.tables import pushed

OPERATOR = Actor("op", UserRole.OPERATOR, Via.API)
PUSH: dict[str, Any] = {"name": "payments", "source": {"push": True}}
CSV = b"amount,shop\n12,a\n7,b\n"


@pytest.fixture
def jobs(database: Database, tmp_path: Path) -> Jobs:
    (tmp_path / "in").mkdir()
    settings = Settings(roots={"in": tmp_path / "in"}, largest_push_rows=100, largest_upload=10_000)
    return Jobs(database, settings, RunQueue(database))


def actions(jobs: Jobs) -> list[str]:
    with jobs.database.reading() as connection:
        return [entry.action for entry in reversed(audit.entries(connection))]


def test_a_job_is_added_changed_paused_and_removed(jobs: Jobs) -> None:
    job = jobs.add(OPERATOR, PUSH)
    assert (job.state, job.revision, job.next_fit) == ("active", 1, None)
    assert job.next_score == job.created
    changed = jobs.change(OPERATOR, "payments", {**PUSH, "entity": "shop"}, revision=1)
    assert (changed.spec.entity, changed.revision) == ("shop", 2)
    with pytest.raises(ConflictError, match="at revision 2"):
        jobs.change(OPERATOR, "payments", PUSH, revision=1)
    assert jobs.pause(OPERATOR, "payments").state == "paused"
    assert jobs.resume(OPERATOR, "payments").state == "active"
    jobs.remove(OPERATOR, "payments")
    assert jobs.list() == ()
    assert jobs.by_id(job.id).state == "removed"
    assert jobs.add(OPERATOR, PUSH).id != job.id
    assert actions(jobs) == ["job.add", "job.change", "job.pause", "job.resume", "job.remove", "job.add"]


def test_names_are_told_apart_and_close_ones_named(jobs: Jobs) -> None:
    jobs.add(OPERATOR, PUSH)
    with pytest.raises(ConflictError, match="is a job payments already"):
        jobs.add(OPERATOR, PUSH)
    with pytest.raises(AbsentError, match="did you mean payments"):
        jobs.get("payment")
    with pytest.raises(ParameterError, match="a job keeps its name"):
        jobs.change(OPERATOR, "payments", {**PUSH, "name": "other"})


@pytest.mark.parametrize(
    "act",
    [
        lambda jobs, actor: jobs.add(actor, {**PUSH, "name": "b"}),
        lambda jobs, actor: jobs.change(actor, "payments", PUSH),
        lambda jobs, actor: jobs.pause(actor, "payments"),
        lambda jobs, actor: jobs.resume(actor, "payments"),
        lambda jobs, actor: jobs.remove(actor, "payments"),
        lambda jobs, actor: jobs.push(actor, "payments", CSV),
        lambda jobs, actor: jobs.run(actor, "payments"),
        lambda jobs, actor: jobs.backfill(actor, "payments", 0.0),
    ],
)
def test_an_analyst_changes_no_job(jobs: Jobs, act: Callable[[Jobs, Actor], object]) -> None:
    jobs.add(OPERATOR, PUSH)
    with pytest.raises(AccessError, match="it takes operator"):
        act(jobs, Actor("ana", UserRole.ANALYST, Via.API))
    assert actions(jobs) == ["job.add"]


def test_runs_are_asked_for(jobs: Jobs) -> None:
    jobs.add(OPERATOR, {"name": "files", "source": {"files": "*.csv", "root": "in"}})
    assert jobs.run(OPERATOR, "files", "fit") == jobs.run(OPERATOR, "files", "fit")
    asked = jobs.runs.get(jobs.backfill(OPERATOR, "files", 0.0, 10.0)).asked
    assert asked == {"start": 0.0, "end": 10.0}
    with pytest.raises(ParameterError, match="start before the end"):
        jobs.backfill(OPERATOR, "files", 10.0, 10.0)
    jobs.pause(OPERATOR, "files")
    with pytest.raises(ConflictError, match="is paused"):
        jobs.run(OPERATOR, "files")


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (CSV, "text/csv; charset=utf-8"),
        (b'{"amount": 12, "shop": "a"}\n{"amount": 7, "shop": "b"}\n', "application/x-ndjson"),
        (b'[{"amount": 12, "shop": "a"}, {"amount": 7, "shop": "b"}]', "application/json"),
        ("parquet", "application/vnd.apache.parquet"),
        ("arrow", ""),
        ("frame", ""),
    ],
)
def test_rows_come_in_by_every_format(jobs: Jobs, tmp_path: Path, content: Any, media: str) -> None:
    frame = pl.DataFrame({"amount": [12, 7], "shop": ["a", "b"]})
    if content == "parquet":
        frame.write_parquet(tmp_path / "rows")
        content = tmp_path / "rows"
    elif content == "arrow":
        frame.write_ipc(tmp_path / "rows")
        content = (tmp_path / "rows").read_bytes()
    elif content == "frame":
        content = frame
    job = jobs.add(OPERATOR, PUSH)
    taken = jobs.push(OPERATOR, "payments", content, media=media, filename="../in/today.csv")
    assert taken.rows == 2
    assert jobs.runs.get(taken.run_id or 0).kind == "score"
    (batch,) = batches(jobs.database, jobs.settings, job, job.spec.reading(jobs.settings))
    assert batch.source.read().rows() == frame.rows()
    assert (batch.name, batch.place(1)) == ("today.csv (push 1)", ("today.csv (push 1)", 1))


@pytest.mark.parametrize(
    ("content", "media", "error", "words"),
    [
        (b"", "text/csv", ReadError, "empty"),
        (b"amount,shop\n", "text/csv", ReadError, "rows.csv: no rows of data"),
        (b"a,b\n1,2,3\n", "text/csv", ReadError, "has 3 fields where the first has 2"),
        (b"PAR1" + bytes(50), "", ReadError, "rows.csv: damaged"),
        (b"\x80\x04pickle", "", ReadError, "Python pickle"),
        (b"a\n" + b"1\n" * 101, "", ReadError, "more than 100 rows"),
        (b"a\n" * 6_000, "", ReadError, "has 12,000 bytes; at most 10,000"),
        (CSV, "image/png", ParameterError, "image/png"),
        ("sqlite:///etc", "", ParameterError, "came as text"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(
    jobs: Jobs, content: Any, media: str, error: type[Exception], words: str
) -> None:
    jobs.add(OPERATOR, PUSH)
    with pytest.raises(error, match=words):
        jobs.push(OPERATOR, "payments", content, media=media, filename="rows.csv")
    with jobs.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(pushed)).scalar() == 0


def test_packed_rows_are_unpacked_as_far_as_rows_may_come_in(jobs: Jobs) -> None:
    jobs.add(OPERATOR, PUSH)
    assert jobs.push(OPERATOR, "payments", gzip.compress(CSV), filename="today.csv.gz").rows == 2
    with pytest.raises(ReadError, match=r"bomb.csv unpacks to more than 10,000 bytes"):
        jobs.push(OPERATOR, "payments", gzip.compress(b"a\n" * 6_000), filename="bomb.csv")


def test_columns_that_the_model_lacks_are_told_at_once(jobs: Jobs) -> None:
    frame = pl.DataFrame({"amount": [i * i % 17 for i in range(30)], "shop": ["a", "b", "c"] * 10})
    monitor = Monitor.fit(frame, detector="knn")
    jobs.add(OPERATOR, PUSH)
    strict = Jobs(jobs.database, jobs.settings, jobs.runs, lambda _: monitor)
    with pytest.raises(SchemaError, match="there is: Amount"):
        strict.push(OPERATOR, "payments", b"Amount,shop\n1,a\n")
    assert strict.push(OPERATOR, "payments", b"amount,shop,more\n1,a,x\n").rows == 1
    assert strict.push(OPERATOR, "payments", b'{"amount": 1}\n').rows == 1
    with pytest.raises(SchemaError, match="- shop"):
        strict.push(OPERATOR, "payments", b'{"amount": 1, "stop": "a"}\n')


def test_a_paused_job_takes_rows_that_wait(jobs: Jobs) -> None:
    jobs.add(OPERATOR, PUSH)
    jobs.pause(OPERATOR, "payments")
    assert jobs.push(OPERATOR, "payments", CSV).run_id is None
    assert jobs.resume(OPERATOR, "payments").next_score is not None


def test_no_more_waits_than_the_job_keeps(jobs: Jobs) -> None:
    jobs.add(OPERATOR, {**PUSH, "keep": {"megabytes": 1}})
    roomy = Jobs(jobs.database, Settings(), jobs.runs)
    noise = pl.DataFrame({"a": [secrets.token_hex(5_000) for _ in range(60)]})  # packs by half
    with pytest.raises(ConflictError, match="which keeps 1 MB"):
        for _ in range(5):
            roomy.push(OPERATOR, "payments", noise)


def test_rows_are_not_pushed_to_a_job_of_files(jobs: Jobs) -> None:
    jobs.add(OPERATOR, {"name": "files", "source": {"files": "*.csv", "root": "in"}})
    with pytest.raises(ParameterError, match="reads files"):
        jobs.push(OPERATOR, "files", CSV)


def test_small_pushes_are_judged_together_and_large_ones_in_parts(jobs: Jobs) -> None:
    settings = Settings(batch_rows=4)
    job = jobs.add(OPERATOR, PUSH)
    sizes = (1, 2, 1, 6, 1)
    for number, size in enumerate(sizes):
        frame = pl.DataFrame({"id": [10 * number + i for i in range(size)]})
        jobs.push(OPERATOR, "payments", frame.write_csv().encode(), filename=f"{number}.csv")
    reading = job.spec.reading(settings)

    def look() -> Any:
        return batches(jobs.database, settings, job, reading)

    assert [batch.rows for batch in look()] == [4, 4, 2, 1]
    first = next(iter(look()))
    assert [first.place(row) for row in (0, 2, 3)] == [
        ("0.csv (push 1)", 0),
        ("1.csv (push 2)", 1),
        ("2.csv (push 3)", 0),
    ]
    came: list[int] = []
    for _ in range(4):  # each look ends with its first batch, as a worker that is killed then
        batch = next(iter(look()))
        came += batch.source.read()["id"].to_list()
        with jobs.database.writing() as connection:
            batch.commit(jobs.database, connection, job.id)
    assert came == [0, 10, 11, 20, 30, 31, 32, 33, 34, 35, 40]
    assert list(look()) == []


def test_judged_rows_stay_for_the_next_fit_and_no_longer(jobs: Jobs) -> None:
    job = jobs.add(OPERATOR, {**PUSH, "past": {"most": 5}})
    for number in range(6):
        jobs.push(OPERATOR, "payments", f"id\n{2 * number}\n{2 * number + 1}\n".encode())
        for batch in batches(jobs.database, jobs.settings, job, job.spec.reading(jobs.settings)):
            with jobs.database.writing() as connection:
                batch.commit(jobs.database, connection, job.id)
    with jobs.database.reading() as connection:
        assert connection.execute(select(func.sum(pushed.c.rows))).scalar() == 6
    source: Source = past(jobs.database, jobs.settings, job).open(job.spec.read)
    assert source.read()["id"].to_list() == [7, 8, 9, 10, 11]


def test_rows_of_other_types_are_not_put_into_one_batch(jobs: Jobs) -> None:
    job = jobs.add(OPERATOR, PUSH)
    for frame in (pl.DataFrame({"a": [1]}), pl.DataFrame({"a": ["x"]}), pl.DataFrame({"b": [1]})):
        jobs.push(OPERATOR, "payments", frame)
    found = list(batches(jobs.database, jobs.settings, job, job.spec.reading(jobs.settings)))
    assert [batch.source.read().rows() for batch in found] == [[(1,)], [("x",)], [(1,)]]


def test_a_push_that_the_new_model_cannot_read_waits_and_is_told(jobs: Jobs) -> None:
    job = jobs.add(OPERATOR, PUSH)
    jobs.push(OPERATOR, "payments", b"other\n1\n")
    jobs.push(OPERATOR, "payments", CSV)
    frame = pl.DataFrame({"amount": [i * i % 17 for i in range(30)], "shop": ["a", "b", "c"] * 10})
    monitor = Monitor.fit(frame, detector="knn")
    said: list[str] = []
    found = list(
        batches(
            jobs.database,
            jobs.settings,
            job,
            monitor.reading(None),
            schema=monitor.detector.schema_,
            tell=said.append,
        )
    )
    assert [batch.pushed_ids for batch in found] == [(2,)]
    assert any("(push 1) waits on" in words for words in said)
