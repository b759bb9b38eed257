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
MOST_FORMS = 5_000  # forms of a session
PROCESSES = 1_000  # of a session that are kept apart


@dataclass(slots=True)
class _Session:
    """A session as far as it was read; `first` is the number of its first line."""

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
        for addition in _additions(batch[LINE], pattern, time, tally).iter_rows(named=True):
            name = addition[SESSION]
            session = live.pop(name, None) or _Session(name, line + addition["first"])
            held += _extend(session, addition)
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


def _additions(
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


def _extend(session: _Session, addition: Mapping[str, Any]) -> int:
    """Add what a block of lines holds of a session; return how many more forms are held."""
    before = len(session.forms)
    session.forms += map(intern, addition["form"][: MOST_FORMS - before])
    session.lines += len(addition["form"])
    session.grave += addition["grave"]
    session.processes.update(addition["process"][: PROCESSES - len(session.processes)])
    if addition["last"] is not None:
        pause = None if session.last is None else addition["earliest"] - session.last
        gaps = [addition["gap"], session.gap, pause]
        session.gap = max((gap for gap in gaps if gap is not None), default=None)
        session.start = addition["start"] if session.start is None else min(session.start, addition["start"])
        session.end = addition["end"] if session.end is None else max(session.end, addition["end"])
        session.last = addition["last"]
    return len(session.forms) - before


def _rows(sessions: list[_Session]) -> pl.DataFrame:
    """Return sessions as rows, in the order of their first lines."""
    rows = [
        (
            session.name,
            session.start,
            " ".join(session.forms),
            float(session.lines),
            None if session.start is None or session.end is None else session.end - session.start,
            None if session.gap is None else max(session.gap, 0.0),
            session.grave / session.lines,
            float(len(session.processes)),
        )
        for session in sorted(sessions, key=lambda session: session.first)
    ]
    text = {SESSION: pl.String, EVENTS: pl.String}
    schema = {name: text.get(name, pl.Float64) for name in (SESSION, "time", *SESSION_FEATURES)}
    return pl.DataFrame(rows, schema=schema, orient="row")
