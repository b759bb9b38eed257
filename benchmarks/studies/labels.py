"""What each further label gives, and what useless ones take away.

    python -m benchmarks run labels FOLDER... --out labels.json

Every labelled set with enough anomalies is split 70/30 with its anomalies on both sides, some of those in the
training part labelled: 0, 1, 2, 5 and 10, a smaller number always a part of a larger one, so that all counts
are judged on the same sets. Beside them, as many rows drawn at random are called anomalies: labels that tell
nothing. Average precision on the test part, for the shipped detector, bagged trees and CatBoost; without
labels those two cannot rank, and the detector's own figure is what labels are worth.

Rows are written as sets are finished, and the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import rowfile, sets
from benchmarks.harness.peers import DETECTORS
from outlearn.evaluate import Split, average_precision, contaminated, few_labels
from outlearn.rng import derive

COUNTS = (1, 2, 5, 10)
PEERS = ("outlearn", "bagged_trees", "catboost")
RANDOM = 5  # labels drawn at random
STREAM = 0x1ABE15


def measure(data: sets.LabelledSet, seed: int) -> list[rowfile.Row]:
    """Return the average precision of each detector at each count of labels, true and random."""
    blind = contaminated(data.X, data.y, seed)
    drawn = derive(seed, STREAM).permutation(len(blind.train_x))[:RANDOM]
    random = np.full(len(blind.train_x), -1, dtype=np.int8)
    random[drawn] = 1
    labels: list[tuple[str, int, Split, NDArray[np.int8] | None]] = [("true", 0, blind, None)]
    for count in COUNTS:
        split = few_labels(data.X, data.y, seed, labelled_anomalies=count)
        labels.append(("true", count, split, split.train_y))
    labels.append(("random", RANDOM, blind, random))
    rows = []
    for kind, count, split, y in labels:
        for name in PEERS if count else PEERS[:1]:
            peer = DETECTORS[name](seed)
            peer.fit(split.train_x, y)
            ap = average_precision(split.test_y, peer.score(split.test_x))
            rows.append({"seed": seed, "labels": kind, "count": count, "detector": name, "ap": ap})
    return rows


def table(rows: Sequence[rowfile.Row]) -> str:
    """Return the mean over sets, each the mean of its seeds, a line a detector."""
    columns = [("true", count) for count in (0, *COUNTS)] + [("random", RANDOM)]
    lines = [
        "| detector | " + " | ".join(f"{count} {kind}" for kind, count in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name in PEERS:
        cells = []
        for kind, count in columns:
            there = [r for r in rows if (r["detector"], r["labels"], r["count"]) == (name, kind, count)]
            by_set = {
                one: np.mean([r["ap"] for r in there if r["set"] == one]) for one in {r["set"] for r in there}
            }
            cells.append(f"{np.mean(list(by_set.values())):.3f}" if by_set else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([f"{len({row['set'] for row in rows})} sets", "", *lines])


STUDY = rowfile.over_sets("labels", __doc__, measure, table)
