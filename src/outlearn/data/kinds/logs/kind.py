"""Lines of a log, and their sessions, as kinds of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from outlearn.data.kinds.kind import RowFacts, RowKind
from outlearn.data.kinds.logs.grouping import EVENTS, SESSION, SESSION_FEATURES
from outlearn.data.kinds.logs.sessions import session_schema, session_view, session_words
from outlearn.data.kinds.logs.view import LOG_FEATURES, LOG_TEXTS, log_view, log_words
from outlearn.data.kinds.written import holds_written
from outlearn.data.readers.detect import examine_text
from outlearn.data.readers.lines import LINE, open_lines
from outlearn.data.readers.paths import located
from outlearn.data.readers.source import ReadOptions, Source

__all__ = ["LOGS", "SESSIONS"]

_LONGEST = 2000  # characters of a line that alerts hold


def _typed(columns: Iterable[str], texts: Iterable[str]) -> dict[str, type[pl.DataType]]:
    return {name: pl.String if name in texts else pl.Float64 for name in columns}


_LINES = _typed((LINE, "time", *LOG_FEATURES), (LINE, *LOG_TEXTS))
_SESSIONS = _typed((SESSION, "time", *SESSION_FEATURES), (SESSION, EVENTS))


def _open(name: str, options: ReadOptions) -> Source | None:
    """Open a file as lines of text; None for a table that such lines, or sessions, were written to."""
    path = located(name)
    if holds_written(path, _LINES) or holds_written(path, _SESSIONS):
        return None
    return open_lines(name, examine_text(path), options.encoding or "utf-8", ())


def _lines(source: Source, _keep: Sequence[str], _options: ReadOptions) -> tuple[Source, tuple[str, ...]]:
    return log_view(source)


def _sessions(source: Source, _keep: Sequence[str], options: ReadOptions) -> tuple[Source, tuple[str, ...]]:
    assert options.session is not None  # by which `registry.kind_for` chooses this kind
    return session_view(source, options.session)


def _line_facts(frame: pl.DataFrame, _clock: str) -> RowFacts:
    whose = frame["process"].fill_null(frame["form"])
    return RowFacts(whose, frame["time"], {"line": frame[LINE].str.slice(0, _LONGEST)})


def _session_facts(frame: pl.DataFrame, _clock: str) -> RowFacts:
    return RowFacts(frame[SESSION], frame["time"])


LOGS = RowKind(
    "logs",
    one="line",
    many="lines of a log",
    seen=_LINES,
    open=_open,
    view=_lines,
    names=lambda _: (LINE, "time"),
    words=log_words,
    around=True,
    facts=_line_facts,
    category=("host",),
    yearless=True,
)
SESSIONS = RowKind(
    "sessions",
    one="session",
    many="sessions of a log",
    seen=_SESSIONS,
    open=_open,
    view=_sessions,
    names=lambda _: (SESSION, "time"),
    schema=session_schema,
    words=session_words,
    around=True,
    facts=_session_facts,
    category=("host",),
    yearless=True,
)
