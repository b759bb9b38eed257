"""Find what resembles a few confirmed cases: rank all rows, say which are alike, or that none is."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data import named
from outlearn.data.empty import empty_rows
from outlearn.data.kinds.registry import kind_named
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.sample import sample_source
from outlearn.data.schema import Schema, unknown_column
from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import OwnRule
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.inputs import SettledLabels
from outlearn.detectors.registry import make_detector
from outlearn.detectors.similarity import SAME, Alike, Likeness
from outlearn.errors import InputError, ParameterError
from outlearn.execute import Executor, Serial
from outlearn.explain.words import percent
from outlearn.findings.table import Findings
from outlearn.panics import without_panics
from outlearn.pipeline.alerting import check_entity
from outlearn.pipeline.checks import check_request
from outlearn.pipeline.learn import SAMPLE_ROWS, Reading, cautions_of, open_table, read_as_learnt
from outlearn.pipeline.monitor import Judging, Monitor
from outlearn.pipeline.request import AUTO, HuntOptions, HuntRequest
from outlearn.pipeline.rows import Spec, chunk_rows, chunks_of
from outlearn.pipeline.stages import Stages
from outlearn.progress import Progress

__all__ = ["AUTO", "LEARNERS", "hunt", "hunt_rows"]

LEARNERS = (
    "incontext",  # best with five cases, level with the best with one: benchmarks/studies/hunting.py
    "profiles",
    "siamese",
    "triplet",
    "protonet",
    "maml",
)  # that take cases; the first is the default
MOST_CASES = 1000
ORDER = "copies of a case have the score 1 and come first, then the other flagged rows, then the rest"


@without_panics("the rows")
def hunt(
    source: Spec,
    like: Spec,
    *,
    progress: Progress | None = None,
    executor: Executor | None = None,
    **options: Unpack[HuntOptions],
) -> Findings:
    """Rank the rows of a source by how much they resemble confirmed cases.

    Rows that lie as near to a case as rows of the table do to one another are flagged as alike; see
    `detectors.similarity`. Where none does, `Findings.doubt` says so; rows are ranked all the same. Copies of
    a case have the score 1, whatever the learner thinks of them, and come first; then come the other flagged
    rows, then the rest, each by their scores.

    Parameters
    ----------
    like : the confirmed cases, with the columns of the source; one to a thousand rows.
    progress : called with a stage, the rows done and the rows in all. executor : runs the scoring.
    reference : rows known to be normal, with the same columns.
    learner : of `LEARNERS`; "auto" takes the first of them.

    The others are those of `detect`.

    Raises
    ------
    InputError
        When a table cannot be read, or columns are missing from the cases.
    """
    request = HuntRequest.of(source, like, **options)
    return hunt_rows(request, progress=progress, executor=executor)


def hunt_rows(
    request: HuntRequest, *, progress: Progress | None = None, executor: Executor | None = None
) -> Findings:
    """Rank the rows of a source, as `hunt` does, by a request."""
    learner, seed = request.detector.name, request.detector.seed
    why = f"ranked by the learner {learner}, as asked for"
    if learner == AUTO:
        learner = LEARNERS[0]
        why = f"ranked by the learner {learner}, the default"
    if learner not in LEARNERS:
        raise ParameterError(f"learner is {learner!r}; wanted {AUTO} or one of {', '.join(LEARNERS)}")
    patterns = check_request(request)
    stages, reading = Stages(progress), request.reading
    with stages.stage("reading"):
        opened, settled = open_table(request.source, reading)
        check_entity(request.outputs.alerts, patterns, opened)
        drawn = sample_source(opened, SAMPLE_ROWS, seed=seed, chunk_rows=chunk_rows(opened))
        columns = settled.schema_of(drawn.frame, opened)
        cautions = cautions_of(drawn, columns, settled)
        columns = replace(columns, columns=columns.used)
        of_sample = drawn.notes
        drawn = drawn.filled(columns)
        table = named.only(drawn.frame, columns.names)
        reading = replace(reading, options=read_as_learnt(reading.options or ReadOptions(), columns))
        cases, said = _cases(request.like, reading, opened, table)
        _refuse_empty(cases, columns)
        normal = table.clear()
        if request.reference is not None:
            normal = named.only(_beside(request.reference, reading, table, "the reference"), table.columns)
            normal = normal.filter(~empty_rows(normal, columns))
    rows = pl.concat([table, normal, cases])
    y = np.repeat(np.array([-1, 0, 1], dtype=np.int8), [table.height, normal.height, cases.height])
    with stages.stage("learning"):
        detector = make_detector(learner, schema=columns, random_state=seed).fit(rows, SettledLabels(y))
        alike = Alike.of(
            detector.encoder_.transform(table).values, detector.encoder_.transform(cases).values, seed
        )
    likeness = _likeness(detector, alike, opened, stages, executor or Serial())
    notes = (*opened.notes, *of_sample, *said, why, ORDER)
    monitor = Monitor(detector, opened.name, None, len(table), notes, cautions)
    findings = monitor.judge(
        opened,
        Judging(
            outputs=request.outputs,
            patterns=patterns,
            weigh=lambda scores: np.where(likeness.away < SAME, 1.0, scores),
            decide=lambda _: _decision(likeness.alike),
            remark=lambda row: f"{_words(alike, likeness, row, cases.height)}; ",
            executor=executor,
        ),
        reference=None,
        notes=monitor.notes,
        stages=stages,
    )
    return findings if likeness.alike.any() else replace(findings, doubt=_nothing(alike, likeness))


def _nothing(alike: Alike, likeness: Likeness) -> str:
    """Say that no row is alike, and how far the nearest lies."""
    nearest = int(np.argmin(likeness.away))
    return (
        f"nothing alike here: the row that is nearest to a case, row {nearest}, lies farther from it than "
        f"{_most(alike, float(likeness.away[nearest]))} from their nearest neighbours; "
        "the ranking below is of what is odd in the same way at most"
    )


def _cases(
    like: Spec, reading: Reading, opened: Source, table: pl.DataFrame
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the cases as rows of the table, with what is known of those around them, and notes."""
    cases = _beside(like, reading, table, "the cases")
    if cases.height > MOST_CASES:
        raise InputError(
            f"{cases.height:,} cases came; wanted {MOST_CASES:,} at most: to learn from more, label them"
        )
    return _seen_around(cases, opened, table)


