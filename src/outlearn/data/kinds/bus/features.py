"""Features of a frame: what it says, how soon it comes, and how it differs from what its id said before."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.kinds.bus.payloads import Remembered, bytes_of, changes
from outlearn.data.kinds.bus.timing import SECOND, Clock, Order, Ticks
from outlearn.data.kinds.bus.usual import GAPS, beyond_range, hurry, liveliness

__all__ = ["BUS_FEATURES", "BYTES", "IDENTITY", "SURROUNDING", "FrameHistory", "bus_features"]

SHOWN = 8  # bytes of a frame that are columns
IDS, FRAMES = 2048, 100_000  # ids that are remembered, and frames of the last second, at most
IDENTITY = ("id", "PGN", "source address")
TIMING = (
    "seconds since the last of the id",
    "gap relative to the usual of the id",
    "frames of the id in a second",
    "frames in a second",
)
BYTES = tuple(f"byte {i}" for i in range(SHOWN))
COURSE = (
    "bytes changed",
    "bits changed",
    "largest change of a byte",
    "bits changed relative to the usual of the id",
    "beyond the recent range of the id",
    "payload came before",
)
SURROUNDING = (*TIMING, *COURSE)  # that depend on the frames before
BUS_FEATURES = (*IDENTITY, "length", *TIMING, *BYTES, *COURSE)
#: Columns that are kept of a frame for those that follow.
KEPT = {
    "key": pl.String,
    "bus": pl.String,
    "payload": pl.String,
    "clock": pl.Float64,
    "recording": pl.Int64,
    "ticks": pl.Int64,
    "gap": pl.Float64,
    "bits": pl.Float64,
}


@dataclass(slots=True)
class FrameHistory:
    """Memory of the frames so far: the last ones of each id and of the last second, and payloads."""

    clock: Clock = field(default_factory=Clock)
    payloads: Remembered = field(default_factory=Remembered)
    frames: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=KEPT))


def bus_features(frames: pl.DataFrame, past: FrameHistory) -> pl.DataFrame:
    """Return (n, …) `BUS_FEATURES` of frames as `frames.frames_of` gives them, and remember them in `past`.

    A row depends on its frame and on those before it alone. Ids of two buses are two ids. The usual gap of
    an id is the median of its last 256 in the recording; how many bits usually change is the median of its
    last 32 frames, and its range that of their bytes; all are known from the fourth on.
    What came in the last second is not known within the first second of a recording.
    """
    time = past.clock.read(frames["time"])
    key = pl.select(pl.concat_str(frames["bus"], frames["id"].fill_null(""), separator=" ")).to_series()
    now = frames.select(
        "bus",
        "payload",
        key.alias("key"),
        pl.Series("clock", time.clock, nan_to_null=True),
        pl.Series("recording", time.recording),
        pl.Series("ticks", time.ticks),
    )
    whole = pl.concat([past.frames, now], how="diagonal")
    old = past.frames.height
    order = Order(_codes(whole["key"]))
    values, sizes = bytes_of(whole["payload"])
    changed = changes(values, sizes, order.before)
    gap = _gaps(whole, order.before, frames["time"])
    bits = changed[:, 1]
    gap[:old], bits[:old] = (past.frames[name].to_numpy() for name in ("gap", "bits"))
    whole = whole.with_columns(
        pl.Series("gap", gap, nan_to_null=True), pl.Series("bits", bits, nan_to_null=True)
    )
    features = np.column_stack(
        [
            gap,
            hurry(whole),
            *_rates(whole, order, time, old),
            np.where(np.arange(SHOWN) < sizes[:, None], _first(values), np.nan),
            changed[:, 0],
            bits,
            changed[:, 2],
            liveliness(whole),
            beyond_range(whole["key"], values, sizes),
        ]
    )[old:]
    seen = past.payloads.seen(key, frames["payload"])
    past.frames = _kept(whole, order)
    numbers = (*TIMING, *BYTES, *COURSE)
    return pl.concat(
        [
            frames.select("id", *_j1939(), "length"),
            pl.DataFrame(np.column_stack([features, seen]), schema=list(numbers), nan_to_null=True),
        ],
        how="horizontal",
    )


def _codes(key: pl.Series) -> NDArray[np.int64]:
    return key.rank("dense").to_numpy().astype(np.int64) - 1


def _j1939() -> list[pl.Expr]:
    """Return parameter group and source address as an extended id of J1939 holds them."""
    number = pl.col("number")
    form, target = (number // 256**2) % 256, (number // 256) % 256
    group = (number // 256**3) % 4 * 256**2 + form * 256 + pl.when(form >= 240).then(target).otherwise(0)
    return [
        pl.when("extended").then(pl.format("PGN {}", group)).alias("PGN"),
        pl.when("extended").then(pl.format("address {}", number % 256)).alias("source address"),
    ]


def _gaps(whole: pl.DataFrame, before: NDArray[np.int64], times: pl.Series) -> NDArray[np.float64]:
    """Return (m,) seconds since the frame before of the same id and recording, NaN where there is none."""
    clock, recording = (whole[name].to_numpy() for name in ("clock", "recording"))
    gap: NDArray[np.float64] = clock - clock[before]
    gap[(before < 0) | (recording != recording[before])] = np.nan
    gap[len(gap) - len(times) :][times.is_null().to_numpy()] = np.nan
    return gap


def _rates(whole: pl.DataFrame, order: Order, time: Ticks, old: int) -> list[NDArray[np.float64]]:
    """Return (m,) frames of the id and (m,) of its bus in the last second; NaN where it is not known."""
    ticks = whole["ticks"].to_numpy()
    last = int(time.ticks[0]) - 2 * SECOND if len(time.ticks) else 0  # what is older does not count
    recent = np.maximum(ticks - last, 0)
    unknown = np.ones(whole.height, dtype=np.bool_)
    unknown[old:] = (time.ticks - time.start < SECOND) | np.isnan(time.clock)
    orders = (order, Order(_codes(whole["bus"])))
    return [np.where(unknown, np.nan, grouping.within(recent)) for grouping in orders]


def _first(values: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the first bytes (m, 8), zeros where there are fewer."""
    shown = np.zeros((len(values), SHOWN))
    shown[:, : values.shape[1]] = values[:, :SHOWN]
    return shown


def _kept(whole: pl.DataFrame, order: Order) -> pl.DataFrame:
    """Return the frames that those which follow are compared with."""
    rows, ticks = whole.height, whole["ticks"].to_numpy()
    last = np.sort(np.flatnonzero(order.behind == 0))[-IDS:]  # of each id, in the order they came
    latest = np.isin(order.codes, order.codes[last])
    recent = (ticks > ticks.max(initial=0) - SECOND) & (np.arange(rows) >= rows - FRAMES)
    return whole.filter((latest & (order.behind < GAPS)) | recent)
