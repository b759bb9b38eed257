"""Findings of a search for configurations, as values without a word of rendering."""

from __future__ import annotations

from dataclasses import dataclass

from outlearn.findings.table import Origin

__all__ = ["Tried", "TuningFindings"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A configuration that was tried.

    place : in `TuningFindings.names`. agreement : rank correlation with the in-context learner's scores;
    precision : average precision on the labelled rows; both None where nothing was seen. fault : why.
    """

    place: int
    agreement: float | None
    precision: float | None
    seconds: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TuningFindings:
    """The outcome of a search for configurations.

    names, expected : of all configurations, and the gain in average precision expected (NaN: unknown).
    members : places of those chosen, the best first. default : the place of the default.
    beside : what was seen of the default, where anything was tried.
    """

    source: Origin
    strategy: str
    why: str
    seconds: float
    names: tuple[str, ...]
    expected: tuple[float, ...]
    members: tuple[int, ...]
    default: int
    trials: tuple[Tried, ...]
    notes: tuple[str, ...]
    beside: Tried | None = None
