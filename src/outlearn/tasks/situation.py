"""Situations: what a learner knows of the support. They differ by the labels alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError

__all__ = ["SITUATIONS", "labels_for"]

SITUATIONS = ("normal", "contaminated", "clean", "labelled")
"""normal: every row is normal and labelled so. clean: every row is normal, which nobody says. contaminated:
some rows are anomalies, no label. labelled: as contaminated, a few anomalies (perhaps normals) labelled."""


def labels_for(
    rng: np.random.Generator,
    truth: NDArray[np.int8],
    situation: str,
    labels: int,
    *,
    normals: int | None = None,
) -> NDArray[np.int8]:
    """Return (n,) int8 labels in {-1, 0, 1} for a support of the given truth.

    Parameters
    ----------
    truth : (n,) in {0, 1}.
    situation : one of `SITUATIONS`.
    labels : in ``labelled``, how many anomalies get their label, as far as there are any.
    normals : in ``labelled``, how many normal rows get theirs; None draws 0 or, as often, 1 to 20.

    Raises
    ------
    ParameterError
        When the situation is unknown.

    >>> truth = np.array([0, 1, 0], dtype=np.int8)
    >>> labels_for(np.random.default_rng(0), truth, "labelled", 1, normals=0).tolist()
    [-1, 1, -1]
    """
    if situation not in SITUATIONS:
        raise ParameterError(f"situation={situation!r} is unknown; choose from {list(SITUATIONS)}")
    if situation == "normal":
        return np.zeros(len(truth), dtype=np.int8)
    given = np.full(len(truth), -1, dtype=np.int8)
    if situation == "labelled":
        if normals is None:
            normals = int(rng.integers(1, 21)) if rng.random() < 0.5 else 0
        given[rng.permutation(np.flatnonzero(truth == 1))[:labels]] = 1
        given[rng.permutation(np.flatnonzero(truth == 0))[:normals]] = 0
    return given
