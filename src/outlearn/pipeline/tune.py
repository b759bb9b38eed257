"""From a source to a detector that was set for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.encode import Encoder
from outlearn.data.named import without
from outlearn.data.readers import ReadOptions
from outlearn.data.sample import sample_source
from outlearn.data.schema import Role
from outlearn.findings.table import Origin
from outlearn.findings.tuning import Tried, TuningFindings
from outlearn.panics import without_panics
from outlearn.paths import READ, use
from outlearn.pipeline.learn import SAMPLE_ROWS, cautions_of, open_table, refuse_labels
from outlearn.pipeline.request import TableSpec
from outlearn.pipeline.request_codec import by_parts
from outlearn.pipeline.rows import Spec, chunk_rows
from outlearn.tuning.search import Trial
from outlearn.tuning.space import named
from outlearn.tuning.trials.candidate import scores
from outlearn.tuning.trials.ensemble import RankEnsemble
from outlearn.tuning.trials.observe import MEASURES
from outlearn.tuning.tuner import MetaTuner

__all__ = ["TuneRequest", "TunedSource", "tune", "tune_rows"]

_UNSEEN = (Role.LABEL, Role.IGNORED)
AGREEMENT = MEASURES.index("agree.incontext")


@dataclass(frozen=True)
class TunedSource:
    """A detector set for a table.

    estimator : as `MetaTuner.optimize` returns it, for rows as `encoder` gives them. tuner : that made it.
    rows, scores : numbers of the rows that were read, and what they score, high = abnormal.
    source : its name.
    """

    estimator: Any
    encoder: Encoder
    tuner: MetaTuner
    rows: Any
    scores: Any
    notes: tuple[str, ...]
    source: str = ""

    def findings(self) -> TuningFindings:
        """Return the findings of the search, for a report."""
        tuned = self.tuner.tuned_
        return TuningFindings(
            Origin(self.source, len(self.rows)),
            tuned.strategy,
            tuned.choice.why,
            tuned.seconds,
            tuple(named(tuned.configs)),
            tuple(float(value) for value in tuned.choice.expected),
            tuple(tuned.choice.members),
            tuned.default,
            tuple(_tried(trial) for trial in tuned.trials),
            self.notes,
            None if tuned.beside is None else _tried(tuned.beside),
        )


def _tried(trial: Trial) -> Tried:
    seen = trial.seen
    agreement = None if seen is None else float(seen.measures[AGREEMENT])
    precision = None if seen is None else seen.precision
    return Tried(trial.index, agreement, precision, trial.seconds, trial.fault)


def _plain_numbers(frame: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float32] | None:
    """Return the columns without those of these names, if all of them are finite numbers; else None."""
    plain = without(frame, names)
    if not plain.width or not all(kind.is_numeric() for kind in plain.dtypes):
        return None
    values = plain.cast(pl.Float32, strict=False).to_numpy()
    return values if np.isfinite(values).all() else None


class TuneOptions(TypedDict, total=False):
    """Fields of a `TuneRequest` and its parts by their names."""

    budget: int
    seconds: float
    time_limit: float | None
    label_column: str | None
    anomaly_values: Sequence[str]
    missing_values: Sequence[str]
    time_column: str | None
    ignore: Sequence[str]
    schema: str | Path | None
    options: ReadOptions | None


@dataclass(frozen=True, slots=True)
class TuneRequest:
    """A table that a classical detector is to be chosen and set for.

    detectors : names to choose among. budget, seconds, time_limit : as for `MetaTuner.optimize`.
    """

    source: Spec = field(metadata=use(READ))
    detectors: tuple[str, ...]
    budget: int = 25
    seconds: float = 30.0
    time_limit: float | None = None
    table: TableSpec = field(default_factory=TableSpec)
    read: ReadOptions = field(default_factory=ReadOptions)

    @classmethod
    def of(cls, source: Spec, detectors: Sequence[str], **options: Any) -> Self:
        """Return a request from its fields and those of its parts."""
        parts = {"table": TableSpec, "read": ReadOptions}
        return cls(source, tuple(detectors), **by_parts(cls, options, parts))


@without_panics("the rows")
def tune(
    source: Spec, tuner: MetaTuner, *, detectors: Sequence[str], **options: Unpack[TuneOptions]
) -> TunedSource:
    """Read a table, choose and set a detector for it, and score its rows.

    Parameters
    ----------
    source : a path, or whatever else `detect` takes. tuner : one that has learnt.
    detectors : names to choose among. The others are the fields of `TuneRequest` and of its parts.
    """
    return tune_rows(TuneRequest.of(source, detectors, **options), tuner)


def tune_rows(request: TuneRequest, tuner: MetaTuner) -> TunedSource:
    """Choose and set a detector, as `tune` does, by a request."""
    source, reading = open_table(request.source, request.table.reading(request.read))
    sample = sample_source(
        source,
        SAMPLE_ROWS,
        seed=tuner.random_state,
        label_column=reading.label_column,
        anomaly_values=reading.anomaly_values,
        chunk_rows=chunk_rows(source),
    )
    schema = reading.schema_of(sample.frame, source)
    sample = sample.filled(schema)
    encoder = Encoder.fit(sample.frame, schema)
    X = encoder.transform(sample.frame).values
    refuse_labels(sample)
    y = sample.labels
    made = tuner.optimize(
        list(request.detectors),
        X,
        y,
        budget=request.budget,
        seconds=request.seconds,
        time_limit=request.time_limit,
        known_as=_plain_numbers(sample.frame, [c.name for c in schema.columns if c.role in _UNSEEN]),
    )
    sample_scores = -made.score_samples(X) if isinstance(made, RankEnsemble) else scores(made, X)
    cautions = cautions_of(sample, schema, reading)
    notes = (*cautions, *source.notes, *sample.notes, *tuner.tuned_.notes)
    return TunedSource(made, encoder, tuner, sample.rows, np.asarray(sample_scores), notes, source.name)
