"""How a job has done of late: whether its promise still holds, and whether scores have moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from scipy.stats import binom

from outlearn.serving.page.words import count, share

__all__ = ["Drift", "PromiseStanding", "drift_of", "standing_of"]

SCORED = ("score", "backfill")
CHANCE = 0.001  # of so many flagged rows under the promise, below which it is said not to hold
MOVED = 0.2  # largest gap of two distributions from which on scores count as moved
FEWEST = 100  # rows on either side


@dataclass(frozen=True, slots=True)
class PromiseStanding:
    """Whether what was promised holds among the rows of late. state : "holds", "broken" or "unknown"."""

    state: str
    title: str
    words: str
    promise: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Counts of rows by score, of earlier runs of the live version and of the latest ones."""

    earlier: tuple[int, ...]
    latest: tuple[int, ...]
    moved: bool
    words: str


def standing_of(runs: Sequence[Any], version: Any, rule: Any) -> PromiseStanding:
    """Judge the promise by the runs of the live version; runs : latest first."""
    judged = _of(runs, version)
    rows, flagged = sum(run.rows for run in judged), sum(run.flagged for run in judged)
    promise = next((run.result["promise"] for run in judged if (run.result or {}).get("promise")), None)
    text = promise["text"] if promise else ""
    rate = rule.false_alarm_rate
    if not rows:
        return PromiseStanding("unknown", "Nothing judged yet", "The live version has not judged rows.", text)
    told = f"{share(flagged, rows)} of {count(rows, 'row')} in {count(len(judged), 'run')} were flagged"
    if rate is None:
        return PromiseStanding("unknown", "No rate was promised", f"{told}.", text)
    wanted = f"at most {share(rate, 1)} of usual rows were promised"
    if binom.sf(flagged - 1, rows, rate) >= CHANCE:
        return PromiseStanding("holds", "The promise holds", f"{told}; {wanted}.", text)
    words = (
        f"{told}; {wanted}. That is more than chance explains: either there are that many anomalies, or "
        "usual rows have changed, and a new fit is due."
    )
    return PromiseStanding("broken", "More is flagged than was promised of usual rows", words, text)


def drift_of(runs: Sequence[Any], version: Any) -> Drift | None:
    """Compare the scores of the latest runs of a version with those before; None where there are too few."""
    judged = [run for run in _of(runs, version) if (run.result or {}).get("histogram")]
    half = max(1, len(judged) // 4)
    latest, earlier = _sum(judged[:half]), _sum(judged[half:])
    if min(sum(latest), sum(earlier)) < FEWEST:
        return None
    gap = max(abs(one - other) for one, other in zip(_running(latest), _running(earlier), strict=True))
    moved = gap > MOVED
    words = (
        f"Scores of the latest {'run' if half == 1 else count(half, 'run')} "
        f"{'have moved' if moved else 'are spread as before'}: the distributions differ by at most "
        f"{share(gap, 1)} ({count(sum(latest), 'row')} against {sum(earlier):,})."
    )
    return Drift(latest=latest, earlier=earlier, moved=moved, words=words)


def _of(runs: Sequence[Any], version: Any) -> list[Any]:
    live = None if version is None else version.id
    return [run for run in runs if run.kind in SCORED and run.rows and run.model_id == live]


def _sum(runs: Sequence[Any]) -> tuple[int, ...]:
    counts = [run.result["histogram"] for run in runs]
    return tuple(map(sum, zip(*counts, strict=True)))


def _running(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [number / total for number in accumulate(counts)]
