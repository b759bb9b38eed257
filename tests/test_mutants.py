"""Whatever bytes of a file were changed, reading it gives rows or an error of ours, in bounded time.

Each reader has a small valid file that this module makes. Run as a module it tries one reader many times in a
process with limits: ``python tests/test_mutants.py csv 1000``.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from outlearn.data.arrays import ArrayFile, read_arrays
from outlearn.data.overrides import read_overrides
from outlearn.data.readers import ReadOptions, open_source
from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.errors import OutlearnError
from outlearn.feedback.store import VerdictFile
from outlearn.feedback.verdict import Answer, Channel, make_verdict
from outlearn.findings import Origin
from outlearn.findings.codec import dumps, loads
from outlearn.findings.tuning import TuningFindings
from outlearn.pipeline.job_file import read_job
from outlearn.pipeline.suppression import known_patterns

MEMORY, SECONDS = 6 << 30, 20.0  # of a process that tries a reader, and of one file
ROWS = 40
RNG = np.random.default_rng(0)
TABLE = pl.DataFrame(
    {
        "a": RNG.normal(size=ROWS),
        "b": RNG.integers(0, 9, ROWS),
        "word": RNG.choice(["x", "y", "é"], ROWS),
        "day": [date(2024, 1, 1 + i % 28) for i in range(ROWS)],
        "list": [[float(i), 1.0] for i in range(ROWS)],
    }
)
FLAT = TABLE.drop("list")
NUMBERS = (
    *(b"1e999", b"-1.7e308", b"5e-324", b"9" * 400, b"nan"),
    *(b"18446744073709551616", b"-9223372036854775808"),
)


def written(form: str, table: pl.DataFrame = FLAT, **options) -> bytes:
    buffer = io.BytesIO()
    getattr(table, f"write_{form}")(buffer, **options)
    return buffer.getvalue()


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def records() -> list[dict[str, object]]:
    return [{"a": i / 7, "b": {"c": i, "d": [{"e": 1}]}, "f": [1, 2], "g": "x"} for i in range(ROWS)]


def capture() -> bytes:
    import dpkt

    buffer = io.BytesIO()
    writer = dpkt.pcap.Writer(buffer)
    ends = {"src": socket.inet_aton("10.0.0.5"), "dst": socket.inet_aton("192.0.2.7")}
    for i in range(ROWS):
        inner = dpkt.udp.UDP(sport=5000 + i, dport=53, data=b"q" * i)
        inner.ulen = len(inner)
        whole = dpkt.ip.IP(**ends, p=17, data=inner)
        whole.len = len(whole)
        writer.writepkt(bytes(dpkt.ethernet.Ethernet(data=whole, type=0x0800)), ts=float(i))
    return buffer.getvalue()


def array(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    if arrays:
        np.savez_compressed(buffer, **arrays)
    else:
        np.save(buffer, RNG.normal(size=(ROWS, 3)))
    return buffer.getvalue()


def verdicts() -> bytes:
    made = [
        make_verdict(Answer.ANOMALY, by="an", source="a.csv", row=i, identity=f"{i:032x}", origin=Channel.CLI)
        for i in range(5)
    ]
    return lines(*(json.dumps({"v": 1, **verdict.to_dict()}) for verdict in made))


def patterns() -> bytes:
    when = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    first = {"id": 1, "when": when, "by": "soc", "why": "backup", "where": ["a>=3", "b=10.0.0.0/8"]}
    back = {"revokes": 1, "when": when, "by": "soc", "why": "no"}
    return lines(json.dumps({**first, "until": "2027-01-31"}), json.dumps(back))


def findings() -> bytes:
    origin = Origin("a.csv", 9)
    return dumps(TuningFindings(origin, "maml", "", 1.0, ("lof",), (0.1,), (0,), 0, (), ())).encode()


ZEEK = lines(
    "#separator \\x09",
    "#fields\tts\tid.orig_h\tservice",
    *(f"{1.7e9 + i}\t10.0.0.{i}\tdns" for i in range(ROWS)),
)
CANDUMP = lines(*(f"({1.4e9 + i / 8:.6f}) can0 {64 + i:03X}#2A366C2BBA" for i in range(ROWS)))
LOG = lines(*(f"Jan  1 00:00:{i:02d} host sshd[{i}]: user{i} from 10.0.0.{i}" for i in range(ROWS)))
SPACED = lines(*(f"{i:>4} {i / 3:10.4f}  {i * i:8d}" for i in range(ROWS)))
FIXED = lines("NAME OF GUEST  AGE", *(f"Ann Lee {'x' * (i % 5):<6} {i:>3}" for i in range(ROWS)))
JOB = lines(
    'source = "a.csv"', "[rule]", "contamination = 0.1", "[table]", 'ignore = ["a"]', 'kind = "table"'
)
OVERRIDES = lines("[columns.a]", 'kind = "numeric"', 'unit = "EUR"', "[columns.b]", 'role = "ignored"')


def workbook() -> bytes:
    import openpyxl

    whole, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in [FLAT.columns, *FLAT.rows()]:
        whole.active.append(row)
    whole.save(buffer)
    return buffer.getvalue()


def open_document() -> bytes:
    """Return an .ods file of the table, its numbers and dates typed."""
    kinds = {"a": "float", "b": "float", "day": "date"}
    valued = {"float": 'office:value="{0}"', "date": 'office:date-value="{0}"'}

    def cell(name: str, value: object) -> str:
        kind = kinds.get(name, "string") if value != name else "string"
        typed = valued.get(kind, "").format(value)
        word = f"<text:p>{value}</text:p>"
        return f'<table:table-cell office:value-type="{kind}" {typed}>{word}</table:table-cell>'

    rows = [dict(zip(FLAT.columns, FLAT.columns, strict=True)), *FLAT.rows(named=True)]
    body = "".join(
        f"<table:table-row>{''.join(cell(*pair) for pair in row.items())}</table:table-row>" for row in rows
    )
    urn, names = "urn:oasis:names:tc:opendocument:xmlns", ("office", "table", "text")
    spaces = " ".join(f'xmlns:{name}="{urn}:{name}:1.0"' for name in names)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body>'
        f'<office:spreadsheet><table:table table:name="Data">{body}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return buffer.getvalue()


def part_of(book: Callable[[], bytes], part: str) -> tuple[Callable[[], bytes], Callable[[Path], None]]:
    """Return a part of a workbook and what reads it, put back: a changed archive ends at its checksums."""

    def inner() -> bytes:
        return zipfile.ZipFile(io.BytesIO(book())).read(part)

    def read(path: Path) -> None:
        changed, old = path.read_bytes(), zipfile.ZipFile(io.BytesIO(book()))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in old.namelist():
                archive.writestr(name, changed if name == part else old.read(name))
        rows(path)

    return inner, read


@cache
def scorer() -> ClassicalDetector:
    return ClassicalDetector("knn", random_state=0).fit(FLAT.drop("day"))


def rows(path: Path, **options) -> None:
    """Read all rows twice, as stages do, and score them where they have the columns of the table."""
    source = open_source(path, options=ReadOptions(**options))
    frames = [*source.chunks(16), *source.chunks(1_000)]
    assert {tuple(frame.columns) for frame in frames} == {source.columns}
    assert len({tuple(frame.dtypes) for frame in frames}) == 1
    if {"a", "b", "word"} <= set(source.columns):
        scores = scorer().anomaly_score(frames[-1])
        assert np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()


def logs(path: Path) -> None:
    rows(path, kind="logs")


def numbers(path: Path) -> None:
    file = ArrayFile.of(path)
    assert file.read(0, 10).shape[1] == file.columns


CLASSES: dict[str, tuple[Callable[[], bytes], Callable[[Path], object]]] = {
    "csv": (lambda: written("csv"), rows),
    "csv.gz": (lambda: gzip.compress(written("csv")), rows),
    "csv.bz2": (lambda: bz2.compress(written("csv")), rows),
    "tsv": (lambda: written("csv", separator="\t"), rows),
    "spaced": (lambda: SPACED, rows),
    "fixed": (lambda: FIXED, rows),
    "jsonl": (lambda: lines(*map(json.dumps, records())), rows),
    "json": (lambda: json.dumps({"data": records()}).encode(), rows),
    "zeek": (lambda: ZEEK, rows),
    "pcap": (capture, rows),
    "candump": (lambda: CANDUMP, lambda path: rows(path, kind="bus")),
    "log": (lambda: LOG, logs),
    "log.gz": (lambda: gzip.compress(LOG), logs),
    "parquet": (lambda: written("parquet", TABLE), rows),
    "arrow": (lambda: written("ipc", TABLE), rows),
    "arrow.zstd": (lambda: written("ipc", TABLE, compression="zstd"), rows),
    "stream": (lambda: written("ipc_stream", TABLE), rows),
    "npy": (array, numbers),
    "npz": (
        lambda: array(X=RNG.normal(size=(9, 3)), y=np.zeros(9)),
        lambda path: read_arrays(path, ("X", "y"), "npz"),
    ),
    "verdicts": (verdicts, lambda path: VerdictFile(path).read()),
    "patterns": (patterns, known_patterns),
    "findings": (findings, lambda path: loads(path.read_bytes())),
    "job": (lambda: JOB, read_job),
    "overrides": (lambda: OVERRIDES, read_overrides),
}
"""What is read → a valid file of it, and what reads one."""

WORKBOOKS: dict[str, tuple[Callable[[], bytes], Callable[[Path], object]]] = {
    "xlsx": (workbook, rows),
    "xlsx sheet": part_of(workbook, "xl/worksheets/sheet1.xml"),
    "xlsx book": part_of(workbook, "xl/workbook.xml"),
    "xlsx links": part_of(workbook, "xl/_rels/workbook.xml.rels"),
    "xlsx styles": part_of(workbook, "xl/styles.xml"),
    "ods": (open_document, rows),
    "ods content": part_of(open_document, "content.xml"),
}
"""The same of workbooks, each read in a process of its own, and so tried seldom."""


def mutant(name: str, seed: int) -> bytes:
    """Return a file of which some bytes were changed, taken out, put in twice or taken from another kind."""
    rng = random.Random(f"{name} {seed}")
    data = bytearray(seed_of(name))
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at, size = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64))
        way = rng.randrange(7)
        if way == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif way == 1:
            del data[at:]
        elif way == 2:
            data[at:at] = data[at : at + size]
        elif way == 3:
            data[at:at] = bytes([rng.choice((0, 0xFF))]) * size
        elif way == 4:
            other = seed_of(rng.choice(list(CLASSES)))
            data[at:] = other[rng.randrange(len(other)) :]
        elif way == 5:
            digits = list(re.finditer(rb"[0-9]+(\.[0-9]+)?", data))
            if digits:
                chosen = rng.choice(digits)
                data[chosen.start() : chosen.end()] = rng.choice(NUMBERS)
        else:
            del data[at : at + size]
    return bytes(data)


@cache
def seed_of(name: str) -> bytes:
    return {**CLASSES, **WORKBOOKS}[name][0]()


def attempt(name: str, path: Path, seed: int) -> None:
    """Read a mutant; anything but rows or an error of ours is a fault."""
    path.write_bytes(mutant(name, seed))
    begun = time.monotonic()
    try:
        {**CLASSES, **WORKBOOKS}[name][1](path)
    except OutlearnError as error:
        assert str(error), "an error without a word"
    assert time.monotonic() - begun < SECONDS, "it took too long"


@pytest.mark.parametrize("name", CLASSES)
def test_a_valid_file_is_read(name, tmp_path):
    (tmp_path / "x").write_bytes(seed_of(name))
    CLASSES[name][1](tmp_path / "x")


# Arrow prints what it cannot decode of a row that it refuses.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", CLASSES)
def test_fifty_damaged_files(name, tmp_path):
    for seed in range(50):
        attempt(name, tmp_path / "x", seed)


@pytest.mark.parametrize("name", ["xlsx", "ods"])
def test_a_valid_workbook_is_read(name, tmp_path):
    (tmp_path / "x").write_bytes(seed_of(name))
    source = open_source(tmp_path / "x", options=ReadOptions())
    assert_frame_equal(source.read(), FLAT)  # but for the last digits that openpyxl writes


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_damaged_workbook(name, tmp_path):
    attempt(name, tmp_path / "x", 0)


@pytest.mark.long
@pytest.mark.parametrize("name", [*CLASSES, *WORKBOOKS])
def test_a_thousand_damaged_files_within_limits(name):
    command = [sys.executable, __file__, name, "1000"]
    child = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    assert child.returncode == 0, f"{child.stdout[-2000:]}\n{child.stderr[-2000:]}"


def main(name: str, count: int) -> int:
    """Try a reader in this process, under limits; return how many faults there were, and print them."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            try:
                attempt(name, Path(folder, "x"), seed)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                faults += 1
                sys.stdout.write(f"{name} {seed}: {type(error).__name__}: {str(error)[:300]}\n")
    return faults


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1], int(sys.argv[2])), 100))
