"""Each kind in the table is whole: it loads, its view is a view again, and its facts are those of alerts."""

import polars as pl
import pytest

from outlearn.data.kinds.kind import FACTS
from outlearn.data.kinds.names import KINDS, SESSIONS, TABLE
from outlearn.data.kinds.registry import kind_for, kind_named, kind_seen
from outlearn.data.readers import ReadOptions, Source, open_source
from outlearn.errors import ParameterError, ReadError

SESSION = ReadOptions(session=r"job_\d+")
FLOWS = {
    "src_ip": ["10.0.0.1"] * 2,
    "dst_ip": ["10.0.0.2"] * 2,
    "proto": ["tcp", "udp"],
    "ts": [1.7e9, 1.7e9],
}
LINES = {"line": ["00:01 INFO start job_1", "00:02 INFO stop job_1", "00:03 INFO start job_2"]}
FRAMES = {"time": [0.0, 0.1], "can_id": ["0x123", "0x123"], "payload": ["00FF", "01FF"]}
GIVEN = {
    "flows": (FLOWS, ReadOptions(kind="flows")),
    "logs": (LINES, ReadOptions(kind="logs")),
    "sessions": (LINES, SESSION),
    "bus": (FRAMES, ReadOptions(kind="bus")),
}


def test_kinds_are_called_what_the_table_calls_them_and_sessions_come_of_a_pattern():
    assert [kind_named(name).name for name in (*KINDS, SESSIONS)] == [*KINDS, SESSIONS]
    assert TABLE in KINDS and SESSIONS not in KINDS
    with pytest.raises(ParameterError, match="no kind of rows is called 'frames'"):
        kind_named("frames")
    with pytest.raises(ParameterError, match="wanted one of flows, logs, bus, executables, table"):
        ReadOptions(kind=SESSIONS)


@pytest.mark.parametrize("name", GIVEN)
def test_a_view_tells_its_kind_and_is_seen_as_it_is(name):
    cells, options = GIVEN[name]
    source = open_source(pl.DataFrame(cells))
    kind = kind_for(source, options)
    view, aside = kind.view_of(source, (), options)
    frame = view.read()
    assert (kind.name, view.kind) == (name, name) and kind.made(frame.columns)
    assert kind_seen(frame.columns) is kind_named(name)
    again, same = kind.view_of(view, (), options)
    assert again.read().equals(frame) and set(same) == set(aside)
    bare = Source("a", view.columns, frame.iter_slices)  # which says nothing of its kind
    assert kind_for(bare, ReadOptions()).name == name
    assert kind_for(bare, ReadOptions(kind="table")).view_of(bare, (), ReadOptions())[0].kind == TABLE


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_told_of_rows_is_what_alerts_know(name):
    cells, options = GIVEN[name]
    kind = kind_for(open_source(pl.DataFrame(cells)), options)
    frame = kind.view_of(open_source(pl.DataFrame(cells)), (), options)[0].read()
    known = kind.facts(frame, "s")
    assert set(known.facts) <= set(FACTS)
    assert known.entities is not None and len(known.entities) == frame.height
    assert known.times is not None and len(known.times) == frame.height
    assert kind.named(frame.row(0, named=True)).endswith(": ")


@pytest.mark.parametrize("name", [name for name in KINDS if name != TABLE])
def test_a_table_is_refused_by_a_kind_that_it_does_not_hold(name):
    kind, options = kind_named(name), ReadOptions(kind=name)
    with pytest.raises(ReadError, match="wanted"):
        kind.view_of(open_source(pl.DataFrame({"a": [1, 2]})), (), options)


def test_types_that_a_file_lost_come_back():
    kind, options = kind_named("flows"), ReadOptions(kind="flows")
    frame = kind.view_of(open_source(pl.DataFrame(FLOWS)), (), options)[0].read()
    lost = frame.with_columns(pl.lit(None).alias("received bytes"), pl.lit(6).alias("protocol"))
    assert lost["received bytes"].dtype == pl.Null
    mended = kind.view_of(Source("a", tuple(lost.columns), lost.iter_slices), (), options)[0].read()
    assert mended.schema == frame.schema and mended["protocol"].to_list() == ["6", "6"]


@pytest.mark.parametrize("options", [ReadOptions(), ReadOptions(kind="executables")])
def test_executables_that_were_written_are_called_by_their_file(tmp_path, options):
    kind = kind_named("executables")
    frame = pl.DataFrame({name: ["a"] if dtype == pl.String else [1.0] for name, dtype in kind.seen.items()})
    frame.write_csv(tmp_path / "scored.csv")
    source = open_source(tmp_path / "scored.csv", options=options)
    assert kind_for(source, options) is kind
    view, aside = kind.view_of(source, (), options)
    assert aside == ("file",) and kind.named(view.read().row(0, named=True)) == "a: "
