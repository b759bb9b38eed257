"""What every protocol promises: no leak, the labels it names, refusals with counts."""

from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest

from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.evaluate import PROTOCOLS, contaminated, few_labels, inlier_only, inlier_only_dte

CLEAN = [contaminated, few_labels, inlier_only]


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 40, size=(3000, 2)).astype(float)  # about 1,350 distinct rows
    return X, (X.sum(axis=1) > 62).astype(int)


def as_set(X):
    return set(map(tuple, np.asarray(X).tolist()))


@pytest.mark.parametrize("protocol", CLEAN)
def test_no_row_stands_on_both_sides(protocol, rows):
    split = protocol(*rows, 0)
    assert not as_set(split.train_x) & as_set(split.test_x)
    assert len(as_set(split.train_x)) == len(split.train_x)


def test_dte_keeps_duplicates_on_both_sides(rows):
    split = inlier_only_dte(*rows, 0)
    assert as_set(split.train_x) & as_set(split.test_x)
    small = inlier_only_dte(rows[0][:200], rows[1][:200], 0)
    assert len(small.train_x) + len(small.test_x) == 1000


@pytest.mark.parametrize("protocol", PROTOCOLS.values())
def test_same_seed_same_split_and_another_seed_another(protocol, rows):
    first, again, other = (protocol(*rows, seed, max_rows=500) for seed in (4, 4, 5))
    assert np.array_equal(first.train_x, again.train_x) and np.array_equal(first.test_y, again.test_y)
    assert not np.array_equal(first.train_x, other.train_x)


@pytest.mark.parametrize("protocol", PROTOCOLS.values())
def test_test_labels_belong_to_their_rows(protocol, rows):
    split = protocol(*rows, 1)
    assert np.array_equal(split.test_y, np.asarray(split.test_x).sum(axis=1) > 62)
    assert split.train_anomalies == int((np.asarray(split.train_x).sum(axis=1) > 62).sum())


def test_labels_shown_are_true(rows):
    split = few_labels(*rows, 0, labelled_anomalies=10)
    assert (split.train_x[split.train_y == 1].sum(axis=1) > 62).all()


def test_contaminated_keeps_the_anomaly_rate_on_both_sides(rows):
    split = contaminated(*rows, 0)
    assert split.train_y is None
    assert split.train_anomalies / len(split.train_x) == pytest.approx(split.test_y.mean(), abs=0.01)
    assert len(split.train_x) / (len(split.train_x) + len(split.test_x)) == pytest.approx(0.7, abs=0.01)


def test_few_labels_nest_and_share_the_split_of_contaminated(rows):
    base = contaminated(*rows, 2)
    splits = {k: few_labels(*rows, 2, labelled_anomalies=k) for k in (1, 5, 10)}
    for k, split in splits.items():
        assert np.array_equal(split.train_x, base.train_x) and np.array_equal(split.test_x, base.test_x)
        assert (split.train_y == 1).sum() == k and (split.train_y == -1).sum() == len(base.train_x) - k
        assert split.name == f"few-label-{k}"
    shown = [set(np.flatnonzero(splits[k].train_y == 1)) for k in (1, 5, 10)]
    assert shown[0] < shown[1] < shown[2]


def test_inlier_only_trains_on_half_of_the_normal_rows(rows):
    split = inlier_only(*rows, 0)
    normals = int((split.test_y == 0).sum()) + len(split.train_x)
    assert len(split.train_x) == round(normals / 2) and not split.train_y.any() and not split.train_anomalies


def test_a_cut_keeps_the_rate_but_never_loses_the_last_anomalies():
    X = np.arange(40_000.0).reshape(20_000, 2)
    rare = contaminated(X, np.arange(20_000) < 12, 0, max_rows=1000)
    common = contaminated(X, np.arange(20_000) < 4000, 0, max_rows=1000)
    assert len(rare.train_x) + len(rare.test_x) == 1000 == len(common.train_x) + len(common.test_x)
    assert rare.train_anomalies + rare.test_y.sum() == 10
    assert common.train_anomalies + common.test_y.sum() == 200


def test_small_sets_variant_refuses_sets_below_its_size(rows):
    protocol = partial(few_labels, min_rows=1000, max_rows=3000)
    assert protocol(*rows, 0).name == "few-label-5"
    with pytest.raises(InputError, match=r"holds 150 rows after copies were removed.*1000"):
        protocol(np.arange(150.0)[:, None], np.arange(150) < 20, 0)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_split_like_arrays(frame, rows):
    X, y = rows
    named = frame({"a": X[:, 0], "b": X[:, 1]})
    split, plain = contaminated(named, y, 0), contaminated(X, y, 0)
    assert type(split.train_x) is type(named)
    assert np.array_equal(np.asarray(split.train_x), plain.train_x)
    assert np.array_equal(split.test_y, plain.test_y)


def test_missing_values_equal_one_another():
    X = np.array([[np.nan, 1.0]] * 5 + [[2.0, 1.0], [3.0, 1.0], [4.0, 1.0]])
    split = contaminated(X, [0, 0, 0, 0, 0, 0, 1, 1], 0)
    assert len(split.train_x) + len(split.test_x) == 4


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda X: contaminated(X, np.arange(20) < 1, 0), InputError, "holds 1 anomalies among 20"),
        (lambda X: contaminated(X, np.arange(20) < 19, 0), InputError, "holds 1 normal rows"),
        (lambda X: inlier_only(X, np.zeros(20), 0), InputError, "20 normal rows and 0 anomalies"),
        (
            lambda X: few_labels(X, np.arange(20) < 6, 0, labelled_anomalies=5),
            InputError,
            "training part has 4 of the 6",
        ),
        (lambda X: contaminated(X, np.arange(20) - 1, 0), LabelError, "-1"),
        (lambda X: contaminated(X, np.zeros(3), 0), InputError, "20 rows"),
        (lambda X: contaminated(X, np.arange(20) < 5, 0, train=1.0), ParameterError, "train=1.0"),
        (lambda X: contaminated(X.tolist(), np.arange(20) < 5, 0), InputError, "came as list"),
    ],
)
def test_unusable_sets_are_refused_with_counts(call, error, words):
    with pytest.raises(error, match=words):
        call(np.arange(40.0).reshape(20, 2))
