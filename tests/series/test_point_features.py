"""What is seen of points: odd stretches stand out, labelled cases are recognised, the past stays the past."""

import numpy as np
import pytest

from outlearn.data.series import Series
from outlearn.series.basis import Basis
from outlearn.series.point_features import DISTANCES, POINT_FEATURES, PointFeatures, without
from outlearn.series.tokens import STEP, TOKEN, tokens


def wave(n, seed=0, channels=1):
    rng = np.random.default_rng(seed)
    phase = np.arange(n)[:, None] / 8 + np.arange(channels)
    return np.sin(phase) + 0.05 * rng.normal(size=(n, channels))


def seen(values, **how):
    basis = Basis.of([Series.of_array(values)])
    features = PointFeatures.fit(basis, **how)
    return features.points(basis.values[0], [(0, len(values))], own=0)


def test_each_number_is_told_of_each_point_and_channel():
    points = seen(wave(600, channels=2))
    assert points.shape == (600, 2, len(POINT_FEATURES))
    assert np.isfinite(points).all()


def test_a_flat_stretch_is_far_from_the_rest_at_every_width():
    values = wave(1500)
    values[700:760] = 0.0
    distances = seen(values)[:, 0, DISTANCES].mean(axis=1)
    assert distances[700:760].mean() > 3 * np.delete(distances, np.s_[600:860]).mean()
    assert 690 <= distances.argmax() <= 770


def test_only_the_channel_that_changes_is_odd():
    values = wave(1000, channels=3)
    values[500:560, 1] *= 3
    points = seen(values)[500:560, :, DISTANCES].mean(axis=(0, 2))
    assert points[1] > 2 * max(points[0], points[2])


def test_what_is_like_a_labelled_case_is_recognised():
    values = wave(3000)
    for start in (800, 2000):
        values[start : start + 60] = np.abs(values[start : start + 60])
    values[2500:2560] = 0.0
    likeness = seen(values, cases=[[(800, 860)]])[:, 0, -2:]
    assert likeness[2000:2060].mean() > 0.4
    assert likeness[2510:2550].mean() < 0.5 * likeness[2000:2060].mean()
    assert np.abs(seen(values)[:, 0, -2:]).max() == 0.0  # without labels nothing is alike


def test_what_is_known_by_a_moment_does_not_change_with_what_follows():
    values = wave(1200)
    basis = Basis.of([Series.of_array(wave(1000, seed=1))])
    features = PointFeatures.fit(basis)
    x = basis.standard(values)
    early = features.patches.profile(x[:801], [(0, 801)], causal=True)
    late = features.patches.profile(x, [(0, 1200)], causal=True)
    assert early == pytest.approx(late[:801], abs=1e-5)


def test_a_series_shorter_than_any_window_is_seen_by_its_points():
    points = seen(wave(10))
    assert np.isfinite(points).all()
    assert np.abs(points[:, :, DISTANCES]).max() == 0.0


def test_ranges_are_cut_out_of_stretches():
    assert without([(0, 10), (20, 30)], [(8, 22), (25, 26)]) == [(0, 8), (22, 25), (26, 30)]


def test_points_are_taken_together_by_eight():
    points = np.arange(20 * 2 * len(POINT_FEATURES), dtype=np.float32).reshape(20, 2, -1)
    known = np.arange(20) < 12
    told = tokens(points, known, contaminated=True)
    assert told.shape == (3, 2, TOKEN)
    assert told[0, 1, 0] == pytest.approx(points[:STEP, 1, 0].mean())
    assert told[1, 0, len(POINT_FEATURES)] == points[8:16, 0, 0].max()
    assert told[:, 0, -2].tolist() == [1.0, 0.5, 0.0]
    assert (told[..., -1] == 1.0).all()
