"""Volumes under the surface against their definition, and against figures of TSB-AD's own code."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.evaluate.volume import edge_window, volume

naive = runpy.run_path(str(Path(__file__).parents[1] / "naive" / "volume.py"))


def made(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(40, 300))
    truth = np.zeros(n, dtype=int)
    for _ in range(int(rng.integers(1, 5))):
        start = int(rng.integers(n - 1))
        truth[start : start + int(rng.integers(1, 15))] = 1
    scores = rng.normal(size=n) + rng.normal() * truth
    return truth, np.round(scores) if seed % 3 == 0 else scores, int(rng.integers(0, 40))


@pytest.mark.parametrize("seed", range(12))
def test_volumes_are_those_of_the_definition(seed):
    truth, scores, window = made(seed)
    found = volume(truth, scores, window)
    assert (found.roc, found.pr) == pytest.approx(naive["volume"](truth, scores, window), abs=1e-10)


def test_volumes_are_those_that_tsb_ad_computes():
    """Figures of `generate_curve(label, score, window, "opt", 250)` of TSB-AD, run once on these numbers."""
    n = np.arange(400)
    truth = ((n >= 50) & (n < 60) | (n >= 200) & (n < 230) | (n >= 236) & (n < 240)).astype(int)
    scores = np.sin(n * 0.37) + 1.5 * truth * np.cos(n * 0.11)
    wanted = {
        0: (0.6501851378958119, 0.5021423083422446),
        20: (0.7294991886392576, 0.5431106594517348),
        51: (0.8106375922084669, 0.6073559629798062),
    }
    for window, (roc, pr) in wanted.items():
        found = volume(truth, scores, window)
        assert (found.roc, found.pr) == pytest.approx((roc, pr), abs=1e-9)


def test_a_perfect_score_reaches_one_where_edges_are_sharp():
    truth = np.repeat([0, 1, 0], [400, 100, 500])
    found = volume(truth, truth + np.linspace(0, 0.1, 1000), 0)
    assert found.roc == pytest.approx(1.0, abs=0.01)
    assert found.pr == pytest.approx(1.0, abs=0.01)


def test_scores_that_tell_nothing_get_about_the_share_of_anomalies():
    rng = np.random.default_rng(0)
    truth = np.zeros(20_000, dtype=int)
    for start in range(500, 20_000, 2000):
        truth[start : start + 100] = 1
    found = volume(truth, rng.random(20_000), 0)
    assert found.pr == pytest.approx(0.05, abs=0.02)
    assert found.roc == pytest.approx(0.5, abs=0.05)


def test_the_window_is_the_period_or_125_where_there_is_none():
    n = np.arange(5000)
    assert edge_window(np.sin(2 * np.pi * n / 60)) == 60
    assert edge_window(np.zeros(5000)) == 125
    assert edge_window(n.astype(float)) == 125


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(LabelError, match="both"):
        volume([0, 0, 0], [0.1, 0.2, 0.3], 2)
    with pytest.raises(ParameterError, match="window=-1"):
        volume([0, 1], [0.1, 0.2], -1)
    with pytest.raises(InputError):
        volume([0, 1, 1], [0.1, 0.2], 3)
