"""Frames are read from logs and tables alike, and what is seen of each depends on those before it alone."""

import importlib.util
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlearn.data.kinds.bus import BUS_FEATURES, bus_view, bus_words, frame_columns, holds_frames
from outlearn.data.kinds.bus.payloads import Remembered
from outlearn.data.kinds.registry import kind_named
from outlearn.data.readers import ReadOptions, open_source
from outlearn.errors import ReadError

_spec = importlib.util.spec_from_file_location("naive_bus", Path(__file__).parents[3] / "naive" / "bus.py")
naive = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(naive)

NAMES = {  # ours: that of the oracle
    "seconds since the last of the id": "gap",
    "gap relative to the usual of the id": "gap relative",
    "frames of the id in a second": "frames of the id in a second",
    "frames in a second": "frames in a second",
    "bytes changed": "bytes changed",
    "bits changed": "bits changed",
    "largest change of a byte": "largest change of a byte",
    "bits changed relative to the usual of the id": "bits relative",
    "beyond the recent range of the id": "beyond",
    "payload came before": "came before",
}


def seen(**columns):
    table = pl.DataFrame(columns)
    return bus_view(open_source(table))[0].read()


def told(frames):
    return seen(
        ts=[float(time) for time, *_ in frames],
        bus=[bus for _, bus, *_ in frames],
        can_id=[name for *_, name, _ in frames],
        data=[None if payload is None else payload.hex() for *_, payload in frames],
    )


moments = st.floats(-1.5, 2.0).map(lambda step: round(step * 64) / 64)  # which floats hold exactly
frames = st.lists(
    st.tuples(
        moments,
        st.sampled_from(["can0", "can1"]),
        st.sampled_from([0x10, 0x7FF, 0x0CF00400]),
        st.none() | st.binary(max_size=3) | st.binary(min_size=12, max_size=12),
    ),
    min_size=1,
    max_size=80,
)


