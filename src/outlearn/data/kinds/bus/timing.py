"""Times of frames: a clock that only goes on, the frame before, and how many came in the last second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["SECOND", "Clock", "Order", "Ticks"]

SECOND = 1_000_000  # microseconds, which ticks count
BACK = 1.0  # seconds that time may step back; beyond, another recording begins
FAR = 2.0  # seconds from which on steps are alike: nothing of what came before is within the last second


@dataclass(frozen=True, slots=True)
class Ticks:
    """The running clock of frames (n,) in seconds, their recording, ticks, and ticks at its start.

    Ticks are microseconds that never go back; steps of more than two seconds count as two.
    """

    clock: NDArray[np.float64]
    recording: NDArray[np.int64]
    ticks: NDArray[np.int64]
    start: NDArray[np.int64]


@dataclass(slots=True)
class Clock:
    """State of the clock after the frames so far.

    A time before that of an earlier frame counts as that of the earlier one; where it steps back by more than
    a second, another recording begins, so that one damaged time does not stop the clock for good.
    """

    time: float = np.nan
    clock: float = np.nan
    recording: int = 0
    elapsed: float = FAR
    start: int = 2 * SECOND

    def read(self, times: pl.Series) -> Ticks:
        """Return the ticks of frames (n,) and go on to the last of them; a missing time is the one before.

        >>> Clock().read(pl.Series([10.0, 10.5, 10.4, 3.0])).clock
        array([10. , 10.5, 10.5,  3. ])
        """
        first = pl.Series([None if np.isnan(self.time) else self.time], dtype=pl.Float64)
        filled = pl.concat([first, times.cast(pl.Float64)]).fill_null(strategy="forward")
        steps = filled.diff()
        recording = self.recording + (steps < -BACK).fill_null(value=False).cum_sum().to_numpy().astype(
            np.int64
        )
        held = filled.to_numpy().copy()
        held[0] = self.clock
        running = pl.DataFrame({"time": held, "recording": recording}).select(
            pl.col("time").fill_nan(None).cum_max().over("recording")
        )
        clock = running.to_series().fill_null(np.nan).to_numpy()
        begins = np.diff(recording) > 0
        forward = np.nan_to_num(np.diff(clock), nan=0.0)
        elapsed = self.elapsed + np.cumsum(np.where(begins, FAR, np.clip(forward, 0.0, FAR)))
        ticks = np.rint(elapsed * SECOND).astype(np.int64)
        start = np.maximum.accumulate(np.where(begins, ticks, self.start))
        if len(ticks):
            self.time, self.clock = float(filled.fill_null(np.nan)[-1]), float(clock[-1])
            self.recording, self.elapsed, self.start = int(recording[-1]), float(elapsed[-1]), int(start[-1])
        return Ticks(clock[1:], recording[1:], ticks, start)


class Order:
    """Frames (n,) by their key and in the order they came.

    codes : (n,) whole numbers that number the keys, from 0.

    >>> order = Order(np.array([0, 1, 0]))
    >>> order.before, order.behind
    (array([-1, -1,  0]), array([1, 0, 0]))
    """

    def __init__(self, codes: NDArray[np.int64]) -> None:
        self.codes = codes
        self.sorted = np.argsort(codes, kind="stable")
        ordered = codes[self.sorted]
        same = np.zeros(len(codes), dtype=np.bool_)
        same[1:] = ordered[1:] == ordered[:-1]
        self.before = np.full(len(codes), -1, dtype=np.int64)
        self.before[self.sorted[same]] = self.sorted[np.flatnonzero(same) - 1]
        ends = np.searchsorted(ordered, ordered, side="right")
        self.behind = np.empty(len(codes), dtype=np.int64)  # frames of the key that come later
        self.behind[self.sorted] = ends - 1 - np.arange(len(codes))

    def within(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return (n,) frames of the same key in the second that ends with each, itself among them.

        ticks : (n,) that never go back within a key; a second or more of the first second is not used.
        """
        floor = int(ticks.max(initial=0)) + 2 * SECOND  # keys lie so far apart that no second reaches another
        line = self.codes[self.sorted] * floor + ticks[self.sorted] + SECOND
        first = np.searchsorted(line, line - SECOND, side="right")
        counts = np.empty(len(line))
        counts[self.sorted] = np.arange(len(line)) - first + 1
        return counts
