"""Whose a run is, and which one is next: a lease says until when a worker has it, unless it renews.

Clocks go wrong, so a lease is over by either of two: when its end is past by the clock of the store, or when
this process, by its own clock that never goes back, saw it stand unrenewed for as long as a lease lasts. So a
clock that is set back by a day delays a run by one lease and not by a day. One that is set forward takes runs
from workers that live: what they then have done is refused, and is done again, once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["PRIORITY", "Candidate", "Watch", "choose"]

# A verdict is to act within seconds, and a backfill waits for rows that come in now.
PRIORITY = {"learn": 0, "score": 1, "fit": 1, "backfill": 2}


class Candidate(NamedTuple):
    """A run that is queued or running; lease and its end are None while it is queued."""

    id: int
    job_id: int
    kind: str
    state: str
    queued: float
    attempts: int
    lease: str | None
    lease_until: float | None


@dataclass(slots=True)
class Watch:
    """What one process saw of the leases of others.

    seconds : that a lease lasts. clock : one that never goes back.

    >>> moment = [0.0]
    >>> watch = Watch(60.0, clock=lambda: moment[0])
    >>> run = Candidate(1, 1, "score", "running", 0.0, 1, "a", 1e9)  # the clock was a day ahead
    >>> watch.over(run, now=100.0)
    False
    >>> moment[0] = 61.0
    >>> watch.over(run, now=100.0)
    True
    """

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _seen: dict[int, tuple[str | None, float | None, float]] = field(default_factory=dict)

    def over(self, run: Candidate, now: float) -> bool:
        """Say whether the worker of a running run has lost it. now : by the clock of the store."""
        if run.lease is None or run.lease_until is None or run.lease_until < now:
            return True
        lease, until, since = self._seen.get(run.id, (None, None, 0.0))
        if (lease, until) != (run.lease, run.lease_until):
            self._seen[run.id] = (run.lease, run.lease_until, self.clock())
            return False
        return self.clock() - since > self.seconds

    def forget(self, others_than: Iterable[int]) -> None:
        """Keep what was seen of these runs alone."""
        kept = set(others_than)
        self._seen = {run: seen for run, seen in self._seen.items() if run in kept}


def choose(candidates: Iterable[Candidate], watch: Watch, now: float) -> list[Candidate]:
    """Return the runs that a worker may take, the next one first; of each job at most one.

    A job with a run that somebody has yields none; a run that was lost comes before those that wait.
    """
    runs = list(candidates)
    watch.forget(run.id for run in runs if run.state == "running")
    lost = {run.id for run in runs if run.state == "running" and watch.over(run, now)}
    busy = {run.job_id for run in runs if run.state == "running" and run.id not in lost}
    order = sorted(runs, key=lambda run: (run.id not in lost, PRIORITY[run.kind], run.queued, run.id))
    first: dict[int, Candidate] = {}
    for run in order:
        if run.job_id not in busy:
            first.setdefault(run.job_id, run)
    return list(first.values())
