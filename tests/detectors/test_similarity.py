"""Rows are alike that lie as near to a case as rows do to one another; a case of another kind has none."""

import numpy as np
import pytest

from outlearn.detectors.similarity import NEAR, Alike
from outlearn.errors import InputError


def cloud(n, centre, seed):
    return np.random.default_rng(seed).normal(centre, 1.0, size=(n, 4)).astype(np.float32)


def test_rows_of_the_kind_of_a_case_are_alike_and_others_are_not():
    rows = np.concatenate([cloud(900, 0, 0), cloud(60, 8, 1)])
    alike = Alike.of(rows, cloud(1, 8, 2))
    likeness = alike.of_rows(rows)
    assert likeness.alike[900:].mean() > 0.2 and likeness.alike[:900].sum() == 0
    assert set(likeness.which.tolist()) == {0}


def test_rows_of_a_rare_kind_lie_far_apart_and_are_alike_all_the_same():
    rows = np.concatenate([cloud(4000, 0, 0), cloud(12, 8, 1)])
    likeness = Alike.of(rows, cloud(1, 8, 2)).of_rows(rows)
    assert likeness.alike[4000:].sum() > 1 and likeness.alike[:4000].sum() == 0


def test_the_reach_is_how_near_nine_in_ten_rows_have_a_neighbour():
    rows = cloud(300, 0, 3)
    alike = Alike.of(rows, rows[:1])
    bent = np.arcsinh(rows.astype(float))
    gaps = np.linalg.norm(bent[:, None] - bent, axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert alike.reach == pytest.approx(np.quantile(gaps.min(axis=1), NEAR), rel=1e-5)
    assert alike.share(alike.reach) == pytest.approx(1 - NEAR, abs=0.01)
    assert alike.of_rows(rows[:1]).away == pytest.approx(0, abs=1e-6)


def test_nothing_is_alike_where_the_kind_is_absent():
    alike = Alike.of(cloud(900, 0, 4), cloud(5, 9, 5))
    likeness = alike.of_rows(cloud(500, 0, 6))
    assert not likeness.alike.any() and alike.share(likeness.away.min()) == 0


def test_too_few_rows_are_refused():
    with pytest.raises(InputError, match="19 rows came"):
        Alike.of(cloud(19, 0, 7), cloud(1, 0, 8))
