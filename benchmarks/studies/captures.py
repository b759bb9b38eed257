"""Whole captures ranked: which of them hold an attack, when flows of other, harmless captures are known.

    python -m benchmarks run captures DATA --out captures.json

DATA is a folder with a manifest; the captures under its `pcap/` have one label each. Each is read as flows;
the harmless ones are parted in two, a detector learns from the flows of one half as known to be normal, and
the other half and all attacks are scored flow by flow. A capture has the mean, or the highest, score of its
flows. AUROC over captures, for both halves and each seed.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from outlearn.data.kinds.flows import flow_view
from outlearn.data.readers import open_source
from outlearn.detectors.registry import make_detector
from outlearn.evaluate import auroc
from outlearn.rng import derive

DETECTORS = ("incontext", "committee", "maml", "siamese", "knn", "lof", "iforest")
ENDINGS = (".pcap", ".pcapng")


def captures(data: Path) -> dict[str, tuple[pl.DataFrame, int]]:
    """Return, by name, what is seen of the flows of each capture, and its label."""
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        entries = [row for row in csv.DictReader(file) if row["file"].startswith("pcap/")]
    captured = {}
    for row in entries:
        if row["file"].endswith(ENDINGS):
            view, aside = flow_view(open_source(data / row["file"]))
            captured[row["file"]] = view.read().drop(aside), int(float(row["anomaly_ratio"]))
    return captured


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"seeds": options.seeds}


def conduct(call: Call) -> None:
    options = call.options
    seen = list(captures(options.data).values())
    truth = np.array([label for _, label in seen])
    rows: list[rowfile.Row] = []
    for seed in range(options.seeds):
        harmless = derive(seed, 0xCA9).permutation(np.flatnonzero(truth == 0))
        halves = np.array_split(harmless, 2)
        for half, known in enumerate(halves):
            table = pl.concat([seen[i][0] for i in known], how="diagonal_relaxed")
            judged = np.concatenate([halves[1 - half], np.flatnonzero(truth == 1)])
            for name in DETECTORS:
                detector = make_detector(name, random_state=seed).fit(table, np.zeros(table.height))
                scores = [detector.anomaly_score(seen[i][0]) for i in judged]
                row: rowfile.Row = {"seed": seed, "half": half, "detector": name}
                row["mean"] = round(auroc(truth[judged], [flow_scores.mean() for flow_scores in scores]), 4)
                row["highest"] = round(auroc(truth[judged], [flow_scores.max() for flow_scores in scores]), 4)
                rows.append(row)
    rowfile.write(options.out, call.settings, rows, command=call.command)
    print(f"{len(truth)} captures, {int(truth.sum())} with an attack")
    print(report(rows))


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a line a detector: the mean AUROC by the mean and by the highest score of a capture's flows."""
    lines = []
    for name in dict.fromkeys(row["detector"] for row in rows):
        mine = [row for row in rows if row["detector"] == name]
        means = [np.mean([row[kind] for row in mine]) for kind in ("mean", "highest")]
        lines.append(f"{name}: {means[0]:.3f} by the mean of flows, {means[1]:.3f} by the highest")
    return "\n".join(lines)


STUDY = Study("captures", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
