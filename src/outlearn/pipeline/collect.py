"""One walk over the rows of a source: flagged rows, suppressed rows, and the hosts of flows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.alerts.hosts import HostTally
from outlearn.alerts.techniques import technique_masks, techniques_of
from outlearn.data.kinds.clocks import clock_of
from outlearn.data.kinds.kind import FACTS, RowKind
from outlearn.data.kinds.registry import kind_named
from outlearn.data.named import renamed
from outlearn.data.readers import Source
from outlearn.decisions.decision import Decision
from outlearn.pipeline.rows import chunks_of
from outlearn.pipeline.scan import Scan
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.suppression import Suppression

__all__ = ["Gathered", "Sighted", "gather", "sighted"]

MOST_HELD, LEAST_HELD = 100_000, 1_000  # flagged rows in memory, however narrow or wide the table is
HELD_CELLS = 5_000_000  # cells of flagged rows in memory; between those bounds they say how many rows


@dataclass(slots=True)
class Gathered:
    """Flagged rows, suppressions and hosts that one walk over a source gathers.

    frame, rows, scores : the flagged rows that are not suppressed, k of them, with their numbers and scores;
        times (k,) seconds since 1970, where the table has a column of times; left : flagged rows beyond k.
    suppressed : (n,) ids of patterns, 0 for none.
    clock : how times of flows are read.
    unflagged : of each technique, how many rows its rule holds for that are neither flagged nor suppressed.
    """

    frame: pl.DataFrame
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    times: NDArray[np.float64] | None
    suppressed: NDArray[np.int64]
    left: int = 0
    clock: str = "none"
    hosts: HostTally = field(default_factory=HostTally)
    unflagged: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighted:
    """Of rows (k,): whose they are, when they were, and `FACTS`."""

    entities: tuple[str, ...]
    times: NDArray[np.float64]
    facts: pl.DataFrame


def gather(
    source: Source,
    scan: Scan,
    decision: Decision,
    patterns: Suppression,
    stages: Stages,
    *,
    grouped: bool = True,
) -> Gathered:
    """Walk over the rows once.

    grouped : whether flagged rows and hosts are wanted; else only what is suppressed.
    """
    kind = kind_named(source.kind)
    limit = int(np.clip(HELD_CELLS // max(len(source.columns), 1), LEAST_HELD, MOST_HELD))
    suppressed = np.zeros(len(scan.scores), np.int64)
    kept: list[pl.DataFrame] = []
    numbers: list[NDArray[np.int64]] = []
    held, start = 0, 0
    gathered = Gathered(pl.DataFrame(), np.empty(0, np.int64), np.empty(0), None, suppressed)
    with stages.stage("gathering", len(scan.scores)) as tick:
        for chunk in chunks_of(source):
            here = slice(start, start + chunk.height)
            suppressed[here] = patterns.ids(chunk, kind)
            if grouped:
                flags = decision.flagged[here] & (suppressed[here] == 0)
                _look(gathered, chunk, kind, scan.scores[here], flags, suppressed[here] > 0)
                places = np.flatnonzero(flags)
                kept.append(chunk[places])
                numbers.append(places + start)
                held += len(places)
                if held > 2 * limit:
                    rows = np.concatenate(numbers)
                    best = _best(scan.scores[rows], limit)
                    gathered.left += held - limit
                    kept, numbers, held = [pl.concat(kept)[best]], [rows[best]], limit
            start += chunk.height
            tick(start)
    if not grouped:
        return gathered
    rows = np.concatenate(numbers)
    best = _best(scan.scores[rows], limit)
    gathered.left += len(rows) - len(best)
    gathered.rows = rows[best].astype(np.int64)
    gathered.frame = pl.concat(kept)[best]
    gathered.scores = scan.scores[gathered.rows]
    gathered.times = None if scan.times is None else _seconds(scan.times[gathered.rows])
    return gathered


def _best(scores: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Return the positions of the highest scores, in their order; ties go to those that come first."""
    return np.sort(np.argsort(-scores, kind="stable")[:limit])


def _look(
    gathered: Gathered,
    chunk: pl.DataFrame,
    kind: RowKind,
    scores: NDArray[np.float64],
    flags: NDArray[np.bool_],
    suppressed: NDArray[np.bool_],
) -> None:
    """Count hosts, and rules that hold for rows that are not flagged."""
    if kind.ends is None:
        return
    there = kind.ends(chunk.columns)
    if gathered.clock == "none" and "time" in there:
        gathered.clock = clock_of(chunk[there["time"]])
    ends = renamed(chunk, {there["source"]: "source", there["target"]: "target"})
    gathered.hosts.add(ends, scores, flags)
    masks, counts = np.unique(technique_masks(chunk)[~flags & ~suppressed], return_counts=True)
    for mask, count in zip(masks.tolist(), counts.tolist(), strict=True):
        for technique in techniques_of(mask):
            gathered.unflagged[technique.id] = gathered.unflagged.get(technique.id, 0) + count


def sighted(
    frame: pl.DataFrame, kind: RowKind, entity: str | None, clock: str, times: NDArray[np.float64] | None
) -> Sighted:
    """Return the entities, times and facts of rows, as alerts need them.

    entity : the column that says whose they are; None: what the kind says. clock : how times of flows are
    read. times : (k,) of the time column, where there is one.
    """
    known = kind.facts(frame, clock)
    if known.times is not None:
        times = known.times.cast(pl.Float64).to_numpy().astype(np.float64)
    elif times is None:
        times = np.full(frame.height, np.nan)
    empty = pl.Series([None] * frame.height, dtype=pl.Null)
    facts = pl.DataFrame(
        [known.facts.get(name, empty).alias(name).cast(dtype) for name, dtype in FACTS.items()]
    )
    whose = known.entities if entity is None else frame[entity].cast(pl.String, strict=False)
    if whose is None:
        return Sighted(("",) * frame.height, times, facts)
    return Sighted(tuple(whose.fill_null("")), times, facts)


def _seconds(times: NDArray[np.datetime64]) -> NDArray[np.float64]:
    seconds = times.astype("datetime64[us]").astype(np.int64) / 1e6
    return np.where(np.isnat(times), np.nan, seconds)
