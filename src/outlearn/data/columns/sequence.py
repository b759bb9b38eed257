"""Sequences of events: how long, of which events, and how rare the steps from one to the next are."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs, with_indicator
from outlearn.data.columns.events import count_events, event_blocks, events_of, events_within
from outlearn.data.columns.numeric import lower_median
from outlearn.data.columns.steps import Runs, Steps, counted_runs, numbered, times, vocabulary

__all__ = ["SHAPE", "SequenceEncoder"]

#: Features of any sequence, whatever its events are called.
SHAPE = (
    "length",
    "distinct",
    "unseen",
    "mean rarity of steps",
    "rarest step",
    "rarity of triples",
    "longest repeat",
)
_FREQUENT = 32  # events that are counted one by one
_SMOOTHING = 0.5  # added to the count of each event
_BACK = 1.0  # weight of the shorter context, in counts
_POINT = 2**16  # rarities are whole multiples of 1/65,536


@dataclass(frozen=True, slots=True)
class SequenceEncoder:
    """Encodes `SHAPE`, and ``log(1 + count)`` of each of at most 32 frequent events.

    events, counts : the events of the fit with how often each came, most frequent first, ties in the order
    of the alphabet, 4,096 at most; the rest are as if they were not seen, and came `rest` times. cells :
    sequences of the fit. steps, triples : (k, 2) the most frequent runs of two and of three neighbours, the
    start and the end of a sequence among them, as numbers in the base of the events, with how often each
    came; 32,768 at most, in order of the numbers. usual : lower medians of the values, which stand for a
    missing cell.

    The rarity of an event is ``-log`` of its share of all that come, in nats. That of a step from a to b is
    ``-log`` of how often b follows a, drawn to the share of b by one count; that of a triple likewise drawn
    to its last step, as in Dirichlet smoothing (MacKay and Peto 1995). The features of a sequence are
    the logarithms of its length, of its distinct events, of the sum of its triples and of its longest run of
    one event, the share of events that the fit did not see, and the mean and the maximum of its steps.

    >>> encoder = SequenceEncoder.fit("calls", pl.Series(["open read read close"] * 9))
    >>> usual, odd = encoder.encode(pl.Series(["open read close", "read open close"]))[0]
    >>> column = encoder.names.index("calls rarest step")
    >>> bool(odd[column] > usual[column] + 1)
    True
    """

    name: str
    events: tuple[str, ...]
    counts: tuple[int, ...]
    rest: int
    cells: int
    steps: Runs
    triples: Runs
    usual: tuple[float, ...]
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        counted = (f"count of {event}" for event in self.events[:_FREQUENT])
        features = (*SHAPE, *counted, *(("is missing",) if self.indicator else ()))
        return tuple(f"{self.name} {feature}" for feature in features)

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> SequenceEncoder:
        """Learn from a column of the table."""
        text = events_of(cells)
        filled = text.drop_nulls()
        events, counts, rest = vocabulary(filled)
        steps, triples = (counted_runs(filled, events, length) for length in (2, 3))
        learnt = cls(name, events, counts, rest, filled.len(), steps, triples, (), filled.len() < text.len())
        return replace(learnt, usual=tuple(lower_median(column) for column in learnt._describe(filled).T))

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 7 to 40) and what was repaired."""
        text = events_of(cells)
        missing = text.is_null().to_numpy()
        values = np.empty((text.len(), len(self.usual)), dtype=np.float32)
        values[missing] = self.usual
        values[~missing] = self._describe(text.drop_nulls())
        unexpected = 0 if self.indicator else int(missing.sum())
        return with_indicator(values, missing, self.indicator), Repairs(missing=unexpected)

    def _describe(self, filled: pl.Series) -> NDArray[np.float64]:
        """Return the features of each filled cell: (n, 7 to 39)."""
        counted = min(len(self.events), _FREQUENT)
        described = np.empty((filled.len(), len(SHAPE) + counted))
        described[:, 0] = np.log1p(count_events(filled))
        first = 0
        for block, steps in zip(event_blocks(filled), numbered(filled, self.events), strict=True):
            rows = slice(first, first := first + block.len())
            described[rows, 1] = np.log1p(events_within(block).list.n_unique().to_numpy())
            described[rows, 2:6] = self._rarities(steps)
            described[rows, 6] = _longest_repeat(steps)
            described[rows, len(SHAPE) :] = _frequent(steps, counted)
        return described

    def _rarities(self, steps: Steps) -> NDArray[np.float64]:
        """Return share of unseen events, mean and greatest rarity of steps, log sum of triples: (c, 4)."""
        size = len(self.events)
        pairs, first_pair = steps.runs(2)
        triples, first_triple = steps.runs(3)
        unseen = np.add.reduceat((triples[:, 1] == size).astype(np.int64), first_triple) / steps.sizes
        rarity = _rarity(self._share_of_step(pairs))
        mean = np.add.reduceat(rarity, first_pair) / (steps.sizes + 1) / _POINT
        greatest = np.maximum.reduceat(rarity, first_pair) / _POINT
        came = times(self.steps, triples[:, :2], size)
        both = times(self.triples, triples, size)
        share = (both + _BACK * self._share_of_step(triples[:, 1:])) / (came + _BACK)
        whole = np.add.reduceat(_rarity(share), first_triple) / _POINT
        return np.column_stack([unseen, mean, greatest, np.log1p(whole)])

    def _share_of_step(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how often the second of each pair (p, 2) follows the first: (p,)."""
        before = np.array([*self.counts, self.rest, self.cells, 0])
        came = before[pairs[:, 0]]
        both = times(self.steps, pairs, len(self.events))
        own = np.array([*self.counts, self.rest, 0, self.cells]) + _SMOOTHING
        own /= own.sum() - _SMOOTHING  # nothing leads to a start
        return (both + _BACK * own[pairs[:, 1]]) / (came + _BACK)

    def to_state(self) -> dict[str, Any]:
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> SequenceEncoder:
        encoder = cls(
            plain.text(state, "name"),
            plain.texts(state, "events"),
            plain.wholes(state, "counts"),
            plain.whole(state, "rest"),
            plain.whole(state, "cells"),
            _runs_in(state, "steps"),
            _runs_in(state, "triples"),
            plain.reals(state, "usual"),
            plain.flag(state, "indicator"),
        )
        counts, usual = len(encoder.counts), len(encoder.usual)
        if counts != len(encoder.events) or usual != len(encoder.names) - encoder.indicator:
            raise ValueError(
                f"a sequence of {len(encoder.events)} events has {counts} counts and {usual} values"
            )
        return encoder


def _runs_in(state: dict[str, Any], key: str) -> Runs:
    """Return the runs in a state, each with how often it came."""
    pairs = [plain.wholes({key: pair}, key) for pair in plain.entry(state, key)]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{key!r} holds a run without a count")
    return tuple((run, count) for run, count in pairs)


def _rarity(share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return -log in fixed point: sums of integers do not depend on what stands around them."""
    fixed: NDArray[np.int64] = np.rint(-np.log(share) * _POINT).astype(np.int64)
    return fixed


def _longest_repeat(steps: Steps) -> NDArray[np.float64]:
    """Return the log of the longest run of one event in each cell, (c,)."""
    place = np.arange(steps.places.size)
    run = place - np.maximum.accumulate(np.where(steps.again, 0, place))
    return np.log1p(np.maximum.reduceat(run, steps.firsts) + 1.0)


def _frequent(steps: Steps, counted: int) -> NDArray[np.float64]:
    """Return the log counts of the first events in each cell, (c, counted)."""
    cell = np.repeat(np.arange(steps.sizes.size), steps.sizes + 2)
    there = steps.places < counted
    codes = cell[there] * counted + steps.places[there]
    return np.log1p(np.bincount(codes, minlength=steps.sizes.size * counted).reshape(-1, counted))
