import json

import numpy as np
import pytest

from outlearn.decisions.calibrate import Calibrator, contamination_estimate, shift_to
from outlearn.decisions.threshold import by_contamination
from outlearn.errors import InputError, ParameterError


@pytest.mark.parametrize(
    "calibrator", [Calibrator.from_logits(), Calibrator.from_logits(2.0, 0.5), Calibrator(1e3, 0.1)]
)
def test_the_map_is_strictly_increasing_up_to_1e12(calibrator):
    size = np.logspace(-6, 12, 20_000)
    logits = np.r_[-size[::-1], 0.0, size]
    result = calibrator.apply(calibrator.centre + calibrator.scale * np.unique(logits))
    assert (np.diff(result) > 0).all()
    assert result[0] > 0
    assert result[-1] < 1


def test_neighbouring_far_outliers_stay_apart():
    far = 10.0 ** np.arange(13)
    result = Calibrator.from_logits().apply(np.column_stack([far, far * (1 + 1e-9)]).ravel())
    assert (np.diff(result) > 0).all()


def test_the_bulk_is_the_plain_sigmoid_and_the_knee_is_smooth():
    x = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(Calibrator.from_logits().apply(x), 1 / (1 + np.exp(-x)), rtol=1e-13)
    around = Calibrator.from_logits().apply([6 - 1e-4, 6, 6 + 1e-4])
    logit = np.log(around / (1 - around))
    assert np.diff(logit) == pytest.approx([1e-4, 1e-4], rel=1e-3)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.35])
@pytest.mark.parametrize("law", ["normal", "lognormal", "ties"])
def test_half_is_the_threshold(law, share):
    rng = np.random.default_rng(0)
    draws = {"normal": rng.normal, "lognormal": rng.lognormal, "ties": lambda size: rng.integers(0, 9, size)}
    scores = draws[law](size=500)
    calibrator = Calibrator.fit(scores, share)
    np.testing.assert_array_equal(calibrator.apply(scores) >= 0.5, scores >= by_contamination(scores, share))


def test_rounding_does_not_lift_a_row_over_the_threshold():
    calibrator = Calibrator(centre=1.0, scale=1e3)
    assert calibrator.apply([np.nextafter(1.0, 0)]).item() < 0.5 == calibrator.apply([1.0]).item()


@pytest.mark.parametrize(
    "scores", [[7.0] * 20, [0.0], [-3e8] * 5, [0.0] * 19 + [1.0], [1e-300, 2e-300], [0, 1e308, -1e308]]
)
def test_degenerate_supports_still_give_a_map(scores):
    calibrator = Calibrator.fit(scores, 0.1)
    result = calibrator.apply(np.r_[scores, np.inf, -np.inf])
    assert ((result >= 0) & (result <= 1)).all()
    assert result[-2:].tolist() == [1.0, 0.0]


def test_equal_scores_are_all_just_not_flagged():
    assert 0.49 < Calibrator.fit([7.0] * 20, 0.1).apply([7.0]).item() < 0.5


def test_a_calibrator_survives_json():
    calibrator = Calibrator.fit(np.random.default_rng(0).normal(size=99), 0.1)
    assert Calibrator.from_dict(json.loads(json.dumps(calibrator.to_dict()))) == calibrator


def test_bad_calibrations_are_refused():
    with pytest.raises(ParameterError, match="scale above 0"):
        Calibrator.from_logits(temperature=0.0)
    with pytest.raises(ParameterError, match="infinite"):
        Calibrator.fit([0.0, np.inf], 0.1)
    with pytest.raises(InputError, match="NaN"):
        Calibrator.from_logits().apply([np.nan])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_the_estimate_grows_with_a_plain_cluster_of_anomalies(share):
    rng = np.random.default_rng(1)
    scores = np.r_[rng.normal(size=1000), rng.normal(12, 1, size=int(1000 * share))]
    assert share / 3 < contamination_estimate(scores) < share * 3


@pytest.mark.parametrize(
    "scores", [[1.0], [1.0] * 50, np.arange(3.0), np.r_[np.zeros(999), 1e9], [0.0, np.inf]]
)
def test_the_estimate_keeps_its_bounds(scores):
    assert min(1 / len(scores), 0.4) <= contamination_estimate(scores) <= 0.4


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.99])
def test_the_shift_sets_the_mean_probability(share):
    logits = np.random.default_rng(0).normal(-3, 4, size=300)
    shift = shift_to(logits, share)
    assert Calibrator.from_logits(shift=shift).apply(logits).mean() == pytest.approx(share, abs=0.01)
    assert np.mean(1 / (1 + np.exp(shift - logits))) == pytest.approx(share, abs=1e-8)


def test_a_level_takes_finite_logits_and_a_share():
    with pytest.raises(ParameterError, match="infinite"):
        shift_to([0.0, np.inf], 0.1)
    with pytest.raises(ParameterError, match="contamination is 0"):
        shift_to([0.0], 0)
    with pytest.raises(InputError, match="0 scores"):
        shift_to([], 0.1)
