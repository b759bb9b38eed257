"""Flows, logs and hunting from the command line."""

import io
import json
import socket
from pathlib import Path

import dpkt
import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


def run(*words, code=0):
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def flows(rows=300, odd=12, seed=0):
    rng = np.random.default_rng(seed)
    total = rows + odd
    return pl.DataFrame(
        {
            "ts": np.sort(rng.uniform(1.7e9, 1.7e9 + 3600, total)),
            "src_ip": [f"10.0.0.{i}" for i in rng.integers(1, 9, rows)] + ["10.0.0.66"] * odd,
            "dst_ip": [f"192.0.2.{i}" for i in rng.integers(1, 4, rows)] + ["198.51.100.9"] * odd,
            "dst_port": [*rng.choice([53, 443], rows).tolist(), *[4444] * odd],
            "proto": ["tcp"] * total,
            "bytes": [*rng.lognormal(6, 0.5, rows), *rng.lognormal(13, 0.2, odd)],
            "family": ["normal"] * rows + ["theft"] * (odd // 2) + ["drop"] * (odd - odd // 2),
        }
    )


def test_flows_are_told_by_their_columns_and_named_in_the_reasons():
    flows().drop("family").write_csv("flows.csv")
    told = run("detect", "flows.csv", "--detector", "knn", "--top", "3", "--out", "scored.csv")
    assert "10.0.0.66 to 198.51.100.9 port 4444: " in told and "read as network flows" in told
    assert "Rows are judged one by one" not in told
    assert pl.read_csv("scored.csv").sort("anomaly_score")["src_ip"][-1] == "10.0.0.66"
    plain = run("detect", "flows.csv", "--detector", "knn", "--top", "1", "--kind", "table")
    assert "read as network flows" not in plain


def test_a_model_of_flows_scores_flows():
    flows(odd=0).drop("family").write_parquet("past.parquet")
    flows(seed=1).drop("family").write_parquet("today.parquet")
    run("fit", "past.parquet", "--known-normal", "--detector", "knn", "--out", "m.outlearn")
    told = run("score", "m.outlearn", "today.parquet", "--top", "2")
    assert "10.0.0.66 to 198.51.100.9 port 4444: " in told


def test_a_capture_is_read_as_it_is():
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file)
    rng = np.random.default_rng(0)
    for i in range(200):
        size = int(rng.integers(20, 60)) if i < 195 else 1200
        udp = dpkt.udp.UDP(sport=1000 + i, dport=53 if i < 195 else 9999, data=b"x" * size)
        udp.ulen = len(udp)
        ip = dpkt.ip.IP(src=socket.inet_aton("10.0.0.5"), dst=socket.inet_aton("192.0.2.1"), p=17, data=udp)
        ip.len = len(ip)
        writer.writepkt(bytes(dpkt.ethernet.Ethernet(data=ip, type=0x0800)), ts=float(i))
    Path("a.pcap").write_bytes(file.getvalue())
    told = run("detect", "a.pcap", "--detector", "knn", "--top", "2")
    assert "200 packets make 200 flows" in told and "port 9999" in told


def test_a_hunt_ranks_flags_and_says_when_nothing_is_alike():
    frame = flows().drop("family")
    frame.write_parquet("log.parquet")
    frame[-1:].write_parquet("case.parquet")
    told = run("hunt", "log.parquet", "--like", "case.parquet", "--top", "5", "--out", "h.parquet")
    assert "like the case" in told or "the same as the case" in told
    assert pl.read_parquet("h.parquet").sort("anomaly_score")["src_ip"][-5:].to_list() == ["10.0.0.66"] * 5
    flows(odd=0).drop("family").write_parquet("clean.parquet")
    assert "Nothing alike here" in run("hunt", "clean.parquet", "--like", "case.parquet", "--top", "1")
    assert "wanted flows, logs, bus or table" in run(
        "hunt", "log.parquet", "--like", "case.parquet", "--kind", "series", code=2
    )


