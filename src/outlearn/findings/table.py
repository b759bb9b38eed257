"""Findings of the rows of a table, as values without a word of rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from outlearn.alerts.hosts import Host
from outlearn.alerts.incident import Incident
from outlearn.data.schema import Schema
from outlearn.decisions.decision import Decision
from outlearn.explain.explanation import Explanation

__all__ = [
    "Bin",
    "CategorySummary",
    "ColumnProfile",
    "Findings",
    "MapSample",
    "NumberSummary",
    "Origin",
]


@dataclass(frozen=True, slots=True)
class MapSample:
    """A 2-D map of a sample of rows: positions (s, 2), their row numbers (s,), scores (s,) and flags (s,)."""

    xy: NDArray[np.float64]
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    flagged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of the values of a column, and the shares of usual and of flagged rows in it.

    kind : "value" for rows of one `value`, a number or a category; "range" for numbers from `low` on and
        below `high`, None where it is open; "other" for all other values; "missing" for rows without one.
    """

    kind: Literal["value", "range", "other", "missing"]
    usual: float
    flagged: float
    value: float | str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class NumberSummary:
    """Numbers of a group of rows: their 5 %, 50 % and 95 % quantiles, and the share of rows without one.

    low, middle, high : None where no number is finite. constant : whether all finite ones are the same.
    """

    low: float | None
    middle: float | None
    high: float | None
    constant: bool
    missing: float


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """Categories of a group of rows: the three most frequent with their shares, and the share of rows
    without one."""

    common: tuple[tuple[str, float], ...]
    missing: float


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """How flagged rows differ from usual rows in one table column.

    kind : of the column. unit : of its numbers; "characters" of texts, "events" of sequences.
    scale : "category"; else what a number is: "number", seconds since 1970 that are shown to the "day" or to
        the "minute", or seconds of a "span" of time or since midnight ("clock").
    """

    column: str
    kind: str
    scale: Literal["number", "day", "minute", "span", "clock", "category"]
    unit: str
    bins: tuple[Bin, ...]
    usual: NumberSummary | CategorySummary
    flagged: NumberSummary | CategorySummary


@dataclass(frozen=True, slots=True)
class Origin:
    """The table that rows were read from.

    name : of the table. rows : how many it has; None where that is not known.

    >>> str(Origin("payments.csv", 1200))
    'payments.csv (1,200 rows)'
    """

    name: str
    rows: int | None = None

    def __str__(self) -> str:
        return self.name if self.rows is None else f"{self.name} ({self.rows:,} rows)"


@dataclass(frozen=True, slots=True)
class Findings:
    """The outcome of one run of the main job.

    source, reference : what was read, and what it was compared with; None where that are the same rows.
    detector : name and main settings, in words.
    scores : (n,) anomaly scores in [0, 1], in row order.
    top : row numbers of the most abnormal rows, most abnormal first; `top_values[i]` holds the cells of row
        `top[i]` (column name → value) and `explanations[i]` says why.
    support_size : rows that the detector compares with; labels : counts of (anomaly, normal) labels given.
    notes : sentences on what was set aside, repaired or could not be done.
    limits : sentences on what cannot be claimed.
    doubt : why the scores may tell nothing at all, in a sentence; empty where nothing speaks against them.
    cautions : sentences to be read before the findings: doubtful labels, columns that look like the answer.
    seconds : wall time of each stage.
    seed : the `random_state` of the run; None where it was left to chance.
    incidents : groups of flagged rows; None where rows were not grouped.
    hosts : the oddest hosts of network flows.
    suppressed : flagged rows that are known to be good; they are not flagged any more.
    """

    source: Origin
    reference: Origin | None
    detector: str
    schema: Schema
    scores: NDArray[np.float64]
    decision: Decision
    top: NDArray[np.int64]
    top_values: tuple[dict[str, Any], ...]
    explanations: tuple[Explanation, ...]
    support_size: int
    labels: tuple[int, int]
    map: MapSample | None
    profiles: tuple[ColumnProfile, ...]
    notes: tuple[str, ...]
    limits: tuple[str, ...]
    seconds: dict[str, float]
    version: str
    seed: int | None = None
    doubt: str = ""
    incidents: tuple[Incident, ...] | None = None
    hosts: tuple[Host, ...] = ()
    suppressed: int = 0
    cautions: tuple[str, ...] = ()
