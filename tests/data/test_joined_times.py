"""A date and a time of day in columns of their own are one time."""

import datetime as dt

import polars as pl
import pytest

from outlearn.data.columns.dates import form_of, moments_of
from outlearn.data.joined_times import JoinedTime, joined_times, with_times
from outlearn.data.readers import open_source

DAYS = ["2024-01-31", "2024-02-01"]


@pytest.mark.parametrize(
    ("columns", "parts", "texts"),
    [
        (
            {"Date": ["10/03/2004", None], "Time": ["18.00.00", None]},
            "Date Time",
            ["10/03/2004 18:00:00", None],
        ),
        (
            {"v": [1, 2], "date": DAYS, "hour": [0, 24]},
            "date hour",
            [f"{DAYS[0]} 00:00:00", f"{DAYS[1]} 24:00:00"],
        ),
        (
            {"time": ["1:30 PM", "12:05 a.m."], "date": DAYS},
            "date time",
            [f"{DAYS[0]} 13:30:00", f"{DAYS[1]} 00:05:00"],
        ),
        ({"year": [2024], "month": [2], "day": [9], "max": [1]}, "year month day", ["2024-02-09"]),
        (
            {"year": [2024], "month": [2], "day": [9], "hour": [7], "minute": [5], "second": [1]},
            "year month day hour minute second",
            ["2024-02-09 07:05:01"],
        ),
        ({"<DATE>": [20240131], "<TIME>": [93005]}, "<DATE> <TIME>", ["2024-01-31 09:30:05"]),
        ({"YR": [2024], "MO": [1], "DA": [2], "HRMN": [30]}, "YR MO DA HRMN", ["2024-01-02 00:30:00"]),
        (
            {"Date": [dt.date(2024, 1, 31)], "Time": [dt.timedelta(hours=3, seconds=0.5)]},
            "Date Time",
            ["2024-01-31 03:00:00.500"],
        ),
        ({"Date": ["31.01.2024 00:00"], "Uhrzeit": ["7:05"]}, "Date Uhrzeit", ["31.01.2024 07:05:00"]),
        ({"sale_date": DAYS, "time": ["10:00", "late"] * 1}, None, None),  # half of the times are none
        (
            {"sale_date": DAYS, "time": ["10:00", "11:00"]},
            "sale_date time",
            [f"{DAYS[0]} 10:00:00", f"{DAYS[1]} 11:00:00"],
        ),
        (
            {"Date": [f"{day} 10:00" for day in DAYS], "Time": ["10:00", "11:00"]},
            None,
            None,
        ),  # a time already
        ({"Date": DAYS, "Time": [12, 35]}, None, None),  # minutes that something took
        ({"year": [0, 1], "month": [1, 2], "day": [1, 2]}, None, None),
        ({"order_date": DAYS, "delivery_time": ["10:00", "11:00"]}, None, None),
        ({"day": [1, 2], "time": ["10:00", "11:00"]}, None, None),
    ],
)
def test_which_columns_are_one_time(columns, parts, texts):
    frame = pl.DataFrame(columns)
    times = joined_times(frame)
    assert [time.name for time in times] == ([] if parts is None else [parts])
    assert [time.of(frame).to_list() for time in times] == ([] if texts is None else [texts])


def test_several_times_and_columns_apart():
    frame = pl.DataFrame(
        {"Start Date": DAYS, "StartTime": ["1:00"] * 2, "End Date": DAYS, "End Time": ["2:00"] * 2}
    )
    assert [time.name for time in joined_times(frame)] == ["Start Date StartTime", "End Date End Time"]
    assert [time.name for time in joined_times(frame, ["End Time"])] == ["Start Date StartTime"]


def test_a_cell_that_is_no_time_of_day_stays_as_it_is():
    frame = pl.DataFrame({"Date": ["2024-01-31"], "Time": ["noon"]})
    assert JoinedTime(("Date",), ("Time",)).of(frame).to_list() == ["2024-01-31 noon"]


def test_a_source_gets_the_column_in_every_piece():
    frame = pl.DataFrame({"Date": DAYS * 3, "Time": ["10:00", "11:00"] * 3, "v": range(6)})
    source = open_source(frame)
    joined = with_times(source, joined_times(frame))
    assert joined.columns == ("Date", "Time", "v", "Date Time")
    assert pl.concat(joined.chunks(1)).equals(joined.read())
    assert "'Date', 'Time' are one time, read as 'Date Time'" in joined.notes[-1]


@pytest.mark.parametrize("end", ["24:00", "24:00:00"])
def test_the_end_of_a_day_is_the_start_of_the_next(end):
    text = pl.Series([f"29/02/2024 {end}", "29/02/2024 23:00", None])
    moments, unread = moments_of(text, form_of(text) or "")
    assert (moments[0], unread) == (dt.datetime(2024, 3, 1), 0)
