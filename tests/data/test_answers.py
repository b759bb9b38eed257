"""Columns that look like the answer."""

import numpy as np
import polars as pl
import pytest

from outlearn.data.answers import answer_columns, suspected_answers, telling_columns, without_answers
from outlearn.data.infer import infer_schema
from outlearn.data.schema import Role


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("label", [0, 1, 0]),
        ("Class", ["0", "1", None]),
        ("isFraud", [False, True, False]),
        ("attack_cat", ["Normal", "Exploits", "Fuzzers"]),
        ("y", [-1, 1, 1]),
        ("is_anomaly", ["no", "no", "no"]),
        ("target", [1.0, 0.0, 0.0]),
        ("Label", ["No Label", "No Label", None]),
        ("isFlaggedFraud", [0, 0, 1]),
        ("fraude", ["no", "yes", "no"]),
    ],
)
def test_names_and_values_of_labels_are_known(name, cells):
    frame = pl.DataFrame({"a": [1.5, 2.5, 9.0], name: cells})
    assert answer_columns(frame) == (name,) and suspected_answers(frame) == ()
    schema = without_answers(infer_schema(frame), frame)
    assert schema[name].role is Role.IGNORED and [column.name for column in schema.used] == ["a"]
    assert answer_columns(frame, {name}) == ()


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("humidity", [0, 1, 0]),
        ("fraud_score", [0, 1, 0]),
        ("target", [20.5, 21.0, 22.5]),
        ("label_width", [0, 1, 1]),
        ("class", ["economy", "first", "first"]),
        ("Machine failure", [0, 1, 0]),
    ],
)
def test_other_columns_stay(name, cells):
    frame = pl.DataFrame({"a": [1.5, 2.5, 9.0], name: cells})
    assert answer_columns(frame) == ()
    doubtful = name in ("class", "target", "Machine failure")
    assert suspected_answers(frame) == ((name,) if doubtful else ())


def test_a_place_is_no_answer_and_the_only_column_stays():
    assert answer_columns(pl.DataFrame({"x": [0, 1], "y": [0, 1]})) == ()
    alone = pl.DataFrame({"label": [0, 1, 0]})
    assert without_answers(infer_schema(alone), alone)["label"].role is Role.FEATURE


def test_a_column_that_alone_tells_labels_apart_is_named():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.array([1, 0, -1], dtype=np.int8), [12, 80, 40])
    frame = pl.DataFrame(
        {
            "x7": np.where(labels == 1, 3, rng.integers(0, 2, 132)),
            "risk": np.where(labels == 1, 5.0, 0.0) + rng.random(132),
            "word": np.where(labels == 1, "b", "a"),
            "mostly": np.r_[np.ones(11), np.zeros(81), np.ones(40)],
            "noise": rng.normal(size=132),
            "holes": [*["b"] * 11, None, *["a"] * 120],
        }
    )
    assert telling_columns(frame, labels) == ("x7", "risk", "word")
    four = np.arange(8, 132)  # tell nothing
    assert telling_columns(frame[four], labels[four]) == ()
    six = np.arange(6, 132)  # six are enough for few values, not for ranges
    assert telling_columns(frame[six], labels[six]) == ("x7", "word")
    alone = np.where(labels == 0, -1, labels)  # no row is labelled normal: the unlabelled ones stand in
    assert telling_columns(frame, alone) == ("x7", "risk", "word")