def test_families_are_left_out_in_turn():
    flows(odd=60).write_parquet("f.parquet")
    told = run(
        "evaluate", "f.parquet", "--protocol", "zero-day", "--family-column", "family",
        "--detector", "knn", "--no-peers", "--splits", "1",
    )  # fmt: skip
    assert "theft" in told and "drop" in told and "mean over families" in told
    assert "needs --family-column" in run("evaluate", "f.parquet", "--protocol", "zero-day", code=2)


def test_a_log_is_read_as_lines():
    lines = [f"2026-01-01 00:{i // 60:02d}:{i % 60:02d} INFO done in {i} ms" for i in range(300)]
    lines[200] = "2026-01-01 00:03:20 FATAL \x1b[31mdisk on fire\x1b[0m"
    Path("a.log").write_text("\n".join(lines))
    told = run("detect", "a.log", "--kind", "logs", "--top", "1")
    assert "2026-01-01 00:03:20 FATAL disk on fire: " in told and "\x1b" not in told
    Path("b.json").write_text("\n".join(json.dumps({"a": i}) for i in range(30)))
    assert "of 30 rows flagged" in run(
        "detect", "b.json", "--kind", "logs", "--detector", "knn", "--top", "0"
    )


def test_scored_lines_are_a_table_where_the_user_says_so():
    lines = [f"2026-01-01 00:{i // 60:02d}:{i % 60:02d} INFO done in {i} ms" for i in range(120)]
    Path("a.log").write_text("\n".join([*lines, "2026-01-01 00:03:20 FATAL disk on fire"]))
    named, asked = "FATAL disk on fire: ", ("--detector", "knn", "--top", "1")
    assert named in run("detect", "a.log", "--kind", "logs", *asked, "--out", "l.csv")
    again, plain = run("detect", "l.csv", *asked), run("detect", "l.csv", "--kind", "table", *asked)
    assert named in again and "1 incident" in again and "--kind table takes them" in again
    assert named not in plain and "incident" not in plain and "--kind table" not in plain
    run("fit", "l.csv", "--kind", "table", "--detector", "knn", "--out", "m.outlearn")
    told = run("score", "m.outlearn", "l.csv", "--top", "1")
    assert named not in told and "incident" not in told


def sessions(jobs=200, odd=None):
    """Return lines of jobs that take turns; an odd one stops before it began."""
    steps = ["start", "read file 7", "read file 8", "write 12 rows", "stop"]
    lines = []
    for job in range(jobs):
        order = [steps[4], steps[3], steps[0]] if job == odd else steps[: 2 + job % 2] + steps[3:]
        lines += [
            f"2026-01-01 {job // 60:02d}:{job % 60:02d}:{i:02d} INFO app: {s} job_{job:03d}"
            for i, s in enumerate(order)
        ]
    return "\n".join([*lines, "2026-01-01 09:00:00 INFO app: idle"])


def test_sessions_of_a_log_are_rows_and_an_odd_order_is_named():
    Path("a.log").write_text(sessions(odd=120))
    asked = ("--session", r"job_\d+", "--kind", "logs")
    told = run("detect", "a.log", *asked, "--top", "1", "--out", "s.csv")
    assert "session job_120 (3 lines): " in told and "'INFO_app_stop#" in told and "comes first" in told
    assert "200 sessions; 1 line belongs to none and is left out" in told
    assert pl.read_csv("s.csv").sort("anomaly_score")["session"][-1] == "job_120"
    assert "no regular expression" in run("detect", "a.log", "--session", "(", code=2)
    assert "only logs have sessions" in run("detect", "a.log", "--session", "a", "--kind", "flows", code=2)


