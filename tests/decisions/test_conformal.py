import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import genpareto

from outlearn.decisions.conformal import benjamini_hochberg, fit_pareto_tail, p_values, tail_p_values
from outlearn.errors import InputError, ParameterError

_spec = importlib.util.spec_from_file_location(
    "naive_conformal", Path(__file__).parents[1] / "naive" / "conformal.py"
)
naive = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(naive)


@pytest.mark.parametrize("levels", [3, 10_000])
def test_p_values_agree_with_the_definition(levels):
    rng = np.random.default_rng(0)
    scores, reference = rng.integers(0, levels, 60), rng.integers(0, levels, 41)
    assert p_values(scores, reference).tolist() == naive.p_values(scores, reference)


def test_a_p_value_does_not_depend_on_the_batch():
    rng = np.random.default_rng(1)
    scores, reference = rng.normal(size=9), rng.normal(size=30)
    together = p_values(scores, reference)
    assert [p_values(scores[[i]], reference).item() for i in range(9)] == together.tolist()


@pytest.mark.parametrize("q", [0.01, 0.1, 0.5])
def test_step_up_agrees_with_the_definition(q):
    rng = np.random.default_rng(2)
    for _ in range(50):
        p = np.round(rng.beta(0.5, 2, size=rng.integers(1, 30)), 2)
        assert benjamini_hochberg(p, q).tolist() == naive.benjamini_hochberg(p.tolist(), q)


def test_step_up_on_nothing_and_on_bad_values():
    assert benjamini_hochberg([], 0.1).shape == (0,)
    with pytest.raises(InputError, match="lie in"):
        benjamini_hochberg([0.1, 1.2], 0.1)
    with pytest.raises(ParameterError, match="wanted a share"):
        benjamini_hochberg([0.1], 1.0)


def test_bad_scores_are_named():
    with pytest.raises(InputError, match="reference_scores holds 0 scores"):
        p_values([1.0], [])
    with pytest.raises(InputError, match=r"scores holds 1 scores that are not a number"):
        p_values([np.nan], [1.0])
    with pytest.raises(InputError, match=r"shape \(1, 1\)"):
        p_values([[1.0]], [1.0])


@pytest.mark.parametrize("shape", [0.1, 0.3, 0.8])
def test_the_tail_fit_finds_shape_and_scale(shape):
    x = genpareto.rvs(shape, scale=2.0, size=4000, random_state=0)
    flagged, scale = fit_pareto_tail(x)
    assert flagged == pytest.approx(shape, abs=0.08)
    assert scale == pytest.approx(2.0, rel=0.1)


def test_a_bounded_tail_is_taken_for_an_exponential_one():
    x = np.random.default_rng(0).uniform(0, 1, 2000)
    shape, scale = fit_pareto_tail(x)
    assert shape == 0.0
    assert scale == pytest.approx(x.mean())


def test_tail_p_values_follow_the_law_far_beyond_the_sample():
    rng = np.random.default_rng(3)
    reference = rng.exponential(size=5000)
    true = np.array([1e-4, 1e-5, 1e-6])
    p = tail_p_values(-np.log(true), reference)
    assert (np.abs(np.log10(p / true)) < 1).all()
    assert p.min() < 1 / (len(reference) + 1)


def test_tail_p_values_fall_with_the_score_and_keep_the_bulk():
    rng = np.random.default_rng(4)
    reference = rng.normal(size=500)
    scores = np.linspace(-4, 60, 4000)
    p = tail_p_values(scores, reference)
    assert (np.diff(p) <= 0).all()
    assert (p > 0).all()
    bulk = scores <= np.quantile(reference, 0.9, method="lower")
    np.testing.assert_array_equal(p[bulk], p_values(scores[bulk], reference))


@pytest.mark.parametrize("reference", [np.ones(500), np.arange(20.0), np.r_[np.zeros(480), np.ones(20)]])
def test_without_a_tail_to_fit_the_conformal_values_stay(reference):
    np.testing.assert_array_equal(tail_p_values([0.0, 9e9], reference), p_values([0.0, 9e9], reference))
