"""A row is the same row in whatever file, format and order of columns it stands."""

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

from outlearn.feedback.identity import row_identities

FRAME = pl.DataFrame(
    {
        "n": [1, 2, None],
        "x": [0.1, 1e-7, 3.0],
        "word": ["a", "", "b c"],
        "when": [datetime(2026, 1, 1, 12, 0, 0, 250_000), datetime(2026, 1, 2), None],
        "yes": [True, False, None],
        "curve": [[1.0, 2.5], [3.0], None],
    }
)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ndjson"])
def test_a_row_written_and_read_again_in_another_order_of_columns_is_the_same(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    turned = FRAME.select(reversed(FRAME.columns)).reverse()
    if suffix == "csv":
        lists = pl.format("[{}]", pl.col("curve").list.eval(pl.element().cast(pl.String)).list.join(", "))
        turned.with_columns(lists.alias("curve")).write_csv(path)
    else:
        getattr(turned, f"write_{suffix}")(path)
    again = {"csv": pl.read_csv, "parquet": pl.read_parquet, "ndjson": pl.read_ndjson}[suffix](path)
    assert row_identities(again, FRAME.columns) == row_identities(FRAME, FRAME.columns)[::-1]


def test_identities_stay_as_they_are_for_the_files_that_hold_them():
    assert row_identities(FRAME[:1], FRAME.columns) == ["57f46da10ec7afaecf2f741cdf16cb03"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["x"], "b": ["yz"]}, {"a": ["xy"], "b": ["z"]}),
        ({"a": [1], "b": [None]}, {"a": [None], "b": [1]}),
        ({"a": [0.1]}, {"a": [0.1 + 1e-16 * 2]}),
        ({"a": ["x"]}, {"a": ["X"]}),
        ({"a": [2**53]}, {"a": [2**53 + 1]}),
    ],
)
def test_rows_that_differ_are_told_apart(one, other):
    one, other = pl.DataFrame(one, strict=False), pl.DataFrame(other, strict=False)
    assert row_identities(one, one.columns) != row_identities(other, other.columns)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (3, 3.0),
        (None, float("nan")),
        (" a ", "a"),
        ("", None),
        (True, "true"),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000+0000"),
        (datetime(2026, 1, 1, 1, 2, 3), "2026-01-01 01:02:03.000"),
        ([1, None], "[1.0, null]"),
        (b"\x01", "01"),
    ],
)
def test_cells_that_mean_the_same_are_alike(one, other):
    one, other = (pl.DataFrame({"a": pl.Series([cell], strict=False)}) for cell in (one, other))
    assert row_identities(one, ["a"]) == row_identities(other, ["a"])


def test_single_precision_reads_as_it_is_written():
    narrow = pl.DataFrame({"a": pl.Series([0.1, 3.3e-8], dtype=pl.Float32)})
    wide = pl.DataFrame({"a": [0.1, 3.3e-8]})
    assert row_identities(narrow, ["a"]) == row_identities(wide, ["a"])


def test_hostile_cells_have_an_identity():
    cells = ["[" * 5000 + "]", "[1", '{"a": 1}', "2026-99-99 00:00:00", "\ufffd"]
    assert len(set(row_identities(pl.DataFrame({"a": cells}), ["a"]))) == len(cells)
    assert len(row_identities(pl.DataFrame({"a": cells}), [])) == len(cells)
