"""Everything that a report tells, as values: what the pipeline hands over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.alerts.hosts import Host
from outlearn.alerts.incident import Incident
from outlearn.data.schema import Schema
from outlearn.decisions.decision import Decision
from outlearn.explain.explanation import Explanation

__all__ = ["ColumnProfile", "Findings", "MapSample"]


@dataclass(frozen=True, slots=True)
class MapSample:
    """A 2-D map of a sample of rows: positions (s, 2), their row numbers (s,), scores (s,) and flags (s,)."""

    xy: NDArray[np.float64]
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    flagged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """How flagged rows differ from usual rows in one table column.

    `usual` and `flagged` are short words: "median 12 (5–95 %: 3 to 40)" or "DE 61 %, FR 20 %".
    `bins` and the two share vectors draw it: labels (b,), shares (b,) of the usual and of the flagged rows.
    """

    column: str
    kind: str
    usual: str
    flagged: str
    bins: tuple[str, ...]
    usual_share: tuple[float, ...]
    flagged_share: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """The outcome of one run of the main job.

    source, reference : what was read, in words; reference is None where rows were compared with themselves.
    detector : name and main settings, in words.
    scores : (n,) anomaly scores in [0, 1], in row order.
    top : row numbers of the most abnormal rows, most abnormal first; `top_values[i]` holds the cells of row
        `top[i]` (column name → value) and `explanations[i]` says why.
    support_size : rows that the detector compares with; labels : counts of (anomaly, normal) labels given.
    notes : sentences on what was set aside, repaired or could not be done.
    limits : sentences on what cannot be claimed.
    doubt : why the scores may tell nothing at all, in a sentence; empty where nothing speaks against them.
    seconds : wall time of each stage.
    seed : the `random_state` of the run; None where it was left to chance.
    incidents : groups of flagged rows; None where rows were not grouped.
    hosts : the oddest hosts of network flows.
    suppressed : flagged rows that are known to be good; they are not flagged any more.
    """

    source: str
    reference: str | None
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
