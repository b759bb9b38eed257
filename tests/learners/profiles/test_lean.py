"""Lean profiles: against the plain oracle, and the promises they make."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from outlearn.data.rows import canonical_order
from outlearn.learners.profiles.lean import LEAN_LABELS, LEAN_STATISTICS, LeanProfiler
from outlearn.learners.profiles.views import LogView, RankView

naive = runpy.run_path(str(Path(__file__).parents[2] / "naive" / "profile.py"))


def gaussian(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ rng.normal(size=(d, d))).astype(np.float32)


def labels(X: np.ndarray, label: int = -1) -> np.ndarray:
    return np.full(len(X), label, dtype=np.int8)


def profiler(X: np.ndarray, y: np.ndarray, seed: int = 0) -> LeanProfiler:
    return LeanProfiler(X, y, np.random.default_rng(seed))


def everything(fitted: LeanProfiler, X: np.ndarray) -> np.ndarray:
    profile = fitted.profile(X)
    return np.hstack([profile.order(), profile.labels])


@pytest.mark.usefixtures("shipped_forests")
@pytest.mark.parametrize("view", ["log", "rank"])
@pytest.mark.parametrize("known", [True, False])
def test_neighbour_statistics_are_those_of_the_plain_oracle_among_the_rows_kept(view, known):
    X = gaussian(70, 3)
    fitted = profiler(X, labels(X, 0 if known else -1))
    assert fitted.kept.sum() == (70 if known else 56)
    rows = X[fitted.kept].astype(float)
    space = {"log": LogView, "rank": RankView}[view].fit(rows)
    query = np.vstack([X[fitted.kept][:4], gaussian(5, 3, seed=1) * 3])
    points, asked = space.apply(rows).tolist(), space.apply(query.astype(float)).tolist()
    asked[:4] = points[:4]  # the same rows; matrix products of another size differ in the last bit
    kept = [True] * len(points)
    on_support = np.array(naive["neighbour_statistics"](points, kept, points))
    on_query = np.array(naive["neighbour_statistics"](points, kept, asked))
    profile = fitted.profile(query)
    for s, name in enumerate(("d1", "d5", "d20", "d50", "ratio5", "ratio20")):
        column = LEAN_STATISTICS.index(f"{view}.{name}")
        wanted = [naive["relative"](value, on_support[:, s].tolist()) for value in on_query[:, s].tolist()]
        tails, deviations = np.transpose(wanted)
        assert np.allclose(profile.tails[:, column], tails, atol=1e-4), name
        assert np.allclose(profile.deviations[:, column], deviations, atol=1e-4), name


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("labelled", [False, True])
def test_isolation_is_told_where_rows_are_not_known_to_be_normal(known, labelled):
    X = gaussian(60, 3)
    y = labels(X, 0 if known else -1)
    y[:2] = 1 if labelled else y[2]
    fitted = profiler(X, y)
    column = LEAN_STATISTICS.index("isolation")
    for profile in (fitted.profile(X), fitted.profile_support(X, blind=True)):
        for values in (profile.tails, profile.deviations):
            assert values[:, column].any() != known
        assert profile.labels[2:].any() == labelled


def test_distances_on_ranks_are_taken_to_fewer_rows(monkeypatch):
    """Which rows are their own neighbours is told by the rows of each view."""
    X = gaussian(120, 3)
    monkeypatch.setattr("outlearn.learners.profiles.lean.RANKED", 40)
    fitted = profiler(X, labels(X, 0))
    profile = fitted.profile_support(X, blind=True)
    assert np.allclose(profile.order(), fitted.profile(X).order(), atol=1e-4)
    view = RankView.fit(X.astype(float))
    points = view.apply(X.astype(float))
    near = np.sort(np.linalg.norm(points[:, None] - points[None, :40], axis=2), axis=1)
    nearest = np.where(np.arange(120) < 40, near[:, 1], near[:, 0])
    column = LEAN_STATISTICS.index("rank.d1")
    assert spearmanr(profile.deviations[:, column], nearest).statistic > 0.999


def test_the_oddest_fifth_is_left_out_but_for_known_normals():
    X = np.vstack([gaussian(80, 3), 40 * np.sign(gaussian(20, 3, seed=1))]).astype(np.float32)
    X[80:] += gaussian(20, 3, seed=2)
    y = labels(X)
    kept = profiler(X, y).kept
    assert kept.sum() == 80 and kept[80:].sum() <= 2
    y[80:85] = 0
    kept = profiler(X, y).kept
    assert kept.sum() == 80 and kept[80:85].all()
    few = gaussian(8, 2)
    assert profiler(few, labels(few)).kept.all()


def test_known_anomalies_are_no_part_of_the_reference():
    normal, odd = gaussian(60, 3), np.full((5, 3), 30, dtype=np.float32)
    X, y = np.vstack([normal, odd]), np.r_[np.zeros(60), np.ones(5)].astype(np.int8)
    query = gaussian(8, 3, seed=2)
    with_them, without = profiler(X, y).profile(query), profiler(normal, labels(normal, 0)).profile(query)
    assert np.array_equal(with_them.order(), without.order())
    assert with_them.labels.any() and not without.labels.any()


@pytest.mark.parametrize("kind", ["gaussian", "grid", "wide", "labelled"])
def test_a_row_has_one_profile_alone_in_a_batch_and_in_the_support(kind):
    X = gaussian(25, 60) if kind == "wide" else gaussian(90, 5)
    if kind == "grid":
        X = np.round(X)
    y = labels(X)
    if kind == "labelled":
        y[:6], y[6:12] = 1, 0
    fitted = profiler(X, y)
    query = np.vstack([gaussian(10, X.shape[1], seed=7) * 2, X[3:8]])
    batch = everything(fitted, query)
    alone = np.vstack([everything(fitted, row[None]) for row in query])
    support = fitted.profile_support(X, blind=False)
    assert np.allclose(batch, alone, atol=1e-4)
    assert np.allclose(batch[10:], np.hstack([support.order(), support.labels])[3:8], atol=1e-4)


def test_the_order_of_rows_does_not_matter_in_canonical_order():
    X, query = gaussian(80, 4), gaussian(10, 4, seed=3)
    y = labels(X)
    y[:3], y[10:15] = 1, 0
    shuffled = np.random.default_rng(5).permutation(80)
    found = []
    for rows in (np.arange(80), shuffled):
        order = rows[canonical_order(X[rows], y[rows])]
        found.append(everything(profiler(X[order], y[order]), query))
    assert np.array_equal(*found)


@pytest.mark.parametrize("labelled", [False, True])
def test_every_support_gives_finite_profiles(edge, labelled):
    X = edge
    y = labels(X)
    if labelled:
        y[0], y[-1] = 0, 1
    fitted = profiler(X, y)
    query = np.vstack([X, X[:1] + 1, X[:1] * -5])
    assert np.isfinite(everything(fitted, query)).all()
    assert fitted.profile(query[:0]).order().shape == (0, 2 * len(LEAN_STATISTICS))


def test_a_confirmed_case_is_like_itself_but_not_where_it_is_blind():
    X = gaussian(60, 3)
    y = labels(X)
    y[7] = 1
    fitted = profiler(X, y)
    told, blind = (fitted.profile_support(X, blind=each).labels for each in (False, True))
    assert not blind[7].any()
    assert told[7, LEAN_LABELS.index("log.anomaly1")] == told[:, 0].min()
    assert told[7, LEAN_LABELS.index("whitened.anomaly direction")] == pytest.approx(1)
    others = np.arange(60) != 7
    assert np.array_equal(told[others], blind[others])


def test_directions_are_the_largest_cosines_to_labelled_rows():
    X = gaussian(50, 3)
    y = labels(X, 0)
    y[:3] = 1
    query = gaussian(6, 3, seed=4)
    fitted = profiler(X, y)
    told = fitted.profile(query).labels[:, LEAN_LABELS.index("rank.anomaly direction")]
    view = RankView.fit(X[3:].astype(float))
    middle = view.apply(X[3:].astype(float)).mean(axis=0)
    for row, cosine in zip(view.apply(query.astype(float)) - middle, told, strict=True):
        known = view.apply(X[:3].astype(float)) - middle
        best = max(float(row @ k / np.linalg.norm(row) / np.linalg.norm(k)) for k in known)
        assert cosine == pytest.approx(best, abs=1e-5)


def test_a_forgotten_label_leaves_the_statistics_as_they_are():
    X = gaussian(60, 3)
    y = labels(X)
    y[7], y[9] = 1, 1
    fitted = profiler(X, y)
    less = fitted.without_label(X[7])
    one, other = fitted.profile(X), less.profile(X)
    assert np.array_equal(one.order(), other.order())
    assert (one.labels[7] != other.labels[7]).any()
    y[7] = -1
    assert other.labels[7, 0] > one.labels[7, 0]