def _beside(spec: Spec, reading: Reading, table: pl.DataFrame, what: str) -> pl.DataFrame:
    """Read rows whole, with the columns of the table in its types."""
    opened, _ = open_table(spec, reading)
    for name in table.columns:
        if name not in opened.columns:
            raise unknown_column(name, opened.columns, what=f"a column of {what}", where=opened.name)
    types = [named.by_name(name).cast(dtype, strict=False) for name, dtype in table.schema.items()]
    return opened.read().with_columns(types)


def _refuse_empty(cases: pl.DataFrame, schema: Schema) -> None:
    empty = np.flatnonzero(empty_rows(cases, schema))
    if len(empty):
        raise InputError(
            f"case {int(empty[0])}, counted from 0, is empty: all its cells are missing; leave it out"
        )


def _seen_around(
    cases: pl.DataFrame, source: Source, table: pl.DataFrame
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return cases with the columns of the table, and notes on them.

    What hosts do around a flow, or an id before a frame, is not seen in a file of single cases: those that
    are in the source are read there, of others it is missing.
    """
    plain = named.only(cases, table.columns)
    around = kind_named(source.kind).surroundings
    if around is None:
        return plain, ()
    keys = [name for name in around.keys(source.columns) if name in cases.columns]
    head = next(iter(source.chunks(1)))
    wanted = _numbered(
        pl.DataFrame([cases[name].cast(head.schema[name], strict=False) for name in keys]), "case"
    )
    there: dict[int, pl.DataFrame] = {}
    for chunk in chunks_of(source):
        rows = _numbered(named.only(chunk, keys), "row").join(
            wanted, on=[str(place) for place in range(len(keys))], nulls_equal=True
        )
        for row, case in rows.select("row", "case").iter_rows():
            there.setdefault(case, named.only(chunk[row], table.columns))
    alone = plain.with_columns(
        pl.lit(None, dtype=table.schema[name]).alias(name) for name in around.columns if name in plain
    )
    seen = [there.get(case, alone[case]) for case in range(cases.height)]
    missing = cases.height - len(there)
    note = f"{missing} of the cases are not in the table: {around.words} is not known"
    return pl.concat(seen), (note,) if missing else ()


def _numbered(keys: pl.DataFrame, called: str) -> pl.DataFrame:
    """Return keys of rows, their columns called by their places, with the numbers of the rows beside them."""
    return keys.rename({name: str(place) for place, name in enumerate(keys.columns)}).with_row_index(called)


def _likeness(
    detector: BaseDetector, alike: Alike, source: Source, stages: Stages, executor: Executor
) -> Likeness:
    """Return how all rows lie to the cases."""
    pieces: list[Likeness] = []
    compare = partial(_compare_chunk, detector=detector, alike=alike)
    with stages.stage("comparing", source.rows) as tick:
        done = 0
        for piece in executor.map(compare, chunks_of(source)):
            pieces.append(piece)
            done += len(piece.away)
            tick(done)
    return Likeness(
        np.concatenate([piece.away for piece in pieces]),
        np.concatenate([piece.which for piece in pieces]),
        np.concatenate([piece.alike for piece in pieces]),
    )


def _compare_chunk(chunk: pl.DataFrame, *, detector: BaseDetector, alike: Alike) -> Likeness:
    lie = alike.of_rows(detector.encoder_.transform(chunk).values)
    empty = empty_rows(chunk, detector.schema_)  # which is like nothing
    return Likeness(np.where(empty, np.inf, lie.away), lie.which, lie.alike & ~empty)


def _decision(flagged: NDArray[np.bool_]) -> Decision:
    return Decision(
        flagged=flagged,
        threshold=float("nan"),
        rule=OwnRule("likeness"),
        promise=Promise(False, "to resemble a case is no proof; confirm or refute the first ones"),
    )


def _words(alike: Alike, likeness: Likeness, row: int, cases: int) -> str:
    """Return how near a row is to a case, in words."""
    name = "the case" if cases == 1 else f"case {likeness.which[row]}"
    away = float(likeness.away[row])
    if away < SAME:
        return f"the same as {name}"
    if likeness.alike[row]:
        return f"like {name}"
    return f"farther from {name} than {_most(alike, away)} from their nearest"


def _most(alike: Alike, away: float) -> str:
    """Return which rows lie nearer to their nearest neighbours than a distance, in words."""
    share = 1 - alike.share(away)
    return "all rows lie" if share == 1 else f"{percent(share)} of the rows lie"
