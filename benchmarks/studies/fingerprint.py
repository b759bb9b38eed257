"""Whether real tables lie within the cloud of the synthetic tasks that the in-context learner is trained on.

    python -m benchmarks run fingerprint FOLDER... --out fingerprint.json

Tables are told by their meta-features (`outlearn.tuning.metafeatures`): sizes, shapes of columns, dependence,
discreteness, copies, intrinsic dimension, tails of quick scores and how these rank rows alike. For each one
the share of real sets outside the middle 98 in 100 of the synthetic tasks; for all together the share that is
farther from the nearest synthetic task than 95 in 100 of these are from theirs, and how well a forest tells
real from synthetic (AUROC, cross-validated by family).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors

from benchmarks.harness import rowfile, sets
from benchmarks.studies.ablation import SAMPLER
from benchmarks.studies.families import called
from outlearn.evaluate import contaminated
from outlearn.tasks.sampler import SyntheticSampler
from outlearn.tuning.metafeatures import META_FEATURES, describe
from outlearn.tuning.trials.observe import TableSample

TASKS = 300
TREES = 300  # of the forest that tells real tables from synthetic ones
MIDDLE = (0.01, 0.99)
FAR = 0.95
FEATURES = "features"
MOST_ROWS = 1400  # of a set, so that its training part is as large as the supports of the tasks


def features_of(X: NDArray[np.float32]) -> list[float]:
    """Return the meta-features of rows (n, d)."""
    return describe(TableSample.of(X.astype(np.float32), np.full(len(X), -1, dtype=np.int8))).tolist()


def measure(data: sets.LabelledSet, seed: int) -> list[rowfile.Row]:
    """Return the meta-features of the training part of a set."""
    split = contaminated(data.X, data.y, seed, max_rows=MOST_ROWS)
    return [{"seed": seed, FEATURES: features_of(split.train_x)}]


def synthetic(count: int) -> NDArray[np.float64]:
    """Return the meta-features of unlabelled synthetic tasks, (count, F)."""
    sampler = SyntheticSampler(replace(SAMPLER, situations={"contaminated": 1.0}))
    return np.array([features_of(sampler.episode(i).support_x) for i in range(count)])


def table(rows: Sequence[rowfile.Row]) -> str:
    """Return what the real sets are like beside the synthetic tasks."""
    real, made = np.array([row[FEATURES] for row in rows]), synthetic(TASKS)
    low, high = np.quantile(made, MIDDLE, axis=0)
    lines = [f"{len({row['set'] for row in rows})} sets, {len(made)} synthetic tasks", ""]
    lines += [
        "| meta-feature | synthetic: 1 / 50 / 99 in 100 | real: 10 / 50 / 90 | real outside |",
        "|---" * 4 + "|",
    ]
    for j, name in enumerate(META_FEATURES):
        outside = np.mean((real[:, j] < low[j]) | (real[:, j] > high[j]))
        ours = " / ".join(f"{v:.2f}" for v in (low[j], np.median(made[:, j]), high[j]))
        theirs = " / ".join(f"{v:.2f}" for v in np.quantile(real[:, j], (0.1, 0.5, 0.9)))
        lines.append(f"| {name} | {ours} | {theirs} | {outside:.0%} |")
    lines += [
        "",
        f"Farther than {FAR:.0%} of synthetic tasks are from their nearest: {farther(real, made):.0%}",
    ]
    return "\n".join(
        [*lines, f"A forest tells real from synthetic: AUROC {separability(rows, real, made):.3f}"]
    )


def farther(real: NDArray[np.float64], made: NDArray[np.float64]) -> float:
    """Return the share of real sets farther from their nearest synthetic task than `FAR` of these are."""
    middle, spread = made.mean(axis=0), made.std(axis=0) + 1e-9
    search = NearestNeighbors(n_neighbors=2).fit((made - middle) / spread)
    own = search.kneighbors()[0][:, 0]
    theirs = search.kneighbors((real - middle) / spread, 1)[0][:, 0]
    return float(np.mean(theirs > np.quantile(own, FAR)))


def separability(rows: Sequence[rowfile.Row], real: NDArray[np.float64], made: NDArray[np.float64]) -> float:
    """Return the AUROC of a forest on families that it was not trained on."""
    X, y = np.concatenate([made, real]), np.repeat([0, 1], [len(made), len(real)])
    groups = [f"task {i}" for i in range(len(made))] + [called(Path(row["set"])) for row in rows]
    forest = ExtraTreesClassifier(TREES, random_state=0, class_weight="balanced")
    chances = cross_val_predict(forest, X, y, groups=groups, cv=GroupKFold(5), method="predict_proba")
    return float(roc_auc_score(y, chances[:, 1]))


STUDY = rowfile.over_sets("fingerprint", __doc__, measure, table, encoded=True)
