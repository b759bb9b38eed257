"""Dates in whole numbers, with years of two digits, and as text among real ones."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from outlearn.data.columns.dates import moments_of
from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.readers.text_dates import with_text_dates
from outlearn.data.schema import Kind

DAYS = [dt.datetime(2025, 11, 1) + dt.timedelta(days=i) for i in range(100)]


def read(cells, name="day"):
    """Return the column as inferred, and the moments that its encoder reads."""
    frame = pl.DataFrame({name: pl.Series(cells)})
    schema = infer_schema(frame)
    [encoder] = Encoder.fit(frame, schema).encoders
    form = Encoder.from_state(Encoder.fit(frame, schema).to_state()).encoders[0].form
    assert form == encoder.form
    return schema[name], moments_of(frame[name], form)[0].to_list()


PACKED = [int(f"{day:%Y%m%d}") for day in DAYS]


@pytest.mark.parametrize("cells", [PACKED, list(map(float, PACKED)), list(map(str, PACKED))])
def test_whole_numbers_that_are_all_dates_are_read_as_such(cells):
    column, moments = read(cells, "order_id")
    assert (column.kind, column.note) == (Kind.DATETIME, "whole numbers such as 20251101 read as dates")
    assert moments == DAYS


def test_a_time_of_day_may_stand_behind_them():
    assert read([int(f"{day:%Y%m%d}0730") for day in DAYS])[1][0] == DAYS[0].replace(hour=7, minute=30)
    to_the_second = read([int(f"{day:%Y%m%d}073005") for day in DAYS])[1]
    assert to_the_second[0] == DAYS[0].replace(hour=7, minute=30, second=5)


def test_what_programs_write_for_no_date_is_missing_and_counted():
    column, moments = read([*PACKED, 0, 99991231])
    assert column.note.endswith("read as dates; 2 cells of 0 or 99991231 are none")
    assert moments[-2:] == [None, None]


@pytest.mark.parametrize(
    "cells",
    [
        [*PACKED, 20260230],  # no such day
        [20260105, 20260106] * 20,  # two of many numbers
        [*PACKED, 30251101],
        [value + 0.5 for value in PACKED],
        np.random.default_rng(0).integers(19_000_000, 20_990_000, 300),
    ],
)
def test_other_numbers_stay(cells):
    assert infer_schema(pl.DataFrame({"x": pl.Series(cells)}))["x"].kind is Kind.NUMERIC


@pytest.mark.parametrize(
    ("form", "called"),
    [
        ("%y-%m-%d", "yy-mm-dd"),
        ("%y-%m-%d %H:%M", "yy-mm-dd"),
        ("%d-%m-%y", "day/month/year"),
        ("%m-%d-%y", "month/day/year"),
    ],
)
def test_years_of_two_digits_are_of_our_time_and_told(form, called):
    column, moments = read([f"{day:{form}}" for day in DAYS])
    assert column.note == f"text read as {called}, with years of two digits as 1969 to 2068"
    assert moments == DAYS


def test_of_two_ways_to_read_two_digits_the_one_of_fewer_years_is_taken():
    january = DAYS[61:85]
    assert read([f"{day:%d-%m-%y}" for day in january])[1] == january
    assert read([f"{day:%y-%m-%d}" for day in january])[1] == january


def test_text_among_real_dates_is_read_and_what_fits_not_is_counted():
    cells = [f"{day:%d.%m.%Y}" if i % 9 == 0 else f"{day}" for i, day in enumerate(DAYS)]
    cells[5] = "offen"
    moments, note = with_text_dates(pl.Series("day", cells))
    assert [day for i, day in enumerate(DAYS) if i != 5] == moments.drop_nulls().to_list()
    assert note == (
        "column 'day': 12 of its dates are text, read as day.month.year; 1 cell is no date and is missing "
        "(such as 'offen')"
    )


def test_a_column_with_more_text_than_that_stays_text():
    cells = pl.Series("day", [*map(str, DAYS), *["offen"] * 20])
    left, note = with_text_dates(cells)
    assert left.equals(cells) and "stays text: 20 of its 120 cells are no dates" in note
    words = pl.Series("day", [str(DAYS[0]), "a", "b"])
    assert with_text_dates(words)[0].equals(words)
