"""Measure start-up, the main job and scoring against the targets, on whole processes.

    python -m benchmarks run speed --out speed.json

(a) `outlearn detect` on a CSV of 10,000×20 against a script that does the same with PyOD's IForest,
alternated; (b) `outlearn detect` on a Parquet file of 1,000,000×20, and scoring throughput against PyOD's
kNN on one support; (c) the cost of `import outlearn` and of `outlearn --help`; (d) fitting to 5,000 rows and
scoring 5,000 in each situation against PyOD's kNN, and a table of 1,000 columns.

Peak memory is the largest resident set of the child process, as the system reports it when the child ends. A
command that fails is a row with its error, not a crash.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.harness import machine
from benchmarks.harness.study import Call, Study

HERE = Path(__file__).parent
OUTLEARN = str(Path(sys.executable).parent / "outlearn")
COLUMNS = 20


@dataclass(frozen=True)
class Measure:
    """One figure beside its target; `passed` is None without a target, or where nothing was measured."""

    name: str
    value: float | None
    unit: str
    target: str = ""
    passed: bool | None = None
    note: str = ""

    def __str__(self) -> str:
        figure = "failed" if self.value is None else f"{self.value:.3f} {self.unit}"
        verdict = {True: "met", False: "MISSED", None: ""}[self.passed]
        return f"{self.name:<58} {figure:>16}  {self.target:<10} {verdict:<7} {self.note}"


@dataclass(frozen=True)
class Run:
    """A finished command: wall seconds, peak resident MB and its error, empty where it went well."""

    seconds: float
    peak_mb: float
    error: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--parts", default="detect,large,scoring,startup,adapting,wide", help="comma-separated: %(default)s"
    )
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("speed.json"))


def conduct(call: Call) -> None:
    options = call.options
    parts: dict[str, Callable[[Path, int], list[Measure]]] = {
        "detect": detect_small,
        "large": detect_large,
        "scoring": scoring,
        "startup": startup,
        "adapting": adapting,
        "wide": wide,
    }
    measures: list[Measure] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.parts.split(","):
            fresh = parts[name](Path(folder), options.repetitions)
            print(*fresh, sep="\n", flush=True)
            measures += fresh
    state = {"machine": machine.describe(), "measures": [asdict(measure) for measure in measures]}
    options.out.write_text(json.dumps(state, indent=2, ensure_ascii=False) + "\n")


def detect_small(folder: Path, repetitions: int) -> list[Measure]:
    """Time the main job and the PyOD script in turn on the same CSV."""
    source = folder / "rows.csv"
    _rows(10_000).write_csv(source)
    ours = [OUTLEARN, "detect", str(source), "--out", str(folder / "ours.parquet")]
    theirs = [sys.executable, str(HERE / "pyod_script.py"), str(source), str(folder / "theirs.parquet")]
    left, right = _alternate(ours, theirs, repetitions)
    return [
        _median("outlearn detect, CSV 10,000×20", left),
        _median("script with PyOD IForest, CSV 10,000×20", right),
        _versus("outlearn detect / script with PyOD IForest", left, right, lambda a, b: a / b, "×", 2.0),
    ]


def detect_large(folder: Path, repetitions: int) -> list[Measure]:
    """Run the main job once on a million rows."""
    rows, source = 1_000_000, folder / "rows.parquet"
    _rows(rows).write_parquet(source)
    run = timed([OUTLEARN, "detect", str(source), "--out", str(folder / "scored.parquet")])
    if run.error:
        return [Measure("outlearn detect, Parquet 1,000,000×20", None, "s", note=run.error)]
    peak = run.peak_mb / 1024
    return [
        Measure("outlearn detect, Parquet 1,000,000×20", run.seconds, "s", "≤ 60", run.seconds <= 60),
        Measure("rows a second, reading to writing", rows / run.seconds, "rows/s"),
        Measure("peak resident memory", peak, "GiB", "≤ 1", peak <= 1),
    ]


def scoring(folder: Path, repetitions: int) -> list[Measure]:
    """Score 50,000 rows on a support of 5,000 with ours and with PyOD's kNN, in turn, in this process."""
    from benchmarks.harness.peers import DETECTORS, Peer

    support, queries = (_rows(n, seed).to_numpy() for n, seed in ((5_000, 1), (50_000, 2)))
    peers: dict[str, Peer] = {}
    for name in ("default", "knn5"):
        try:
            peers[name] = DETECTORS[name](0)
            peers[name].fit(support, None)
        except Exception as error:  # a failure is a row; the other parts still run
            return [Measure(f"scoring throughput, {name}", None, "rows/s", note=str(error))]
    taken: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(repetitions):
        for name, peer in peers.items():
            start = time.perf_counter()
            peer.score(queries)
            taken[name].append(time.perf_counter() - start)
    ours, theirs = (len(queries) / statistics.median(taken[name]) for name in peers)
    ratio = ours / theirs
    return [
        Measure("scoring throughput, outlearn", ours, "rows/s"),
        Measure("scoring throughput, PyOD kNN(5)", theirs, "rows/s"),
        Measure("outlearn / PyOD kNN(5), support of 5,000×20", ratio, "×", "≥ .33", ratio >= 1 / 3),
    ]


