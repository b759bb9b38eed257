"""Flows under one set of names, what is seen of them, and a view that names nothing to the detector."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from outlearn.data.kinds.flows import FEATURES, flow_view, flow_words, holds_flows
from outlearn.data.kinds.flows.features import HOSTS, flow_features
from outlearn.data.kinds.flows.forms import named
from outlearn.data.kinds.registry import kind_named
from outlearn.data.readers import open_source
from outlearn.errors import ReadError


def log(rows=400, seed=0, hours=3):
    """Return flows of a few hosts, in order of time, under the names of Zeek."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "ts": np.sort(rng.uniform(1.7e9, 1.7e9 + 3600 * hours, rows)),
            "uid": [f"C{i}" for i in range(rows)],
            "id.orig_h": [f"10.0.0.{i}" for i in rng.integers(1, 5, rows)],
            "id.orig_p": rng.integers(1024, 65535, rows),
            "id.resp_h": [f"192.0.2.{i}" for i in rng.integers(1, 4, rows)],
            "id.resp_p": rng.choice([53, 443, 30000, 60000], rows),
            "proto": rng.choice(["tcp", "udp"], rows),
            "duration": rng.exponential(2.0, rows),
            "orig_bytes": rng.integers(0, 900, rows),
            "resp_bytes": rng.integers(0, 900, rows),
            "conn_state": rng.choice(["SF", "S0", "REJ"], rows),
            "note": rng.choice(["a", "b"], rows),
        }
    )


def viewed(frame):
    view, aside = flow_view(open_source(frame))
    return view.read(), aside, view


def test_what_hosts_do_is_as_one_by_one():
    flows = named(log(300))
    told = flow_features(flows)
    rows = flows.to_dicts()
    for i in (0, 7, 150, 299):
        me = rows[i]
        minute, hour = me["time"] // 60, me["time"] // 3600
        mine = [r for r in rows if r["source"] == me["source"] and r["time"] // 60 == minute]
        at = [r for r in rows if r["target"] == me["target"] and r["time"] // 60 == minute]
        keys = ("source", "target", "target port")
        pair = [r for r in rows if all(r[k] == me[k] for k in keys) and r["time"] // 3600 == hour]
        gaps = np.diff([r["time"] for r in pair])
        wanted = {
            "flows of the source in a minute": len(mine),
            "targets of the source in a minute": len({r["target"] for r in mine}),
            "ports of the source in a minute": len({r["target port"] for r in mine}),
            "failed share of the source in a minute": np.mean([r["state"] != "SF" for r in mine]),
            "flows to the target in a minute": len(at),
            "sources of the target in a minute": len({r["source"] for r in at}),
            "ports of the target in a minute": len({r["target port"] for r in at}),
            "flows of the pair in an hour": len(pair),
        }
        for name, value in wanted.items():
            assert told[name][i] == pytest.approx(value), name
        if len(pair) > 3:
            uneven = min(np.std(gaps, ddof=1) / (np.mean(gaps) + 1e-6), 5.0)
            assert told["unevenness of gaps of the pair"][i] == pytest.approx(uneven)
        else:
            assert told["unevenness of gaps of the pair"][i] is None


def test_a_port_is_a_name_and_never_a_number():
    told = flow_features(named(log()))
    assert set(told["target port"].unique()) == {"port 53", "port 443", "registered", "dynamic"}
    assert told["direction"].unique().to_list() == ["outward"]


def test_a_view_keeps_the_rows_and_sets_apart_what_names_them():
    frame = log()
    told, aside, view = viewed(frame)
    assert aside == ("ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "uid")
    assert told.columns == list(view.columns)
    assert kind_named("flows").made(told.columns) and told["note"].to_list() == frame["note"].to_list()
    assert told["ts"].to_list() == frame["ts"].to_list()
    assert "time is ts" in view.notes[-1]


def test_pieces_of_a_log_make_no_difference(monkeypatch):
    frame = log(900, hours=5)
    whole, _, _ = viewed(frame)
    monkeypatch.setattr("outlearn.data.kinds.flows.view.BLOCK", 37)
    pieces, _, _ = viewed(frame)
    assert pieces.equals(whole)


def test_the_order_of_rows_makes_no_difference_within_a_window():
    frame = log(300, hours=1).with_columns(ts=1.7e9 + pl.int_range(300) * 7.0)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=0)
    one, other = (viewed(each)[0].sort("uid").select(FEATURES) for each in (frame, shuffled))
    assert_frame_equal(one, other)


def test_an_hour_with_too_many_flows_is_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr("outlearn.data.kinds.flows.view.BLOCK", 50)
    monkeypatch.setattr("outlearn.data.kinds.flows.view.MOST", 100)
    told, _, _ = viewed(log(400, hours=1))
    assert told.height == 400
    assert told["flows of the pair in an hour"].max() < 100


def test_flows_without_a_time_make_one_window():
    told, _, _ = viewed(log().drop("ts"))
    assert told["flows of the pair in an hour"].sum() > 0
    assert told["unevenness of gaps of the pair"].null_count() == 400


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["ts", "sa", "da", "sp", "dp", "pr", "ipkt", "ibyt", "td"], True),
        (["sourceIPv4Address", "destinationIPv4Address", "octetDeltaCount"], True),
        (["Src IP", "Dst IP", "Protocol"], True),
        (["src_ip", "amount"], False),
        (["src_ip", "dst_ip"], False),
        (["a", "b"], False),
    ],
)
def test_flows_are_told_by_their_columns(names, wanted):
    assert holds_flows(names) is wanted


