"""The plain mixture: distances at some widths over channels, and likeness where there are labels."""

import numpy as np
import pytest

from outlearn.data.series import Series
from outlearn.series.basis import Basis
from outlearn.series.mixture import LEADING, LEVEL, WEIGHTS, Mixture, log_odds
from outlearn.series.patches import HEAVY, WIDTHS, Patches
from outlearn.series.point_features import DISTANCES, POINT_FEATURES, PointFeatures


def wave(n=1500, channels=2):
    rng = np.random.default_rng(0)
    return np.sin(np.arange(n)[:, None] / 7 + np.arange(channels)) + 0.05 * rng.normal(size=(n, channels))


@pytest.mark.parametrize("cases", [(), [[(300, 340)]]])
def test_scores_are_what_the_constants_say(cases):
    series = Series.of_array(wave())
    features = PointFeatures.fit(Basis.of([series]), cases)
    raw, odd = Mixture(features, normal=False).channels(series, own=0)
    points = features.points(features.basis.values[0], series.stretches, own=0)
    assert raw == pytest.approx(log_odds(points[:, 0] @ np.array(WEIGHTS)), abs=1e-4)
    own = [WIDTHS.index(width) for width in LEADING]
    assert odd == pytest.approx(points[:, :, DISTANCES][:, :, own].mean(axis=2), abs=1e-5)
    assert len(WEIGHTS) == len(POINT_FEATURES)


def test_a_point_twice_as_far_as_one_window_in_a_hundred_has_even_odds():
    assert LEVEL[0] * np.log1p(2.0) + LEVEL[1] == pytest.approx(0.0, abs=0.01)


def test_a_normal_past_is_no_odder_than_its_own_windows():
    values = wave()
    features = PointFeatures.fit(Basis.of([Series.of_array(values[:1000])]))
    raw, _ = Mixture(features, normal=True).channels(Series.of_array(values))
    assert raw[:900].max() < raw[1000:].max()
    assert raw[:900].max() < 0


def test_a_long_anomaly_does_not_set_the_scale_that_it_is_measured_by():
    values = wave()
    values[600:660, 0] = 0.0  # more than one window in a hundred
    series = Series.of_array(values)
    patches, clean = Patches(Basis.of([series])), Patches(Basis.of([Series.of_array(wave())]))
    assert patches.reach(64).unit[1] < HEAVY * clean.reach(64).unit[1]
    raw, odd = Mixture(PointFeatures.fit(Basis.of([series])), normal=False).channels(series, own=0)
    assert 580 <= raw.argmax() <= 680
    assert odd[600:660, 0].mean() > 2 * odd[600:660, 1].mean()
