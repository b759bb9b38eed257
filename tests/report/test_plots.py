import numpy as np
import pytest

from outlearn.findings import MapSample
from outlearn.report.plots import count_scores, plot_histogram, plot_map, plot_profile
from outlearn.report.profiles import ProfileWords


@pytest.mark.parametrize("threshold", [0.0, 1e-12, 0.02, 0.3, 0.5000001, 0.97, 1 - 1e-12, 1.0])
@pytest.mark.parametrize("n", [20, 5000])
def test_bins_count_every_score_and_split_at_the_threshold(threshold, n):
    scores = np.concatenate([np.random.default_rng(n).random(n), [0.0, threshold, 1.0]])
    counted = count_scores(scores, scores >= threshold, threshold)
    assert counted.counts.sum() == scores.size
    assert counted.flagged.sum() == np.sum(scores >= threshold)
    assert ((counted.flagged == 0) | (counted.flagged == counted.counts)).all()  # no bin holds both
    assert np.all(np.diff(counted.edges) > 0)
    assert counted.counts.size <= 53


@pytest.mark.parametrize("threshold", [np.inf, np.nan, 1.5, -1.0])
def test_threshold_out_of_reach_flags_no_bin(threshold):
    counted = count_scores(np.array([0.0, 0.5, 1.0]), np.zeros(3, bool), threshold)
    assert counted.threshold is None
    assert not counted.flagged.any()
    svg = plot_histogram(counted)
    assert "threshold" not in svg and "var(--flag)" not in svg


def test_bars_show_which_rows_are_flagged_where_no_score_decides():
    counted = count_scores(np.full(30, 0.4), np.arange(30) < 2, np.nan)
    assert counted.counts.sum() == 30 and counted.flagged.sum() == 2
    svg = plot_histogram(counted)
    assert svg.count("var(--flag)") == svg.count("var(--usual)") == 1


def test_axis_is_logarithmic_only_when_needed():
    assert not count_scores(np.linspace(0, 1, 1000), np.zeros(1000, bool), 0.9).log
    assert count_scores(np.append(np.full(1000, 0.1), 0.99), np.arange(1001) == 1000, 0.9).log


def test_map_draws_each_row_and_names_the_highest_flagged():
    xy = np.random.default_rng(0).normal(size=(30, 2))
    flagged = np.arange(30) >= 28
    svg = plot_map(MapSample(xy, np.arange(30) + 7000, np.linspace(0, 1, 30), flagged))
    assert svg.count("var(--flag)") == 2
    assert svg.count("var(--usual)") == 28
    assert ">7029<" in svg
    assert ">7027<" not in svg


def test_numbers_on_the_map_do_not_cover_one_another():
    xy = np.array([[0.0, 0.0], [0.01, 0.0], [1.0, 1.0]])
    svg = plot_map(
        MapSample(xy, np.array([101, 102, 103]), np.array([0.9, 0.8, 0.7]), np.ones(3, dtype=bool))
    )
    assert [f">{row}<" in svg for row in (101, 102, 103)] == [True, False, True]


def test_map_of_one_point():
    svg = plot_map(MapSample(np.zeros((1, 2)), np.array([0]), np.array([0.5]), np.array([True])))
    assert svg.count("var(--flag)") == 1
    assert "NaN" not in svg


def test_profile_labels_are_escaped_and_kept_apart():
    profile = ProfileWords(
        "c", "categorical", "", "", ("<b>", "<b>", "x" * 99), (1.0, 0.0, 0.0), (0.0, 0.5, 0.5)
    )
    svg = plot_profile(profile)
    assert "&lt;b&gt;<" in svg
    assert "&lt;b&gt; (2)<" in svg
    assert "x" * 40 not in svg
