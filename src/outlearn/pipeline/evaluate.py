"""Detectors judged on a labelled source, by the protocols of `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.encode import Encoder
from outlearn.data.label_words import fold, meanings_of
from outlearn.data.named import literal, only
from outlearn.data.readers import ReadOptions
from outlearn.data.sample import sample_source
from outlearn.data.schema import Schema, unknown_column
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.pool import POOL
from outlearn.detectors.registry import make_detector
from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.evaluate import (
    PROTOCOLS,
    Evaluation,
    FamilyFigures,
    Protocol,
    contaminated,
    evaluate_detector,
    evaluate_loop,
    few_labels,
    judge_zero_day,
    telling_columns,
)
from outlearn.evaluate.zero_day import CASES, held_families
from outlearn.execute import Executor
from outlearn.panics import without_panics
from outlearn.paths import READ, use
from outlearn.pipeline.learn import SAMPLE_ROWS, cautions_of, open_table
from outlearn.pipeline.request import TableSpec
from outlearn.pipeline.request_codec import by_parts
from outlearn.pipeline.rows import Spec, answer_column, chunk_rows
from outlearn.pipeline.stages import Stages
from outlearn.progress import Progress

__all__ = [
    "LOOP",
    "ZERO_DAY",
    "EvaluateRequest",
    "EvaluationResult",
    "ZeroDay",
    "evaluate",
    "evaluate_zero_day",
]

LISTED_COLUMNS = 5  # that a warning names


ZERO_DAY, LOOP = "zero-day", "loop"
NORMAL = ("", "none", "0")  # names of no family, beside words that mean normal


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The figures of each detector by name, and notes on them."""

    figures: dict[str, Evaluation]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ZeroDay:
    """The figures of each detector by name, a row a family, seed and count of cases; notes on them."""

    figures: dict[str, list[FamilyFigures]]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Judged:
    """Labelled rows (n, columns of the schema), their truth (n,), names of families (n,) and notes."""

    frame: pl.DataFrame
    truth: NDArray[np.int8]
    families: NDArray[np.object_]
    schema: Schema
    notes: tuple[str, ...]


class EvaluateOptions(TypedDict, total=False):
    """Fields of an `EvaluateRequest` and its parts by their names."""

    detectors: Sequence[str]
    protocol: str
    labels: int
    budget: int | None
    cases: Sequence[int]
    known: int
    splits: int
    seed: int
    label_column: str | None
    anomaly_values: Sequence[str]
    missing_values: Sequence[str]
    family_column: str | None
    ignore: Sequence[str]
    schema: str | Path | None
    options: ReadOptions | None


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """A labelled table that detectors are to be judged on.

    detectors : names, as `make_detector` takes them.
    protocol : a name in `outlearn.evaluate.PROTOCOLS`; labels : how many anomalies "few-label" shows. "loop":
        the rows on top are labelled step by step, beside as many anomalies drawn at random.
    budget : rows to look at; None: as many as there are anomalies.
    cases, known : of families left out, as in `outlearn.evaluate.zero_day`.
    splits : how many, with seeds from `seed` on.
    family_column : names the family of each anomaly; no feature, and without a label column it tells which
        rows are normal: those whose name is empty, or says so as normal, benign or background do.
    """

    source: Spec = field(metadata=use(READ))
    detectors: tuple[str, ...] = ("profiles",)
    protocol: str = "contaminated"
    labels: int = 5
    budget: int | None = None
    cases: tuple[int, ...] = CASES
    known: int = 0
    splits: int = 3
    seed: int = 0
    family_column: str | None = None
    table: TableSpec = field(default_factory=TableSpec)
    read: ReadOptions = field(default_factory=ReadOptions)

    @classmethod
    def of(cls, source: Spec, **options: Any) -> Self:
        """Return a request from its fields and those of its parts."""
        return cls(source, **by_parts(cls, options, {"table": TableSpec, "read": ReadOptions}))


