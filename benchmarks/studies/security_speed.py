"""How fast captures, logs of flows and executables are read and judged, on whole processes.

    python -m benchmarks run security_speed --out security_speed.json

*capture*: packets of made-up conversations. What dpkt, the packet parser, takes to parse each of them and
no more is the yardstick of reading them as flows, and of `outlearn detect`. *zeek*: `outlearn detect
conn.log` on flows as Zeek writes them, no two alike, and on a tenth of them, by default and by `--detector
iforest`. *executables*: ELF files of this Python installation; LIEF parsing each in one process is the
yardstick of `outlearn detect FOLDER --kind executables`.
"""

from __future__ import annotations

import argparse
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dpkt
import lief
import numpy as np
import polars as pl

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.speed import OUTLEARN, Run, timed
from outlearn.data.readers import open_source
from outlearn.rng import derive

PACKETS, FLOWS, FILES = 300_000, 1_000_000, 300
WAYS = ("incontext", "iforest")


def write_capture(path: Path, packets: int, seed: int = 0) -> None:
    """Write conversations of 20 packets over TCP, each with a payload of up to 1,400 bytes."""
    rng = derive(seed, packets)
    sizes = rng.integers(0, 1400, packets)
    with path.open("wb") as stream:
        writer = dpkt.pcap.Writer(stream)
        for number in range(packets):
            flow, place = divmod(number, 20)
            client, server = bytes([10, 0, flow % 7, flow % 251]), bytes([192, 0, 2, flow % 13])
            back = place % 2 == 1
            flags = {0: 2, 1: 18, 19: 17}.get(place, 24)
            tcp = dpkt.tcp.TCP(
                sport=443 if back else 1024 + flow % 60_000,
                dport=1024 + flow % 60_000 if back else 443,
                flags=flags,
                seq=place,
                data=b"" if place < 2 else bytes(int(sizes[number])),
            )
            ip = dpkt.ip.IP(src=server if back else client, dst=client if back else server, p=6, data=tcp)
            ip.len = len(ip)
            writer.writepkt(bytes(dpkt.ethernet.Ethernet(data=ip, type=0x0800)), ts=1.7e9 + number / 1000)


