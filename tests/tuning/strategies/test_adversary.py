"""The adversary: its closed form, and what it learns."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import kendalltau

from outlearn.tuning.strategies.adversary import PSEUDO_MEASURES, Adversary
from outlearn.tuning.table import PerformanceTable
from outlearn.tuning.trials.observe import MEASURES
from outlearn.tuning.trials.pseudo import KINDS

T, C, K = 20, 12, len(KINDS)


def table(kind: int, seed: int = 0) -> PerformanceTable:
    """A table in which the AUROC against one kind of pseudo-anomaly tells the truth, the others nothing."""
    rng = np.random.default_rng(seed)
    precision = rng.uniform(0.1, 0.9, size=(T, C))
    measures = rng.uniform(0.4, 1, size=(T, C, len(MEASURES)))
    measures[:, :, PSEUDO_MEASURES[kind]] = 0.5 + precision / 2
    nothing = np.zeros((T, C))
    return PerformanceTable(
        configs=[{"detector": "lof", "place": c} for c in range(C)],
        tasks=[f"task{t}" for t in range(T)],
        families=[f"family{t}" for t in range(T)],
        prints=[nothing[:5]] * T,
        features=nothing,
        auroc=precision,
        precision=precision,
        seconds=nothing,
        failed=nothing > 0,
        measures=measures,
        seen=nothing * np.nan,
        ranks=[nothing] * T,
        truths=[np.zeros(C, dtype=np.int8)] * T,
    )


@pytest.mark.parametrize("kind", [0, K - 1])
def test_the_kind_that_tells_the_truth_is_learnt(kind):
    adversary = Adversary.learn(table(kind))
    assert adversary.mixture.sum() == pytest.approx(1)
    assert adversary.mixture.argmax() == kind and adversary.mixture[kind] > 0.6
    new = table(kind, seed=1)
    taus = [kendalltau(adversary.left(new.measures[t]), new.precision[t]).statistic for t in range(T)]
    assert np.mean(taus) > 0.6


def test_where_nothing_tells_the_truth_the_adversary_is_worth_little():
    blind = table(0)
    rng = np.random.default_rng(2)
    blind = replace(blind, measures=rng.uniform(0.4, 1, size=blind.measures.shape))

    def reach(learnt_from):
        adversary = Adversary.learn(learnt_from)
        return adversary.worth * adversary.left(learnt_from.measures.reshape(-1, len(MEASURES))).std()

    assert reach(blind) < 0.2 * reach(table(0))


def test_the_closed_form_is_the_minimum_over_mixtures():
    adversary = Adversary.learn(table(1))
    measures = np.random.default_rng(3).uniform(0.3, 1, size=(4, len(MEASURES)))
    areas, p, price = measures[:, PSEUDO_MEASURES], adversary.mixture, adversary.price

    def cost(logits, line):
        q = np.exp(logits - logits.max())
        q /= q.sum()
        return (q * line).sum() + price * (q * np.log(q / p)).sum()

    for line, left in zip(areas, adversary.left(measures), strict=True):
        best = minimize(cost, np.log(p), args=(line,), tol=1e-12)
        assert left == pytest.approx(best.fun, abs=1e-5)
        # The mixture of the closed form is the one that reaches it.
        assert cost(np.log(p) - line / price, line) == pytest.approx(left, abs=1e-6)


def test_the_same_table_gives_the_same_adversary():
    one, other = Adversary.learn(table(2)), Adversary.learn(table(2))
    assert np.array_equal(one.mixture, other.mixture) and one.price == other.price
