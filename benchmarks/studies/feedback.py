"""How many anomalies an analyst finds who is asked about one row after another.

    python -m benchmarks run feedback FOLDER... --out feedback.json

Every labelled set, of at most 10,000 rows drawn in the proportions of the labels, is asked about 100 times;
each answer is true. The shipped policy, its beliefs without it, an Isolation Forest whose nodes' weights
follow the answers (+1 normal, -1 anomaly), and the same forest without feedback. Anomalies found after 10,
20, 50 and 100 questions, summed over sets, means of the seeds; the ratio to the forest with feedback, and p
over sets (Wilcoxon).

Rows are written as sets are finished, and the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import wilcoxon

from benchmarks.harness import rowfile, sets
from outlearn.feedback.beliefs import Ground
from outlearn.feedback.policy import load_analyst
from outlearn.feedback.train import ASKED, WAYS, ByBeliefs, anomalies_found
from outlearn.rng import derive
from outlearn.tasks.rows import stratified

MOST_ROWS = 10_000
POLICY, BASELINE = "policy", "forest with feedback"


def measure(data: sets.LabelledSet, seed: int) -> list[rowfile.Row]:
    """Return what each way has found after some questions."""
    rng = derive(seed, 0xFEED)
    y = np.asarray(data.y, dtype=np.int8)
    kept = stratified(rng, y, MOST_ROWS) if len(y) > MOST_ROWS else rng.permutation(len(y))
    X, truth = np.asarray(data.X, dtype=np.float32)[kept], y[kept]
    ground, policy = Ground.of(X, seed), load_analyst()
    ways = {POLICY: lambda ground: ByBeliefs(ground, policy), **WAYS}
    at = np.array(ASKED) - 1
    return [
        {
            "seed": seed,
            "way": name,
            "found": anomalies_found(ground, truth, way, ASKED[-1])[at].tolist(),
            "there": int(truth.sum()),
        }
        for name, way in ways.items()
    ]


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return the sums over sets, the ratio to the baseline and its p."""
    names = sorted({row["set"] for row in rows})
    anomalies = {
        way: np.array(
            [
                np.mean([r["found"] for r in rows if (r["set"], r["way"]) == (name, way)], axis=0)
                for name in names
            ]
        )
        for way in dict.fromkeys(row["way"] for row in rows)
    }
    lines = [
        f"{len(names)} sets",
        "",
        "| way of asking | " + " | ".join(f"after {asked}" for asked in ASKED) + " |",
        "|---" * (len(ASKED) + 1) + "|",
    ]
    base = anomalies[BASELINE]
    for way, values in anomalies.items():
        cells = []
        for place in range(len(ASKED)):
            own, other = values[:, place], base[:, place]
            p = wilcoxon(own, other).pvalue if np.any(own != other) else 1.0
            cells.append(f"{own.sum():.0f} ({own.sum() / other.sum():.2f}, p {p:.2g})")
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


STUDY = rowfile.over_sets("feedback", __doc__, measure, report, encoded=True)
