"""How long series take: fit and scores of a batch, and points a second of a stream.

    OMP_NUM_THREADS=1 python -m benchmarks run series_speed --out series_speed.json

A sine with noise, nothing labelled. `SeriesDetector` is fitted and scores the same series, at two lengths
and with one and four channels; beside it, in the same run, subsequence neighbours of the classical pool
(10th of 5,000 windows by scikit-learn, width by the period). A stream of one channel is fed 5,000 points
one by one, by distances and by the transformer. Seconds are the least of three runs; growth is the ratio of
seconds for ten times the points, and for four times the channels. With `--memory` also the peak memory of a
process that fits and scores a series of 100,000, 1,000,000 and 10,000,000 points, once each: the last takes
minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.speed import timed
from outlearn import SeriesDetector
from outlearn.learners.series.transformer import new_network, save_sequence
from outlearn.rng import derive
from outlearn.series.latest import early
from outlearn.series.mixture import LEADING
from outlearn.series.patches import WIDTHS

OURS, PEER, NETWORK = "distances", "subknn", "sequence"
SIZES = ((10_000, 1), (100_000, 1), (10_000, 4))
LENGTHS = (100_000, 1_000_000, 10_000_000)
STREAMED = 5000
RUNS = 3


def wave(points: int, channels: int, seed: int = 0) -> NDArray[np.float64]:
    """Return (points, channels) of a sine with noise."""
    phase = np.arange(points)[:, None] / 9 + np.arange(channels)
    return np.sin(phase) + 0.1 * derive(seed, points).normal(size=(points, channels))


def least(act: Callable[[], object]) -> float:
    """Return the seconds of the quickest of three runs."""
    taken = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def batch(way: str, points: int, channels: int) -> rowfile.Row:
    """Time a fit with the scores of the same series."""
    values = wave(points, channels)
    seconds = least(lambda: SeriesDetector(way, random_state=0).fit(values).anomaly_score(values))
    return {"way": way, "points": points, "channels": channels, "seconds": round(seconds, 2)}


def remembered(points: int) -> rowfile.Row:
    """Return seconds and peak memory of a process that fits and scores a series of one channel."""
    run = timed([sys.executable, "-m", "benchmarks", "run", "series_speed", "--only", str(points)])
    if run.error:
        raise SystemExit(f"{points:,} points: {run.error}")
    return {
        "way": "memory",
        "length": points,
        "seconds": round(run.seconds, 1),
        "peak_mb": round(run.peak_mb),
    }


def streamed(way: str, folder: Path) -> rowfile.Row:
    """Time a stream; its state is what it remembers of the reference, the points and tokens that it keeps.

    The network is untrained: what its weights are makes no difference to its time.
    """
    weights = folder / "net.safetensors"
    if way == NETWORK:
        save_sequence(weights, new_network(), corpus="none", seed=0, command="series_speed")
    detector = SeriesDetector(way, weights=weights if way == NETWORK else None, random_state=0)
    detector.fit(wave(20_000, 1))
    new = wave(STREAMED, 1, seed=1)[:, 0].tolist()

    def feed() -> None:
        stream = detector.stream()
        for point in new:
            stream.score_next(point)

    patches = detector.scorers_.common.point_features.patches
    widths = WIDTHS if way == NETWORK else early(LEADING)
    state = sum(patches.reach(width).memory.nbytes for width in widths) + detector.stream().nbytes
    if way == NETWORK:
        state += weights.stat().st_size
    speed = round(STREAMED / least(feed))
    return {"way": f"stream, {way}", "points_a_second": speed, "state_bytes": int(state)}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--only", type=int, help="fit and score so many points, and say nothing")


def conduct(call: Call) -> None:
    options = call.options
    if options.only is not None:
        values = wave(options.only, 1)
        SeriesDetector(OURS, random_state=0).fit(values).anomaly_score(values)
        return
    if options.out is None:
        raise SystemExit("series_speed: --out is wanted")
    rows = [batch(way, points, channels) for points, channels in SIZES for way in (OURS, PEER)]
    with TemporaryDirectory() as folder:
        streams = [streamed(way, Path(folder)) for way in (OURS, NETWORK)]
    rows += streams
    rows += [remembered(points) for points in LENGTHS] if options.memory else []
    rowfile.write(options.out, call.settings, rows, command=call.command)
    print(report(rows))


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return seconds beside the peer's, how they grow, points a second of streams and memory by length."""
    took = {(row["way"], row["points"], row["channels"]): row["seconds"] for row in rows if "points" in row}
    lines = []
    for points, channels in SIZES:
        ours, peer = took[OURS, points, channels], took[PEER, points, channels]
        lines.append(f"{points:,} x {channels}: {ours:.2f} s, {ours / peer:.2f} of the peer's {peer:.2f} s")
    lines += [
        f"ten times the points: {took[OURS, 100_000, 1] / took[OURS, 10_000, 1]:.1f} times the seconds",
        f"four times the channels: {took[OURS, 10_000, 4] / took[OURS, 10_000, 1]:.1f} times",
    ]
    lines += [
        f"{row['way']}: {row['points_a_second']:,} points a second, {row['state_bytes']:,} bytes"
        for row in rows
        if "points_a_second" in row
    ]
    lines += [
        f"{row['length']:,} points: {row['seconds']} s, {row['peak_mb']:,} MB at most"
        for row in rows
        if "length" in row
    ]
    return "\n".join(lines)


STUDY = Study(
    "series_speed",
    __doc__,
    arguments,
    conduct,
    settings=lambda options: {"runs": RUNS},
    report=on_rows(report),
)
