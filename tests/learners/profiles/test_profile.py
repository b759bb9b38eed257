"""Row profiles: against a plain oracle, and the promises they make."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from outlearn.data.rows import canonical_order
from outlearn.learners.profiles import profile as module
from outlearn.learners.profiles.isolation import Isolation
from outlearn.learners.profiles.profile import (
    BASIC_LABELS,
    BASIC_STATISTICS,
    LABEL_FEATURES,
    STATISTICS,
    Profile,
    Profiler,
)
from outlearn.learners.profiles.views import RankView, RobustView, StandardView, WhitenedView

naive = runpy.run_path(str(Path(__file__).parents[2] / "naive" / "profile.py"))

NAMES = ("d1", "d5", "d20", "d50", "ratio5", "ratio20", "clean5", "clean20")
FITS = {"standard": StandardView, "rank": RankView, "whitened": WhitenedView, "robust": RobustView}


def gaussian(n: int, d: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) @ rng.normal(size=(d, d))).astype(np.float32)


def unlabelled(X: np.ndarray) -> np.ndarray:
    return np.full(len(X), -1, dtype=np.int8)


def profiler(X: np.ndarray, y: np.ndarray | None = None, seed: int = 0) -> Profiler:
    return Profiler(X, unlabelled(X) if y is None else y, np.random.default_rng(seed), rich=True)


def close(one: Profile, other: Profile, atol: float = 1e-4) -> bool:
    return bool(np.allclose(one.stacked(), other.stacked(), atol=atol))


def labels(profile: Profile, name: str) -> np.ndarray:
    return profile.labels[:, LABEL_FEATURES.index(name)]


@pytest.mark.parametrize("view", FITS)
@pytest.mark.parametrize(("n", "known"), [(30, 30), (70, 0), (40, 34), (24, 6)])
def test_neighbour_statistics_are_those_of_the_plain_oracle(view, n, known):
    X = gaussian(n, 3, seed=n)
    y = unlabelled(X)
    y[:known] = 0
    query = np.vstack([X[:4], gaussian(5, 3, seed=1) * 3])  # rows of the support and new ones
    rows = X.astype(float)
    fitted = FITS[view].fit(rows)
    points, asked = fitted.apply(rows).tolist(), fitted.apply(query.astype(float)).tolist()
    asked[:4] = points[:4]  # the same rows; matrix products of another size differ in the last bit

    isolation = Isolation(X, int(np.random.default_rng(0).integers(2**31 - 1))).score(X)
    standard = StandardView.fit(rows).apply(rows).tolist()
    kept = naive["kept_rows"](isolation.tolist(), standard, y.tolist())
    assert sum(kept) == n - min(n // 5, n - known)
    on_support = np.array(naive["neighbour_statistics"](points, kept, points))
    on_query = np.array(naive["neighbour_statistics"](points, kept, asked))

    profile = profiler(X, y).profile(query)
    told = [(s, name) for s, name in enumerate(NAMES) if f"{view}.{name}" in STATISTICS]
    assert len(told) == (5 if view == "robust" else 8)
    for s, name in told:
        column = STATISTICS.index(f"{view}.{name}")
        wanted = [naive["relative"](value, on_support[:, s].tolist()) for value in on_query[:, s].tolist()]
        tails, deviations = np.transpose(wanted)
        assert np.allclose(profile.tails[:, column], tails, atol=1e-4), name
        assert np.allclose(profile.deviations[:, column], deviations, atol=1e-4), name


@pytest.mark.parametrize(("label", "limit"), [(0, "NORMAL_REFERENCE"), (-1, "REFERENCE")])
def test_distances_of_a_large_support_are_taken_to_its_first_rows(label, limit, monkeypatch):
    monkeypatch.setattr(module, "CLEANED_SHARE", 0.0)
    monkeypatch.setattr(module, limit, 40)
    X = gaussian(60, 3)
    query = np.vstack([X[35:45], gaussian(5, 3, seed=1)])
    rows = X.astype(float)
    fitted = StandardView.fit(rows)
    points, asked = fitted.apply(rows).tolist(), fitted.apply(query.astype(float)).tolist()
    on_support = np.array(naive["neighbour_statistics"](points[:40], [True] * 40, points))
    on_query = np.array(naive["neighbour_statistics"](points[:40], [True] * 40, asked))
    profile = profiler(X, np.full(60, label, dtype=np.int8)).profile(query)
    for s, name in enumerate(NAMES):
        wanted = [naive["relative"](value, on_support[:, s].tolist())[0] for value in on_query[:, s]]
        assert np.allclose(profile.tails[:, STATISTICS.index(f"standard.{name}")], wanted, atol=1e-4), name


def test_the_width_does_not_depend_on_the_table():
    for shape in ((10, 1), (30, 7), (5, 40)):
        X = gaussian(*shape)
        profile = profiler(X).profile(X[:3])
        assert profile.tails.shape == profile.deviations.shape == (3, len(STATISTICS))
        assert profile.labels.shape == (3, len(LABEL_FEATURES))
        assert profile.stacked().shape == (3, 2 * len(STATISTICS) + len(LABEL_FEATURES))
        assert profile.stacked().dtype == np.float32


def test_a_basic_profile_is_the_beginning_of_each_part_of_a_rich_one():
    X, query = gaussian(60, 4), gaussian(9, 4, seed=1)
    y = unlabelled(X)
    y[:3], y[3:6] = 1, 0
    basic = Profiler(X, y, np.random.default_rng(0)).profile(query)
    rich = profiler(X, y).profile(query)
    F, L = len(BASIC_STATISTICS), len(BASIC_LABELS)
    assert basic.stacked().shape == (9, 2 * F + L)
    assert np.array_equal(basic.tails, rich.tails[:, :F])
    assert np.array_equal(basic.deviations, rich.deviations[:, :F])
    assert np.array_equal(basic.labels, rich.labels[:, :L])
    assert rich.labels[:, L:].all()


@pytest.mark.parametrize("kind", ["gaussian", "grid", "wide", "labelled"])
def test_a_row_has_one_profile_alone_in_a_batch_and_in_the_support(kind):
    X = gaussian(25, 60) if kind == "wide" else gaussian(90, 5)
    if kind == "grid":
        X = np.round(X)
    y = unlabelled(X)
    if kind == "labelled":
        y[:6], y[6:12] = 1, 0
    fitted = profiler(X, y)
    query = np.vstack([gaussian(10, X.shape[1], seed=7) * 2, X[3:8]])
    batch, members = fitted.profile(query), fitted.profile(X).stacked()
    alone = np.vstack([fitted.profile(row[None]).stacked() for row in query])
    assert np.allclose(batch.stacked(), alone, atol=1e-4)
    assert np.allclose(alone[10:], members[3:8], atol=1e-4)


def test_the_order_of_rows_does_not_matter_in_canonical_order():
    X, query = gaussian(80, 4), gaussian(10, 4, seed=3)
    y = unlabelled(X)
    y[:3], y[10:15] = 1, 0
    shuffled = np.random.default_rng(5).permutation(80)
    profiles = []
    for rows in (np.arange(80), shuffled):
        order = rows[canonical_order(X[rows], y[rows])]
        profiles.append(profiler(X[order], y[order]).profile(query))
    assert np.array_equal(profiles[0].stacked(), profiles[1].stacked())


def test_only_isolation_knows_the_order_of_columns():
    """A forest picks columns by their place; nothing else does, where nothing is cleaned away."""
    X, query = gaussian(80, 5), gaussian(10, 5, seed=3)
    y = np.zeros(80, dtype=np.int8)
    order = np.array([3, 0, 4, 1, 2])
    one = profiler(X, y).profile(query)
    other = profiler(X[:, order], y).profile(query[:, order])
    others = [i for i, name in enumerate(STATISTICS) if name != "isolation"]
    assert np.allclose(one.tails[:, others], other.tails[:, others], atol=1e-4)
    assert np.allclose(one.deviations[:, others], other.deviations[:, others], atol=1e-4)


def test_units_do_not_matter_to_most_statistics():
    X, query = gaussian(80, 3), gaussian(10, 3, seed=3)
    y = np.zeros(80, dtype=np.int8)
    units = np.array([1024, 1, 0.125], dtype=np.float32)  # powers of two: no rounding
    assert close(profiler(X, y).profile(query), profiler(X * units, y).profile(query * units))


@pytest.mark.parametrize("labelled", [False, True])
def test_every_support_gives_finite_profiles(edge, labelled):
    X = edge
    y = unlabelled(X)
    if labelled:
        y[0], y[-1] = 0, 1
    fitted = profiler(X, y)
    query = np.vstack([X, X[:1] + 1, X[:1] * -5])
    assert np.isfinite(fitted.profile(query).stacked()).all()


def test_known_anomalies_are_no_part_of_the_reference():
    normal, odd = gaussian(60, 3), np.full((5, 3), 30, dtype=np.float32)
    X, y = np.vstack([normal, odd]), np.r_[np.full(60, -1), np.ones(5)].astype(np.int8)
    query = gaussian(8, 3, seed=2)
    with_them, without = profiler(X, y).profile(query), profiler(normal).profile(query)
    assert np.array_equal(with_them.tails, without.tails)
    assert np.array_equal(with_them.deviations, without.deviations)


def test_a_support_of_known_anomalies_alone_is_compared_with_itself():
    X = gaussian(20, 3)
    y = np.ones(20, dtype=np.int8)
    assert np.array_equal(profiler(X, y).profile(X).tails, profiler(X).profile(X).tails)


def test_label_features_are_zero_without_labels_and_with_normals_alone():
    X = gaussian(40, 3)
    assert not profiler(X).profile(X).labels.any()
    assert not profiler(X, np.zeros(40, dtype=np.int8)).profile(X).labels.any()


def test_label_features_fall_towards_the_labelled_rows():
    X = np.vstack([gaussian(60, 3), np.full((2, 3), 12) + gaussian(2, 3, 1)]).astype(np.float32)
    y = unlabelled(X)
    y[60:], y[:4] = 1, 0
    query = np.array([[12.0] * 3, [-12.0] * 3, X[0] + 1e-3], dtype=np.float32)
    profile = profiler(X, y).profile(query)
    near, far, normal = labels(profile, "standard.anomaly1")
    assert near < far and near < normal
    assert labels(profile, "standard.normal1")[2] < labels(profile, "standard.normal1")[0]


def test_the_only_labelled_row_says_nothing_about_itself():
    X = gaussian(40, 3)
    y = unlabelled(X)
    y[7] = 1
    profile = profiler(X, y).profile(X)
    assert not profile.labels[7].any()
    assert labels(profile, "standard.anomaly1")[np.arange(40) != 7].all()


def test_known_normals_are_never_cleaned_away():
    """Far rows vouched for by an analyst stay in the cleaned reference, so their kind looks usual."""
    X = np.vstack([gaussian(60, 2), 25 + gaussian(6, 2, seed=1)]).astype(np.float32)
    vouched = np.r_[np.full(60, -1), np.zeros(6)].astype(np.int8)
    query = (25 + gaussian(5, 2, seed=2)).astype(np.float32)
    column = STATISTICS.index("standard.clean5")
    unknown = profiler(X).profile(query).tails[:, column]
    known = profiler(X, vouched).profile(query).tails[:, column]
    assert (known < unknown - 0.5).all()


def test_the_seed_moves_isolation_alone_where_nothing_is_cleaned():
    X = gaussian(50, 3)
    y = np.zeros(50, dtype=np.int8)
    one, other = profiler(X, y, 0).profile(X).tails, profiler(X, y, 1).profile(X).tails
    moved = {STATISTICS[j] for j in np.flatnonzero((one != other).any(axis=0))}
    assert moved == {"isolation"}
    assert np.array_equal(one, profiler(X, y, 0).profile(X).tails)


def test_the_support_is_profiled_as_its_rows_would_be_later():
    X, y = gaussian(80, 4), np.full(80, -1, dtype=np.int8)
    y[:5], y[5:9] = 1, 0
    fitted = profiler(X, y)
    assert np.allclose(fitted.profile_support(X).stacked(), fitted.profile(X).stacked(), atol=1e-5)


def test_a_forgotten_label_leaves_the_distances_to_the_others():
    """Ratios are those to the labels that remain; the statistics do not move."""
    X, query = gaussian(80, 3), gaussian(9, 3, seed=1)
    y = unlabelled(X)
    y[:4], y[4:7] = 1, 0
    whole, fewer = profiler(X, y), y.copy()
    fewer[2] = -1
    less = whole.without_label(X[2]).profile(query)
    assert np.array_equal(less.tails, whole.profile(query).tails)
    # The row joins the reference where a support never had its label: the mean unit differs by a little.
    ratios = slice(0, len(BASIC_LABELS))
    fresh = profiler(X, fewer).profile(query)
    assert np.allclose(less.labels[:, ratios], fresh.labels[:, ratios], atol=0.2)
    assert not np.allclose(less.labels[:, ratios], whole.profile(query).labels[:, ratios], atol=0.2)