def adapting(folder: Path, repetitions: int) -> list[Measure]:
    """Fit to 5,000 rows and score 5,000 others, in each situation, in turn with PyOD's kNN."""
    from benchmarks.harness.peers import DETECTORS

    support, queries = (_rows(5_000, seed).to_numpy() for seed in (1, 2))
    labels = np.full(len(support), -1)
    labels[np.abs(support).max(axis=1).argsort()[-10:]] = 1
    ways: dict[str, tuple[str, np.ndarray | None]] = {
        "outlearn": ("default", None),
        "outlearn, all known normal": ("default", np.zeros(len(support), dtype=int)),
        "outlearn, 10 labelled anomalies": ("default", labels),
        "PyOD kNN(5)": ("knn5", None),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repetitions + 1):
        for name, (detector, y) in ways.items():
            start = time.perf_counter()
            peer = DETECTORS[detector](0)
            peer.fit(support, y)
            peer.score(queries)
            if turn:  # the first loads weights and libraries
                taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    theirs = medians.pop("PyOD kNN(5)")
    size = "5,000 + 5,000×20"
    return [
        Measure(f"fit and score {size}, PyOD kNN(5)", theirs, "s"),
        *(Measure(f"{size}, {name}", took, "s") for name, took in medians.items()),
        *(
            Measure(f"{name} / PyOD kNN(5)", took / theirs, "×", "≤ 4", took / theirs <= 4)
            for name, took in medians.items()
        ),
    ]


def wide(folder: Path, repetitions: int) -> list[Measure]:
    """Fit to 2,000 rows of 1,000 columns and score as many, with the growth of this process's memory."""
    import resource

    from benchmarks.harness.peers import DETECTORS

    support, queries = (np.random.default_rng(seed).normal(size=(2_000, 1_000)) for seed in (1, 2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    peer = DETECTORS["default"](0)
    peer.fit(support, None)
    peer.score(queries)
    took = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return [Measure("fit and score 2,000 + 2,000×1,000", took, "s", note=f"memory grew by {grown:.0f} MB")]


def startup(folder: Path, repetitions: int) -> list[Measure]:
    """Time imports and the help page; the first run of each fills the bytecode cache and is not counted."""
    ours = [sys.executable, "-c", "import outlearn"]
    theirs = [sys.executable, "-c", "import numpy"]
    shown = [OUTLEARN, "--help"]
    for command in (ours, theirs, shown):
        timed(command)
    left, right = _alternate(ours, theirs, 3 * repetitions)
    help_runs = [timed(shown) for _ in range(3 * repetitions)]
    help_time = _median("outlearn --help", help_runs)
    met = None if help_time.value is None else help_time.value <= 0.5
    return [
        _versus("import outlearn − import numpy", left, right, lambda a, b: a - b, "s", 0.3),
        Measure(help_time.name, help_time.value, "s", "≤ 0.5", met, help_time.note),
    ]


def _rows(n: int, seed: int = 0) -> pl.DataFrame:
    """Return rows of three correlated clusters, one in a hundred of them far out in a few columns."""
    rng = np.random.default_rng(seed)
    shape = np.random.default_rng(7)
    centres, mixing = 3 * shape.normal(size=(3, COLUMNS)), shape.normal(size=(COLUMNS, COLUMNS)) / 4
    values = centres[rng.integers(3, size=n)] + rng.normal(size=(n, COLUMNS)) @ mixing
    odd = rng.choice(n, n // 100, replace=False)
    values[odd[:, None], rng.integers(COLUMNS, size=(odd.size, 3))] += rng.normal(0, 8, size=(odd.size, 3))
    return pl.DataFrame(values, schema=[f"c{i}" for i in range(COLUMNS)])


def _alternate(left: Sequence[str], right: Sequence[str], repetitions: int) -> tuple[list[Run], list[Run]]:
    pairs = [(timed(left), timed(right)) for _ in range(repetitions)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def timed(command: Sequence[str]) -> Run:
    """Run a command in a process of its own."""
    if not Path(command[0]).exists():
        return Run(0.0, 0.0, f"{Path(command[0]).name} is not installed")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    timer = [sys.executable, str(HERE.parent / "harness" / "timed.py"), *command]
    done = subprocess.run(timer, capture_output=True, text=True, env=environment, check=True)
    return Run(**json.loads(done.stdout))


def _median(name: str, runs: Sequence[Run]) -> Measure:
    errors = [run.error for run in runs if run.error]
    if errors:
        return Measure(name, None, "s", note=errors[0])
    seconds = [run.seconds for run in runs]
    peak = max(run.peak_mb for run in runs)
    note = f"{min(seconds):.2f} to {max(seconds):.2f} s in {len(runs)} runs, peak {peak:.0f} MB"
    return Measure(name, statistics.median(seconds), "s", note=note)


def _versus(
    name: str,
    left: Sequence[Run],
    right: Sequence[Run],
    join: Callable[[float, float], float],
    unit: str,
    most: float,
) -> Measure:
    ours, theirs = _median(name, left), _median(name, right)
    if ours.value is None or theirs.value is None:
        return Measure(
            name, None, unit, f"≤ {most:g}", None, ours.note if ours.value is None else theirs.note
        )
    value = join(ours.value, theirs.value)
    return Measure(name, value, unit, f"≤ {most:g}", value <= most)


STUDY = Study(
    "speed",
    __doc__,
    arguments,
    conduct,
    report=lambda stored: "\n".join(str(Measure(**measure)) for measure in stored["measures"]),
)
