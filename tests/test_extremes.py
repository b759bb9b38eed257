"""Numbers at the ends of float64 pass through every stage without an overflow, and are judged as numbers."""

import warnings

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.data.infer import infer_schema
from outlearn.data.schema import Kind
from outlearn.explain.lists import oddity_of_list
from outlearn.ranges import quantiles

END, ROWS = 1.7e308, 40
RNG = np.random.default_rng(0)
PLAIN = RNG.normal(size=ROWS)
ENDS = np.where(np.arange(ROWS) % 9 == 0, END, np.where(np.arange(ROWS) % 9 == 4, -END, PLAIN))
VECTORS = RNG.normal(size=(ROWS, 8))
VECTORS[::7], VECTORS[3::7, 1] = END, -END
TABLES = {
    "numbers": {"a": ENDS, "b": PLAIN},
    "all": {"a": np.where(PLAIN > 0, END, -END), "b": END * np.tanh(PLAIN)},
    "one": {"a": np.r_[np.full(ROWS - 1, END), -END], "b": PLAIN},
    "vectors": {"v": VECTORS.tolist(), "b": PLAIN},
    "curves": {"v": [row[: 3 + i % 5] for i, row in enumerate(VECTORS.tolist())], "b": PLAIN},
    "holes": {"v": [[None, float(x), END] for x in PLAIN], "b": PLAIN},
}


def run(*words):
    """Run a command in which every warning is an error; return what it prints."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0, result.output + result.stderr
    return result.stdout


@pytest.fixture
def table(request, tmp_path):
    path = tmp_path / "t.parquet"
    labels = [int(row in (0, 1, 20, 31)) for row in range(ROWS)]
    pl.DataFrame({**TABLES[request.param], "label": labels}, strict=False).write_parquet(path)
    return path


@pytest.mark.parametrize("table", TABLES, indirect=True)
def test_every_stage_takes_numbers_at_the_ends_of_float64(table, tmp_path):
    model, plain = tmp_path / "m", ("--ignore", "label", "--detector", "knn")
    assert "numeric" in run("schema", table)
    run("detect", table, *plain, "--report", tmp_path / "r.html")
    run("fit", table, *plain, "--out", model)
    assert "Row 1" in run("explain", model, table, "--row", 1)


@pytest.mark.long
@pytest.mark.parametrize("table", ["one"], indirect=True)
def test_learning_from_labels_takes_them(table):
    assert "flagged" in run("detect", table, "--label-column", "label")


@pytest.mark.parametrize("table", ["all"], indirect=True)
def test_series_take_them(table):
    assert "Read:" in run("detect", table, "--kind", "series", "--ignore", "label")


@pytest.mark.long
@pytest.mark.parametrize("table", ["numbers"], indirect=True)
def test_tuning_takes_them(table):
    assert "gain" in run("tune", table, "--label-column", "label")


def test_quantiles_of_ordinary_numbers_are_those_of_numpy_and_of_huge_ones_are_right():
    at = (0.05, 0.3, 0.5, 0.95)
    assert quantiles(PLAIN, at).tolist() == np.quantile(PLAIN, at).tolist()
    assert quantiles(END * np.linspace(-1, 1, 21), at) == pytest.approx(END * (2 * np.array(at) - 1))


def test_lists_of_huge_numbers_are_judged_as_those_of_small_ones():
    smooth = np.sin(np.arange(20) / 3 + PLAIN[:, None])
    for size in (1.0, 1e100):
        assert infer_schema(pl.DataFrame({"v": (size * smooth).tolist()}))["v"].kind is Kind.SERIES
    words, direction = oddity_of_list([END, END], [[-END, 0.0], [-END, 1.0]])
    assert direction == "unusual here" and "nan" not in words and "inf" not in words
