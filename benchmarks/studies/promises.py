"""Whether the promise on false alarms holds, by simulation: detector by kind of column by way of use.

    python -m benchmarks run promises --out promises.json

Tables are made of rows that are drawn alike and are all normal, so that each flagged row is a false alarm.
Rows of one draw are a reference, those of another are scored by `false_alarm_rate=RATE`; *rate* is the share
of them that is flagged, mean over repeats, where the promise was made, beside its standard error. Ways of
use: *fit* (an estimator fits the reference and scores the others), *update* (it learns 20 more normal rows
first), *detect* (`outlearn.detect` on files), with flows, logs and their sessions as kinds of rows, and
*series* (alarms a day where at most one is asked for). A rate above RATE by more than three standard errors
is a broken promise and is marked. The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import datetime as dt
import string
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from outlearn import detect
from outlearn.data.readers import ReadOptions
from outlearn.decisions.rule import Rule
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.registry import make_detector
from outlearn.detectors.series import SeriesDetector
from outlearn.evaluate.compare import markdown
from outlearn.rng import derive

RATE = 0.05
REFERENCE, SCORED, LATER = 200, 400, 20
REPEATS = 20
SECONDS_APART = 400.0  # of events, on average: a longer file lasts longer
DETECTORS = ("profiles", "incontext", "protonet", "siamese", "committee", "knn", "lof", "iforest")
_STREAM = 0x9807
WORDS = ["".join(word) for word in derive(0, _STREAM).choice(list(string.ascii_lowercase), (400, 6))]

Columns = Callable[[np.random.Generator, int], dict[str, pl.Series]]


def numbers(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    return {
        "amount": pl.Series(rng.lognormal(3, 1, rows)),
        "age": pl.Series(rng.normal(40, 10, rows)),
    }


def devices(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    """Return accounts and devices, of which many come once: identifiers of something that comes again."""
    accounts = 1.0 / np.arange(1, 701)
    chosen = rng.choice(700, size=rows, p=accounts / accounts.sum())
    return {
        "account": pl.Series([f"ACC{a:05d}" for a in chosen]),
        "device": pl.Series([f"D{a % 97:03d}{int(rng.integers(3))}" for a in chosen]),
        **numbers(rng, rows),
    }


def levels(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    return {"level": pl.Series([f"v{v}" for v in rng.integers(0, 700, rows)]), **numbers(rng, rows)}


def rare(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    """Return thirty columns that nearly always hold one value."""
    return {f"flag{i}": pl.Series((rng.random(rows) < 0.004).astype(int)) for i in range(30)} | numbers(
        rng, rows
    )


def texts(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    share = 1.0 / np.arange(1, len(WORDS) + 1)
    drawn = [" ".join(rng.choice(WORDS, size=5, p=share / share.sum())) for _ in range(rows)]
    return {"memo": pl.Series(drawn), **numbers(rng, rows)}


def times(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    start = dt.datetime(2026, 1, 5)
    seconds = rng.integers(0, 28 * 86_400, rows)
    return {
        "booked": pl.Series([start + dt.timedelta(seconds=int(s)) for s in seconds]),
        **numbers(rng, rows),
    }


def holes(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    cells = numbers(rng, rows)
    return {
        name: pl.select(pl.when(pl.Series(rng.random(rows) < 0.01)).then(None).otherwise(values)).to_series()
        for name, values in cells.items()
    } | {"age2": pl.Series(rng.normal(size=rows))}


def sequences(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    calls = ["open", "read", "write", "close", "stat", "mmap", *(f"rare{i}" for i in range(60))]
    share = np.r_[np.full(6, 1.0), np.full(60, 0.004)]
    drawn = [" ".join(rng.choice(calls, size=12, p=share / share.sum())) for _ in range(rows)]
    return {"calls": pl.Series(drawn), **numbers(rng, rows)}


def vectors(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    return {"photo": pl.Series(rng.normal(size=(rows, 8)).tolist()), **numbers(rng, rows)}


def curves(rng: np.random.Generator, rows: int) -> dict[str, pl.Series]:
    steps = rng.normal(size=(rows, 24)).cumsum(axis=1)
    return {"load": pl.Series(steps.tolist()), **numbers(rng, rows)}


KINDS: dict[str, Columns] = {
    f.__name__: f for f in (numbers, devices, levels, rare, texts, times, holes, sequences, vectors, curves)
}


def flows(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """Return connections as a sensor writes them: some hosts come often, and some once."""
    seconds = np.sort(rng.uniform(0, SECONDS_APART * rows, rows))
    hosts = 1.0 / np.arange(1, 201)
    known = rng.choice(200, size=rows, p=hosts / hosts.sum())
    ports = rng.choice([443, 80, 53, 22], size=rows, p=[0.6, 0.2, 0.15, 0.05])
    return pl.DataFrame(
        {
            "ts": 1.7e9 + seconds,
            "id.orig_h": [f"10.0.0.{h}" for h in rng.integers(2, 30, rows)],
            "id.orig_p": rng.integers(30_000, 60_000, rows),
            "id.resp_h": [f"93.184.{h // 250}.{h % 250}" for h in known],
            "id.resp_p": ports,
            "proto": np.where(ports == 53, "udp", "tcp"),
            "duration": rng.lognormal(0, 1, rows),
            "orig_bytes": rng.lognormal(6, 1, rows).astype(int),
            "resp_bytes": rng.lognormal(8, 1, rows).astype(int),
            "orig_pkts": rng.poisson(10, rows) + 1,
            "resp_pkts": rng.poisson(12, rows) + 1,
        }
    )


def lines(rng: np.random.Generator, rows: int) -> list[str]:
    """Return lines of a log: few templates often, many seldom, with numbers and names in them."""
    texts = [f"worker {'abcdefgh'[i % 8]} finished step {i}" for i in range(80)]
    share = 1.0 / np.arange(1, 81) ** 1.5
    start = dt.datetime(2026, 1, 5)
    seconds = np.sort(rng.uniform(0, SECONDS_APART * rows, rows))
    chosen = rng.choice(80, size=rows, p=share / share.sum())
    blocks = 1000 + np.arange(rows) // 8 + rng.integers(3, size=rows)  # sessions end, however long the log
    return [
        f"{start + dt.timedelta(seconds=float(s)):%Y-%m-%d %H:%M:%S} INFO blk_{block} {texts[form]} "
        f"in {rng.lognormal(3, 0.5):.1f} ms"
        for s, form, block in zip(seconds, chosen, blocks, strict=True)
    ]


def _write_flows(rng: np.random.Generator, rows: int, path: Path) -> Path:
    flows(rng, rows).write_csv(path.with_suffix(".csv"))
    return path.with_suffix(".csv")


def _write_lines(rng: np.random.Generator, rows: int, path: Path) -> Path:
    path.with_suffix(".log").write_text("\n".join(lines(rng, rows)) + "\n")
    return path.with_suffix(".log")


Write = Callable[[np.random.Generator, int, Path], Path]
FILES: dict[str, tuple[Write, int, ReadOptions]] = {
    "flows": (_write_flows, 1, ReadOptions()),
    "log lines": (_write_lines, 1, ReadOptions(kind="logs")),
    "sessions of a log": (_write_lines, 8, ReadOptions(kind="logs", session=r"blk_\d+")),
}


def fitted(name: str, kind: str, way: str, seed: int, repeat: int) -> float:
    """Return the share of normal rows that a fitted estimator flags."""
    rng = derive(seed, _STREAM, repeat)
    reference, later, new = (pl.DataFrame(KINDS[kind](rng, n)) for n in (REFERENCE, LATER, SCORED))
    made = make_detector(name, contamination="auto", false_alarm_rate=RATE, schema=None, random_state=repeat)
    assert isinstance(made, BaseDetector)
    detector = made.fit(reference, np.zeros(REFERENCE))
    if way == "update":
        detector = detector.update(later, np.zeros(LATER))
    return float((detector.predict(new) == -1).mean())


def filed(name: str, kind: str, seed: int, repeat: int) -> float | None:
    """Return the share of normal rows of a file that `detect` flags; None where it makes no promise."""
    rng = derive(seed, _STREAM, repeat)
    write, times_as_many, options = FILES[kind]
    with tempfile.TemporaryDirectory() as folder:
        reference = write(rng, times_as_many * REFERENCE, Path(folder, "reference"))
        new = write(rng, times_as_many * SCORED, Path(folder, "new"))
        rule = Rule.false_alarm_rate(RATE)
        findings = detect(
            new, reference=reference, rule=rule, top=0, random_state=repeat, options=options, detector=name
        )
    return float(findings.decision.flagged.mean()) if findings.decision.promise.holds else None


def alarms(seed: int, repeat: int) -> float:
    """Return the alarms a day in a normal series of minutes, where at most one was asked for."""
    rng = derive(seed, _STREAM, repeat)

    def days(count: int) -> pl.DataFrame:
        minutes = np.arange(count * 1440)
        wave = np.sin(minutes * 2 * np.pi / 240) + 0.2 * rng.normal(size=len(minutes))
        start = dt.datetime(2026, 1, 5)
        return pl.DataFrame({"t": [start + dt.timedelta(minutes=int(m)) for m in minutes], "load": wave})

    past, new = days(6), days(4)
    detector = SeriesDetector(time_column="t", false_alarms="1/day", random_state=repeat)
    found = detector.fit(past, np.zeros(past.height)).segments(new)
    return len(found) / 4


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table: a line a kind of column and way of use, a column a detector."""
    names = list(dict.fromkeys(row["detector"] for row in rows))
    head = ["way", "kind", *names]
    body = []
    for way, kind in dict.fromkeys((row["way"], row["kind"]) for row in rows):
        by_name = {row["detector"]: row for row in rows if (row["way"], row["kind"]) == (way, kind)}
        body.append([way, kind, *(_cell(by_name.get(name)) for name in names)])
    return markdown(head, body)


