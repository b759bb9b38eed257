"""Dates and times of day in columns of their own, through the pipeline."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from outlearn.data.schema import Kind, Role
from outlearn.decisions.rule import Rule
from outlearn.pipeline import engine
from outlearn.pipeline.hunt import hunt
from outlearn.pipeline.learn import Reading, open_table
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.request import DetectRequest, FitRequest
from outlearn.pipeline.schema import read_schema, schema_toml

NIGHT = 77  # a sale at three at night; all others are made by day


@pytest.fixture(scope="module")
def sales():
    rng = np.random.default_rng(0)
    hours = 9 + np.arange(150) % 9
    hours[NIGHT] = 3
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=i // 9) for i in range(150)]
    return pl.DataFrame(
        {
            "Date": [f"{day:%d/%m/%Y}" for day in days],
            "Time": [
                f"{hour:02d}.{minute:02d}.00"
                for hour, minute in zip(hours, rng.integers(0, 60, 150), strict=True)
            ],
            "amount": rng.normal(20, 2, 150),
        }
    )


def test_they_are_one_feature(sales, tmp_path):
    path, out = tmp_path / "sales.csv", tmp_path / "scored.csv"
    sales.write_csv(path, separator=";")
    monitor = Monitor.fit(path, detector="knn")
    findings = monitor.detect(path, top=1, out=out)
    assert findings.top[0] == NIGHT
    assert "Date Time is 2024-01-09 03:" in findings.explanations[0].sentence
    assert [column.name for column in findings.schema.used] == ["amount", "Date Time"]
    again = monitor.detect(out, top=1)  # where the column stands already
    np.testing.assert_array_equal(again.scores, findings.scores)
    assert pl.read_csv(out).columns[:4] == [*sales.columns, "Date Time"]


@pytest.mark.parametrize("named", ["Date", "Time", "Date Time"])
def test_each_names_the_time_column(sales, named):
    findings = engine.detect(
        DetectRequest.of(sales, detector="knn", time_column=named, rule=Rule.budget("1/day"), top=1)
    )
    assert findings.schema["Date Time"].role is Role.TIME
    assert findings.decision.flagged.sum() == 17


def test_a_role_or_leaving_one_out_keeps_them_apart(sales, tmp_path):
    overrides = tmp_path / "columns.toml"
    overrides.write_text('[columns.Date]\nrole = "feature"\n')
    for reading in (Reading(schema=overrides), Reading(ignore=("Time",)), Reading(label_column="Date")):
        assert open_table(sales, reading)[0].columns == tuple(sales.columns)
    schema, _ = read_schema(sales)
    assert (schema["Date Time"].kind, schema["Date"].role) == (Kind.DATETIME, Role.IGNORED)
    overrides.write_text(schema_toml(schema))
    assert "Date Time" in open_table(sales, Reading(schema=overrides))[0].columns


def test_cases_of_a_hunt_are_read_alike(sales, few_trees):
    assert hunt(sales, sales[[NIGHT]], learner="profiles", top=1).top[0] == NIGHT


def test_series_are_timed_by_them(tmp_path):
    hours = np.arange(400)
    values = np.sin(hours / 4)
    values[300:306] = 3
    days = [f"{dt.date(2024, 1, 1) + dt.timedelta(days=int(hour) // 24):%Y-%m-%d}" for hour in hours]
    frame = pl.DataFrame({"date": days, "hour": hours % 24, "load": values})
    findings = engine.detect(DetectRequest.of(frame, time_column="date", reference_until="2024-01-11"))
    assert findings.segments[0].peak in range(300, 306)
    assert str(findings.segments[0].since) < "2024-01-13T12:00" < str(findings.segments[0].until)
    model = tmp_path / "model"
    engine.fit(FitRequest.of(frame, time_column="date", series_column=None)).save(model)
    scored = engine.score(model, frame, engine.Outputs(top=1))
    assert scored.points == 400
