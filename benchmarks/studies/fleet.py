"""What the labelled faults of some machines of a fleet tell of the others.

    python -m benchmarks run fleet DATA --out fleet.json

DATA is a folder with a manifest, as for `series`; each of its multivariate sources with the same channels
is a fleet. A learner is trained on every other machine, with its faults labelled, and scores the rest,
nothing labelled; then the other way round. VUS-PR beside that of plain distances, with p over machines
(Wilcoxon).
The process `tep` has another fault on each machine: there the faults are of families never seen.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import wilcoxon

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.series import OURS, Labelled, series_of
from outlearn import SeriesDetector
from outlearn.data.series import Series
from outlearn.evaluate.volume import edge_window, volume
from outlearn.learners.series.fleet import train_fleet

FLEETS = ("asd", "jumpstarter", "skab", "tep")
LEARNERS = ("reptile", "maml", "protonet")


def measure(machines: Sequence[Labelled], learners: Sequence[str], seed: int) -> Iterator[rowfile.Row]:
    """Yield a row a machine and way."""
    for side in (0, 1):
        taught, others = machines[1 - side :: 2], machines[side::2]
        with tempfile.TemporaryDirectory() as folder:
            for way in (OURS, *learners):
                weights = None
                if way != OURS:
                    weights = Path(folder) / f"{way}.safetensors"
                    own = [(Series.of_array(np.nan_to_num(unit.values)), unit.truth) for unit in taught]
                    train_fleet(own, weights, learner=way, seed=seed)
                for unit in others:
                    detector = SeriesDetector(way, weights=weights, random_state=seed).fit(unit.values)
                    window = edge_window(np.nan_to_num(unit.values[:, 0]))
                    figures = volume(unit.truth, detector.anomaly_score(unit.values), window)
                    yield {"fleet": unit.source, "series": unit.name, "way": way, "pr": round(figures.pr, 5)}


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return the mean of each way, by fleet."""
    lines = []
    for fleet in dict.fromkeys(row["fleet"] for row in rows):
        own = [row for row in rows if row["fleet"] == fleet]
        by_way = {
            way: {row["series"]: row["pr"] for row in own if row["way"] == way}
            for way in dict.fromkeys(row["way"] for row in own)
        }
        names = sorted(by_way[OURS])
        plain = np.array([by_way[OURS][name] for name in names])
        for way, values in by_way.items():
            gap = np.array([values[name] for name in names]) - plain
            p = wilcoxon(gap).pvalue if gap.any() else 1.0
            mean = np.mean(plain + gap)
            lines.append(f"{fleet}, {len(names)} machines, {way}: {mean:.3f} ({gap.mean():+.3f}, p {p:.2g})")
    return "\n".join(lines)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--learners", default=",".join(LEARNERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"learners": options.learners, "seed": options.seed}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    for fleet in FLEETS:
        machines = list(series_of(options.data, "multivariate", f"{fleet}/*"))
        if len(machines) < 2 or any(row["fleet"] == fleet for row in rows):
            continue
        rows += measure(machines, options.learners.split(","), options.seed)
        rowfile.write(options.out, call.settings, rows, command=call.command)
        print(fleet, flush=True)
    print(report(rows))


STUDY = Study("fleet", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
