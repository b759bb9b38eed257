"""Limits of what can be measured, such as < 0.5, in tables of a laboratory."""

import json

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.overrides import ColumnOverride, apply_overrides
from outlearn.data.schema import Kind, Schema
from outlearn.pipeline import Monitor, detect

N, ODD = 150, 61
RNG = np.random.default_rng(3)


def drawn(usual, spread, decimals=1):
    return [f"{value:.{decimals}f}" for value in RNG.normal(usual, spread, N)]


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    """Return a table of samples of blood; one has far too much potassium."""
    crp, ferritin, potassium = drawn(4, 1, 2), drawn(30, 6, 2), drawn(4.3, 0.3)
    for row in range(0, N, 9):
        crp[row] = "<0.5"
    for row in range(4, N, 15):
        ferritin[row] = ">50.00"
    potassium = [f"{np.clip(float(value), 3.5, 5.1):.1f}" for value in potassium]
    potassium[ODD] = "8.9"
    path = tmp_path_factory.mktemp("laboratory") / "samples.csv"
    frame = pl.DataFrame({"crp": crp, "ferritin": ferritin, "potassium": potassium, "sodium": drawn(140, 2)})
    frame.write_csv(path)
    return path


def test_a_column_with_limits_is_one_of_numbers_and_hides_no_odd_value(laboratory):
    findings = detect(laboratory, top=1)
    assert findings.top.tolist() == [ODD] and "potassium is 8.9" in findings.explanations[0].sentence
    assert findings.schema["crp"].kind is Kind.NUMERIC and findings.schema["ferritin"].kind is Kind.NUMERIC
    notes = "\n".join(findings.notes)
    assert "column 'crp': 17 of 150 cells are limits (such as '<0.5'), read as the limit itself" in notes
    assert "column 'ferritin': 10 of 150 cells are limits (such as '>50.00')" in notes


def test_the_command_finds_the_odd_value_and_says_how_limits_were_read(laboratory):
    done = CliRunner().invoke(app, ["detect", str(laboratory), "--top", "1", "--json"])
    assert done.exit_code == 0, done.output
    first = json.loads(done.stdout.splitlines()[-1])
    assert first["row"] == ODD
    shown = CliRunner().invoke(app, ["detect", str(laboratory), "--top", "1"])
    assert "read as the limit itself" in " ".join(shown.output.split())


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["≤ 3", "4", "5", "6.5", "7", "8"], 3.0),
        (["≥10 mg/L", "4 mg/L", "5 mg/L", "6.5 mg/L", "7 mg/L", "8 mg/L"], 10.0),
        (["< 0,5", "0,7", "1,5", "2,5", "3,5", "1,2"], 0.5),
        (["&lt;0.5", "0.7", "1.5", "2.5", "3.5", "1.2"], 0.5),
        (["<= -2", "-1.5", "1.5", "2.5", "3.5", "1.2"], -2.0),
    ],
)
def test_a_limit_is_read_as_the_number_beside_its_sign(cells, wanted):
    frame = pl.DataFrame({"x": cells * 10})
    schema = infer_schema(frame)
    schema = Schema.from_dict(schema.to_dict())
    assert schema["x"].kind is Kind.NUMERIC and "10 of 60 cells are limits" in schema["x"].note
    [encoder] = Encoder.fit(frame, schema).encoders
    assert encoder.readable(frame["x"][:1]).to_list() == [pytest.approx(wanted)]


@pytest.mark.parametrize("bands", [["<18", "18-25", "26-64", ">65"], ["<5", "5-10", "10-20", ">20", ">30"]])
def test_bands_stay_categories(bands):
    column = infer_schema(pl.DataFrame({"age": bands * 20}))["age"]
    assert (column.kind, column.note) == (Kind.CATEGORICAL, "")


@pytest.mark.parametrize(
    "cells", [["<18", "18", "19", ">65"], ["<0.5", "<0.5", "<0.5", "0.7", "1.5", "2.5", "3"]]
)
def test_limits_beside_too_few_plain_numbers_are_none_unless_the_user_says_so(cells):
    frame = pl.DataFrame({"x": cells * 10})
    schema = infer_schema(frame)
    assert schema["x"].kind is Kind.CATEGORICAL and 'kind = "numeric" in a schema file' in schema["x"].note
    column = apply_overrides(schema, {"x": ColumnOverride(kind=Kind.NUMERIC)}, frame)["x"]
    assert column.notation.limits and "read as the limit itself" in column.note


def test_a_limit_that_the_fit_did_not_see_is_a_number_too_and_told():
    frame = pl.DataFrame({"potassium": RNG.normal(4.3, 0.3, 200), "sodium": RNG.normal(140, 2, 200)})
    monitor = Monitor.fit(frame, detector="knn")
    new = pl.DataFrame({"potassium": ["4.3", ">50.00", "4.1"], "sodium": [140.0, 141.0, 139.0]})
    findings = monitor.detect(new)
    assert findings.top[0] == 1 and "potassium is 50" in findings.explanations[0].sentence
    assert "potassium: 1 value is a limit such as < 0.5, read as the limit itself" in findings.notes
