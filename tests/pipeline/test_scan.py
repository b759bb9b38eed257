"""Rows scored a piece at a time, wherever the caller wants them scored."""

import pickle

import numpy as np
import polars as pl
import pytest

from outlearn.pipeline import Monitor, detect, rows
from outlearn.pipeline.hunt import hunt

TABLE = pl.DataFrame(np.random.default_rng(0).normal(size=(300, 3)), schema=["a", "b", "c"], orient="row")


class Elsewhere:
    """Runs items as another process would: all that goes there or comes back is pickled."""

    def __init__(self):
        self.items = 0

    def map(self, function, items):
        for item in items:
            self.items += 1
            there, piece = pickle.loads(pickle.dumps((function, item)))
            yield pickle.loads(pickle.dumps(there(piece)))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(rows, "_CHUNK_ROWS", 100)


def test_pieces_are_scored_where_the_caller_says():
    elsewhere = Elsewhere()
    here, there = (detect(TABLE, detector="knn", executor=executor) for executor in (None, elsewhere))
    assert elsewhere.items == 3
    assert np.array_equal(here.scores, there.scores) and here.decision.rule == there.decision.rule


def test_a_monitor_takes_an_executor_too():
    monitor, elsewhere = Monitor.fit(TABLE), Elsewhere()
    assert np.array_equal(monitor.detect(TABLE).scores, monitor.detect(TABLE, executor=elsewhere).scores)
    assert elsewhere.items == 3


def test_a_hunt_compares_and_scores_there():
    elsewhere = Elsewhere()
    found = [hunt(TABLE, TABLE.head(2), executor=executor) for executor in (None, elsewhere)]
    assert np.array_equal(found[0].scores, found[1].scores)
    assert np.array_equal(found[0].decision.flagged, found[1].decision.flagged)
    assert elsewhere.items == 6
