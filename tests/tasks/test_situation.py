"""What a learner is told about the support."""

import numpy as np
import pytest

from outlearn.errors import ParameterError
from outlearn.tasks.situation import labels_for


def test_labels_are_true_and_as_many_as_asked():
    truth = np.repeat(np.array([0, 1], dtype=np.int8), (50, 10))
    told = labels_for(np.random.default_rng(0), truth, "labelled", 4, normals=7)
    assert (told == 1).sum() == 4 and (told == 0).sum() == 7 and (truth[told >= 0] == told[told >= 0]).all()


def test_no_more_labels_than_anomalies():
    truth = np.array([0, 1, 1], dtype=np.int8)
    assert (labels_for(np.random.default_rng(0), truth, "labelled", 9) == 1).sum() == 2


def test_an_unknown_situation_is_refused():
    with pytest.raises(ParameterError, match="choose from"):
        labels_for(np.random.default_rng(0), np.zeros(2, dtype=np.int8), "dirty", 1)
