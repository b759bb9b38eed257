"""Lines of a log gathered by what names their session, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

import polars as pl

from outlearn.data.kinds.logs.forms import form_id, parts_of
from outlearn.data.readers.lines import LINE
from outlearn.data.readers.source import Source, groups_of

__all__ = ["EVENTS", "SESSION", "SESSION_FEATURES", "SessionCounts", "grouped"]

SESSION, EVENTS = "session", "forms"
SESSION_FEATURES = (
    EVENTS,
    "lines",
    "seconds",
    "longest gap in seconds",
    "share of grave lines",
    "processes",
)
GRAVE = ("error", "err", "severe", "critical", "crit", "fatal", "alert", "emerg", "panic")
BLOCK = 50_000  # lines at a time
OPEN = 100_000  # sessions that are open at once
HELD = 10_000_000  # forms of open sessions
LONGEST = 5_000  # forms of a session
PROCESSES = 1_000  # of a session that are told apart


@dataclass(slots=True)
class _Session:
    """What is known so far of a session; `first` is the number of its first line."""

    name: str
    first: int
    forms: list[str] = field(default_factory=list)
    lines: int = 0
    start: float | None = None
    end: float | None = None
    last: float | None = None
    gap: float | None = None
    grave: int = 0
    processes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class SessionCounts:
    """Lines without a session, and sessions that were closed early."""

    without: int = 0
    closed: int = 0


def grouped(
    source: Source, pattern: str, time: tuple[str, str] | None, tally: SessionCounts
) -> Iterator[pl.DataFrame]:
    """Yield sessions as rows, those that are closed early first."""
    live: dict[str, _Session] = {}  # the one that was silent longest comes first
    held = line = 0
    for batch in source.batches(BLOCK):
        for part in _parts(batch[LINE], pattern, time, tally).iter_rows(named=True):
            name = part[SESSION]
            session = live.pop(name, None) or _Session(name, line + part["first"])
            held += _extend(session, part)
            live[name] = session
        line += batch.height
        if len(live) > OPEN or held > HELD:
            closed = []
            for name in list(live):
                if len(live) <= 0.9 * OPEN and held <= 0.9 * HELD:
                    break
                closed.append(live.pop(name))
                held -= len(closed[-1].forms)
            tally.closed += len(closed)
            yield _rows(closed)
    if live:
        yield _rows(list(live.values()))


def _parts(
    lines: pl.Series, pattern: str, time: tuple[str, str] | None, tally: SessionCounts
) -> pl.DataFrame:
    """Return what a block of lines adds to each of its sessions, in the order of their last lines."""
    names = lines.str.extract(pattern, min(1, groups_of(pattern)))
    named = names.is_not_null() & (names != "")
    tally.without += len(lines) - int(named.sum())
    parts = parts_of(lines.filter(named), time, hidden=names.filter(named))
    ids = {form: form_id(form) for form in parts["form"].unique().to_list()}
    place = pl.int_range(len(lines), eager=True).filter(named)
    times = pl.col("time").drop_nulls()
    return (
        parts.with_columns(names.filter(named).alias(SESSION), place.alias("place"))
        .group_by(SESSION)
        .agg(
            pl.col("form").replace_strict(ids, return_dtype=pl.String) if ids else "form",
            pl.col("place").first().alias("first"),
            pl.col("place").last(),
            pl.col("level").is_in(GRAVE).sum().alias("grave"),
            pl.col("process").drop_nulls().unique(),
            times.first().alias("earliest"),
            times.last().alias("last"),
            times.min().alias("start"),
            times.max().alias("end"),
            times.diff().max().alias("gap"),
        )
        .sort("place")
    )


def _extend(session: _Session, part: Mapping[str, Any]) -> int:
    """Add what a block of lines tells of a session; return how many forms are held in addition."""
    before = len(session.forms)
    session.forms += map(intern, part["form"][: LONGEST - before])
    session.lines += len(part["form"])
    session.grave += part["grave"]
    session.processes.update(part["process"][: PROCESSES - len(session.processes)])
    if part["last"] is not None:
        gaps = [part["gap"], session.gap, None if session.last is None else part["earliest"] - session.last]
        session.gap = max((gap for gap in gaps if gap is not None), default=None)
        session.start = part["start"] if session.start is None else min(session.start, part["start"])
        session.end = part["end"] if session.end is None else max(session.end, part["end"])
        session.last = part["last"]
    return len(session.forms) - before


def _rows(sessions: list[_Session]) -> pl.DataFrame:
    """Return sessions as rows, in the order of their first lines."""
    told = [
        (
            each.name,
            each.start,
            " ".join(each.forms),
            float(each.lines),
            None if each.start is None or each.end is None else each.end - each.start,
            None if each.gap is None else max(each.gap, 0.0),
            each.grave / each.lines,
            float(len(each.processes)),
        )
        for each in sorted(sessions, key=lambda each: each.first)
    ]
    text = {SESSION: pl.String, EVENTS: pl.String}
    schema = {name: text.get(name, pl.Float64) for name in (SESSION, "time", *SESSION_FEATURES)}
    return pl.DataFrame(told, schema=schema, orient="row")
