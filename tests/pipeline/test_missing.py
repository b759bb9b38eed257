"""Codes for missing, from a table of measurements to its findings, by a model that is kept."""

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.errors import ParameterError
from outlearn.pipeline import Monitor, detect
from outlearn.pipeline.request import FitRequest
from outlearn.pipeline.series_monitor import SeriesMonitor

N, ODD = 300, 7


@pytest.fixture(scope="module")
def air(tmp_path_factory):
    """Return a table of a station in which -200 stands for what was not measured, and one hour is hot."""
    rng = np.random.default_rng(0)
    columns = {"co": rng.gamma(2, 1, N), "no2": rng.normal(110, 45, N).clip(5), "heat": rng.normal(18, 8, N)}
    columns["co"][[3, 50, 99, 200, 201]] = -200
    columns["no2"][[3, 50, 120]] = -200
    columns["heat"][ODD] = 95.0
    path = tmp_path_factory.mktemp("air") / "air.csv"
    pl.DataFrame({name: values.round(2) for name, values in columns.items()}).write_csv(path)
    return path


def test_codes_are_judged_as_numbers_but_told_first_with_what_to_do(air):
    findings = detect(air, detector="knn", top=3)
    assert findings.schema["co"].missing == ()
    [caution] = findings.cautions
    assert caution.startswith("-200 comes 5 times in 'co', 3 times in 'no2'")
    assert "--missing-value=-200" in caution


def test_a_code_that_the_user_names_is_missing_and_the_odd_row_comes_first(air, tmp_path):
    findings = detect(air, detector="knn", top=1, missing_values=["-200"])
    assert findings.top.tolist() == [ODD] and not findings.cautions
    assert "column 'co': 5 cells are -200, which stands for missing" in findings.notes
    monitor = Monitor.fit(air, detector="knn", missing_values=["-200"])
    monitor.save(tmp_path / "m")
    again = Monitor.load(tmp_path / "m").detect(air)
    np.testing.assert_allclose(again.scores, findings.scores)
    assert not any("-200" in why.sentence for why in again.explanations)


def test_a_schema_file_says_so_for_a_column_or_for_all(air, tmp_path):
    whole, one = tmp_path / "whole.toml", tmp_path / "one.toml"
    whole.write_text("missing = [-200]\n")
    one.write_text("[columns.no2]\nmissing = [-200]\n")
    assert detect(air, detector="knn", top=1, schema=whole).top.tolist() == [ODD]
    schema = detect(air, detector="knn", top=1, schema=one).schema
    assert (schema["no2"].missing, schema["co"].missing) == (("-200",), ())


def test_a_code_that_comes_nowhere_is_told(air):
    cautions = detect(air, detector="knn", top=1, missing_values=["-20"]).cautions
    assert "no cell of the rows read is -20, which was said to stand for missing" in cautions


def test_the_commands_take_codes(air, tmp_path):
    run = CliRunner().invoke
    done = run(
        app, ["fit", str(air), "--out", str(tmp_path / "m"), "--detector", "knn", "--missing-value", "-200"]
    )
    assert done.exit_code == 0, done.output
    assert Monitor.load(tmp_path / "m").detector.schema_["co"].missing == ("-200",)
    done = run(app, ["schema", str(air), "--missing-value=-200", "--out", str(tmp_path / "s.toml")])
    assert done.exit_code == 0 and 'missing = ["-200"]' in (tmp_path / "s.toml").read_text()


def test_a_model_of_series_would_not_keep_them(air):
    with pytest.raises(ParameterError, match="would not keep them"):
        SeriesMonitor.of(FitRequest.of(str(air), kind="series", missing_values=["-200"]))