@without_panics("the rows")
def evaluate(
    source: Spec,
    *,
    progress: Progress | None = None,
    executor: Executor | None = None,
    **options: Unpack[EvaluateOptions],
) -> EvaluationResult:
    """Judge detectors on the labelled rows of a source.

    Only columns that the schema uses take part, so that identifiers do not hide copies of a row.

    Parameters
    ----------
    source : as in `detect`. progress : called with a stage, what is done and what there is in all.
    executor : where splits are judged, in this process by default.

    The others are the fields of `EvaluateRequest` and of its parts.

    Raises
    ------
    LabelError
        When there is no label column or no labels.
    InputError
        When the set is too small for the protocol.

    >>> trial = evaluate("dataset:wine", detectors=["knn"], splits=1)
    >>> trial.figures["knn"].test_anomalies
    4
    """
    request = EvaluateRequest.of(source, **options)
    if request.protocol not in (*PROTOCOLS, LOOP):
        known = ", ".join((*PROTOCOLS, LOOP))
        raise ParameterError(f"no protocol is called {request.protocol!r}; there are {known}")
    stages = Stages(progress)
    with stages.stage("reading"):
        rows = _judged(request)
    figures: dict[str, Evaluation] = {}
    notes = rows.notes
    with stages.stage("judging", len(request.detectors)) as tick:
        for done, name in enumerate(request.detectors, start=1):
            judging = _Judging(rows, request, name, executor)
            if request.protocol == LOOP and (name not in POOL or POOL[name].needs_labels):
                figures |= judging.loop()
                notes = (*notes, judging.asked)
            else:
                figures[name] = judging.figures()
            tick(done)
    if request.family_column is None:
        return EvaluationResult(figures, notes)
    optimistic = (
        f"each family of '{request.family_column}' stands on both sides of the split, so this is optimistic "
        f"for one that was never seen: --protocol {ZERO_DAY} leaves one out at a time"
    )
    return EvaluationResult(figures, (*notes, optimistic))


@dataclass(slots=True)
class _Judging:
    """The splits and the rows that a detector by name is judged on. asked : what an analyst saw on top."""

    rows: _Judged
    request: EvaluateRequest
    name: str
    executor: Executor | None
    asked: str = ""

    @property
    def make(self) -> Callable[[], BaseDetector]:
        """Makes the detector."""
        return partial(make_detector, self.name, schema=self.rows.schema, random_state=self.request.seed)

    @property
    def common(self) -> dict[str, Any]:
        """What all protocols share."""
        return {"budget": self.request.budget, "executor": self.executor}

    @property
    def seeds(self) -> range:
        return range(self.request.seed, self.request.seed + self.request.splits)

    def figures(self, labels: int | None = None) -> Evaluation:
        """Return the figures by the protocol of the request; labels : anomalies shown, drawn at random."""
        protocol: Protocol = PROTOCOLS.get(self.request.protocol, contaminated)
        if labels is not None or self.request.protocol == "few-label":
            protocol = partial(few_labels, labelled_anomalies=labels or self.request.labels)
        return evaluate_detector(
            self.make, self.rows.frame, self.rows.truth, protocol, self.seeds, **self.common
        )

    def loop(self) -> dict[str, Evaluation]:
        """Return the figures without labels, and of each step beside as many anomalies drawn at random."""
        walked = evaluate_loop(self.make, self.rows.frame, self.rows.truth, self.seeds, **self.common)
        steps = [step for step in walked if step.labels]
        self.asked = (
            f"{self.name}: of the {_slashed(step.labels for step in steps)} rows that were on top and "
            f"labelled, {_slashed(f'{step.anomalies:.1f}' for step in steps)} were anomalies, on average; "
            "at random: as many known anomalies and no normal row"
        )
        figures = {self.name: walked[0].figures}
        for step in steps:
            figures[f"{self.name}, {step.labels} on top"] = step.figures
            with suppress(InputError):  # there are fewer anomalies than that
                figures[f"{self.name}, {step.labels} at random"] = self.figures(step.labels)
        return figures


def _slashed(values: Iterable[object]) -> str:
    return " / ".join(map(str, values))


