"""Learners of tasks as learners of tables."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from outlearn.errors import InputError, LabelError
from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.learners.tabular import FAR, TableLearned, column_task, label_weights, profile_task
from outlearn.rng import derive

NAMES = [name for name, kind in CATALOGUE.items() if kind.family in ("gradient", "metric")]
every = pytest.mark.parametrize("name", NAMES)
# Columns of values of their own: two rows that tie in all profiles would hide an error.
ROWS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
NEW = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
MIXED = np.resize([-1, -1, 0, -1, 1, -1, -1, -1], 40).astype(np.int8)
NONE = np.full(40, -1, dtype=np.int8)

pytestmark = pytest.mark.usefixtures("few_trees")


def learned(name, columns=None, **recipe):
    recipe = Recipe(learner=name, columns=columns, widths=(8, 4), **recipe)
    learner = recipe.build()
    return TableLearned(learner.learned(learner.start()), columns, recipe.one_class)


@pytest.mark.parametrize("columns", [None, 3])
@every
def test_the_order_of_rows_makes_no_difference(name, columns):
    order = np.random.default_rng(2).permutation(40)
    one = learned(name, columns).adapt(ROWS, MIXED)
    other = learned(name, columns).adapt(ROWS[order], MIXED[order])
    assert np.array_equal(one.score(NEW), other.score(NEW))
    assert np.array_equal(one.support_scores[order], other.support_scores)


@pytest.mark.parametrize("columns", [None, 3])
@every
def test_a_row_scores_the_same_alone_in_a_batch_and_as_part_of_the_support(name, columns):
    scorer = learned(name, columns).adapt(ROWS, MIXED)
    scores = scorer.score(NEW)
    assert scores.shape == (12,) and scores.dtype == np.float64 and np.isfinite(scores).all()
    alone = np.concatenate([scorer.score(row[None]) for row in NEW])
    np.testing.assert_allclose(alone, scores, rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(scorer.score(ROWS), scorer.support_scores, rtol=1e-5, atol=2e-6)
    assert scorer.score(NEW[:0]).shape == (0,)


def test_many_rows_are_read_in_parts(monkeypatch):
    scorer = learned("protonet").adapt(ROWS, MIXED)
    whole = scorer.score(NEW)
    monkeypatch.setattr("outlearn.learners.tabular.CHUNK", 5)
    np.testing.assert_allclose(scorer.score(NEW), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("y", [MIXED, NONE, NONE + 1], ids=["mixed", "unlabelled", "normal"])
@every
def test_adapting_changes_nothing_in_what_was_learnt(name, y):
    one = learned(name)
    before = {key: value.clone() for key, value in one.learned.meta.items()}
    rows = ROWS.copy()
    first = one.adapt(rows, y).score(NEW)
    one.adapt(NEW, NONE[:12]).score(ROWS)
    assert all(torch.equal(value, before[key]) for key, value in one.learned.meta.items())
    assert np.array_equal(one.adapt(rows, y).score(NEW), first) and np.array_equal(rows, ROWS)


def test_the_seed_is_that_of_the_forest():
    one = learned("protonet")
    scores = [one.seeded(seed).adapt(ROWS, NONE).score(NEW) for seed in (1, 1, 2)]
    assert np.array_equal(scores[0], scores[1]) and not np.array_equal(scores[0], scores[2])
    assert one.seed == 0 and one.seeded(1).one_class == one.one_class
    columns = learned("protonet", 3)
    assert np.array_equal(*(columns.seeded(seed).adapt(ROWS, NONE).score(NEW) for seed in (1, 2)))


@every
def test_an_adapted_scorer_can_be_pickled(name):
    for columns in (None, 3):
        scorer = learned(name, columns).adapt(ROWS, MIXED)
        assert np.array_equal(pickle.loads(pickle.dumps(scorer)).score(NEW), scorer.score(NEW))


@every
def test_labels_change_scores(name):
    one = learned(name)
    assert not np.allclose(one.adapt(ROWS, MIXED).score(NEW), one.adapt(ROWS, NONE).score(NEW))


@pytest.mark.parametrize("name", [name for name in NAMES if CATALOGUE[name].family == "gradient"])
def test_first_order_learners_leave_supports_of_one_class_alone(name):
    one = learned(name)
    scorer = one.adapt(ROWS, NONE)
    start = one.learned.adapt(scorer._read(ROWS), NONE, steps=0)
    unmoved = np.array_equal(start.score(scorer._read(NEW)), scorer.score(NEW))
    assert unmoved == CATALOGUE[name].first_order


@pytest.mark.parametrize("columns", [None, 3])
@every
def test_supports_that_cannot_be_used_are_refused(name, columns):
    one = learned(name, columns)
    with pytest.raises(LabelError, match="all 4 support rows are known anomalies"):
        one.adapt(ROWS[:4], np.ones(4, dtype=np.int8))
    with pytest.raises(InputError, match="no rows"):
        one.adapt(ROWS[:0], NONE[:0])
    assert len(one.adapt(ROWS[:1], NONE[:1]).score(NEW)) == 12


@pytest.mark.parametrize("name", ["maml", "protonet"])
def test_columns_want_tables_as_wide_as_those_learnt_from(name):
    with pytest.raises(InputError, match=r"has 2 columns; this learner reads tables of 3"):
        learned(name, 3).adapt(ROWS[:, :2], NONE)
    spoilt = ROWS.copy()
    spoilt[4, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        learned(name, 3).adapt(spoilt, NONE)
    for width in (1, 3, 7):
        rows = np.resize(ROWS, (40, width))
        assert len(learned(name).adapt(rows, NONE).support_scores) == 40


def test_each_kind_of_label_weighs_alike():
    weights = label_weights(MIXED)
    assert [weights[kind == MIXED].sum() for kind in (-1, 0, 1)] == pytest.approx([1, 1, 1])
    assert weights.dtype == np.float32
    assert label_weights(NONE).sum() == pytest.approx(1)
    assert label_weights(NONE, one_class=False).sum() == 0
    assert np.array_equal(label_weights(MIXED, one_class=False), weights)


def test_a_task_of_profiles_keeps_known_anomalies_and_both_kinds_of_query_rows(bank):
    for number, episode in enumerate(bank):
        task = profile_task(episode, derive(number), support=5, query=6)
        known = (episode.support_y == 1).sum()
        assert (task.support_y == 1).sum() == known
        assert (task.support_y != 1).sum() == min(5, (episode.support_y != 1).sum())
        for kind in (0, 1):
            assert (task.query_y == kind).sum() == min(3, (episode.query_y == kind).sum())
            assert task.query_weight[task.query_y == kind].sum() == pytest.approx(1)
        there = {row.tobytes() for row in episode.support.astype(np.float32)}
        assert {row.tobytes() for row in task.support_x} <= there and task.support_x.dtype == np.float32
        again = profile_task(episode, derive(number), support=5, query=6)
        assert np.array_equal(again.support_x, task.support_x)


def test_a_task_of_columns_is_standardised_by_its_usual_rows(sampler):
    episode = sampler.episode(0)
    known = np.where(np.arange(len(episode.support_y)) < 2, 1, -1).astype(np.int8)
    episode = replace(episode, support_y=known)
    task = column_task(episode, derive(0), support=10_000, query=10_000)
    usual = task.support_x[task.support_y != 1]
    bounded = np.abs(usual).max(0) < FAR
    assert bounded.any()
    np.testing.assert_allclose(usual[:, bounded].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(usual[:, bounded].std(0), 1, atol=1e-4)
    assert np.abs(task.query_x).max() <= FAR
    with pytest.raises(LabelError, match="known anomalies"):
        column_task(replace(episode, support_y=np.ones_like(known)), derive(0))


def test_a_task_of_columns_is_what_the_learner_reads_in_use(sampler):
    """A prototype is a mean: the order of rows does not matter, so the two ways must agree."""
    episode = sampler.episode(1)
    task = column_task(episode, derive(0), support=10_000, query=10_000)
    one = learned("protonet", episode.support_x.shape[1])
    used = one.adapt(episode.support_x, episode.support_y)
    direct = one.learned.adapt(task.support_x, task.support_y, task.support_weight)
    ours, theirs = used.score(episode.query_x), direct.score(task.query_x)
    np.testing.assert_allclose(np.sort(ours), np.sort(theirs), rtol=1e-4, atol=1e-5)
