"""The contract of a learner, for both whose scores are log-odds."""

import numpy as np
import pytest

from outlearn.learners.base import Learned, Learner, Scorer
from outlearn.learners.incontext import InContext
from outlearn.learners.pretrained import load_learner
from outlearn.learners.profiles import Profiles


@pytest.mark.parametrize(("name", "learner"), [("profiles", Profiles()), ("incontext", InContext())])
def test_the_contract_is_met(name, learner):
    X = np.random.default_rng(0).normal(size=(150, 4)).astype(np.float32)
    learned = load_learner(name)
    scorer = learned.adapt(X, np.full(150, -1, dtype=np.int8))
    assert isinstance(learner, Learner)
    assert isinstance(learned, Learned)
    assert isinstance(scorer, Scorer)
    scores = scorer.score(X)
    assert (scores.shape, scores.dtype) == ((150,), np.float64)
    assert scorer.score(X[:0]).shape == (0,)
    assert 0 < scorer.contamination < 1
    assert 0 <= scorer.uncertainty <= 1
