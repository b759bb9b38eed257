"""Tables to series: times in any form, order, gaps, uneven steps, counters, several series."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from outlearn.data.series import Series, SeriesReader
from outlearn.errors import InputError, SchemaError

START = datetime(2026, 1, 1)


def stamps(minutes):
    return [START + timedelta(minutes=float(m)) for m in minutes]


def read(frame, **how):
    reader, told = SeriesReader.fit(frame, **how)
    found, notes = reader.read(frame)
    return found, (*told, *notes)


def test_rows_without_a_time_column_are_points_in_their_order():
    (series,), notes = read(pl.DataFrame({"a": [1.0, 2.0, 4.0], "name": ["x", "y", "z"]}))
    assert series.values.tolist() == [[1.0], [2.0], [4.0]]
    assert (series.names, series.times, series.stretches) == (("a",), None, [(0, 3)])
    assert notes == ("set aside, for they hold no numbers: name",)


def test_disorder_is_put_in_order_and_rows_find_their_points():
    frame = pl.DataFrame({"t": stamps([2, 0, 1, 3]), "a": [2.0, 0.0, 1.0, 3.0]})
    (series,), notes = read(frame, time_column="t")
    assert series.values[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert series.rows.tolist() == [0, 1, 2, 3]
    assert series.places.tolist() == [2, 0, 1, 3]
    assert notes == ("1 steps back in time; rows were put in order",)


@pytest.mark.parametrize(
    "spell",
    [
        lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
        lambda t: t.strftime("%d/%m/%Y %H:%M"),
        lambda t: t.replace(tzinfo=UTC).timestamp(),
        lambda t: int(t.replace(tzinfo=UTC).timestamp() * 1000),
        lambda t: t.replace(tzinfo=timezone(timedelta(hours=2))),
    ],
    ids=["iso", "day first", "seconds", "milliseconds", "with a zone"],
)
def test_times_are_read_in_any_form_and_kept_in_utc(spell):
    frame = pl.DataFrame({"t": [spell(t) for t in stamps(range(0, 600, 10))], "a": np.arange(60.0) % 7})
    (series,), _ = read(frame, time_column="t")
    assert len(series) == 60
    assert set(np.diff(series.times)) == {np.timedelta64(600, "s")}
    assert series.times[0] in (np.datetime64("2026-01-01"), np.datetime64("2025-12-31T22:00"))


def test_rows_of_one_moment_are_averaged_and_share_their_point():
    frame = pl.DataFrame({"t": stamps([0, 1, 1, 2]), "a": [0.0, 1.0, 3.0, 4.0]})
    (series,), notes = read(frame, time_column="t")
    assert series.values[:, 0].tolist() == [0.0, 2.0, 4.0]
    assert series.places.tolist() == [0, 1, 1, 2]
    assert "1 rows share a time with another; their values were averaged" in notes


def test_a_short_gap_is_bridged_and_a_long_one_parts_two_stretches():
    minutes = [*range(40), 43, *range(44, 60), *range(100, 140)]
    frame = pl.DataFrame({"t": stamps(minutes), "a": [float(m) % 9 for m in minutes]})
    (series,), notes = read(frame, time_column="t")
    assert series.stretches == [(0, 60), (60, 100)]
    assert series.values[39:44, 0].tolist() == pytest.approx([3.0, 4.0, 5.0, 6.0, 7.0])
    assert "3 points are missing in time; put on a line between those beside" in notes
    assert "1 gaps in time; nothing is compared across them" in notes
    assert series.times[60] == np.datetime64("2026-01-01T01:40")


def test_uneven_steps_are_put_on_a_grid_of_the_usual_step():
    rng = np.random.default_rng(0)
    minutes = np.cumsum(rng.uniform(0.5, 1.5, size=200))
    frame = pl.DataFrame({"t": stamps(minutes), "a": np.sin(minutes / 9)})
    (series,), notes = read(frame, time_column="t")
    assert any("put on a grid" in note for note in notes)
    steps = np.diff(series.times.astype(np.int64))
    assert steps.min() == steps.max()
    elapsed = minutes[0] + (series.times - series.times[0]) / np.timedelta64(60, "s")
    assert np.allclose(series.values[:, 0], np.sin(elapsed / 9), atol=0.01)
    assert len(series.rows) == 200
    assert np.abs(elapsed[series.places] - minutes).max() <= steps[0] / 6e7


def test_missing_infinite_and_unreadable_values_are_bridged_and_counted():
    frame = pl.DataFrame({"a": ["1", "x", "3", "inf", "5", *map(str, [1, 2] * 20), "n/a"]})
    (series,), notes = read(frame)
    assert np.isfinite(series.values).all()
    assert series.values[:5, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert {note.split(" ", 1)[0] for note in notes} == {"1"}
    assert len(notes) == 3


def test_a_counter_is_read_as_what_it_rose_by_across_its_resets():
    rises = np.random.default_rng(0).integers(1, 9, size=300).astype(float)
    counter = np.cumsum(rises)
    counter[200:] -= counter[199]
    (series,), notes = read(pl.DataFrame({"bytes": counter}))
    assert "counters, read as what they rose by: bytes" in notes
    assert series.values[1:, 0].tolist() == rises[1:].tolist()


def test_several_series_are_told_apart_each_with_its_own_length():
    frame = pl.DataFrame(
        {"host": ["b", "a", "b", "b", "a"], "t": stamps([0, 0, 1, 2, 1]), "v": [1.0, 9.0, 2.0, 3.0, 8.0]}
    )
    found, _ = read(frame, time_column="t", series_column="host")
    assert [(each.key, each.values[:, 0].tolist(), each.rows.tolist()) for each in found] == [
        ("a", [9.0, 8.0], [1, 4]),
        ("b", [1.0, 2.0, 3.0], [0, 2, 3]),
    ]


def test_rows_without_a_time_tell_of_no_point():
    frame = pl.DataFrame({"t": [*stamps([0, 1]), None, *stamps([2])], "a": [0.0, 1.0, 5.0, 2.0]})
    (series,), notes = read(frame, time_column="t")
    assert series.rows.tolist() == [0, 1, 3]
    assert "1 rows without a time; they have no score" in notes


def test_what_is_no_series_is_refused_with_what_to_do():
    with pytest.raises(SchemaError, match="no column holds numbers"):
        SeriesReader.fit(pl.DataFrame({"a": ["x", "y"]}))
    with pytest.raises(SchemaError, match="'when'"):
        SeriesReader.fit(pl.DataFrame({"a": [1.0]}), time_column="when")
    with pytest.raises(SchemaError, match="holds no times"):
        SeriesReader.fit(pl.DataFrame({"t": ["x", "y"], "a": [1.0, 2.0]}), time_column="t")
    with pytest.raises(InputError, match="no rows"):
        SeriesReader.fit(pl.DataFrame({"a": []}, schema={"a": pl.Float64}))
    reader, _ = SeriesReader.fit(pl.DataFrame({"a": [1.0], "b": [2.0]}))
    with pytest.raises(SchemaError, match="'b'"):
        reader.read(pl.DataFrame({"a": [1.0]}))


def test_a_reader_comes_back_from_its_state():
    frame = pl.DataFrame({"t": stamps(range(50)), "a": np.arange(50.0), "b": np.arange(50.0) % 3})
    reader, _ = SeriesReader.fit(frame, time_column="t")
    again = SeriesReader.from_state(reader.to_state())
    assert again == reader


def test_an_array_is_a_series_whose_rows_are_its_points():
    series = Series.of_array(np.zeros((4, 2)), ("a", "b"))
    assert (len(series), series.names, series.stretches) == (4, ("a", "b"), [(0, 4)])
