"""Detectors judged on a labelled source, by the protocols of `evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from outlearn.data.labels import parse_labels
from outlearn.data.readers import ReadOptions
from outlearn.data.sample import sample_source
from outlearn.data.schema import Schema
from outlearn.detectors.named import make_detector
from outlearn.errors import LabelError, ParameterError
from outlearn.evaluate import PROTOCOLS, Evaluation, evaluate_detector, few_labels
from outlearn.pipeline.learn import SAMPLE_ROWS, Reading, open_table
from outlearn.pipeline.rows import Spec, answer_column, chunk_rows
from outlearn.pipeline.stages import Progress, Stages

__all__ = ["Trial", "evaluate"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The figures of each detector by name, and what to know about them."""

    figures: dict[str, Evaluation]
    notes: tuple[str, ...]


def evaluate(
    source: Spec,
    *,
    label_column: str | None = None,
    detectors: Sequence[str] = ("incontext",),
    protocol: str = "contaminated",
    labels: int = 5,
    budget: int | None = None,
    splits: int = 3,
    ignore: Sequence[str] = (),
    schema: str | Path | None = None,
    options: ReadOptions | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trial:
    """Judge detectors on the labelled rows of a source.

    Only columns that the schema uses take part, so that identifiers do not hide copies of a row.

    Parameters
    ----------
    protocol : a name in `outlearn.evaluate.PROTOCOLS`; `labels` is how many anomalies "few-label" shows.
    splits : how many splits, with seeds from `seed` on.

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
    if protocol not in PROTOCOLS:
        raise ParameterError(f"no protocol is called {protocol!r}; there are {', '.join(PROTOCOLS)}")
    stages = Stages(progress)
    label = label_column or answer_column(source)
    with stages.stage("reading"):
        opened, reading = open_table(source, Reading(label, None, tuple(ignore), schema, options))
        if reading.label_column is None:
            raise LabelError("no labels: name the column that holds them with --label-column")
        drawn = sample_source(
            opened, SAMPLE_ROWS, seed=seed, label_column=reading.label_column, chunk_rows=chunk_rows(opened)
        )
        truth = parse_labels(drawn.frame[reading.label_column], name=reading.label_column)
        used = Schema(reading.schema_of(drawn.frame).used)
        frame = drawn.frame.filter(truth >= 0).select(used.names)
    truth_known = truth[truth >= 0]
    split = partial(few_labels, labelled_anomalies=labels) if protocol == "few-label" else PROTOCOLS[protocol]
    figures = {}
    for done, name in enumerate(detectors):
        with stages.stage("judging", len(detectors)) as tick:
            make = partial(make_detector, name, schema=used, random_state=seed)
            seeds = range(seed, seed + splits)
            figures[name] = evaluate_detector(make, frame, truth_known, split, seeds, budget=budget)
            tick(done + 1)
    left = len(truth) - len(truth_known)
    notes = [*opened.notes, *drawn.notes]
    if left:
        notes.append(f"{left:,} rows without a label were left out")
    return Trial(figures, tuple(notes))
