"""How configurations go together: the posterior against plain formulas, and what it is good for."""

from dataclasses import replace

import numpy as np
import pytest

from outlearn.tuning.search import Search
from outlearn.tuning.strategies.catalogue import Maml
from outlearn.tuning.strategies.gaussian_process import EXACT, LEVEL, SHRINK, GaussianProcess, improvement
from outlearn.tuning.trials.observe import Observation


@pytest.fixture(scope="module")
def process():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    return GaussianProcess(rng.random(6), 0.01 * root @ root.T, 0.02)


def test_the_posterior_is_that_of_the_normal_distribution(process):
    among, prior = np.array([0, 2, 3, 5]), np.array([0.1, 0.4, 0.2, 0.3])
    seen, observed = np.array([0, 3]), np.array([0.2, 0.7])
    centre = np.eye(4) - 0.25
    block = centre @ process.covariance[np.ix_(among, among)] @ centre
    kernel = (1 - SHRINK) * block + SHRINK * np.diag(np.diag(block)) + LEVEL
    mean, spread = process.posterior(among, prior, seen, observed)
    posteriors = []
    for noise in (*EXACT, process.noise):
        gram = kernel[np.ix_(seen, seen)] + noise * np.eye(2)
        apart = observed - prior[seen]
        likelihood = -0.5 * apart @ np.linalg.inv(gram) @ apart - 0.5 * np.log(np.linalg.det(gram))
        gain = kernel[:, seen] @ np.linalg.inv(gram)
        posteriors.append((likelihood, prior + gain @ apart, np.diag(kernel - gain @ kernel[seen])))
    _, plain, variance = max(posteriors, key=lambda posterior: posterior[0])
    np.testing.assert_allclose(mean, plain)
    np.testing.assert_allclose(spread, np.sqrt(variance))


def test_a_level_shared_by_all_tells_nothing_of_their_order(process):
    among, prior = np.arange(6), np.zeros(6)
    means = [process.posterior(among, prior, among, np.linspace(0, 1, 6) + level)[0] for level in (0.0, 0.3)]
    assert np.ptp(means[1] - means[0]) < 0.02


def test_improvement_is_the_mean_of_what_is_above():
    rng, mean, spread = np.random.default_rng(0), np.array([0.1, 0.5, -1.0]), np.array([0.5, 0.1, 0.3])
    drawn = mean + spread * rng.normal(size=(400_000, 3))
    np.testing.assert_allclose(
        improvement(mean, spread, 0.4), np.maximum(drawn - 0.4, 0).mean(axis=0), atol=2e-3
    )


def test_what_goes_together_is_learnt(table):
    """Configurations that are good on the same tables speak for one another."""
    rng = np.random.default_rng(1)
    good = rng.normal(size=(30, 1))
    precision = 0.4 + 0.02 * rng.normal(size=(30, 12))
    precision[:, :4] += 0.1 * good
    precision[:, 8:] -= 0.1 * good
    process = GaussianProcess.learn(replace(table, precision=precision))
    mean, _ = process.posterior(np.arange(12), process.mean, np.array([0, 8]), np.array([0.6, 0.2]))
    assert mean[1:4].min() > mean[4:8].max() and mean[4:8].min() > mean[9:].max()


def test_noise_is_what_labels_were_apart(table):
    rng = np.random.default_rng(0)
    seen = np.where(np.arange(30)[:, None] < 20, table.precision + 0.3 * rng.normal(size=(30, 12)), np.nan)
    seen[:20] += rng.normal(size=(20, 1))  # another level of a table is no noise
    assert GaussianProcess.learn(replace(table, seen=seen)).noise == pytest.approx(0.09, rel=0.2)


def test_it_comes_back_from_its_state(process):
    again = GaussianProcess.restore(process.state())
    assert again.noise == process.noise and np.array_equal(again.covariance, process.covariance)


def test_with_labels_the_best_is_found_where_nothing_else_tells(table, made_up, quick):
    """Meta-features and measures hidden: what is seen through labels leads to it."""
    blind = replace(table, features=np.zeros_like(table.features))
    new, right = made_up(1), 0
    strategy = Maml.learn(blind, 0)

    class Told:
        def __init__(self, t):
            self.t = t

        def look(self, config):
            precision = float(new.precision[self.t, new.configs.index(config)])
            return Observation(np.zeros_like(new.measures[0, 0]), precision, 0.0)

    for t in range(12):
        search = Search(new.configs, np.arange(12), np.zeros_like(new.features[t]), lambda t=t: Told(t), 5)
        choice = strategy.search(search)
        assert len(search.trials) == 5 and np.isfinite(choice.expected).all()
        right += choice.members[0] == new.precision[t].argmax()
    assert right >= 11