def write_log(path: Path, flows: int, seed: int = 0) -> None:
    """Write a conn.log of flows as Zeek does: hosts with habits, one in a thousand flows a scan."""
    rng = derive(seed, flows)
    host = rng.integers(0, 400, flows)
    scans = rng.random(flows) < 0.001
    port = np.where(scans, rng.integers(1, 60_000, flows), rng.choice([53, 80, 123, 443, 8080], flows))
    proto = np.where(np.isin(port, (53, 123)), "udp", "tcp")
    sent, back = (rng.lognormal(m, 1.2, flows).astype(np.int64) for m in (6, 7.5))
    packets = 1 + sent // 600
    columns = {
        "ts": np.sort(1.7e9 + rng.uniform(0, 86_400, flows)).round(6),
        "uid": [f"C{number:x}" for number in range(flows)],
        "id.orig_h": [f"10.0.{h // 200}.{h % 200}" for h in host],
        "id.orig_p": rng.integers(1024, 65_536, flows),
        "id.resp_h": [f"192.0.2.{r}" for r in (host * 7 + rng.integers(0, 9, flows)) % 250],
        "id.resp_p": port,
        "proto": proto,
        "service": pl.Series(port).replace_strict({53: "dns", 80: "http", 443: "ssl"}, default="-"),
        "duration": rng.lognormal(-1, 1.5, flows).round(6),
        "orig_bytes": np.where(scans, 0, sent),
        "resp_bytes": np.where(scans, 0, back),
        "conn_state": np.where(scans, "S0", rng.choice(["SF", "SF", "SF", "RSTO", "S1"], flows)),
        "orig_pkts": np.where(scans, 1, packets),
        "resp_pkts": np.where(scans, 0, 1 + back // 900),
    }
    frame = pl.DataFrame(columns)
    with path.open("wb") as stream:
        head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-"]
        head += ["#path\tconn", "\t".join(["#fields", *frame.columns])]
        kinds = ["time", "string", "addr", "port", "addr", "port", "enum", "string", "interval"]
        kinds += ["count", "count", "string", "count", "count"]
        stream.write(("\n".join([*head, "\t".join(["#types", *kinds])]) + "\n").encode())
        frame.write_csv(stream, separator="\t", include_header=False)


def seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def capture(folder: Path, packets: int) -> list[rowfile.Row]:
    """Time the parser alone, reading flows, and the whole job, on one capture."""
    path = folder / "made.pcap"
    write_capture(path, packets)

    def parse() -> None:
        with path.open("rb") as stream:
            for _, data in dpkt.pcap.Reader(stream):
                dpkt.ethernet.Ethernet(data)

    flows: list[int] = []
    parsed = min(seconds(parse) for _ in range(3))
    read = min(seconds(lambda: flows.append(open_source(str(path)).read().height)) for _ in range(3))
    whole = timed([OUTLEARN, "detect", str(path), "--quiet", "--top", "3"])
    about = {"part": "capture", "packets": packets, "flows": flows[0]}
    return [
        {**about, "way": "dpkt alone", "seconds": round(parsed, 2)},
        {**about, "way": "flows", "seconds": round(read, 2), "of_parser": round(parsed / read, 3)},
        _row({**about, "way": "detect"}, whole, parsed),
    ]


def zeek(folder: Path, flows: int) -> list[rowfile.Row]:
    """Time the whole job on a log and on a tenth of it."""
    rows = []
    for count in (flows // 10, flows):
        path = folder / f"conn-{count}.log"
        write_log(path, count)
        for way in WAYS:
            run = timed([OUTLEARN, "detect", str(path), "--quiet", "--top", "3", "--detector", way])
            rows.append(_row({"part": "zeek", "flows": count, "way": way}, run))
    return rows


def executables(folder: Path, files: int) -> list[rowfile.Row]:
    """Time LIEF alone and the whole job on a folder of ELF files."""
    samples = folder / "samples"
    samples.mkdir()
    roots = [Path(sysconfig.get_paths()[key]) for key in ("platlib", "stdlib")]
    libraries = sorted(path for root in roots for path in root.rglob("*.so*") if path.is_file())
    for number, path in enumerate([path for path in libraries if path.stat().st_size < 2**22][:files]):
        shutil.copy(path, samples / f"{number}.so")
    paths = [str(path) for path in sorted(samples.iterdir())]
    alone = seconds(lambda: [lief.parse(path) for path in paths])
    about = {"part": "executables", "files": len(paths)}
    run = timed([OUTLEARN, "detect", str(samples), "--kind", "executables", "--quiet", "--top", "3"])
    return [
        {**about, "way": "LIEF alone", "seconds": round(alone, 2)},
        _row({**about, "way": "detect"}, run, alone),
    ]


def _row(about: rowfile.Row, run: Run, yardstick: float | None = None) -> rowfile.Row:
    if run.error:
        raise SystemExit(f"{about}: {run.error}")
    beside = {} if yardstick is None else {"of_parser": round(yardstick / run.seconds, 3)}
    return {**about, "seconds": round(run.seconds, 1), "peak_mb": round(run.peak_mb), **beside}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--packets", type=int, default=PACKETS)
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--parts", default="capture,zeek,executables")
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"packets": options.packets, "flows": options.flows, "files": options.files}


def conduct(call: Call) -> None:
    options = call.options
    rows: list[rowfile.Row] = []
    parts = {
        "capture": (capture, options.packets),
        "zeek": (zeek, options.flows),
        "executables": (executables, options.files),
    }
    for name in options.parts.split(","):
        measure, size = parts[name]
        with tempfile.TemporaryDirectory() as folder:
            for row in measure(Path(folder), size):
                print(row, flush=True)
                rows.append(row)
    rowfile.write(options.out, call.settings, rows, command=call.command)


STUDY = Study(
    "security_speed",
    __doc__,
    arguments,
    conduct,
    settings=settings,
    report=on_rows(lambda rows: "\n".join(map(str, rows))),
)
