"""What a missing cell should be worth: tables of numbers from which cells are taken at random.

    python -m benchmarks run missing FOLDER... --out missing.json

Of each labelled set at most 800 rows are drawn, and `--share` of the cells of each column are taken away,
whatever the row. *complete*: the default on the rows as they were. *learnt*: marks of missing cells are
columns that the learner reads. *counted at w*: marks are worth the log-odds of `detectors.counted`, with w
for `LACKING`; at 0 they are worth nothing. *rare*: the cells of a tenth of the anomalies alone are taken,
which tells. Average precision without labels and among known normal rows, mean over sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from benchmarks.harness import rowfile, sets
from outlearn.detectors import counted
from outlearn.detectors.detector import Detector
from outlearn.evaluate.compare import markdown
from outlearn.rng import derive

ROWS = 800
SHARES = (0.05,)
WORTH = (0.0, counted.LACKING, 0.1)
COMPLETE, LEARNT = "complete", "learnt"
_STREAM = 0x3155

Cells = NDArray[np.float64]


@contextmanager
def _worth(way: str) -> Iterator[None]:
    """Let marks of missing cells count as `way` says."""
    if way == LEARNT:
        with patch.object(counted, "MARKED", ()):
            yield
    elif way == COMPLETE:
        yield
    else:
        with patch.object(counted, "LACKING", float(way.split()[-1])), np.errstate(divide="ignore"):
            yield


def _taken(X: Cells, truth: NDArray[np.int8], share: float, rng: np.random.Generator) -> Cells:
    """Return rows without a share of their cells, at random; 0: those of a tenth of the anomalies."""
    if share:
        return np.where(rng.random(X.shape) < share, np.nan, X)
    lacking = np.zeros(X.shape, dtype=np.bool_)
    odd = rng.permutation(np.flatnonzero(truth))[: max(int(truth.sum()) // 10, 1)]
    lacking[odd, rng.integers(X.shape[1], size=len(odd))] = True
    return np.where(lacking, np.nan, X)


def _precision(X: Cells, truth: NDArray[np.int8], seed: int) -> tuple[float, float]:
    """Return average precision without labels, and of the later half beside the normal rows of the other."""
    unlabelled = Detector(random_state=seed).fit(X).anomaly_score(X)
    half = len(X) // 2
    reference = X[:half][truth[:half] == 0]
    scores = Detector(random_state=seed).fit(reference, np.zeros(len(reference))).anomaly_score(X[half:])
    return (
        float(average_precision_score(truth, unlabelled)),
        float(average_precision_score(truth[half:], scores)),
    )


def measure(labelled: sets.LabelledSet, seed: int) -> list[rowfile.Row]:
    """Return the figures of a set for each share and way."""
    rng = derive(seed, _STREAM)
    X, truth = np.asarray(labelled.X, dtype=np.float64), np.asarray(labelled.y)
    chosen = rng.permutation(len(X))[:ROWS]
    X, truth = X[chosen], truth[chosen].astype(np.int8)
    if truth[: len(X) // 2].all() or truth[len(X) // 2 :].sum() < 2:
        return []
    rows: list[rowfile.Row] = []
    for share in (*SHARES, 0.0):
        holes = _taken(X, truth, share, derive(seed, _STREAM, int(1000 * share)))
        for way in (COMPLETE, LEARNT, *(f"counted at {worth:g}" for worth in WORTH)):
            with _worth(way):
                reached = _precision(X if way == COMPLETE else holes, truth, seed)
            rows.append({"share": share, "way": way, "reached": reached})
    return rows


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table: a line a way, two columns a share of missing cells."""
    shares = list(dict.fromkeys(row["share"] for row in rows))
    head = ["marks of missing cells", *(f"{s:.0%} of cells" if s else "rare, of anomalies" for s in shares)]
    body = []
    for way in dict.fromkeys(row["way"] for row in rows):
        means = [
            np.mean([row["reached"] for row in rows if (row["way"], row["share"]) == (way, share)], axis=0)
            for share in shares
        ]
        body.append([way, *(f"{mean[0]:.3f} / {mean[1]:.3f}" for mean in means)])
    count = len({row["set"] for row in rows})
    return (
        f"{count} sets; average precision without labels / among known normal rows\n\n{markdown(head, body)}"
    )


STUDY = rowfile.over_sets("missing", __doc__, measure, report, encoded=True)
