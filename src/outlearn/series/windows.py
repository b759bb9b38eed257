"""Windows of a series: where they lie, their features, and their scores put back on the points."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["FEATURES", "back_to_points", "describe", "feature_words", "latest", "spread", "window_starts"]

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
"""The features of a window that `describe` returns, in order."""
SEGMENT_MEANS, BAND_STRENGTHS = slice(7, 7 + SEGMENTS), slice(7 + SEGMENTS, len(FEATURES))  # of `FEATURES`
BLOCK = 4096  # windows of a channel that are held in full at once
POINTS = 65_536  # points that scores are put back on at once


def window_starts(
    stretches: list[tuple[int, int]], width: int, stride: int, *, flush: bool = True
) -> NDArray[np.int64]:
    """Return (m,) where windows of `width` points begin, `stride` apart, none across two stretches.

    flush : whether the last window of a stretch ends where the stretch does, wherever it begins.

    >>> window_starts([(0, 7), (7, 9)], 3, 2)
    array([0, 2, 4])
    """
    starts = []
    for start, end in stretches:
        if end - start >= width:
            regular = np.arange(start, end - width + 1, stride)
            whole = regular[-1] == end - width or not flush
            starts.append(regular if whole else np.r_[regular, end - width])
    return np.concatenate(starts).astype(np.int64) if starts else np.empty(0, dtype=np.int64)


def describe(x: Floats, starts: NDArray[np.int64], width: int) -> NDArray[np.float32]:
    """Return the `FEATURES` (m, c, 23) of the windows of a series (n, c) that begin at `starts`.

    Levels are kept, so a window that has the usual shape at another height or size differs from the others.
    """
    channels = x.shape[1]
    features = np.empty((len(starts), channels, len(FEATURES)), dtype=np.float32)
    if len(starts):
        view = sliding_window_view(x, width, axis=0)  # (n - width + 1, c, width)
        size = max(BLOCK // channels, 1)
        for first in range(0, len(starts), size):
            block = view[starts[first : first + size]]
            features[first : first + size] = _described(block.reshape(-1, width)).reshape(
                len(block), channels, -1
            )
    return features


def _described(block: Floats) -> NDArray[np.float32]:
    """Return (b, 23) for windows (b, width) of one channel each."""
    width = block.shape[1]
    length = width // SEGMENTS
    features = np.empty((len(block), len(FEATURES)), dtype=np.float32)
    mean = block.mean(axis=1)
    centred = block - mean[:, None]
    steps = np.abs(block[:, 1:] - block[:, :-1])
    slopes, edges = _fixed(width)
    features[:, 0] = mean
    features[:, 1] = np.sqrt(np.einsum("bw,bw->b", centred, centred) / width)
    features[:, 2] = block.max(axis=1)
    features[:, 3] = block.min(axis=1)
    features[:, 4] = steps.mean(axis=1)
    features[:, 5] = steps.max(axis=1)
    features[:, 6] = centred @ slopes
    segments = block[:, : SEGMENTS * length].reshape(len(block), SEGMENTS, length)
    features[:, SEGMENT_MEANS] = segments.mean(axis=2)
    spectrum = np.fft.rfft(centred, axis=1)[:, 1:]
    power = (spectrum.real**2 + spectrum.imag**2) / width**2
    features[:, BAND_STRENGTHS] = 2 * np.sqrt(np.add.reduceat(power, edges, axis=1))
    return features


@cache
def _fixed(width: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return (width,) what a centred window is multiplied by for its slope, and where its bands begin."""
    along = np.arange(width) - (width - 1) / 2
    return along / (along @ along) * (width / 2), _bands(width // 2)


def _bands(frequencies: int) -> NDArray[np.int64]:
    """Return where each band begins, of frequencies 1, 2, … that are (frequencies,) in all."""
    edges = np.rint(np.linspace(0, 1, BANDS + 1)[:-1] ** 2 * frequencies).astype(np.int64)
    return np.maximum(edges, np.arange(BANDS))


def feature_words(feature: int, width: int) -> str:
    """Return what a feature of a window of some width means, in words for whoever looks at the series.

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
    """Return (n, …) the mean score of the windows that cover each point; NaN where none with a score does.

    scores : (m, …). starts : (m,) ascending.

    >>> spread(np.array([1.0, 3.0]), np.array([0, 1]), 2, 4)
    array([ 1.,  2.,  3., nan])
    """
    scores, starts = _known(scores, starts)
    total = np.concatenate([np.zeros((1, *scores.shape[1:])), scores.cumsum(axis=0)])
    by_point = np.full((n, *scores.shape[1:]), np.nan)
    for first in range(0, n, POINTS):
        points = np.arange(first, min(first + POINTS, n))
        low = np.searchsorted(starts, points - width, side="right")
        high = np.searchsorted(starts, points, side="right")
        over = high > low
        low, high = low[over], high[over]
        count = (high - low).reshape(-1, *[1] * (total.ndim - 1))
        by_point[points[over]] = (total[high] - total[low]) / count
    return by_point


def _known(scores: Floats, starts: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Return windows that have a score; one without has none in any column."""
    finite = np.isfinite(scores if scores.ndim == 1 else scores[:, 0])
    return scores[finite], starts[finite]


def latest(scores: Floats, starts: NDArray[np.int64], width: int, n: int) -> Floats:
    """Return (n, …) the score of the window that ended last at each point: what is known by then; else NaN.

    >>> latest(np.array([1.0, 3.0]), np.array([0, 1]), 2, 4)
    array([nan,  1.,  3.,  3.])
    """
    scores, starts = _known(scores, starts)
    place = np.searchsorted(starts + width - 1, np.arange(n), side="right") - 1
    by_point = np.full((n, *scores.shape[1:]), np.nan)
    by_point[place >= 0] = scores[place[place >= 0]]
    return by_point


def back_to_points(
    scores: Floats,
    starts: NDArray[np.int64],
    width: int,
    stretches: list[tuple[int, int]],
    n: int,
    *,
    causal: bool,
) -> Floats:
    """Return (n, …) scores of points from those of windows: by `spread`, or causally by `latest`.

    Nothing is carried from one stretch into the next.
    """
    if not causal:
        return spread(scores, starts, width, n)
    by_point = np.full((n, *scores.shape[1:]), np.nan)
    for start, end in stretches:
        first, last = np.searchsorted(starts, (start, end))
        by_point[start:end] = latest(scores[first:last], starts[first:last] - start, width, end - start)
    return by_point
