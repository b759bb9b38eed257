"""Columns that predict the label alone: a leak more often than a feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.evaluate.metrics import auroc
from outlearn.evaluate.rows import binary_labels

__all__ = ["TELLING", "telling_columns"]

TELLING = 0.99  # AUROC of one column alone


def telling_columns(
    values: NDArray[np.float32], names: Sequence[str], y: ArrayLike, *, least: float = TELLING
) -> list[tuple[str, float]]:
    """Return the columns that rank anomalies above normal rows, or below them, nearly without error.

    Parameters
    ----------
    values : (n, d) encoded rows. names : (d,) the table column that each comes from.
    y : (n,) truth, 1 anomaly, 0 normal.

    Returns
    -------
    Each such table column with the AUROC of the best of its encoded columns, the most telling first.

    >>> values = np.array([[0, 5], [1, 3], [9, 4], [8, 5]], dtype=np.float32)
    >>> telling_columns(values, ["flag", "size"], [0, 0, 1, 1])
    [('flag', 1.0)]
    """
    truth = binary_labels(y, len(values))
    telling: dict[str, float] = {}
    for place, name in enumerate(names):
        area = auroc(truth, values[:, place])
        area = max(area, 1 - area)
        if area >= least:
            telling[name] = max(telling.get(name, 0.0), area)
    return sorted(telling.items(), key=lambda pair: -pair[1])