@pytest.mark.parametrize("unit", ["s", "ms", "us", "text", "moment"])
def test_times_of_all_kinds_are_seconds(unit):
    seconds = log(50)["ts"].round(3)
    times = {
        "s": seconds,
        "ms": (seconds * 1e3).round(0).cast(pl.Int64),
        "us": (seconds * 1e6).round(0).cast(pl.Int64),
        "text": pl.from_epoch((seconds * 1e6).cast(pl.Int64), time_unit="us").dt.strftime(
            "%Y-%m-%dT%H:%M:%S%.6fZ"
        ),
        "moment": pl.from_epoch((seconds * 1e6).cast(pl.Int64), time_unit="us"),
    }[unit]
    found = named(log(50).with_columns(ts=times))["time"]
    assert found.to_list() == pytest.approx(seconds.to_list(), abs=2e-3)


def events(path, count=60, kinds=("flow", "dns")):
    with path.open("w") as file:
        for i in range(count):
            kind = kinds[i % len(kinds)]
            event = {
                "timestamp": f"2026-01-01T00:{i:02d}:00.0+0000",
                "event_type": kind,
                "src_ip": "10.0.0.1",
            }
            event |= {"dest_ip": "192.0.2.1", "proto": "TCP", "flow_id": i}
            if kind == "flow":
                event["flow"] = {"bytes_toserver": 100 + i, "pkts_toclient": i, "state": "new", "age": 3}
            file.write(json.dumps(event) + "\n")
    return open_source(path)


def test_of_events_those_of_flows_are_read_with_what_is_nested(tmp_path):
    view, aside = flow_view(events(tmp_path / "eve.json"))
    frame = view.read()
    assert frame.height == 30 == view.rows
    assert frame["sent bytes"].to_list() == [100.0 + i for i in range(0, 60, 2)]
    assert frame["state"].to_list() == ["new"] * 30 and frame["duration"].to_list() == [3.0] * 30
    assert {"src_ip", "dest_ip", "flow_id", "timestamp"} <= set(aside)
    assert any("events that are no flows were left aside: 30 dns" in note for note in view.notes)


def test_events_without_a_flow_are_refused(tmp_path):
    path = tmp_path / "eve.json"
    source = events(path, kinds=("dns", "flow"), count=2)
    frame = source.read().filter(pl.col("event_type") == "dns")
    with pytest.raises(ReadError, match="no event is a flow, of 1 \\(dns\\)"):
        flow_view(open_source(frame))


def test_columns_of_the_same_name_are_kept_apart():
    told, aside, _ = viewed(log().with_columns(direction=pl.lit("x"), mac=pl.lit("00:11:22:33:44:55")))
    assert set(told["direction (as given)"]) == {"x"} and set(told["direction"]) == {"outward"}
    assert "mac" in aside


def test_a_flow_is_named_by_its_ends():
    assert flow_words(log(1).row(0, named=True)).startswith("10.0.0.")
    assert set(HOSTS) < set(FEATURES)


@pytest.mark.parametrize("state", ["REQ", "new", "-", None])
def test_states_of_others_than_zeek_do_not_hide_that_nothing_came_back(state):
    flows = log().with_columns(resp_bytes=0, conn_state=pl.lit(state, dtype=pl.String))
    assert flow_features(named(flows))["failed share of the source in a minute"].unique().to_list() == [1.0]


def test_a_port_with_a_fraction_is_that_port():
    for port in (pl.col("id.resp_p").cast(pl.Float64), pl.col("id.resp_p").cast(pl.Float64).cast(pl.String)):
        told = flow_features(named(log().with_columns(port)))
        assert "port 443" in told["target port"].unique().to_list()


@pytest.mark.parametrize(
    "form",
    ["%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S UTC", "epoch", "ns"],
)
def test_dates_as_people_write_them_are_times(form):
    moments = pl.datetime_range(
        pl.datetime(2026, 5, 7), pl.datetime(2026, 5, 29), interval="1h", time_unit="us", eager=True
    )
    seconds = moments.dt.epoch("s")
    texts = {"epoch": seconds.cast(pl.String), "ns": seconds * 1_000_000_000}.get(form)
    column = moments.dt.strftime(form) if texts is None else texts
    frame = pl.DataFrame({"ts": column, "src_ip": "10.0.0.1", "dst_ip": "192.0.2.1", "proto": "tcp"})
    assert named(frame)["time"].to_list() == seconds.cast(pl.Float64).to_list()


def test_times_that_cannot_be_read_are_told_of():
    _, _, view = viewed(log().with_columns(ts=pl.lit("soon")))
    assert "most of its times cannot be read" in view.notes[-1]


def test_a_label_tells_nothing_of_a_flow():
    frame = log().rename({"conn_state": "state"})
    view, _ = flow_view(open_source(frame), keep=("state",))
    told = view.read()
    assert told["state"].null_count() == 400
    assert told["state (as given)"].to_list() == frame["state"].to_list()
