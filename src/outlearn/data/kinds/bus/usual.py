"""Usual gaps, changes and ranges of an id, and how a frame stands beside them."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.named import by_name

__all__ = ["GAPS", "beyond_range", "hurry", "liveliness"]

HISTORY = 32  # frames of an id that show what is usual of its payload
GAPS = 256  # frames of an id that show its usual gap
FEWEST_BEFORE = 4  # gaps or frames, from which on something is usual
MOST = 1000.0  # of a ratio of gaps
INSTANT = 1e-6  # seconds that are added to gaps, which may be none


def hurry(whole: pl.DataFrame) -> NDArray[np.float64]:
    """Return (m,) gaps beside the median of those before of the same id and recording, as a ratio.

    A mean would keep a flood in mind for the rest of the recording, a median of a few a flood would turn.
    """
    usual = pl.col("gap").shift(1).rolling_median(GAPS, min_samples=FEWEST_BEFORE).over("key", "recording")
    ratio = ((pl.col("gap") + INSTANT) / (usual + INSTANT)).clip(upper_bound=MOST)
    return whole.select(ratio.alias("ratio"))["ratio"].fill_null(np.nan).to_numpy()


def liveliness(whole: pl.DataFrame) -> NDArray[np.float64]:
    """Return (m,) bits changed beside the median of those before of the same id, as a ratio."""
    usual = pl.col("bits").shift(1).rolling_median(HISTORY, min_samples=FEWEST_BEFORE).over("key")
    ratios = whole.select(((pl.col("bits") + 1.0) / (usual + 1.0)).alias("ratio"))  # the usual may be none
    return ratios["ratio"].fill_null(np.nan).to_numpy()


def beyond_range(key: pl.Series, values: NDArray[np.uint8], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (m,) how far the farthest byte lies beyond the range of its id's last payloads; 0: within."""
    width = values.shape[1]
    cells = np.where(np.arange(width) < sizes[:, None], values, np.nan).astype(np.float32)
    names = [f"{i}" for i in range(width)]
    frame = pl.DataFrame(cells, schema=names, nan_to_null=True).with_columns(key.alias("key"))
    ends = []
    for name in names:
        last = by_name(name).shift(1)
        low = last.rolling_min(HISTORY, min_samples=FEWEST_BEFORE).over("key")
        high = last.rolling_max(HISTORY, min_samples=FEWEST_BEFORE).over("key")
        ends += [low - by_name(name), by_name(name) - high]
    if not ends:
        return np.full(len(key), np.nan)
    excess = frame.select(pl.max_horizontal(ends).clip(lower_bound=0.0).alias("beyond"))
    return excess["beyond"].cast(pl.Float64).fill_null(np.nan).to_numpy()
