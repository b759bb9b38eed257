"""A search in words."""

import numpy as np

from outlearn.tuning.observe import Observation
from outlearn.tuning.report import told
from outlearn.tuning.search import Choice, Trial
from outlearn.tuning.space import configurations
from outlearn.tuning.tuner import Tuned

CONFIGS = configurations("lof", 8)


def tuned(members, *, trials=(), expected=None):
    values = np.full(8, np.nan) if expected is None else np.asarray(expected)
    return Tuned("maml", CONFIGS, Choice(members, values, "so it was"), list(trials), 0, (), (), 1.25)


def test_one_configuration_and_the_default_beside_it():
    lines = told(tuned((3,), expected=np.arange(8) / 100)).splitlines()
    assert lines[0] == "maml: one configuration, in 1.2 s; so it was"
    assert lines[1].startswith("   lof ") and lines[1].endswith("(expected gain +0.030)")
    assert lines[2].startswith("the default: lof ") and lines[2].endswith("(expected gain +0.000)")
    assert len(lines) == 3


def test_many_are_cut_and_an_unknown_gain_is_not_told():
    text = told(tuned((0, 1, 2, 3, 4, 5, 6)))
    assert "7 configurations, ranks averaged" in text and "and 2 more" in text
    assert "expected" not in text and "default" not in text


def test_trials_labels_and_faults_are_told():
    trials = [
        Trial(1, Observation(np.zeros(1), 0.4, 0.1), 0.5),
        Trial(2, Observation(np.zeros(1), 0.9, 0.1), 0.5),
        Trial(3, None, 1.0, "ValueError: no"),
    ]
    text = told(tuned((2,), trials=trials))
    assert "tried 3, of which 2 worked, in 2.0 s" in text
    assert "average precision 0.90" in text and "ValueError: no" in text
