"""Choosing what holds up against an adversary who makes the anomalies that are missed most.

The adversary mixes pseudo-anomalies of several kinds and distances (`tuning.trials.pseudo`). It starts from a
mixture that is learnt across tables, and may leave it, at a price, for the kinds that a configuration misses:
the worse of two configurations is the one with the weaker worst mixture. With a price τ on the
Kullback-Leibler divergence from the learnt mixture p, the worst mixture for AUROCs a has a closed form, and
so has what it leaves:

    min over q of  Σ q·a + τ·KL(q‖p)  =  -τ·log Σ p·exp(-a/τ),   q ∝ p·exp(-a/τ).

p, τ, and how much the outcome counts beside how configurations did on other tables, are learnt together.

Source of the closed form: Donsker, Varadhan 1975; of robustness within a divergence: Hu, Hong 2013.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from outlearn.tuning.strategies.folds import others
from outlearn.tuning.table import PerformanceTable
from outlearn.tuning.trials.observe import MEASURES
from outlearn.tuning.trials.pseudo import KINDS

__all__ = ["Adversary"]

Floats = NDArray[np.float64]
PSEUDO_MEASURES = [MEASURES.index(f"pseudo.{kind}") for kind in KINDS]
STEPS, RATE = 300, 0.05
PENALTY = 1e-3  # on the logarithms of the mixture: few tables say little of eight kinds


class Adversary:
    """Learns, from tables with labels, a mixture of pseudo-anomalies to judge configurations by without any.

    mixture : (K,) shares of the kinds in `tuning.trials.pseudo.KINDS`. price : τ.
    worth : average precision that an AUROC of 1 against the worst mixture counts, over one of 0.
    """

    def __init__(self, mixture: Floats, price: float, worth: float) -> None:
        self.mixture, self.price, self.worth = mixture, price, worth

    @classmethod
    def learn(cls, table: PerformanceTable) -> Self:
        """Learn from a performance table."""
        import torch

        areas = torch.from_numpy(np.nan_to_num(table.measures[:, :, PSEUDO_MEASURES], nan=0.5))  # (T, C, K)
        gains = table.precision - table.precision.mean(axis=1, keepdims=True)
        # What is left to tell once it is known how a configuration does on the other tables.
        elsewhere = others(table)
        goal = torch.from_numpy(gains - (elsewhere - elsewhere.mean(axis=1, keepdims=True)))
        leaves = [
            torch.zeros(len(PSEUDO_MEASURES), dtype=torch.float64, requires_grad=True),
            torch.tensor(-1.0, dtype=torch.float64, requires_grad=True),
            torch.tensor(-2.0, dtype=torch.float64, requires_grad=True),
        ]
        logits, log_price, log_worth = leaves
        optimiser = torch.optim.Adam(leaves, lr=RATE)
        for _ in range(STEPS):
            price = log_price.exp()
            left = -price * torch.logsumexp(torch.log_softmax(logits, 0) - areas / price, -1)  # (T, C)
            predicted = log_worth.exp() * (left - left.mean(1, keepdim=True))
            loss = (predicted - goal).square().mean() + PENALTY * logits.square().mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return cls(
            torch.softmax(logits, 0).detach().numpy(),
            float(log_price.exp().detach()),
            float(log_worth.exp().detach()),
        )

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Return the adversary that `state` describes."""
        return cls(state["mixture"], *(float(number) for number in state["scale"]))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the mixture, the price and the worth as arrays."""
        return {"mixture": self.mixture, "scale": np.array([self.price, self.worth])}

    def left(self, measures: Floats) -> Floats:
        """Return (N,) the AUROC that the worst mixture leaves, its price included, for measures (N, M)."""
        areas = np.asarray(measures, dtype=np.float64)[:, PSEUDO_MEASURES]
        lowest = areas.min(axis=1, keepdims=True)  # keeps the exponentials within range
        inner = (self.mixture * np.exp(-(areas - lowest) / self.price)).sum(axis=1)
        worst: Floats = lowest[:, 0] - self.price * np.log(inner)
        return worst
