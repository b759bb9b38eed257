"""Columns that look like the answer."""

import polars as pl
import pytest

from outlearn.data.answers import answer_columns, suspected_answers, without_answers
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
