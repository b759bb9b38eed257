"""Windows: what describes them, and their scores on the points, against plain loops."""

from itertools import pairwise

import numpy as np
import pytest

from outlearn.data.series import Series
from outlearn.series.basis import Basis
from outlearn.series.neighbours import BEND, CELLS, NEAREST, Memory, Unit
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
    found = describe(np.column_stack([x, -2 * x]), starts, width)
    assert found.shape == (3, 2, len(FEATURES))
    for row, start in zip(found, starts, strict=True):
        assert row[0] == pytest.approx(plain(x[start : start + width]), rel=1e-4, abs=1e-4)
        assert row[1] == pytest.approx(plain(-2 * x[start : start + width]), rel=1e-4, abs=1e-4)


def test_a_pure_swing_is_told_by_the_band_that_holds_its_length():
    x = np.sin(2 * np.pi * np.arange(64) / 8)
    told = describe(x[:, None], np.array([0]), 64)[0, 0]
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
    both = np.column_stack([scores, -scores])
    for back in (spread, latest):  # column by column
        assert back(both, starts, 4, 12)[:, 1] == pytest.approx(-back(scores, starts, 4, 12), nan_ok=True)
    assert np.isnan(latest(np.empty(0), np.empty(0, dtype=np.int64), 4, 3)).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_distances_are_to_the_nearest_that_do_not_overlap(channels):
    rng = np.random.default_rng(2)
    x, width = rng.normal(size=(120, channels)), 16
    memory = Memory.of([x], [[(0, 120)]], width)
    assert len(memory.windows) == 120 - width + 1
    starts = np.array([0, 30, 104])
    found, shares = memory.by_channel(x, starts, own=0)
    assert memory.distances(x, starts, own=0) == pytest.approx(found)
    for start, distance, share in zip(starts, found, shares, strict=True):
        apart = np.abs(memory.starts - start) >= width
        gaps = memory.windows[apart] - memory.unit(describe(x, np.array([start]), width))
        nearest = np.argsort(np.linalg.norm(gaps, axis=1))[:NEAREST]
        assert distance == pytest.approx(np.linalg.norm(gaps[nearest], axis=1).mean())
        by_channel = gaps[nearest].reshape(NEAREST, channels, -1)
        assert share == pytest.approx(np.linalg.norm(by_channel, axis=2).mean(axis=0))
    assert memory.distances(x, starts)[0] < found[0]  # itself among its neighbours
    place, apart = memory.nearest(x, 30, own=0)
    assert abs(memory.starts[place] - 30) >= width
    assert apart.shape == (channels, len(FEATURES))
    assert np.linalg.norm(apart) <= found[1]


def test_features_count_by_the_root_of_their_spread_and_bend_where_they_leap():
    rng = np.random.default_rng(0)
    told = (rng.normal(size=(500, 1, 3)) * [1.0, 4.0, 0.0]).astype(np.float32)
    unit = Unit.of(told)
    small = unit(told) / BEND
    assert np.quantile(np.abs(small[:, 0]), 0.5) < np.quantile(np.abs(small[:, 1]), 0.5)
    straight = np.sign(small) * np.expm1(np.abs(small)) * BEND  # the bend undone
    assert straight[:, 1].std() / straight[:, 0].std() == pytest.approx(2.0, rel=0.1)  # the root of 4
    assert np.sqrt(np.square(straight).mean() * 3 / 2) == pytest.approx(np.sqrt(1.5), rel=0.01)
    far = unit(told[:1] + np.float32(1e6))
    assert np.isfinite(far).all()
    assert (far[0] < 100).all()
    assert Unit.of(told, plain=True)(told)[:, 1].std() == pytest.approx(told[:, 0, 1].std(), rel=1e-5)


def test_a_memory_is_bounded_and_empty_where_the_reference_is_short():
    x = np.random.default_rng(0).normal(size=(5000, 1))
    assert len(Memory.of([x], [[(0, 5000)]], 16, most=100).windows) == 100
    wide = np.random.default_rng(0).normal(size=(700, 400))
    assert len(Memory.of([wide], [[(0, 700)]], 16).windows) == CELLS // (400 * len(FEATURES))
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
