"""What tests of several folders share: training and forests small enough for a test."""

import pytest

from outlearn.learners.profiles import isolation, trees


@pytest.fixture
def quick(monkeypatch):
    """Make what strategies of tuning learn small."""
    from outlearn.tuning.policy import SearchPolicy
    from outlearn.tuning.surrogate import Surrogate

    surrogate, policy = Surrogate.learn, SearchPolicy.learn
    monkeypatch.setattr(Surrogate, "learn", lambda t, s=0: surrogate(t, s, steps=20, width=16))
    monkeypatch.setattr(SearchPolicy, "learn", lambda t, s=0: policy(t, s, rounds=2))


@pytest.fixture
def few_trees(monkeypatch):
    """Make the forests small, which most of the time of a small profile goes into."""
    monkeypatch.setattr(isolation, "TREES", 5)
    monkeypatch.setattr(trees, "FIRST", 4)
    monkeypatch.setattr(trees, "TREES", 6)
