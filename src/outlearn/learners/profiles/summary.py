"""A support in a few numbers: what the level of scores, the doubt and the strangeness are read from.

The number of rows is none of them: small tables that people publish are easy ones, which is no reason to
expect more of fewer rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from outlearn.learners.profiles.lean import LEAN_STATISTICS
from outlearn.learners.profiles.verdicts import MOSTLY_KNOWN, has_verdicts, known_share

__all__ = ["JUDGED", "KINDS", "SUMMARY", "kind_of", "summarise"]

Floats = NDArray[np.floating]

SHAPE = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 1.0)  # quantiles of the support's own order
TAIL = (0.95, 0.98, 0.99, 0.995, 1.0)  # quantiles told by how many quarters beyond the median they lie
GAPS = 5  # between the oddest rows
PARTED, FEWEST_PARTED = (
    0.05,
    3,
)  # rows that the widest gap may part from the others: a share, and at least so many
FAR = (
    "isolation",
    "log.d20",
    "rank.d20",
    "tail.max",
    "mahalanobis",
    "histogram.mean",
    "log.ratio20",
)
FAR_SHAPE = (0.9, 0.98, 1.0)  # quantiles of their deviations
CHEAP = ("isolation", "log.d20", "rank.d5", "tail.mean", "histogram.mean", "mahalanobis")
KINDS = 4  # unlabelled or reference, without and with labels
SUMMARY = (
    "parted, middle",
    "parted, half width",
    "parted, spacing",
    "parted, width in quarters",
    "parted, share",
    *(f"order, {100 * point:g} %" for point in SHAPE),
    *(f"order, {100 * point:g} % in quarters" for point in TAIL),
    *(f"order, gap {number}" for number in range(1, GAPS + 1)),
    *(f"{name}, {100 * point:g} %" for name in FAR for point in FAR_SHAPE),
    *(f"agreement with {name}" for name in CHEAP),
    "columns",
    "reference",
    "anomalies",
    "any anomaly",
    "normals",
)
JUDGED = len(CHEAP) + 5
"""The last of them, from which the AUROC to expect is read. All of them tell more of the tables at hand (rank
correlation .45 for .38 with cases, .11 for .03 unlabelled), but take ten rows of noise for an easy table."""


def kind_of(y: NDArray[np.int8]) -> int:
    """Tell supports apart: 0 unlabelled, 1 mostly known normal; 2 and 3 the same with telling labels."""
    return int(known_share(y) >= MOSTLY_KNOWN) + 2 * int(has_verdicts(y))


def summarise(order: Floats, profile: Floats, y: NDArray[np.int8], columns: int) -> NDArray[np.float32]:
    """Return (len(SUMMARY),) numbers that sum a support up.

    Parameters
    ----------
    order : (n,) of the support's own rows. profile : (n, 2F) of them. y : (n,) in {-1, 0, 1}.
    columns : of the table.
    """
    rest = y != 1 if (y != 1).any() else np.ones(len(y), dtype=np.bool_)
    own = np.asarray(order, dtype=np.float64)[rest]
    shape = np.quantile(own, SHAPE)
    ranks = _centred(own)
    cheap = [LEAN_STATISTICS.index(name) for name in CHEAP]
    agreement = [float(ranks @ _centred(np.asarray(profile[rest, i], dtype=np.float64))) for i in cheap]
    middle, quarter, *tail = np.quantile(own, (0.5, 0.75, *TAIL))
    width = max(quarter - middle, 1e-3)
    top = np.sort(own)[::-1][: GAPS + 1]
    gaps = np.zeros(GAPS)
    gaps[: len(top) - 1] = -np.diff(top)
    deviations = np.asarray(profile[rest, len(LEAN_STATISTICS) :], dtype=np.float64)
    far = np.quantile(deviations[:, [LEAN_STATISTICS.index(name) for name in FAR]], FAR_SHAPE, axis=0)
    normal = known_share(y)
    odd = int((y == 1).sum())
    about = (
        np.log(columns) / 4,
        float(normal >= MOSTLY_KNOWN),
        np.log1p(odd) / 3,
        float(odd > 0),
        0.0 if normal >= MOSTLY_KNOWN else np.log1p((y == 0).sum()) / 3,
    )
    spread = np.log1p(np.concatenate([np.array(tail) - middle, gaps]) / width)
    parts = (_parted(own, width), np.clip(shape, -15, 15) / 4, spread, far.T.ravel(), agreement, about)
    return np.concatenate(parts).astype(np.float32)


def _parted(order: NDArray[np.float64], width: float) -> tuple[float, ...]:
    """Describe the gap that parts the oddest rows from the others most clearly.

    Where the k-th gap from the top is told k times, all are of one size on average, if the tail falls off as
    an exponential one does. So the one that is widest in this measure parts rows that are odd together.

    Source: Rényi, "On the theory of order statistics", 1953.

    Parameters
    ----------
    order : (n,). width : of the quarter above its median.

    Returns
    -------
    Middle and half width of the gap, its measure relative to the mean of all (log), its width in quarters
    (log), and the share of rows above it (log).
    """
    most = max(FEWEST_PARTED, int(PARTED * len(order)))
    top = np.sort(order)[::-1][: 2 * most + 1]
    if len(top) < 3 or top[0] <= top[-1]:
        return (float(top[0]) + 1.0, 1.0, 0.0, 0.0, 0.0)
    gaps = -np.diff(top)
    spacings = gaps * np.arange(1, len(gaps) + 1)
    k = int(spacings[:most].argmax())
    half = max(gaps[k] / 2, 1e-3)
    return (
        float(top[k] + top[k + 1]) / 2,
        half,
        float(np.log1p(spacings[k] / spacings.mean())),
        float(np.log1p(gaps[k] / width)),
        float(np.log(len(order) / (k + 1))) / 4,
    )


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks with mean 0 and length 1; 0 where all are equal."""
    ranks = rankdata(values) - (len(values) + 1) / 2
    length = float(np.linalg.norm(ranks))
    return np.asarray(ranks / length if length > 0 else ranks)
