"""The contract of learner, learned and scorer, for each of the catalogue."""

import numpy as np
import pytest

from outlearn.learners.base import Learned, Learner, ProbabilisticScorer, Scorer, SupportScorer
from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.learners.pretrained import load_learner, save_table_learner
from outlearn.weights.checkpoint import shipped

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = np.resize([-1, -1, -1, 0, 1], 60).astype(np.int8)


def learner_of(name):
    own = CATALOGUE[name].family in ("profile", "in-context")
    return CATALOGUE[name].load()() if own else Recipe(learner=name, widths=(8,)).build()


@pytest.fixture(scope="module", params=CATALOGUE)
def learned(request, tmp_path_factory):
    """The name of a learner, and the learner with its shipped weights, else with those of a start."""
    name = request.param
    path = shipped(name)
    if not path.is_file():
        path = tmp_path_factory.mktemp("weights") / f"{name}.safetensors"
        recipe = Recipe(learner=name, widths=(8,))
        save_table_learner(path, recipe, recipe.build().start(), corpus="", command="", notes={})
    return name, load_learner(name, path).seeded(1)


def test_what_learns_and_what_it_learnt_meet_the_contract(learned):
    name, each = learned
    assert isinstance(learner_of(name), Learner)
    assert isinstance(each, Learned)


@pytest.mark.parametrize("labels", [Y, np.full(60, -1, dtype=np.int8)], ids=["labels", "none"])
def test_a_scorer_says_what_the_catalogue_promises(learned, labels):
    name, each = learned
    scorer = each.adapt(X, labels)
    assert isinstance(scorer, Scorer) and isinstance(scorer, SupportScorer)
    scores = scorer.score(X)
    assert (scores.shape, scores.dtype) == ((60,), np.float64) and np.isfinite(scores).all()
    assert scorer.score(X[:0]).shape == (0,)
    assert (scorer.support_scores.shape, scorer.support_scores.dtype) == ((60,), np.float64)
    assert np.corrcoef(scorer.support_scores, scores)[0, 1] > 0.8
    assert isinstance(scorer, ProbabilisticScorer) == CATALOGUE[name].probabilistic


@pytest.mark.parametrize("name", [name for name, kind in CATALOGUE.items() if kind.probabilistic])
def test_what_a_scorer_of_odds_says_has_its_range(name):
    scorer = load_learner(name).adapt(X, Y)
    assert 0 < scorer.contamination < 1 and 0 <= scorer.least_flagged < 1
    assert 0 <= scorer.uncertainty <= 1 and 0 <= scorer.reach <= 1 and scorer.strangeness >= 0
    effects = scorer.label_effects(X[:5], X[Y == 1][:2])
    assert effects.shape == (5, 2) and np.isfinite(effects).all()
    assert scorer.label_effects(X[:5], X[:0]).shape == (5, 0)
