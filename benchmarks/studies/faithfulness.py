"""Measure whether the columns named as reasons matter more than random ones, for the in-context learner.

    python -m benchmarks run faithfulness --out faithfulness.csv

The 30 oddest rows of each bundled set are explained; the three columns named are then made usual at once, and
as many random ones, and the fall of the raw score is compared (`outlearn.explain.faithfulness`). With four
columns, as in iris, three random ones are nearly the same.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.harness.study import Call, Study
from outlearn import Detector
from outlearn.data.datasets import LABEL, datasets, load_dataset
from outlearn.explain import Faithfulness, explain_rows, faithfulness


def measure(name: str) -> Faithfulness:
    table = load_dataset(name).drop(LABEL)
    detector = Detector("incontext", random_state=0).fit(table)
    oddest = np.argsort(-detector.anomaly_score(table))[:30]
    rows = detector.encoder_.transform(table).values[oddest]
    score, support = detector.scorer_.score, detector.support_
    groups = [[column] for column in range(rows.shape[1])]
    background = {"score": score, "support": support, "support_scores": score(support), "groups": groups}
    return faithfulness(rows, explain_rows(rows, **background), **background)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True)


def conduct(call: Call) -> None:
    options = call.options
    rows = [{"set": info.name, **asdict(measure(info.name))} for info in datasets()]
    for row in rows:
        named, random, p = row["named"], row["random"], row["p_value"]
        print(f"{row['set']:<15} named {named:.3f}  random {random:.3f}  p {p:.1e}")
    with options.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


STUDY = Study("faithfulness", __doc__, arguments, conduct)
