"""Which rows become the support, and which are kept back."""

import numpy as np
import pytest

from outlearn.detectors.support import MAX_CALIBRATION, choose_support


def rows(n, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def labels(anomalies=0, normals=0, unlabelled=0):
    return np.repeat([1, 0, -1], [anomalies, normals, unlabelled]).astype(np.int8)


def counts(y, positions):
    return tuple(int((y[positions] == label).sum()) for label in (1, 0, -1))


@pytest.mark.parametrize("hold_out", [False, True])
@pytest.mark.parametrize(
    ("came", "limit", "kept", "kept_held_out", "back", "back_held_out"),
    [
        # (anomalies, normals, unlabelled)
        ((0, 0, 50), 100, (0, 0, 50), (0, 0, 50), 0, 0),
        ((0, 0, 50), 20, (0, 0, 20), (0, 0, 20), 0, 0),
        ((3, 0, 47), 100, (3, 0, 47), (3, 0, 47), 0, 0),
        ((30, 0, 70), 40, (10, 0, 30), (10, 0, 30), 0, 0),
        ((0, 50, 0), 100, (0, 50, 0), (0, 35, 0), 0, 15),
        ((0, 50, 0), 20, (0, 20, 0), (0, 20, 0), 30, 30),
        ((4, 50, 46), 24, (4, 10, 10), (4, 10, 10), 40, 40),
        ((0, 50, 5), 20, (0, 15, 5), (0, 15, 5), 35, 35),
        ((2, 10, 20), 100, (2, 10, 20), (2, 7, 20), 0, 3),
        ((0, 2, 0), 100, (0, 2, 0), (0, 2, 0), 0, 0),
        ((0, 3, 0), 100, (0, 3, 0), (0, 2, 0), 0, 1),
        ((5, 1, 1), 100, (5, 1, 1), (5, 1, 1), 0, 0),
        ((0, 1, 5), 100, (0, 1, 5), (0, 0, 5), 0, 1),
        ((1, 0, 9), 2, (1, 0, 1), (1, 0, 1), 0, 0),
    ],
)
def test_how_many_of_each_label_are_taken(came, limit, kept, kept_held_out, back, back_held_out, hold_out):
    y = labels(*came)
    chosen = choose_support(rows(len(y)), y, limit=limit, hold_out=hold_out)
    assert counts(y, chosen.support) == (kept_held_out if hold_out else kept)
    assert counts(y, chosen.calibration) == (0, back_held_out if hold_out else back, 0)
    both = np.concatenate([chosen.support, chosen.calibration])
    assert len(set(both.tolist())) == len(both) and len(chosen.support) <= limit


def test_the_order_of_rows_makes_no_difference():
    X, y = np.round(rows(80)), labels(5, 40, 35)
    order = np.random.default_rng(1).permutation(len(X))
    first = choose_support(X, y, limit=30, hold_out=True)
    turned = choose_support(X[order], y[order], limit=30, hold_out=True)
    for a, b in ((first.support, turned.support), (first.calibration, turned.calibration)):
        assert np.array_equal(X[a], X[order][b]) and np.array_equal(y[a], y[order][b])


def test_a_sample_is_spread_over_the_rows():
    X = np.sort(rows(4000, 1), axis=0)
    chosen = choose_support(X, labels(unlabelled=4000), limit=1000, hold_out=False)
    parts = np.bincount(chosen.support // 1000, minlength=4)
    assert (abs(parts - 250) < 60).all()  # four standard errors


def test_normals_kept_back_are_bounded():
    n = 2 * MAX_CALIBRATION
    chosen = choose_support(rows(n, 1), labels(normals=n), limit=100, hold_out=True)
    assert len(chosen.support) == 100 and len(chosen.calibration) == MAX_CALIBRATION
