"""From tables of labelled series to a learner for machines like theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.named import only
from outlearn.data.readers import ReadOptions
from outlearn.data.series import Series, SeriesReader
from outlearn.detectors.labelled_series import point_labels
from outlearn.detectors.series_scorers import FLEET
from outlearn.errors import InputError, ParameterError
from outlearn.learners.series.fleet import LEARNER, STEPS, FleetOutcome, train_fleet
from outlearn.paths import CHECKPOINT, Named, check_apart, named_paths
from outlearn.pipeline.learn import Reading
from outlearn.pipeline.request import FitRequest
from outlearn.pipeline.rows import Spec
from outlearn.pipeline.series_table import SeriesTable
from outlearn.progress import Progress

__all__ = ["learn_fleet"]

MACHINE = "\0machine"  # which table a row is of


def learn_fleet(
    tables: Sequence[Spec],
    out: str | Path,
    *,
    label_column: str,
    anomaly_values: Sequence[str] = (),
    series_column: str | None = None,
    time_column: str | None = None,
    ignore: Sequence[str] = (),
    learner: str = LEARNER,
    steps: int = STEPS,
    licence: str = "",
    options: ReadOptions | None = None,
    random_state: int = 0,
    command: str = "learn_fleet",
    progress: Progress | None = None,
) -> FleetOutcome:
    """Meta-train a learner on machines whose faults are labelled; see `learners.series.fleet`.

    Parameters
    ----------
    tables : one of all machines, told apart by `series_column`, or one a machine.
    label_column : 1 where a point is of a fault; anything else counts as normal. anomaly_values : labels that
        mean a fault, where words of your own stand there.

    Raises
    ------
    InputError
        When the user can mend it: no such column, too few machines with faults, …
    """
    if learner not in FLEET:
        raise ParameterError(f"learner is {learner!r}; wanted one of {', '.join(FLEET)}")
    if series_column is None and len(tables) == 1:
        raise ParameterError(
            "one table came and no series column: name the column that tells the machines apart, or give a "
            "table for each machine"
        )
    read = [named for spec in tables for named in named_paths(FitRequest(spec))]
    check_apart([*read, Named("out", Path(out), CHECKPOINT)])
    reading = Reading(label_column, time_column, tuple(ignore), None, options, tuple(anomaly_values))
    frames, labels, aside = [], [], list(ignore)
    for number, spec in enumerate(tables):
        table = SeriesTable.open(spec, reading)
        frame, aside, time_column = table.frame, table.ignored, table.time_column
        labels.append(table.labels(label_column, required=True).values)
        if series_column is None:
            frame = frame.with_columns(pl.lit(f"{number:04d} {table.name}").alias(MACHINE))
        frames.append(frame)
    names = frames[0].columns
    if any(set(frame.columns) != set(names) for frame in frames):
        raise InputError("the tables differ in their columns; a fleet is of machines with the same channels")
    frame = pl.concat([only(frame, names) for frame in frames], how="vertical_relaxed")
    reader, _ = SeriesReader.fit(
        frame, time_column=time_column, series_column=series_column or MACHINE, ignore=aside
    )
    return train_fleet(
        _machines(reader, frame, np.concatenate(labels)),
        Path(out),
        learner=learner,
        steps=steps,
        seed=random_state,
        licence=licence,
        command=command,
        progress=progress,
    )


def _machines(
    reader: SeriesReader, frame: pl.DataFrame, labels: NDArray[np.int8]
) -> Iterator[tuple[Series, NDArray[np.int8]]]:
    machines, _ = reader.read(frame)
    for series in machines:
        yield series, point_labels(series, labels)
