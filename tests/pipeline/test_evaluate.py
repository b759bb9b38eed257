from functools import partial

import numpy as np
import polars as pl
import pytest

from outlearn.errors import InputError, LabelError, OutlearnError, ParameterError
from outlearn.evaluate import evaluation
from outlearn.pipeline.evaluate import evaluate, evaluate_zero_day


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


def families(n=400):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, 3))
    values[:40, 0] += 8
    values[40:80, 1] += 8
    names = np.repeat(["scan", "worm", "Normal"], [40, 40, n - 80])
    frame = pl.DataFrame(values, schema=["a", "b", "c"], orient="row")
    return frame.with_columns(family=pl.Series(names), y=pl.Series((np.arange(n) < 80).astype(int)))


@pytest.mark.parametrize("label", ["y", None])
def test_each_family_is_left_out_in_turn(label):
    frame = families() if label else families().drop("y")
    trial = evaluate_zero_day(
        frame, family_column="family", label_column=label, detectors=["knn"], cases=(0, 1)
    )
    told = [(each.family, each.cases) for each in trial.figures["knn"]]
    assert told == [("scan", 0), ("scan", 1), ("worm", 0), ("worm", 1)]
    assert min(each.auroc for each in trial.figures["knn"]) > 0.95
    assert any("are the normal ones" in note for note in trial.notes) == (label is None)


def test_a_split_that_knows_the_families_is_called_optimistic():
    trial = evaluate(families(), label_column="y", family_column="family", detectors=["knn"], splits=1)
    assert "optimistic" in trial.notes[-1] and "zero-day" in trial.notes[-1]
    assert trial.figures["knn"].train_rows + trial.figures["knn"].test_rows == 400


def test_a_column_that_tells_the_label_alone_is_warned_of():
    frame = families().with_columns(port=pl.col("y") * 1000 + pl.int_range(400) % 7)
    trial = evaluate(frame, label_column="y", family_column="family", detectors=["knn"], splits=1)
    assert any("one column alone tells the label: 'port' (AUROC 1.000)" in note for note in trial.notes)
    clean = evaluate(families(), label_column="y", family_column="family", detectors=["knn"], splits=1)
    assert not any("alone tells" in note for note in clean.notes)


def test_one_family_is_too_few():
    frame = families().filter(pl.col("family") != "worm")
    with pytest.raises(InputError, match="wants two or more"):
        evaluate_zero_day(frame, family_column="family", label_column="y", detectors=["knn"])


def test_a_family_column_that_is_not_there_is_refused():
    with pytest.raises(OutlearnError, match="the family column"):
        evaluate_zero_day(families(), family_column="kin", label_column="y", detectors=["knn"])


def test_splits_are_judged_where_the_caller_says(elsewhere):
    options = {"label_column": "y", "detectors": ["knn"], "splits": 2}
    here, there = (evaluate(labelled(), executor=where, **options) for where in (None, elsewhere))
    assert here == there and elsewhere.items == 2
    options["family_column"] = "family"
    here, there = (evaluate_zero_day(families(), executor=where, **options) for where in (None, elsewhere))
    assert here == there and elsewhere.items == 2 + len(here.figures["knn"])


def test_the_loop_stands_beside_anomalies_drawn_at_random_and_peers_without_labels(few_trees, monkeypatch):
    intervals = evaluation.bootstrap_interval
    quick = partial(intervals, repetitions=5)
    monkeypatch.setattr(evaluation, "bootstrap_interval", lambda *of, rng, repetitions: quick(*of, rng=rng))
    options = {"label_column": "y", "protocol": "loop", "splits": 1}
    trial = evaluate(labelled(120), detectors=["protonet", "knn"], **options)
    assert list(trial.figures) == [
        "protonet", "protonet, 1 on top", "protonet, 1 at random", "protonet, 5 on top",
        "protonet, 5 at random",
        "protonet, 10 on top", "protonet, 10 at random", "knn",
    ]  # fmt: skip
    plain = evaluate(labelled(120), label_column="y", detectors=["knn"], splits=1)
    assert trial.figures["knn"] == plain.figures["knn"]
    assert trial.figures["protonet, 5 at random"].protocol == "few-label-5"
    assert any("1 / 5 / 10 rows that were on top and labelled, 1.0 / 5.0 / " in note for note in trial.notes)


def test_labels_in_words_are_judged_and_answers_beside_them_left_out():
    frame = labelled().with_columns(
        y=pl.when(pl.col("y")).then(pl.lit("DDoS")).otherwise(pl.lit("BENIGN")),
        attack=pl.col("y").cast(pl.Int8),
    )
    trial = evaluate(frame, label_column="y", detectors=["knn"], splits=1)
    assert trial.figures["knn"].test_anomalies == 6
    assert "'attack' looks like the answer" in trial.notes[0]
    assert any("anomalies: 'DDoS' (20 rows); normal: 'BENIGN' (180 rows)" in note for note in trial.notes)
    signs = labelled().with_columns(y=pl.when(pl.col("y")).then(-1).otherwise(1))
    with pytest.raises(LabelError, match="--anomaly-value -1"):
        evaluate(signs, label_column="y", detectors=["knn"])
    named = evaluate(signs, label_column="y", anomaly_values=["-1"], detectors=["knn"], splits=1)
    assert named.figures["knn"].test_anomalies == 6