def _cell(row: rowfile.Row | None) -> str:
    if row is None:
        return ""
    rates = [rate for rate in row["rates"] if rate is not None]
    if not rates:
        return "no promise"
    mean, error = float(np.mean(rates)), float(np.std(rates, ddof=1) / np.sqrt(len(rates)))
    withheld = f", none in {len(row['rates']) - len(rates)}" if len(rates) < len(row["rates"]) else ""
    broken = " **broken**" if mean - 3 * error > row["asked"] else ""
    return f"{mean:.3f} ± {error:.3f}{broken}{withheld}"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detectors", default=",".join(DETECTORS))
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"seed": options.seed, "repeats": options.repeats, "rate": RATE}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["way"], row["kind"], row["detector"]) for row in rows}
    repeats = range(options.repeats)

    def add(way: str, kind: str, name: str, measure: Callable[[int], float | None], asked: float) -> None:
        if (way, kind, name) in done:
            return
        rates = [measure(repeat) for repeat in repeats]
        rows.append({"way": way, "kind": kind, "detector": name, "asked": asked, "rates": rates})
        rowfile.write(options.out, call.settings, rows, command=call.command)
        print(way, kind, name, _cell(rows[-1]), flush=True)

    for name in options.detectors.split(","):
        for way in ("fit", "update"):
            for kind in KINDS:
                add(way, kind, name, lambda r, k=kind, w=way, n=name: fitted(n, k, w, options.seed, r), RATE)
        for kind in FILES:
            add("detect", kind, name, lambda r, k=kind, n=name: filed(n, k, options.seed, r), RATE)
    add("series, alarms a day", "points", "distances", lambda r: alarms(options.seed, r), 1.0)
    print(report(rows))


STUDY = Study("promises", __doc__, arguments, conduct, settings, on_rows(report))
