import numpy as np
import polars as pl
import pytest

from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.pipeline.trial import evaluate


def labelled(n=200):
    values = np.random.default_rng(0).normal(size=(n, 3))
    values[:20] += 8
    y = np.arange(n) < 20
    return pl.DataFrame(values, schema=["a", "b", "c"], orient="row").with_columns(y=pl.Series(y))


def test_easy_anomalies_are_found_and_labels_are_no_feature():
    trial = evaluate(labelled(), label_column="y", detectors=["knn", "iforest"], splits=2)
    assert list(trial.figures) == ["knn", "iforest"]
    assert trial.figures["iforest"].auroc.value > 0.95
    # The label as a feature would not help where labels are drawn at random.
    frame = labelled().with_columns(y=pl.Series(np.random.default_rng(1).random(200) < 0.3))
    assert evaluate(frame, label_column="y", detectors=["knn"]).figures["knn"].auroc.value < 0.7


def test_identifiers_do_not_hide_copies():
    twice = pl.concat([labelled(), labelled()]).with_columns(pl.int_range(400).alias("id"))
    figure = evaluate(twice, label_column="y", detectors=["knn"], splits=1).figures["knn"]
    assert figure.train_rows + figure.test_rows == 200


def test_rows_without_a_label_are_left_out_and_counted():
    frame = labelled().with_columns(y=pl.when(pl.int_range(200) < 190).then(pl.col("y").cast(pl.Int8)))
    trial = evaluate(frame, label_column="y", detectors=["knn"], splits=1)
    assert any("10 rows without a label" in note for note in trial.notes)
    assert trial.figures["knn"].train_rows + trial.figures["knn"].test_rows == 190


def test_few_labels_are_shown():
    figures = evaluate(
        labelled(), label_column="y", detectors=["bagged_trees"], protocol="few-label", labels=3, splits=1
    ).figures
    assert figures["bagged_trees"].protocol == "few-label-3"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, LabelError, "no labels"),
        ({"label_column": "y", "protocol": "nope"}, ParameterError, "no protocol is called 'nope'"),
        ({"label_column": "y", "protocol": "few-label", "labels": 90}, InputError, "label fewer"),
    ],
)
def test_wrong_requests_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        evaluate(labelled(), detectors=["knn"], **arguments)