@settings(deadline=None, max_examples=60)
@given(frames, st.integers(1, 40))
def test_what_is_seen_is_what_an_oracle_sees_in_blocks_of_any_size(steps, block):
    time, rows = 100.0, []
    for step, *rest in steps:
        time += step if step < -1.2 or step > 0 else 0.0
        rows.append((time, *rest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("outlearn.data.kinds.bus.view.BLOCK", block)
        found = told(rows)
    for row, wanted in zip(found.iter_rows(named=True), naive.features(rows), strict=True):
        for ours, theirs in NAMES.items():
            assert naive.alike(row[ours], wanted[theirs]), (ours, row[ours], wanted[theirs])


def test_small_steps_back_do_not_turn_the_clock():
    rows = [(t, "can0", 1, b"\0") for t in (0.0, 1.0, 0.5, 1.25, 1.75)]
    found = told(rows)
    assert found["seconds since the last of the id"].to_list() == [None, 1.0, 0.0, 0.25, 0.5]
    assert found["frames in a second"].to_list() == [None, 1.0, 2.0, 3.0, 4.0]


def test_a_row_depends_only_on_those_before_it():
    rows = [(0.1 * i, "can0", 1 + i % 3, bytes([i % 7, i % 5])) for i in range(200)]
    assert told(rows)[:90].equals(told(rows[:90]))


def test_memory_is_bounded_whatever_comes(monkeypatch):
    for name, most in (("IDS", 4), ("FRAMES", 10)):
        monkeypatch.setattr(f"outlearn.data.kinds.bus.features.{name}", most)
    monkeypatch.setattr("outlearn.data.kinds.bus.view.BLOCK", 50)
    kept = []
    from outlearn.data.kinds.bus import features

    original = features._kept
    monkeypatch.setattr(features, "_kept", lambda *given: kept.append(len(rest := original(*given))) or rest)
    told([(0.0, "can0", i, b"\1") for i in range(1000)])
    assert len(kept) == 20 and max(kept) <= 4 * 32 + 10


def test_of_too_many_payloads_the_oldest_are_forgotten():
    memory = Remembered(2)
    assert memory.seen(["a"] * 5, ["1", "2", "1", "3", "2"]).tolist() == [0, 0, 1, 0, 0]
    assert memory.seen(["a", "a"], ["3", "1"]).tolist() == [1, 0]


EIGHT = {f"Data[{i}]": [i, None] for i in range(8)}
FOUR = {f"d{i}": ["05", "2c"] for i in range(4)}
FLAGGED = [-0x80000000 + 0x18FEF100, 0xFFFFFFFF + 1]  # as a signed number with the flag of extended ids
TABLES = [  # columns, ids, payloads
    (
        {"time": [0, 1], "can_id": [790, 0x0CF00400], "data": ["00 FF", "0A.0b"]},
        "0x316 0x0CF00400",
        "00FF 0A0B",
    ),
    ({"id": ["0316", "018f"], "dlc": [2, 1], **FOUR}, "0x316 0x18F", "0505 2C"),
    ({"ID": [1, 2], **EIGHT}, "0x001 0x002", "0001020304050607 "),
    ({"msg_id": [5, 5], "extended": [True, False], "payload": ["zz", ""]}, "0x00000005 0x005", "None "),
    ({"can_id": FLAGGED, "data": ["", "1"]}, "0x18FEF100 None", " None"),
    ({"identifier": ["000007ff", "7ff"], "data": ["0x00 0x01", None]}, "0x000007FF 0x7FF", "0001 None"),
]


@pytest.mark.parametrize(("columns", "ids", "payloads"), TABLES)
def test_tables_are_read_by_their_usual_names(columns, ids, payloads):
    frame = seen(**columns)
    assert (" ".join(map(str, frame["id"])), " ".join(map(str, frame["payload"]))) == (ids, payloads)
    assert kind_named("bus").made(frame.columns) and "label" not in frame.columns


def test_parameter_group_and_source_are_those_of_j1939():
    frame = seen(can_id=[0x0CF00400, 0x18EAFF0B, 0x7FF], data=["00"] * 3)
    assert frame["PGN"].to_list() == ["PGN 61444", "PGN 59904", None]
    assert frame["source address"].to_list() == ["address 0", "address 11", None]


def test_other_columns_stay_and_names_do_not_clash():
    table = pl.DataFrame({"ts": [0.0], "can_id": [1], "data": ["00"], "PGN": [3], "label": [1], "id": [7]})
    view, aside = bus_view(open_source(table), keep=("label",))
    assert view.columns == (
        "time",
        "bus",
        "payload",
        *BUS_FEATURES,
        "PGN (as given)",
        "label",
        "id (as given)",
    )
    assert aside == ("time", "bus", "payload") and view.read()["label"].to_list() == [1]


def test_what_is_seen_of_a_frame_can_be_left_out():
    from outlearn.pipeline.learn import Reading, open_table

    table = pl.DataFrame({"ts": [0.0, 1.0], "id": [1, 2], "data": ["00", "01"]})
    view, reading = open_table(table, Reading(ignore=("id", "byte 0"), options=ReadOptions(kind="bus")))
    assert view.read()["id"].to_list() == ["0x001", "0x002"]
    assert reading.ignore == ("id", "byte 0", "time", "bus", "payload")


def test_what_holds_no_frames_is_refused_in_words():
    assert not holds_frames(["a", "b"]) and frame_columns(["a"]) == ({}, ())
    with pytest.raises(ReadError, match="no frames of a bus; wanted lines as candump"):
        seen(a=[1], b=[2])
    with pytest.raises(ReadError, match="'can_id' holds no id of a frame"):
        seen(can_id=[1.5, -7e40], data=["00", "00"])


def test_a_frame_without_a_time_is_named_by_its_id_alone():
    assert bus_words({"id": "0x123", "time": None}) == "id 0x123"


def log(tmp_path, text):
    path = tmp_path / "bus.log"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_source(path, options=ReadOptions(kind="bus"))


def test_lines_of_candump_are_frames(tmp_path):
    source = log(
        tmp_path,
        "(1436509052.249713) can0 044#2A366C2BBA\n"
        "(1436509052.349713) vcan1 18FEF100#00.ff\n"
        "(1436509052.449713) can0 123##1" + "AB" * 64 + "\n"
        "(1436509052.549713) can0 123#R8 R\n"
        "(1436509052.649713) can0 123#1122334455667788_9 T\n"
        "(1436509052.749713) can0 20000080#0000\n"  # an error of the controller
        "(1436509052.8) can0 123#123\n"
        "(٣) can0 123#12\n",
    )
    frame = source.read()
    assert frame["can_id"].to_list() == ["0x044", "0x18FEF100", "0x123", "0x123", "0x123"]
    assert frame["data"].to_list() == ["2A366C2BBA", "00ff", "AB" * 64, None, "1122334455667788"]
    assert frame["length"].to_list() == [5, 2, 64, 8, 8]
    assert frame["timestamp"][0] == 1436509052.249713 and frame["bus"][1] == "vcan1"
    assert "3 lines hold no frame and are left out" in source.notes and source.rows == 5
    view = bus_view(source)[0].read()
    assert view["id"].to_list() == ["0x044", "0x18FEF100", "0x123", "0x123", "0x123"]
    assert view["byte 1"].to_list() == [0x36, 0xFF, 0xAB, None, 0x22]


def test_a_log_that_turns_out_to_hold_errors_alone_is_refused(tmp_path):
    with pytest.raises(ReadError, match="no line holds a frame"):
        log(tmp_path, "(1.0) can0 20000080#0000\n")


def test_a_table_of_text_keeps_the_digits_of_its_ids(tmp_path):
    from outlearn.pipeline.learn import Reading, open_table

    path = tmp_path / "frames.csv"
    rows = [f"{i / 10},{'0e10' if i % 2 else '0123'},8,{i % 10}000000000000000" for i in range(30)]
    path.write_text("\n".join(["timestamp,id,dlc,data", *rows]))
    view, reading = open_table(path, Reading(options=ReadOptions(kind="bus")))
    frame = view.read()
    assert set(frame["id"]) == {"0x123", "0x00000E10"} and frame["payload"][3] == "3000000000000000"
    assert reading.ignore == ("time", "bus", "payload")
    assert any("id is id (hexadecimal)" in note for note in view.notes)


pieces = st.sampled_from(
    [
        "(1.5)",
        "(9",
        "can0",
        " ",
        "123#",
        "123##1",
        "#R",
        "FFFFFFFF",
        "1FFFFFFF#",
        "AB",
        "_9",
        " R",
        "\x00",
        "é",
    ]
)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.lists(pieces, max_size=8).map("".join) | st.text(max_size=30), max_size=12),
    st.binary(max_size=40),
)
def test_no_text_breaks_the_reader(tmp_path_factory, lines, tail):
    good = "(1.0) can0 123#00\n" * 20
    source = log(tmp_path_factory.mktemp("fuzz"), (good + "\n".join(lines)).encode("utf-8", "replace") + tail)
    view, _ = bus_view(source)
    frame = view.read()
    assert 20 <= frame.height == view.rows
    assert frame["id"].null_count() == 0 and frame["length"].max() <= 64
