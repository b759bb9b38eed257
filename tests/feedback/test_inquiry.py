"""Asking an analyst: beliefs against plain formulas, and anomalies found with few questions."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from outlearn import Inquiry
from outlearn.errors import InputError, LabelError, WeightsError
from outlearn.feedback import beliefs as module
from outlearn.feedback.beliefs import FEATURES, NOISE, ODD, USUAL, Beliefs, Ground
from outlearn.feedback.forest_paths import SAMPLES, TREES, NodeFeedback, Paths
from outlearn.feedback.policy import AnalystGame, AnalystPolicy, load_analyst, save_analyst
from outlearn.feedback.train import WAYS, ByBeliefs, anomalies_found, practice_tables, train_analyst
from outlearn.learners.policy import PPO


@pytest.fixture(scope="module")
def blobs():
    """Rows around two centres, and a group of anomalies beside some that are scattered."""
    rng = np.random.default_rng(0)
    usual = np.concatenate([rng.normal(size=(150, 4)), rng.normal(8, 1, size=(150, 4))])
    odd = np.concatenate([rng.normal(4, 0.3, size=(12, 4)), rng.uniform(-15, 25, size=(8, 4))])
    X = np.concatenate([usual, odd]).astype(np.float32)
    return X, np.r_[np.zeros(300), np.ones(20)].astype(np.int8)


@pytest.fixture(scope="module")
def ground(blobs):
    return Ground.of(blobs[0])


def test_paths_give_the_scores_of_the_forest(blobs):
    X = blobs[0]
    paths = Paths.of(X, seed=3)
    forest = IsolationForest(n_estimators=TREES, max_samples=SAMPLES, random_state=3).fit(X)
    assert spearmanr(paths.scores, -forest.score_samples(X)).statistic == pytest.approx(1, abs=1e-6)
    lengths = -paths.scores / TREES - 1  # a path of so many edges passes one node more
    usual = -np.log2(-forest.score_samples(X))
    assert np.ptp(lengths / usual) < 1e-3


def test_weights_of_nodes_follow_each_answer(blobs):
    paths = Paths.of(blobs[0])
    dense = paths.passed.toarray()
    nodes, weights = NodeFeedback(paths), paths.lengths.copy()
    for row, label in ((5, 0), (310, 1), (5, 1)):
        nodes.tell(row, label)
        weights += (1 if label == 0 else -1) * dense[row]
    np.testing.assert_allclose(nodes.scores, -dense @ weights, rtol=1e-5)


def test_beliefs_are_those_of_a_gaussian_process(ground):
    beliefs = Beliefs(ground)
    for row, label in ((3, 0), (305, 1), (200, 0)):
        beliefs.tell(row, label)
    asked, prior = [3, 305, 200], ground.prior
    targets = np.array([USUAL, ODD, USUAL]) - prior[asked]
    for place in range(3):
        gram = np.stack([ground.alike(row)[place] for row in range(len(prior))])
        np.testing.assert_allclose(gram, gram.T, atol=1e-5)
        inverse = np.linalg.inv(gram[np.ix_(asked, asked)] + NOISE * np.eye(3))
        np.testing.assert_allclose(
            beliefs._by_kernel[place], prior + gram[:, asked] @ inverse @ targets, atol=1e-6
        )


def test_the_gaussian_process_is_scikit_learns():
    rng = np.random.default_rng(0)
    X, asked, surprise = rng.normal(size=(30, 2)), np.array([2, 9, 17]), rng.normal(size=3)
    alike = np.stack([RBF(1.0)(X, X[row : row + 1])[:, 0] for row in asked], axis=1)
    plain = GaussianProcessRegressor(RBF(1.0), alpha=NOISE, optimizer=None).fit(X[asked], surprise)
    np.testing.assert_allclose(module._posterior(alike, asked, surprise), plain.predict(X), atol=1e-9)


def test_candidates_are_open_rows_in_order(ground):
    beliefs = Beliefs(ground)
    rows, features = beliefs.candidates()
    assert features.shape == (len(rows), len(FEATURES)) and np.isfinite(features).all()
    assert (np.diff(beliefs.scores[rows]) <= 0).all() and beliefs.scores[rows[0]] == beliefs.scores.max()
    beliefs.tell(int(rows[0]), 1)
    assert rows[0] not in beliefs.candidates()[0]
    doubt = beliefs.candidates()[1][:, FEATURES.index("doubt")]
    assert (doubt <= 1).all() and (doubt < 1).any()


def test_an_answer_is_followed(ground):
    """The tight group is believed once one of it is known; usual rows less once one of them is."""
    beliefs = Beliefs(ground)
    before = beliefs.scores[301:312].mean()
    beliefs.tell(300, 1)
    assert beliefs.scores[301:312].mean() > before + 1
    middle = beliefs.scores[:150].mean()
    beliefs.tell(int(np.argmax(beliefs.scores[:150])), 0)
    assert beliefs.scores[:150].mean() < middle


def test_anomalies_are_found_sooner_than_without_feedback():
    X, benign = load_breast_cancer(return_X_y=True)
    truth = (1 - benign).astype(np.int8)
    kept = np.r_[np.flatnonzero(truth == 0), np.flatnonzero(truth)[:40]]
    ground, policy = Ground.of(X[kept].astype(np.float32)), load_analyst()
    totals = {name: anomalies_found(ground, truth[kept], way, 50)[-1] for name, way in WAYS.items()}
    ours = anomalies_found(ground, truth[kept], lambda g: ByBeliefs(g, policy), 50)
    assert ours[-1] > 1.3 * totals["forest"] and ours[-1] >= totals["forest with feedback"]
    assert (np.diff(ours) >= 0).all()


def test_a_game_is_over_when_nothing_is_hidden(blobs, ground):
    truth = np.zeros(len(blobs[1]), dtype=np.int8)
    game = AnalystGame(ground, truth, 3)
    assert not game.allowed[:, 1:].any() and game.act(0, 0) == (0.0, True)  # there was nothing to find
    game = AnalystGame(ground, blobs[1], 3)
    assert [game.act(0, 0)[1] for _ in range(3)] == [False, False, True]


def test_a_policy_is_trained_kept_and_judged(tmp_path, monkeypatch):
    out = tmp_path / "asks.safetensors"
    how = PPO(rounds=2, games=3, epochs=2)
    stages = []
    policy = train_analyst(
        out, tables=3, how=how, held_out=2, progress=lambda stage, *_: stages.append(stage)
    )
    assert {"tables", "playing", "held-out tables"} == set(stages)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["asks.md", "asks.safetensors"]
    card = (tmp_path / "asks.md").read_text()
    assert "| policy |" in card and "| forest with feedback |" in card and "3 synthetic tables" in card
    again = load_analyst(out)
    for name, value in policy.state().items():
        assert np.array_equal(value, again.state()[name])
    first = {name: value.copy() for name, value in policy.state().items()}
    second = train_analyst(tmp_path / "other.safetensors", tables=3, how=how, held_out=1).state()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_practice_tables_hold_anomalies_and_start_where_they_are_told():
    one, two = practice_tables(2, start=0), practice_tables(1, start=1)
    assert all(truth.any() for _, truth in one)
    assert np.array_equal(one[-1][0].prior, two[0][0].prior)


def test_weights_of_other_features_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "old.safetensors"
    monkeypatch.setattr("outlearn.feedback.policy.FEATURES", (*FEATURES[:-1], "moon"))
    save_analyst(path, AnalystPolicy.restore(load_analyst_plain().state()), corpus="", seed=0, command="")
    monkeypatch.undo()
    with pytest.raises(WeightsError, match="other features"):
        load_analyst(path)


def load_analyst_plain():
    from outlearn.feedback.policy import _net

    return AnalystPolicy(_net(0))


def test_an_inquiry(blobs):
    X, truth = blobs
    asks = Inquiry(X)
    assert asks.ask() == asks.ask()  # until something is told
    for _ in range(25):
        row = asks.ask()
        asks.tell(row, int(truth[row]))
    assert len(asks.answers) == 25 and asks.found == sum(asks.answers.values()) >= 15
    assert asks.scores.shape == (len(X),) and np.array_equal(asks.rows, np.arange(len(X)))
    again = Inquiry(X)
    for row, label in asks.answers.items():
        assert again.ask() == row
        again.tell(row, label)


def test_of_many_rows_the_oddest_are_asked_about(blobs, monkeypatch):
    monkeypatch.setattr(module, "MOST_ASKABLE", 50)
    asks = Inquiry(blobs[0])
    assert len(asks.rows) == len(asks.scores) == 50
    oddest = np.argsort(-Paths.of(blobs[0]).scores)[:50]
    assert set(asks.rows.tolist()) == set(oddest.tolist())
    for _ in range(10):
        row = asks.ask()
        asks.tell(row, int(blobs[1][row]))
    assert set(asks.answers) <= set(oddest.tolist()) and asks.found >= 5
    game, truth = AnalystGame(asks._beliefs.ground, blobs[1], 50), 0
    while True:
        reward, over = game.act(0, 0)
        truth += reward
        if over:
            break
    assert truth == blobs[1][asks.rows].sum()  # labels are those of the rows of the table
    outside = next(row for row in range(320) if row not in asks.rows)
    with pytest.raises(LabelError, match="none of the 50"):
        asks.tell(outside, 1)


def test_everything_may_be_asked():
    X = np.random.default_rng(0).normal(size=(12, 2))
    asks = Inquiry(X)
    for _ in range(12):
        asks.tell(asks.ask(), 0)
    with pytest.raises(InputError, match="nothing left"):
        asks.ask()


@pytest.mark.parametrize(
    "X",
    [np.ones((20, 3)), np.random.default_rng(0).normal(size=(12, 40)), np.repeat(np.eye(2), 10, axis=0)],
    ids=["constant", "wide", "copies"],
)
def test_poor_tables_are_asked_about(X):
    asks = Inquiry(X)
    for label in (0, 1, 0):
        asks.tell(asks.ask(), label)
    assert np.isfinite(asks.scores).all()


def test_answers_and_rows_that_cannot_be(blobs):
    asks = Inquiry(blobs[0])
    asks.tell(4, 0)
    for row, label, words in ((5, 2, "label 2"), (4, 1, "told of before"), (999, 1, "none of the 320")):
        with pytest.raises(LabelError, match=words):
            asks.tell(row, label)
    for X, words in ((np.zeros((3, 2)), "3 rows"), (np.full((20, 2), np.inf), "cannot be used")):
        with pytest.raises(InputError, match=words):
            Inquiry(X)
