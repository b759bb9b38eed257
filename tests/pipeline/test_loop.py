"""The loop as it is lived: detect, write verdicts beside what is on top, learn, and look again."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score

from outlearn.data.datasets import load_dataset
from outlearn.feedback.store import VerdictFile
from outlearn.pipeline import Monitor, detect
from outlearn.pipeline.label import label_model

pytestmark = pytest.mark.usefixtures("few_trees")

SHOWN = 10  # rows that are looked at


@pytest.fixture(scope="module", params=["wine", "breast_cancer"])
def halves(request):
    """Two files of the same kind, each with its truth, which no detector is shown."""
    frame = load_dataset(request.param)
    order = np.random.default_rng(1).permutation(frame.height)
    parts = [frame[np.sort(order[start::2])] for start in (0, 1)]
    return [(part.drop("label"), part["label"].to_numpy()) for part in parts]


def precision(scores, truth, among=None):
    rows = np.arange(len(truth)) if among is None else among
    return average_precision_score(truth[rows], np.asarray(scores)[rows])


def write_verdicts(path, truth):
    """Say of each row on top what it is, as an analyst does in the scored file, and return the other rows."""
    frame = pl.read_csv(path)
    seen = frame["rank"].is_not_null().to_numpy()
    words = [("normal", "anomaly")[truth[row]] if seen[row] else None for row in range(frame.height)]
    frame.with_columns(verdict=pl.Series(words)).write_csv(path)
    assert 0 < truth[seen].sum() < SHOWN == seen.sum()
    return np.flatnonzero(~seen)


def test_verdicts_on_what_is_on_top_make_the_next_list_and_the_next_file_better(halves, tmp_path):
    (today, truth), (tomorrow, truth_tomorrow) = halves
    path, scored, model = (tmp_path / name for name in ("today.csv", "scored.csv", "m.outlearn"))
    today.write_csv(path)
    first = detect(path, out=scored, top=SHOWN)
    left = write_verdicts(scored, truth)
    # The same file again, with its verdicts: the rows that nobody has looked at are in a better order.
    again = detect(scored, label_column="verdict", top=0)
    known = int(truth.sum() - truth[left].sum())
    assert again.labels == (known, SHOWN - known)
    assert precision(again.scores, truth, left) > precision(first.scores, truth, left)
    # A model that is fitted to it, and one that learns the verdicts later, judge the next file better.
    Monitor.fit(path).save(model)
    before = precision(Monitor.load(model).detect(tomorrow, top=0).scores, truth_tomorrow)
    taught = Monitor.fit(scored, label_column="verdict")
    label_model(model, scored, model, VerdictFile(tmp_path / "v.jsonl"), by="ana")
    for monitor in (taught, Monitor.load(model)):
        assert precision(monitor.detect(tomorrow, top=0).scores, truth_tomorrow) > before + 0.05
