"""Each rule fires on what it is for, and on no ordinary traffic."""

import numpy as np
import polars as pl
import pytest

from outlearn.alerts import RULES, technique_masks, techniques_of
from outlearn.data.kinds.flows import FEATURES, flow_view
from outlearn.data.readers import open_source

START = 1.7e9 - 1.7e9 % 3600


def flow(
    time, source, target, port, proto="tcp", sent=500, back=800, packets=5, answers=5, state="SF", **more
):
    return {
        "ts": START + time, "id.orig_h": source, "id.resp_h": target, "id.resp_p": port, "proto": proto,
        "orig_bytes": sent, "resp_bytes": back, "orig_pkts": packets, "resp_pkts": answers,
        "conn_state": state,
        "duration": more.get("duration", 0.2), "service": more.get("service"), "history": more.get("history"),
    }  # fmt: skip


def ids(flows):
    view, _ = flow_view(open_source(pl.DataFrame(flows, infer_schema_length=None)))
    masks = technique_masks(view.read())
    return {technique.id for mask in masks.tolist() for technique in techniques_of(mask)}


def silent(time, source, target, port, proto="tcp", **more):
    return flow(time, source, target, port, proto, sent=0, back=0, packets=1, answers=0, state="S0", **more)


ATTACKS = {
    "T1046": [silent(i, "10.0.0.7", f"10.0.1.{i}", 445) for i in range(40)],
    "T1018": [silent(i / 2, "10.0.0.7", f"10.0.1.{i}", 8, "icmp") for i in range(40)],
    "T1110": [flow(i, "10.0.0.7", "10.0.1.1", 22, sent=1700 + i, back=1800) for i in range(40)],
    "T1071.001": [flow(60 * i, "10.0.0.7", "198.51.100.9", 443) for i in range(40)],
    "T1571": [flow(60 * i, "10.0.0.7", "198.51.100.9", 4444) for i in range(40)],
    "T1048": [flow(0, "10.0.0.7", "198.51.100.9", 53, "udp", sent=20_000, packets=120, answers=120)],
    "T1095": [flow(0, "10.0.0.7", "198.51.100.9", 8, "icmp", sent=90_000, packets=100, answers=100)],
    "T1499.001": [silent(i / 50, f"203.0.113.{i % 200}", "10.0.0.1", 443) for i in range(2500)],
    "T1498.001": [silent(i / 50, f"203.0.113.{i % 200}", "10.0.0.1", 9, "udp") for i in range(2500)],
}


@pytest.mark.parametrize("id", ATTACKS)
def test_a_rule_fires_on_what_it_is_for_and_no_other_does(id):
    assert ids(ATTACKS[id]) == {id}


def test_every_technique_has_a_case_and_words():
    assert {rule.technique.id for rule in RULES} == set(ATTACKS)
    assert len(RULES) <= 32  # bits of a mask
    assert all(rule.technique.name and rule.technique.words for rule in RULES)


def test_ports_of_one_target_are_a_scan_too():
    assert ids([silent(i, "10.0.0.7", "10.0.1.1", 1000 + i) for i in range(40)]) == {"T1046"}
    assert ids([silent(i, "10.0.0.7", f"10.0.1.{i}", 0, "arp") for i in range(40)]) == {"T1018"}


def ordinary(seed):
    """Return an hour of an office: names, web, mail, time, polling, pings, a backup, peers, a crawler."""
    rng = np.random.default_rng(seed)
    flows = []
    for host in (f"10.0.0.{i}" for i in range(2, 22)):
        for time in np.sort(rng.uniform(0, 3600, 60)):
            server = f"198.51.100.{rng.integers(1, 200)}"
            flows.append(flow(time, host, "10.0.0.1", 53, "udp", sent=45, back=120, packets=1, answers=1))
            flows.append(
                flow(time, host, server, 443, sent=rng.integers(300, 9000), back=rng.integers(2000, 90000))
            )
        flows += [
            flow(64 * i, host, "192.0.2.1", 123, "udp", sent=48, back=48, packets=1, answers=1)
            for i in range(56)
        ]
        flows += [silent(30 * i, host, "239.255.255.250", 1900, "udp") for i in range(100)]
        jitter = rng.uniform(-20, 20, 60)
        flows += [
            flow(60 * i + 30 + jitter[i], host, "198.51.100.250", 443, sent=700, back=900) for i in range(60)
        ]
        flows += [flow(300 * i, host, "10.0.0.30", 143, sent=400, back=900, duration=2.0) for i in range(12)]
    for minute in range(60):  # pings and checks of the services of forty hosts, three of which are down
        for i in range(40):
            up = i % 13 != 0
            flows.append(
                flow(
                    60 * minute, "10.0.0.40", f"10.0.2.{i}", 8, "icmp", sent=64, back=64 * up, answers=int(up)
                )
            )
            flows.append(
                flow(
                    60 * minute + 1,
                    "10.0.0.40",
                    f"10.0.2.{i}",
                    80,
                    answers=5 * up,
                    back=800 * up,
                    state="SF" if up else "S0",
                )
            )
        flows.append(
            flow(60 * minute + 5, "10.0.0.50", "10.0.2.1", 22, duration=1.0)
        )  # a script, each minute
    for i in range(300):  # file sharing: many peers, a port each, half of them gone
        gone = bool(rng.integers(0, 5))
        peer, port = f"203.0.113.{rng.integers(1, 250)}", int(rng.integers(20000, 60000))
        flows.append(silent(i / 2, "10.0.0.60", peer, port) if gone else flow(i / 2, "10.0.0.60", peer, port))
    flows += [
        flow(
            i / 10,
            "10.0.0.70",
            f"198.51.100.{i % 250}",
            25,
            state="SF" if i % 5 else "S0",
            answers=5 * bool(i % 5),
        )
        for i in range(600)
    ]
    flows.append(
        flow(10, "10.0.0.80", "10.0.0.90", 445, sent=9e9, back=1e6, packets=6_000_000, answers=900_000)
    )
    flows += [
        flow(i / 60, f"203.0.113.{i % 200}", "10.0.0.5", 443, back=9000) for i in range(3000)
    ]  # a busy page
    return flows


@pytest.mark.parametrize("seed", range(3))
def test_ordinary_traffic_is_silent(seed):
    assert ids(ordinary(seed)) == set()


@pytest.mark.parametrize("seed", range(2))
def test_ordinary_traffic_is_silent_where_one_direction_is_told(seed):
    held = ("ts", "id.orig_h", "id.resp_h", "id.resp_p", "proto", "orig_bytes", "orig_pkts", "duration")
    flows = [{name: one[name] for name in held} for one in ordinary(seed) if one["conn_state"] == "SF"]
    assert ids(flows) == set()
    scan = [{name: one[name] for name in held} for one in ATTACKS["T1046"]]
    assert ids(scan) == {"T1046"}


def test_rows_that_are_no_flows_and_missing_cells_support_nothing():
    assert technique_masks(pl.DataFrame({"a": [1]})).tolist() == [0]
    empty = pl.DataFrame({name: [None] for name in FEATURES})
    text = ("protocol", "service", "state", "target port", "direction")
    typed = empty.with_columns(
        pl.col(name).cast(pl.String if name in text else pl.Float64) for name in FEATURES
    )
    assert technique_masks(typed).tolist() == [0]
