"""Windows: what describes them, and their scores on the points, against plain loops."""

from itertools import pairwise

import numpy as np
import pytest

from outlearn.data.series import Series
from outlearn.series.basis import Basis
from outlearn.series.neighbours import NEAREST, Memory
from outlearn.series.period import period_of
from outlearn.series.windows import FEATURES, describe, feature_words, latest, spread, window_starts


def plain(window):
    """Describe one window as `FEATURES` read."""
    width = len(window)
    steps = np.abs(np.diff(window))
    along = np.arange(width) - (width - 1) / 2
    slope = np.polyfit(along, window, 1)[0] * width / 2
    parts = [window[i * (width // 8) : (i + 1) * (width // 8)].mean() for i in range(8)]
    power = (np.abs(np.fft.fft(window)[1 : width // 2 + 1]) / width) ** 2
    edges = [max(round((i / 8) ** 2 * len(power)), i) for i in range(8)] + [len(power)]
    bands = [2 * np.sqrt(power[a:b].sum()) for a, b in pairwise(edges)]
    whole = [window.mean(), window.std(), window.max(), window.min(), steps.mean(), steps.max(), slope]
    return [*whole, *parts, *bands]


@pytest.mark.parametrize("width", [16, 32, 50, 128])
def test_what_describes_a_window_is_what_its_names_say(width):
    x = np.cumsum(np.random.default_rng(0).normal(size=300))
    starts = np.array([0, 7, 300 - width])
    found = describe(x, starts, width)
    assert found.shape == (3, len(FEATURES))
    for row, start in zip(found, starts, strict=True):
        assert row == pytest.approx(plain(x[start : start + width]), rel=1e-4, abs=1e-4)


def test_a_pure_swing_is_told_by_the_band_that_holds_its_length():
    x = np.sin(2 * np.pi * np.arange(64) / 8)
    told = describe(x, np.array([0]), 64)[0]
    bands = [i for i, name in enumerate(FEATURES) if "band" in name]
    strongest = max(bands, key=lambda i: told[i])
    assert told[strongest] == pytest.approx(1.0, rel=1e-3)
    shortest, longest = (float(w) for w in feature_words(strongest, 64).split(" ")[2:5:2])
    assert shortest <= 8 <= longest


def test_windows_lie_within_stretches_and_reach_their_ends():
    assert window_starts([(0, 10), (10, 12), (12, 20)], 4, 3).tolist() == [0, 3, 6, 12, 15, 16]
    assert window_starts([(0, 3)], 4, 1).tolist() == []


def test_scores_of_windows_are_averaged_on_the_points_they_cover():
    rng = np.random.default_rng(1)
    starts, scores = np.array([0, 2, 5, 6]), rng.normal(size=4)
    wanted = [
        np.mean([s for a, s in zip(starts, scores, strict=True) if a <= i < a + 4] or [np.nan])
        for i in range(12)
    ]
    assert spread(scores, starts, 4, 12) == pytest.approx(wanted, nan_ok=True)
    ended = [
        ([s for a, s in zip(starts, scores, strict=True) if a + 3 <= i] or [np.nan])[-1] for i in range(12)
    ]
    assert latest(scores, starts, 4, 12) == pytest.approx(ended, nan_ok=True)
    assert np.isnan(latest(np.empty(0), np.empty(0, dtype=np.int64), 4, 3)).all()


def test_distances_are_to_the_nearest_that_do_not_overlap():
    rng = np.random.default_rng(2)
    x, width = rng.normal(size=120), 16
    memory = Memory.of([x], [[(0, 120)]], width)
    assert len(memory.windows) == 120 - width + 1
    starts = np.array([0, 30, 104])
    found = memory.distances(x, starts, own=0)
    for start, distance in zip(starts, found, strict=True):
        apart = np.abs(memory.starts - start) >= width
        told = memory.standard(describe(x, np.array([start]), width))[0]
        away = np.sort(np.linalg.norm(memory.windows[apart] - told, axis=1))[:NEAREST]
        assert distance == pytest.approx(away.mean(), rel=1e-4)
    assert memory.distances(x, starts)[0] < found[0]  # itself among its neighbours
    place, apart = memory.nearest(x, 30, own=0)
    assert abs(memory.starts[place] - 30) >= width
    assert np.linalg.norm(apart) <= found[1]


def test_a_memory_is_bounded_and_empty_where_the_reference_is_short():
    x = np.random.default_rng(0).normal(size=5000)
    assert len(Memory.of([x], [[(0, 5000)]], 16, most=100).windows) == 100
    short = Memory.of([x[:10]], [[(0, 10)]], 16)
    assert np.isnan(short.distances(x, np.array([0]))).all()
    assert short.nearest(x, 0) is None


def test_a_basis_puts_channels_on_one_scale_and_keeps_still_ones_finite():
    series = Series.of_array(np.column_stack([np.arange(10.0), np.full(10, 5.0), np.zeros(10)]))
    basis = Basis.of([series])
    assert basis.values[0][:, 0].std() == pytest.approx(1.0)
    moved = basis.standard(np.array([[4.5, 6.0, 1.0]]))
    assert moved.tolist() == [[0.0, pytest.approx(0.2), 1.0]]
    assert np.isfinite(basis.standard(np.full((1, 3), 1e300))).all()


@pytest.mark.parametrize("period", [7, 24, 100])
def test_the_period_is_found_beside_a_trend_and_noise(period):
    n = np.arange(2000)
    x = np.sin(2 * np.pi * n / period) + 0.005 * n + 0.3 * np.random.default_rng(0).normal(size=2000)
    assert period_of(x) == pytest.approx(period, abs=1)


def test_where_nothing_repeats_there_is_no_period():
    assert period_of(np.random.default_rng(0).normal(size=2000)) is None
    assert period_of(np.zeros(100)) is None
    assert period_of(np.arange(5.0)) is None
