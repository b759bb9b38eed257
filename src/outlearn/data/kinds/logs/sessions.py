"""Lines of a log that belong together become one row: the sequence of their forms, and how they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from outlearn.data.kinds.logs.forms import time_form
from outlearn.data.kinds.logs.grouping import EVENTS, SESSION, SESSION_FEATURES, SessionCounts, grouped
from outlearn.data.readers.lines import LINE
from outlearn.data.readers.source import Source
from outlearn.data.schema import Kind, Schema
from outlearn.errors import ReadError

__all__ = [
    "SESSION",
    "SESSION_FEATURES",
    "session_schema",
    "session_view",
    "session_words",
]

LOOKED = 1000  # lines that show how times are written
KEPT = 256 << 20  # bytes of rows that are kept rather than read anew by each stage
NAME_SHOWN = 80  # characters of the name of a session in the reason of a row


def session_view(source: Source, pattern: str) -> tuple[Source, tuple[str, ...]]:
    r"""Return a source of sessions as `SESSION_FEATURES`, and the columns that no score may see.

    Those are the name of a session and the time of its first line. Lines belong to the session that the
    first group of `pattern` names, or its whole match without one; other lines are counted and left out.
    Forms are named by `forms.form_id`, which needs no state: sessions of two logs may be compared. At most
    100,000 sessions, and ten million forms, are held at once: beyond, those that were silent longest are
    closed, and a line that comes later begins a new row. Sessions come in the order of their first lines.

    Raises
    ------
    ReadError
        When the source holds no lines, or none belongs to a session.

    >>> lines = pl.DataFrame({LINE: ["open 1", "read 1", "open 2", "hello"]})
    >>> view, aside = session_view(Source("a.log", (LINE,), lambda size: [lines]), r"\d+")
    >>> [name.partition("#")[0] for name in view.read()["forms"][0].split()], aside
    (['open', 'read'], ('session', 'time'))
    >>> view.notes[-1]
    'lines are grouped to sessions by \\d+: 2 sessions; 1 line belongs to none and is left out'
    """
    if LINE not in source.columns:
        raise ReadError(f"{source.name}: no text file; wanted a log of lines")
    time = time_form(next(iter(source.chunks(LOOKED)))[LINE])
    tally = SessionCounts()
    kept: list[pl.DataFrame] = []
    rows = size = 0
    for frame in grouped(source, pattern, time, tally):
        rows += frame.height
        size += int(frame.estimated_size())
        kept = [*kept, frame] if size <= KEPT else []
    if not rows:
        raise ReadError(
            f"{source.name}: no line matches the session pattern {pattern!r}; wanted a regular expression of "
            "what names the session of a line"
        )
    batches = (
        (lambda _: kept) if size <= KEPT else (lambda _: grouped(source, pattern, time, SessionCounts()))
    )
    columns, notes = (SESSION, "time", *SESSION_FEATURES), (*source.notes, _note(pattern, rows, tally))
    return Source(source.name, columns, batches, notes, rows, kind="sessions"), (SESSION, "time")


def _note(pattern: str, rows: int, tally: SessionCounts) -> str:
    note = f"lines are grouped to sessions by {pattern}: {rows:,} session{'' if rows == 1 else 's'}"
    if tally.without:
        verb = "line belongs to none and is" if tally.without == 1 else "lines belong to none and are"
        note += f"; {tally.without:,} {verb} left out"
    if tally.closed:
        note += (
            f"; {tally.closed:,} were closed before the end, for too many were open at once: what came "
            "of them later makes rows of their own"
        )
    return note


def session_schema(schema: Schema) -> Schema:
    """Return the schema of sessions, whose forms are a sequence, however few there are to tell it by.

    >>> from outlearn.data.schema import Column
    >>> schema = session_schema(Schema(tuple(Column(name, Kind.CONSTANT) for name in SESSION_FEATURES)))
    >>> str(schema["forms"].kind), str(schema["lines"].kind)
    ('sequence', 'constant')
    """
    return schema.with_columns([replace(schema[EVENTS], kind=Kind.SEQUENCE, note="forms of the lines")])


def session_words(cells: Mapping[str, Any]) -> str:
    """Return the name of a session, cut where it is long, and how many lines it has.

    >>> session_words({"session": "blk_7", "lines": 12.0})
    'session blk_7 (12 lines)'
    """
    name, lines = str(cells[SESSION]), int(cells["lines"])
    short = name if len(name) <= NAME_SHOWN else f"{name[: NAME_SHOWN - 1]}…"
    return f"session {short} ({lines:,} line{'' if lines == 1 else 's'})"
