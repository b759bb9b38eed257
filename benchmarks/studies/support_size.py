"""Are more rows to learn from of use? The shipped detector on up to 100,000 rows of large sets.

    python -m benchmarks run support_size FOLDER... --out support_size.json

Of each labelled set a quarter of the anomalies and of the normal rows, some 10,000 rows at most but 10
anomalies at least, is the test part. Of the rest the detector is given the first 1,000, 5,000 and 100,000
rows of one random order: unlabelled; with ten anomalies known, the same at each size; or only normal rows,
known as such. Sets with fewer than 20,000 rows are left out.

Rows are written as sets are finished, and the same command goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.harness import rowfile, sets
from outlearn import Detector
from outlearn.errors import InputError
from outlearn.evaluate import auroc, average_precision
from outlearn.rng import derive

SIZES = (1_000, 5_000, 100_000)
LEAST, TESTED, LEAST_ODD, LABELS = 20_000, 10_000, 10, 10
SITUATIONS = ("unlabelled", "labelled", "normal")
STREAM = 0x512E


def measure(data: sets.LabelledSet, seed: int) -> list[rowfile.Row]:
    """Return a row a situation and size, of one random order of the set."""
    X, y = data.X, data.y
    if len(X) < LEAST:
        raise InputError(f"{len(X):,} rows are too few to tell; wanted {LEAST:,}")
    order = derive(seed, STREAM).permutation(len(X))
    share = min(0.25, TESTED / len(X))
    usual, odd = order[y[order] == 0], order[y[order] == 1]
    tested = np.concatenate([usual[: int(share * len(usual))], odd[: max(int(share * len(odd)), LEAST_ODD)]])
    rest = order[~np.isin(order, tested)]
    labelled = rest[y[rest] == 1][:LABELS]
    rows = []
    for situation in SITUATIONS:
        for size in SIZES:
            given = rest[y[rest] == 0][:size] if situation == "normal" else rest[:size]
            if situation == "labelled":
                given = np.union1d(given, labelled)
            labels = np.full(len(given), 0 if situation == "normal" else -1)
            if situation == "labelled":
                labels[np.isin(given, labelled)] = 1
            started = time.perf_counter()
            detector = Detector("incontext", random_state=seed).fit(X[given], labels)
            scores = detector.anomaly_score(X[tested])
            rows.append(
                {
                    "seed": seed,
                    "situation": situation,
                    "size": size,
                    "rows": len(given),
                    "auroc": auroc(y[tested], scores),
                    "ap": average_precision(y[tested], scores),
                    "seconds": time.perf_counter() - started,
                }
            )
    return rows


def table(rows: Sequence[rowfile.Row]) -> str:
    """Return the means over seeds, a line a set and situation, and the means over sets."""
    lines = ["| set | situation | " + " | ".join(f"{size:,}" for size in SIZES) + " |", "|---" * 5 + "|"]
    names = list(dict.fromkeys(row["set"] for row in rows))
    for name in (*names, "mean"):
        for situation in SITUATIONS:
            cells = []
            for size in SIZES:
                there = [
                    row
                    for row in rows
                    if (row["situation"], row["size"]) == (situation, size) and name in (row["set"], "mean")
                ]
                area, precision = (np.mean([row[key] for row in there]) for key in ("auroc", "ap"))
                cells.append(f"{area:.3f} / {precision:.3f}")
            lines.append(f"| {name} | {situation} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


STUDY = rowfile.over_sets("support_size", __doc__, measure, table, encoded=True)