def test_a_reference_and_a_model_of_sessions_are_read_by_the_same_pattern():
    Path("past.log").write_text(sessions())
    Path("today.log").write_text(sessions(jobs=60, odd=7))
    asked = ("--session", r"job_\d+")
    told = run("detect", "today.log", "--reference", "past.log", *asked, "--top", "1")
    assert "session job_007" in told
    run("fit", "past.log", *asked, "--known-normal", "--out", "m.outlearn")
    assert "session job_007" in run("score", "m.outlearn", "today.log", *asked, "--top", "1")
    assert "the same --session" in run("score", "m.outlearn", "today.log", code=2)
    Path("case.log").write_text(
        "\n".join(line for line in sessions(jobs=60, odd=7).split("\n") if "job_007" in line)
    )
    told = run("hunt", "today.log", "--like", "case.log", *asked, "--top", "1")
    assert "session job_007 (3 lines): the same as the case" in told


def bus_lines(seconds=8.0, flood=False, odd=False, seed=0):
    """Return lines of a bus of six ids at even gaps, each with a counter and a slow signal."""
    rng = np.random.default_rng(seed)
    frames = []
    for number, gap in enumerate((0.01, 0.02, 0.02, 0.05, 0.1, 0.1)):
        for i, time in enumerate(np.arange(0.0, seconds, gap) + rng.uniform(0, gap / 2)):
            data = [i % 16, int(100 + 20 * np.sin(time)), 0x20 * number, 0]
            if odd and number == 3 and abs(time - 6.0) < gap / 2:
                data[1:] = [255, 255, 255]
            frames.append((time + rng.normal(0, gap / 100), 0x100 + number, data))
    if flood:
        frames += [(5.0 + i / 2000, 0x104, [0, 0, 0x80, 0]) for i in range(300)]
    frames.sort()
    return "\n".join(f"({1.7e9 + t:.6f}) can0 {i:03X}#{bytes(data).hex().upper()}" for t, i, data in frames)


def test_frames_that_are_injected_into_a_bus_are_found():
    Path("past.log").write_text(bus_lines(seed=1))
    Path("today.log").write_text(bus_lines(flood=True, seed=2))
    asked = ("--kind", "bus", "--reference", "past.log")
    told = run("detect", "today.log", *asked, "--top", "5", "--out", "s.csv", "--alerts", "a.jsonl")
    assert "id 0x104 at 17000000" in told and "read as frames of a bus" in told
    assert "Rows are judged one by one" not in told
    scored = pl.read_csv("s.csv").sort("anomaly_score", descending=True)
    during, before = scored["time"].is_between(1.7e9 + 5, 1.7e9 + 5.15), scored["time"] < 1.7e9 + 5
    flood = scored.filter(during & (scored["id"] == "0x104"))
    assert flood.height >= 300 and flood["flagged"].all()
    assert scored.filter(before)["flagged"].mean() < 0.02
    first = json.loads(Path("a.jsonl").read_text().splitlines()[0])
    assert (first["outlearn"]["kind"], first["outlearn"]["entity"]) == ("bus", "0x104")
    assert first["@timestamp"].startswith("2023-11-14T22:13:2") and "frames" in first["message"]


def test_an_odd_payload_of_a_bus_is_found_by_a_kept_model_and_hunted_for():
    Path("past.log").write_text(bus_lines(seed=1))
    Path("today.log").write_text(bus_lines(odd=True, seed=2))
    run("fit", "past.log", "--kind", "bus", "--known-normal", "--out", "m.outlearn")
    told = run("score", "m.outlearn", "today.log", "--top", "1")
    assert "id 0x103 at 17000000" in told
    lines = Path("today.log").read_text().split("\n")
    odd = next(row for row, line in enumerate(lines) if line.endswith("FFFFFF"))
    Path("case.log").write_text(lines[odd])
    told = run("hunt", "today.log", "--like", "case.log", "--kind", "bus", "--top", "1")
    assert "id 0x103 at 17000000" in told and "the same as the case" in told
    Path("case.log").write_text("(1.0) can0 103#08FFFFFF")
    told = run("hunt", "today.log", "--like", "case.log", "--kind", "bus", "--top", "1")
    assert "1 of the cases are not in the table: what came before them is not known" in told
    flows().write_csv("flows.csv")
    assert "no frames of a bus" in run("detect", "flows.csv", "--kind", "bus", code=2)
