"""How far can probabilities, share of anomalies and doubts of the in-context learner be believed?

    python -m benchmarks run calibration FOLDER... --out calibration.json

Every labelled set is split 70/30 with its anomalies on both sides, without labels; the test part is judged:

* expected calibration error of `anomaly_score` as it stands, and with the true share of anomalies given as
  `contamination`;
* the estimated share over the true one;
* what is flagged without being told a share, and its F1, beside the F1 of flagging the true share;
* `uncertainty_` beside the AUROC, with no labels and with five labelled anomalies.

Rows are written as sets are finished, and the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.harness import rowfile, sets
from outlearn import Detector
from outlearn.evaluate import auroc, contaminated, expected_calibration_error, few_labels

LABELS = 5
MOST = 0.5  # share of anomalies that can be given as contamination


def measure(data: sets.LabelledSet, seed: int) -> list[rowfile.Row]:
    """Judge one split, and the same with labels where there are enough anomalies."""
    split = contaminated(data.X, data.y, seed)
    detector = Detector("incontext", random_state=seed).fit(split.train_x)
    share = float(split.test_y.mean())
    known = Detector("incontext", contamination=min(share, MOST), random_state=seed).fit(split.train_x)
    scores, known_scores = detector.anomaly_score(split.test_x), known.anomaly_score(split.test_x)
    row: rowfile.Row = {
        "seed": seed,
        "share": share,
        "estimate": float(detector.contamination_),
        "error": expected_calibration_error(split.test_y, scores),
        "error_known": expected_calibration_error(split.test_y, known_scores),
        "flagged": float((scores >= detector.threshold_).mean()),
        "f1": f1(split.test_y, scores >= detector.threshold_),
        "f1_known": f1(split.test_y, known_scores >= known.threshold_),
        "auroc": auroc(split.test_y, scores),
        "uncertainty": detector.uncertainty_,
        "doubt": detector.doubt_,
    }
    if split.train_anomalies >= LABELS:
        labelled = few_labels(data.X, data.y, seed, labelled_anomalies=LABELS)
        fitted = Detector("incontext", random_state=seed).fit(labelled.train_x, labelled.train_y)
        row["labelled_auroc"] = auroc(labelled.test_y, fitted.anomaly_score(labelled.test_x))
        row["labelled_uncertainty"] = fitted.uncertainty_
    return [row]


def f1(truth: NDArray[Any], flagged: NDArray[np.bool_]) -> float:
    """Return the F1 of flagged rows (m,)."""
    hits = int((flagged & (truth == 1)).sum())
    return 2 * hits / max(int(flagged.sum() + (truth == 1).sum()), 1)


def summary(rows: Sequence[rowfile.Row]) -> str:
    """Return the figures over sets, each the mean of its seeds."""

    def of(name: str, what: Sequence[rowfile.Row] = rows) -> NDArray[np.float64]:
        names = sorted({row["set"] for row in what})
        return np.array([np.mean([row[name] for row in what if row["set"] == one]) for one in names])

    def rank(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
        equal = np.ptp(one) == 0 or np.ptp(other) == 0
        return float("nan") if equal else float(spearmanr(one, other).statistic)

    labelled = [row for row in rows if "labelled_auroc" in row]
    ratio = np.abs(np.log2(of("estimate") / of("share")))
    lines = [
        f"sets {len(of('share'))}",
        f"calibration error {of('error').mean():.3f} (median {np.median(of('error')):.3f}), "
        f"at the true share {of('error_known').mean():.3f} ({np.median(of('error_known')):.3f})",
        f"share of anomalies within a factor of 2: {(ratio <= 1).mean():.2f} of sets, "
        f"rank correlation {rank(of('estimate'), of('share')):.2f}",
        f"flagged {of('flagged').mean():.3f} of rows (anomalies {of('share').mean():.3f}), none on "
        f"{(of('flagged') == 0).sum()} sets; F1 {of('f1').mean():.3f}, of the true share "
        f"{of('f1_known').mean():.3f}",
        f"rank correlation of uncertainty and 1 - AUROC {rank(of('uncertainty'), -of('auroc')):.2f}",
    ]
    if labelled:
        sure, aurocs = of("labelled_uncertainty", labelled), of("labelled_auroc", labelled)
        lines.append(f"the same with {LABELS} labels ({len(sure)} sets) {rank(sure, -aurocs):.2f}")
    return "\n".join(lines)


STUDY = rowfile.over_sets("calibration", __doc__, measure, summary)
