"""Labels as evidence: what they say of a row, beside how well they bear each other out.

Whether a feature of `verdicts` is to be trusted is a question to the labelled rows themselves, told as
if their own label were unknown: does it rank the known anomalies among the rest of the support? The answers,
one a feature, stand beside the features of every row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.profiles.lean import LEAN_LABELS
from outlearn.learners.profiles.scale import Scale
from outlearn.learners.profiles.verdicts import MOSTLY_KNOWN, known_share

__all__ = ["EVIDENCE", "Evidence"]

Floats = NDArray[np.float64]

TRUTH = 2.0  # labels that the usual AUROC counts as
USUAL = 0.75
WITNESSES = ("order", *LEAN_LABELS)
SIGN = np.array([1.0 if "direction" in n or n.startswith(("order", "trees")) else -1.0 for n in WITNESSES])
SIGN[[i for i, name in enumerate(WITNESSES) if "normal" in name]] *= -1.0  # like a known normal: usual
COUNTS = ("anomalies", "normals", "reference", "one anomaly")
EVIDENCE = (
    "order, raw",
    *(f"{name}, raw" for name in LEAN_LABELS),
    *(f"{name}, tail" for name in WITNESSES),
    *(f"{name}, deviation" for name in WITNESSES),
    *(f"{name}, deviation by trust" for name in WITNESSES),
    *(f"{name}, trust" for name in WITNESSES),
    *COUNTS,
)


class Evidence:
    """Reads rows beside the labels of one support.

    Parameters
    ----------
    order : (n,) scores of the support that need no labels. labels : (n, L) its blind label features.
    y : (n,) in {-1, 0, 1}.
    """

    def __init__(self, order: Floats, labels: Floats, y: NDArray[np.int8]) -> None:
        told = self._witnesses(order, labels)
        rest = y == -1 if (y == -1).sum() >= 0.5 * (y != 1).sum() else y != 1
        if not rest.any():
            rest = np.ones(len(y), dtype=np.bool_)
        self._scale, self._usual = Scale(told[rest]), np.sort(told[rest], axis=0)
        self._trust = self._heard(told[y == 1])
        odd, normal = int((y == 1).sum()), int((y == 0).sum())
        reference = known_share(y) >= MOSTLY_KNOWN
        counts = (
            np.log1p(odd) / 3,
            0.0 if reference else np.log1p(normal) / 3,
            float(reference),
            float(odd == 1),
        )
        self._table = np.concatenate([self._trust, counts])

    @staticmethod
    def _witnesses(order: Floats, labels: Floats) -> Floats:
        both: Floats = np.column_stack([order, labels]).astype(np.float64) * SIGN
        return both.round(6)

    def _heard(self, odd: Floats) -> Floats:
        """Return how far the AUROC of each witness on known anomalies is above chance, shrunk: (1 + L,)."""
        if not len(odd):
            return np.full(odd.shape[1], USUAL - 0.5)
        ordered = self._usual
        places = [
            np.searchsorted(ordered[:, j], odd[:, j], "left")
            + np.searchsorted(ordered[:, j], odd[:, j], "right")
            for j in range(odd.shape[1])
        ]
        reached = np.mean(places, axis=1) / (2 * len(ordered))
        # A single label cannot bear itself out: only what needs no label can.
        counts = np.full(odd.shape[1], len(odd) - 1.0)
        counts[0] += 1
        trust: Floats = (counts * reached + TRUTH * USUAL) / (counts + TRUTH) - 0.5
        return trust

    def inputs(self, order: Floats, labels: Floats) -> NDArray[np.float32]:
        """Return (m, len(EVIDENCE)) what is known of rows by their order (m,) and label features (m, L)."""
        tails, deviations = self._scale.relative(self._witnesses(order, labels))
        tails, deviations = tails.clip(0, 8) / 3, deviations.clip(-4, 4)
        table = np.broadcast_to(self._table, (len(order), len(self._table)))
        parts = [order.clip(-20, 20) / 5, labels / 2, tails, deviations, deviations * self._trust * 4, table]
        return np.column_stack(parts).astype(np.float32)