def evaluate_zero_day(
    source: Spec,
    *,
    progress: Progress | None = None,
    executor: Executor | None = None,
    **options: Unpack[EvaluateOptions],
) -> ZeroDay:
    """Judge detectors on each family of anomalies in turn, of which they learn from a few cases at most.

    Parameters
    ----------
    source, progress, executor : as in `evaluate`. The others are the fields of `EvaluateRequest`; one
        split by default.

    Raises
    ------
    InputError
        When there are fewer than two families, or none with enough rows.
    """
    request = EvaluateRequest.of(source, **{"splits": 1, **options})
    detectors, splits, cases, seed = request.detectors, request.splits, request.cases, request.seed
    stages = Stages(progress)
    with stages.stage("reading"):
        rows = _judged(request)
    figures: dict[str, list[FamilyFigures]] = {}
    families = held_families(rows.truth, rows.families)
    rounds = len(detectors) * len(families) * splits * len(cases)
    done = 0
    with stages.stage("judging", rounds) as tick:
        for name in detectors:
            make = partial(make_detector, name, schema=rows.schema, random_state=seed)
            figures[name] = []
            for family_figures in judge_zero_day(
                make,
                rows.frame,
                rows.truth,
                rows.families,
                range(seed, seed + splits),
                cases=cases,
                known=request.known,
                executor=executor,
            ):
                figures[name].append(family_figures)
                done += 1
                tick(done)
    return ZeroDay(figures, rows.notes)


def _judged(request: EvaluateRequest) -> _Judged:
    """Read labelled rows, at most 50,000, of the columns that a detector would use."""
    family_column, seed, table = request.family_column, request.seed, request.table
    family_column = None if family_column is None else literal(family_column)
    aside = table.ignore if family_column is None else (*table.ignore, family_column)
    label = table.label_column or answer_column(request.source)
    spec = replace(table, label_column=label, ignore=aside)
    opened, reading = open_table(request.source, spec.reading(request.read))
    if family_column is not None and family_column not in opened.columns:
        raise unknown_column(family_column, opened.columns, what="the family column", where=opened.name)
    label = reading.label_column
    if label is None and family_column is None:
        raise LabelError("no labels: name the column that holds them with --label-column")
    drawn = sample_source(
        opened,
        SAMPLE_ROWS,
        seed=seed,
        label_column=label,
        anomaly_values=reading.anomaly_values,
        chunk_rows=chunk_rows(opened),
    )
    schema_read = reading.schema_of(drawn.frame, opened)
    drawn = drawn.filled(schema_read)
    notes = [*opened.notes, *drawn.notes]
    names = np.full(drawn.frame.height, "", dtype=object)
    if family_column is not None:
        texts = drawn.frame[family_column].cast(pl.String).fill_null("").str.strip_chars()
        names = texts.to_numpy().astype(object)
    if drawn.labels is not None:
        truth = drawn.labels
    else:
        truth = np.array([not _is_normal(name) for name in names.tolist()], dtype=np.int8)
        notes.append(
            f"rows of '{family_column}' that are named normal, benign or not at all are the normal ones"
        )
    known = truth >= 0
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows without a label were left out")
    if drawn.labelling is not None and drawn.labelling.absent:
        raise LabelError(drawn.labelling.absent)
    notes = [*cautions_of(drawn, schema_read, reading), *notes]
    used = replace(schema_read, columns=schema_read.used)
    frame = only(drawn.frame.filter(known), used.names)
    truth, names = truth[known], names[known]
    return _Judged(frame, truth, names, used, (*notes, *_telling(frame, used, truth)))


def _is_normal(name: str) -> bool:
    word = fold(name)
    return word in NORMAL or meanings_of([word])[0].get(word) == 0


def _telling(frame: pl.DataFrame, schema: Schema, truth: NDArray[np.int8]) -> tuple[str, ...]:
    """Return a warning for columns that tell the label alone."""
    if len(set(truth.tolist())) < 2:
        return ()
    encoder = Encoder.fit(frame, schema)
    telling = telling_columns(encoder.transform(frame).values, encoder.sources, truth)
    if not telling:
        return ()
    listed = ", ".join(f"'{name}' (AUROC {area:.3f})" for name, area in telling[:LISTED_COLUMNS])
    return (
        f"one column alone tells the label: {listed}; check that it is known when a row is judged, or leave "
        "it out (--ignore)",
    )
