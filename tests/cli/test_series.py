"""`outlearn detect` on series, as typed."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("series")
    rng = np.random.default_rng(0)
    n = 1500
    values = np.sin(np.arange(n)[:, None] / 7 + np.arange(2)) + 0.05 * rng.normal(size=(n, 2))
    values[1100:1150, 1] = 0.0
    times = [datetime(2026, 1, 1) + timedelta(minutes=10 * i) for i in range(n)]
    frame = pl.DataFrame({"when": times, "flow": values[:, 0], "heat": values[:, 1]})
    frame.write_csv(path / "plant.csv")
    hosts = [frame.with_columns(host=pl.lit(name)) for name in ("a", "b")]
    pl.concat([hosts[0], hosts[1].with_columns(heat=pl.col("flow"))]).write_parquet(path / "hosts.parquet")
    paid = frame.with_columns(shop=pl.lit("x"), when=pl.Series(times).shuffle(seed=0))
    paid.write_csv(path / "payments.csv")
    return path


def run(*words, code=0):
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == code, result.output
    return result.output


def test_a_table_of_numbers_at_even_times_is_a_series(folder):
    out, report = folder / "scored.parquet", folder / "plant.html"
    told = run("detect", folder / "plant.csv", "--time-column", "when", "--out", out, "--report", report)
    assert "of 1,500 points flagged" in told
    assert "1. 2026-01-08" in told and "'heat' over" in told
    scored = pl.read_parquet(out)
    assert scored.height == 1500
    assert 1060 <= scored["anomaly_score"].arg_max() <= 1190
    assert report.read_text().startswith("<!")


def test_a_past_that_is_normal_keeps_a_rate_of_false_alarms(folder):
    told = run(
        "detect", folder / "plant.csv", "--time-column", "when", "--reference-until", "2026-01-07",
        "--false-alarms", "3/day",
    )  # fmt: skip
    assert "compared with its rows before 2026-01-07 (864 rows)" in told
    assert "Promise: 3 a day" in told
    assert "1. 2026-01-07" in told  # windows that reach into the flat stretch begin the evening before


def test_labels_are_learnt_from_beside_a_reference_too(folder):
    frame = pl.read_csv(folder / "plant.csv", try_parse_dates=True)
    said = ["anomaly" if 1100 <= row < 1125 else "" for row in range(frame.height)]
    frame.with_columns(verdict=pl.Series(said)).write_csv(folder / "told.csv")
    frame[:900].write_csv(folder / "past.csv")
    words = ("--time-column", "when", "--reference", folder / "past.csv", "--label-column", "verdict")
    told = run("detect", folder / "told.csv", *words, "--out", folder / "told.parquet")
    assert "compared with" in told and "past.csv (900 rows)" in told
    scores = pl.read_parquet(folder / "told.parquet")["anomaly_score"]
    assert 1090 <= scores.arg_max() <= 1160
    neither = run("detect", folder / "plant.csv", *words, code=2)
    assert "'verdict'" in neither


def test_several_series_are_told_apart(folder):
    told = run("detect", folder / "hosts.parquet", "--time-column", "when", "--series-column", "host")
    assert "in 2 series" in told and "1. a: 2026-01-08" in told


def test_dated_rows_that_come_when_they_please_stay_a_table(folder):
    told = run("detect", folder / "payments.csv", "--time-column", "when", "--top", "1")
    assert "of 1,500 rows flagged" in told
    told = run("detect", folder / "plant.csv", "--time-column", "when", "--kind", "table", "--top", "1")
    assert "of 1,500 rows flagged" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--kind", "picture"), "wanted one of series, flows"),
        (("--kind", "table", "--false-alarms", "1/day"), "only series have that"),
        (("--kind", "series", "--budget", "5"), "only tables have that"),
        (("--time-column", "when", "--reference-until", "1999-01-01"), "no row lies before"),
        (("--time-column", "when", "--reference-until", "soon"), "wanted a date"),
        (("--reference-until", "2026-01-07"), "needs a time column"),
        (("--time-column", "when", "--series-column", "host"), "'host'"),
        (("--time-column", "when", "--false-alarms", "1/day"), "needs a time column and a past"),
    ],
)
def test_what_contradicts_itself_is_refused(folder, words, told):
    assert told in " ".join(run("detect", folder / "plant.csv", *words, code=2).split())


def test_a_model_is_fitted_once_and_scores_what_comes_later(folder):
    frame = pl.read_csv(folder / "plant.csv")
    frame[:900].write_csv(folder / "past.csv")
    frame[900:].write_csv(folder / "later.csv")
    model, out = folder / "plant.outlearn", folder / "later.parquet"
    told = run("fit", folder / "past.csv", "--time-column", "when", "--known-normal", "--out", model)
    assert "learnt from 1 series of 900 points" in told
    told = run("score", model, folder / "later.csv", "--out", out, "--report", folder / "later.html")
    assert "of 600 points flagged" in told
    assert "'heat' over" in told
    assert "compared with what plant.outlearn learnt from (900 rows)" in told.lower()
    scored = pl.read_parquet(out)
    assert scored.height == 600
    worst = int(scored["anomaly_score"].arg_max())
    assert 180 <= worst <= 270
    why = run("explain", model, folder / "later.csv", "--row", worst)
    assert f"Row {worst} lies in rows" in why and "'heat' over" in why
    rates = ("--false-alarms", "1/hour")
    promised = run(
        "fit", folder / "past.csv", "--time-column", "when", "--known-normal", *rates, "--out", model
    )
    assert "1 an hour false alarms" in promised


def test_a_model_of_series_refuses_what_only_rows_have(folder):
    model = folder / "rows.outlearn"
    run("fit", folder / "plant.csv", "--time-column", "when", "--out", model)
    assert "model of series" in run("score", model, folder / "plant.csv", "--budget", 5, code=2)
    assert "no flagged range" in run("explain", model, folder / "plant.csv", "--row", 1, code=2)
    run("fit", folder / "plant.csv", "--time-column", "when", "--kind", "table", "--out", model)
    assert "rows" in run("score", model, folder / "plant.csv")


def test_a_column_of_answers_is_no_channel_and_columns_to_leave_out_must_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = np.sin(np.arange(300) / 5)
    values[200:210] += 4
    when = [f"2026-01-01 {i // 60:02d}:{i % 60:02d}" for i in range(300)]
    odd = [int(200 <= i < 210) for i in range(300)]
    pl.DataFrame({"when": when, "heat": values, "is_anomaly": odd}).write_csv("s.csv")
    result = CliRunner().invoke(app, ["detect", "s.csv", "--time-column", "when"])
    told = " ".join(result.stdout.split())
    assert result.exit_code == 0 and "'is_anomaly' looks like the answer" in told and "heat" in told
    result = CliRunner().invoke(app, ["detect", "s.csv", "--time-column", "when", "--ignore", "is_anomoly"])
    assert result.exit_code == 2 and "did you mean is_anomaly" in result.stderr
