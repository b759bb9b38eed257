"""How scorers of log-odds judge themselves, the same for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["label_effects", "uncertainty_of"]

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]

FEWEST = 50  # rows of a support below which it reveals less than the network expects


def uncertainty_of(reach: float, rows: int, strangeness: float = 0.0) -> float:
    """Return how little the order of scores is to be trusted, 0 to 1: 1 where an AUROC of .5 is expected.

    reach : the AUROC that a network expects. Few rows, and a support unlike those trained on, add to it.

    >>> uncertainty_of(1.0, 100), uncertainty_of(1.0, 25), uncertainty_of(0.5, 100)
    (0.0, 0.5, 1.0)
    """
    trust = min(max(2 * reach - 1, 0.0), 1.0)
    return 1 - trust * min(rows / FEWEST, 1.0) / max(strangeness, 1.0)


def label_effects(
    score: Callable[[Rows], Floats], without: Callable[[Rows, Rows], Floats], X: Rows, labelled: Rows
) -> Floats:
    """Return how much each label moved the score of each row: (m, k), positive where it raised it.

    Parameters
    ----------
    score : of rows (m, d) → (m,). without : of rows, as if the label of one row (d,) were forgotten.
    X : (m, d) rows. labelled : (k, d) labelled rows of the support.
    """
    scores = score(X)
    effects = [scores - without(X, row) for row in labelled]
    return np.column_stack(effects) if effects else np.empty((len(X), 0))
