"""The plain mixture: distances at some widths over channels, and likeness where there are labels."""

import numpy as np
import pytest

from outlearn.data.series import Series
from outlearn.series.basis import Basis
from outlearn.series.glance import GLANCES, Glance
from outlearn.series.mixture import LEVEL, SHARP, WEIGHTS, Mixture
from outlearn.series.patches import HEAVY, WIDTHS, Patches


def wave(n=1500, channels=2):
    rng = np.random.default_rng(0)
    return np.sin(np.arange(n)[:, None] / 7 + np.arange(channels)) + 0.05 * rng.normal(size=(n, channels))


def test_scores_are_what_the_constants_say():
    series = Series.of_array(wave())
    glance = Glance.fit(Basis.of([series]))
    raw, odd = Mixture(glance, normal=False).channels(series, own=0)
    points = glance.points(glance.basis.values[0], series.stretches, own=0)
    assert odd == pytest.approx(np.tensordot(points, WEIGHTS, axes=(2, 0)), abs=1e-5)
    together = np.log(np.exp(SHARP * odd).mean(axis=1)) / SHARP
    assert raw == pytest.approx(LEVEL[0] * together + LEVEL[1], abs=1e-6)
    assert len(WEIGHTS) == len(GLANCES)


def test_a_point_twice_as_far_as_one_window_in_a_hundred_has_even_odds():
    assert LEVEL[0] * np.log1p(2.0) + LEVEL[1] == pytest.approx(0.0, abs=0.01)


def test_a_normal_past_is_no_odder_than_its_own_windows():
    values = wave()
    glance = Glance.fit(Basis.of([Series.of_array(values[:1000])]))
    raw, _ = Mixture(glance, normal=True).channels(Series.of_array(values))
    assert raw[:900].max() < raw[1000:].max()
    assert raw[:900].max() < 0


def test_a_long_anomaly_does_not_set_the_scale_that_it_is_measured_by():
    values = wave()
    values[600:660, 0] = 0.0  # more than one window in a hundred
    series = Series.of_array(values)
    patches = Patches.fit(Basis.of([series]))
    clean = Patches.fit(Basis.of([Series.of_array(wave())]))
    place = WIDTHS.index(64)
    assert patches.unit[0, place] < HEAVY * clean.unit[0, place]
    raw, odd = Mixture(Glance.fit(Basis.of([series])), normal=False).channels(series, own=0)
    assert 580 <= raw.argmax() <= 680
    assert odd[600:660, 0].mean() > 2 * odd[600:660, 1].mean()
