"""Standings against figures worked out by hand and by scipy."""

import numpy as np
import pytest
from scipy.stats import wilcoxon

from outlearn.errors import InputError
from outlearn.evaluate import compare


def runs(table, metric="auroc"):
    return [
        {"set": f"s{i}", "family": f"f{i // 2}", "detector": name, "seed": 0, metric: value}
        for name, values in table.items()
        for i, value in enumerate(values)
    ]


def standing(comparison, name):
    return next(each for each in comparison.standings if each.detector == name)


def test_means_ranks_and_wins():
    result = compare(runs({"a": [0.9, 0.8, 0.6, 0.5], "b": [0.9, 0.7, 0.7, 0.4]}), "auroc", against="a")
    a, b = standing(result, "a"), standing(result, "b")
    assert (a.mean, a.median, a.sets) == (pytest.approx(0.7), pytest.approx(0.7), 4)
    assert (a.wins, b.wins) == (2.5, 1.5)
    assert (a.rank, b.rank) == (pytest.approx(1.375), pytest.approx(1.625))
    assert a.p_value is None and 0 < b.p_value <= 1


def test_the_p_value_is_that_of_scipy():
    rng = np.random.default_rng(0)
    left, right = rng.random(20), rng.random(20)
    result = compare(runs({"a": left, "b": right}), "auroc", against="a")
    assert standing(result, "b").p_value == pytest.approx(wilcoxon(right - left, zero_method="zsplit").pvalue)


def test_equal_detectors_differ_by_luck_alone():
    result = compare(runs({"a": [0.9, 0.8], "b": [0.9, 0.8]}), "auroc", against="a")
    assert standing(result, "b").p_value == 1.0 and standing(result, "b").wins == 1.0


@pytest.mark.parametrize("gap", [None, "", "nan", float("nan")])
def test_a_failed_run_ranks_last_and_leaves_the_fair_mean(gap):
    result = compare(runs({"a": [0.9, 0.5, 0.5], "b": [0.95, gap, 0.4]}), "auroc", against="a")
    a, b = standing(result, "a"), standing(result, "b")
    assert b.sets == 2 and b.mean == pytest.approx(0.675) and b.rank == pytest.approx(5 / 3)
    assert result.common_sets == 2 and a.common == pytest.approx(0.7)


def test_seeds_are_averaged_and_families_count_once():
    rows = runs({"a": [0.9, 0.7, 0.4, 0.4]}) + runs({"a": [0.7, 0.7, 0.4, 0.4]})
    assert standing(compare(rows, "auroc", against="a"), "a").mean == pytest.approx(0.575)
    by_family = compare(rows, "auroc", against="a", unit="family")
    assert by_family.sets == 2 and standing(by_family, "a").mean == pytest.approx(0.575)


def test_the_oracle_takes_the_best_of_its_pool_and_competes_with_nobody():
    table = {"a": [0.9, 0.5], "b": [0.6, 0.8], "random": [0.5, 0.99]}
    result = compare(runs(table), "auroc", against="a", oracle_of=("a", "b"))
    oracle = standing(result, "oracle")
    assert oracle.mean == pytest.approx(0.85) and oracle.rank is None and oracle.wins is None
    assert sum(each.wins or 0 for each in result.standings) == 2


def test_the_table_lines_up_and_names_the_chosen_detector():
    text = compare(runs({"a": [0.9, 0.5], "long name": [0.6, 0.8]}), "auroc", against="a").to_markdown()
    lines = text.splitlines()
    assert len({len(line) for line in lines[:4]}) == 1 and "p vs a" in lines[0]
    assert "2 sets, 2 finished by all" in lines[-1]


def test_nothing_to_compare_is_refused():
    with pytest.raises(InputError, match="finished auroc"):
        compare(runs({"a": [None, None]}), "auroc", against="a")
    with pytest.raises(InputError, match=r"no rows of \['z'\]"):
        compare(runs({"a": [0.5]}), "auroc", against="z")
