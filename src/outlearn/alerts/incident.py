"""Flagged rows with their facts, and the incidents that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.alerts.techniques import Technique
from outlearn.explain.explanation import Explanation

__all__ = ["LISTED", "FlaggedRows", "Incident", "Run", "moment"]

LISTED = 100  # row numbers, targets and the like that an incident names, at most
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FlaggedRows:
    """Flagged rows, k of them.

    kind : what the rows are, a name of `data.kinds.registry`.
    rows, scores : (k,) row numbers and anomaly scores; p_values (k,) or None.
    times : (k,) seconds since 1970, NaN where a time is not known.
    entities : (k,) whose rows they are, "" where nobody's.
    facts : frame (k, …) of `data.kinds.kind.FACTS`.
    masks : (k,) techniques, as `technique_masks` gives them.
    reasons : explanations of some of the rows; reason_of (k,) which of them is that of each row, or of the
        row most like it.
    remarks : (k,) what to say of a row before its reason, such as which confirmed case it is like; empty
        where there is nothing to say.
    """

    kind: str
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    p_values: NDArray[np.float64] | None
    times: NDArray[np.float64]
    entities: tuple[str, ...]
    facts: pl.DataFrame
    masks: NDArray[np.uint32]
    reasons: tuple[Explanation, ...]
    reason_of: NDArray[np.int64]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """Flagged rows of one entity that are near in time and odd in the same way.

    entity : whose rows they are; "" where nobody's.
    count : of rows; `rows` are the numbers of the first 100, highest score first.
    score, p_value : the highest score, and the lowest p-value where there are some.
    start, end : seconds since 1970; None where no time is known.
    why : the explanation of the row with the highest score, or of the explained row most like it: `why.row`.
    remark : what to say before the reason; "" for nothing.
    techniques : those that a rule supports for one of the rows at least.
    facts : of `FACTS` the values in the rows, each once, at most 100; `counts` says how many there are. Bytes
        are summed up.
    """

    kind: str
    entity: str
    count: int
    rows: tuple[int, ...]
    score: float
    p_value: float | None
    start: float | None
    end: float | None
    why: Explanation
    techniques: tuple[Technique, ...]
    facts: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]
    sent: float | None = None
    received: float | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Fields that all alerts of a run share: source, rule and its promise, version, and time."""

    source: str
    rule: str
    promise: str
    version: str
    now: datetime


def moment(seconds: float) -> datetime | None:
    """Return seconds since 1970 as a date-time in UTC; None beyond the years 1 to 9999.

    >>> moment(0.5).isoformat()
    '1970-01-01T00:00:00.500000+00:00'
    >>> moment(1e300)
    """
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None
