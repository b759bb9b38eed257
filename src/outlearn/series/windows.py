"""Windows of a series: where they lie, what describes them, and their scores put back on the points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["FEATURES", "describe", "feature_words", "latest", "spread", "window_starts"]

Floats = NDArray[np.float64]
SEGMENTS = 8  # of a window, whose means follow its course
BANDS = 8  # of its spectrum, narrower at low frequencies
FEATURES = (
    "mean",
    "spread",
    "highest",
    "lowest",
    "mean step",
    "largest step",
    "slope",
    *(f"mean of part {i + 1} of {SEGMENTS}" for i in range(SEGMENTS)),
    *(f"strength of band {i + 1} of {BANDS}" for i in range(BANDS)),
)
"""What `describe` tells of a window, in order."""
NARROWEST = 2 * BANDS  # points of a window, so that no band is empty
BLOCK = 4096  # windows that are held in full at once


def window_starts(
    stretches: list[tuple[int, int]], width: int, stride: int, *, flush: bool = True
) -> NDArray[np.int64]:
    """Return (m,) where windows of `width` points begin, `stride` apart, none across two stretches.

    flush : whether the last window of a stretch ends where the stretch does, wherever it begins.

    >>> window_starts([(0, 7), (7, 9)], 3, 2)
    array([0, 2, 4])
    """
    found = []
    for start, end in stretches:
        if end - start >= width:
            regular = np.arange(start, end - width + 1, stride)
            whole = regular[-1] == end - width or not flush
            found.append(regular if whole else np.r_[regular, end - width])
    return np.concatenate(found).astype(np.int64) if found else np.empty(0, dtype=np.int64)


def describe(x: Floats, starts: NDArray[np.int64], width: int) -> NDArray[np.float32]:
    """Return (m, 23) what describes the windows of a channel (n,) that begin at `starts`; see `FEATURES`.

    Levels are kept, so a window that has the usual shape at another height or size is told from the others.
    """
    blocks = [_described(block) for block in _blocks(x, starts, width)]
    return np.concatenate(blocks) if blocks else np.empty((0, len(FEATURES)), dtype=np.float32)


def _blocks(x: Floats, starts: NDArray[np.int64], width: int) -> Iterator[Floats]:
    view = sliding_window_view(x, width) if len(x) >= width else None
    for first in range(0, len(starts), BLOCK):
        assert view is not None  # else there are no windows
        yield view[starts[first : first + BLOCK]]


def _described(block: Floats) -> NDArray[np.float32]:
    """Return (b, 23) for windows (b, width)."""
    width = block.shape[1]
    steps = np.abs(np.diff(block, axis=1))
    each = width // SEGMENTS
    along = np.arange(width) - (width - 1) / 2
    parts = block[:, : SEGMENTS * each].reshape(len(block), SEGMENTS, each).mean(axis=2)
    power = (np.abs(np.fft.rfft(block, axis=1)[:, 1:]) / width) ** 2
    strength = 2 * np.sqrt(np.add.reduceat(power, _bands(power.shape[1]), axis=1))
    whole = (
        block.mean(axis=1),
        block.std(axis=1),
        block.max(axis=1),
        block.min(axis=1),
        steps.mean(axis=1),
        steps.max(axis=1),
        block @ along / (along @ along) * (width / 2),
    )
    return np.hstack([np.column_stack(whole), parts, strength]).astype(np.float32)


def _bands(frequencies: int) -> NDArray[np.int64]:
    """Return where each band begins, of frequencies 1, 2, … that are (frequencies,) in all."""
    edges = np.rint(np.linspace(0, 1, BANDS + 1)[:-1] ** 2 * frequencies).astype(np.int64)
    return np.maximum(edges, np.arange(BANDS))


def feature_words(feature: int, width: int) -> str:
    """Return what a feature of a window of some width tells, in words for whoever looks at the series.

    >>> feature_words(FEATURES.index("strength of band 1 of 8"), 64), feature_words(0, 64)
    ('swings of 64 points', 'mean')
    """
    name, band = FEATURES[feature], feature - (len(FEATURES) - BANDS)
    if band < 0:
        return name
    edges = [*_bands(width // 2).tolist(), width // 2]
    longest, shortest = width / (edges[band] + 1), width / edges[band + 1]
    if round(longest) == round(shortest):
        return f"swings of {longest:.0f} points"
    return f"swings of {shortest:.0f} to {longest:.0f} points"


def spread(scores: Floats, starts: NDArray[np.int64], width: int, n: int) -> Floats:
    """Return (n,) the mean score of the windows that cover each point; NaN where none does that has a score.

    >>> spread(np.array([1.0, 3.0]), np.array([0, 1]), 2, 4)
    array([ 1.,  2.,  3., nan])
    """
    scores, starts = _known(scores, starts)
    total, count = np.zeros(n + 1), np.zeros(n + 1)
    np.add.at(total, starts, scores)
    np.subtract.at(total, starts + width, scores)
    np.add.at(count, starts, 1.0)
    np.subtract.at(count, starts + width, 1.0)
    covered = np.rint(np.cumsum(count)[:-1])
    return np.where(covered > 0, np.cumsum(total)[:-1] / np.maximum(covered, 1.0), np.nan)


def _known(scores: Floats, starts: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    finite = np.isfinite(scores)
    return scores[finite], starts[finite]


def latest(scores: Floats, starts: NDArray[np.int64], width: int, n: int) -> Floats:
    """Return (n,) the score of the window that ended last at each point: what is known by then; else NaN.

    >>> latest(np.array([1.0, 3.0]), np.array([0, 1]), 2, 4)
    array([nan,  1.,  3.,  3.])
    """
    scores, starts = _known(scores, starts)
    place = np.searchsorted(starts + width - 1, np.arange(n), side="right") - 1
    return np.where(place >= 0, scores[np.maximum(place, 0)], np.nan) if len(scores) else np.full(n, np.nan)
