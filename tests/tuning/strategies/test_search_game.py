"""Searching as a game: what moves bring, for our policies and by gymnasium's interface."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from outlearn.errors import ParameterError
from outlearn.tuning.strategies.gym_environment import TuningEnv
from outlearn.tuning.strategies.policy import SearchPolicy
from outlearn.tuning.strategies.search_game import BUDGET, TAKE, TRY, SearchGame, deal
from outlearn.tuning.strategies.search_tasks import SearchTasks
from outlearn.tuning.strategies.view import UNIT, Seen, View
from outlearn.tuning.trials.observe import MEASURES, Observation

LOOK = MEASURES.index("agree.incontext")


@pytest.fixture
def task(table):
    return SearchTasks(table).draw(0, np.array([1, 3, 8, 9]), np.random.default_rng(1))


def test_moves_bring_what_they_should(table, task):
    game = SearchGame(View.of(table), task, budget=2, cost=0.01)
    assert game.allowed.all()
    assert game.act(1, TRY) == (pytest.approx(-0.01 / UNIT), False)
    assert game.allowed[:, TRY].tolist() == [True, False, True, True]
    game.act(0, TRY)
    assert not game.allowed[:, TRY].any()  # the budget is spent
    gain, over = game.act(2, TAKE)
    assert over and gain == pytest.approx((task.precision[2] - task.precision.mean()) / UNIT)


def test_what_is_seen_is_what_was_tried(table, task):
    view = View.of(table)
    game = SearchGame(view, task)
    before = game.rows
    game.act(2, TRY)
    after = game.rows
    changed = np.flatnonzero((before[:, :-1] != after[:, :-1]).any(axis=1))
    assert changed.tolist() == [2]
    assert before.shape == (4, view.width + 1)
    assert after[0, -1] == pytest.approx((BUDGET - 1) / BUDGET)


def test_what_was_found_to_fail_is_not_taken(table):
    failed = np.zeros_like(table.failed)
    failed[0, 3] = True
    broken = replace(table, failed=failed)
    task = SearchTasks(broken).draw(0, np.array([1, 3]), np.random.default_rng(0))
    game = SearchGame(View.of(broken), task)
    assert game.allowed[:, TAKE].all()  # it is not known yet
    game.act(1, TRY)
    assert game.allowed[:, TAKE].tolist() == [True, False]


def test_a_table_does_not_tell_of_itself_by_the_prior(table):
    spoilt = replace(table, precision=table.precision.copy())
    spoilt.precision[0, 5] += 9.0
    one, other = (
        SearchTasks(t).draw(0, np.arange(12), np.random.default_rng(0)).prior for t in (table, spoilt)
    )
    np.testing.assert_allclose(one, other)


def test_labels_of_the_support_are_used_where_there_are_any(table):
    labelled = replace(
        table, seen=np.where(np.arange(len(table.tasks))[:, None] == 4, 0.25, np.nan) * np.ones(12)
    )
    task = SearchTasks(labelled).draw(4, np.arange(12), np.random.default_rng(0))
    assert (task.label_precision == 0.25).all() and np.array_equal(task.precision, table.precision[4])


def test_games_are_dealt_from_what_the_table_holds(table):
    view, tasks, rng = View.of(table), SearchTasks(table), np.random.default_rng(0)
    games = [deal(view, tasks, rng) for _ in range(50)]
    assert {len(game.rows) for game in games} <= set(range(6, 13))
    assert any(game.allowed[:, TRY].all() for game in games)
    assert any(not game.allowed[:, TRY].any() for game in games)


@pytest.mark.long
def test_the_policy_tries_and_believes_a_measure_that_tells_the_truth(table, made_up):
    """Where meta-features say nothing, only trials show which configuration is best."""
    blind, new = (replace(source, features=np.zeros_like(source.features)) for source in (table, made_up(1)))
    policy = SearchPolicy.learn(blind, rounds=80)
    among, right = np.arange(12), 0
    for t in range(30):
        seen = {c: Observation(new.measures[t, c], None, 0.0) for c in range(12)}
        right += policy.moves(new.features[t], seen, among, 0)[:, TAKE].argmax() == new.precision[t].argmax()
    assert right > 24
    assert policy.moves(new.features[0], {}, among, 5)[:, TRY].sum() > 0.5  # it looks first


def test_chances_are_of_what_may_be_done(table):
    policy = SearchPolicy.learn(table, rounds=1)
    seen = {3: Observation(table.measures[0, 3], None, 0.0)}
    chances = policy.moves(table.features[0], seen, np.array([1, 3, 8]), 2)
    assert chances.sum() == pytest.approx(1) and chances[1, TRY] == 0 and (chances[[0, 2], TRY] > 0).all()
    assert not policy.moves(table.features[0], seen, np.array([1, 3, 8]), 0)[:, TRY].any()


def test_a_policy_comes_back_from_its_state(table):
    policy, seen = SearchPolicy.learn(table, rounds=1), {}
    again = SearchPolicy.restore(policy.state(), table.configs)
    one, other = (p.moves(table.features[0], seen, np.arange(12), 3) for p in (policy, again))
    assert np.array_equal(one, other)


def test_gymnasium_accepts_the_environment(table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*(infinity|m(in|ax)imum value).*")  # rows have no bounds
        check_env(TuningEnv(table, among=[1, 3, 8]), skip_render_check=True)


def test_an_episode_by_gymnasium(table):
    env = TuningEnv(table, among=[1, 3, 8], budget=2, cost=0.02)
    rows, info = env.reset(seed=5)
    assert rows.shape == env.observation_space.shape and info["action_mask"].tolist() == [True] * 6
    rows, reward, over, cut, info = env.step(1)
    assert (reward, over, cut) == (pytest.approx(-0.02 / UNIT), False, False)
    assert info["action_mask"].tolist() == [True, False, True, True, True, True]
    env.step(1)  # again: costs, and shows nothing
    env.step(0)
    *_, cut, _ = env.step(2)
    assert cut  # more than the budget admits
    *_, over, cut, _ = env.step(4)
    assert over and not cut
    again, _ = env.reset(seed=5)
    assert np.array_equal(again, TuningEnv(table, among=[1, 3, 8], budget=2).reset(seed=5)[0])


@pytest.mark.parametrize(
    ("given", "words"), [({"among": []}, "one at least"), ({"among": [99]}, "99"), ({"budget": -1}, "-1")]
)
def test_environments_that_cannot_be(given, words, table):
    with pytest.raises(ParameterError, match=words):
        TuningEnv(table, **given)


def test_seen_is_told_relative_to_what_was_tried():
    measures = np.zeros((3, len(MEASURES)))
    measures[:, LOOK] = [0.1, 0.2, 0.6]
    seen = Seen(np.array([0, 2, 5]), measures, np.array([0.2, 0.4, 0.6]))
    columns = seen.columns(6)
    assert not columns[[1, 3, 4]].any()
    assert columns[0, LOOK] < columns[2, LOOK] < columns[5, LOOK]
    np.testing.assert_allclose(seen.observed[:, -1], np.array([-0.2, 0.0, 0.2]) / UNIT, atol=1e-6)
