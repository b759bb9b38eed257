"""The file of known-good patterns: added to, read, and laid on the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.alerts.ledger import pattern_line, read_patterns, revocation_line
from outlearn.alerts.patterns import Pattern
from outlearn.data.kinds.kind import RowKind
from outlearn.data.named import literal
from outlearn.data.schema import unknown_column
from outlearn.errors import ReadError
from outlearn.ledger import Lines, appending, read_lines

__all__ = ["Suppression", "add_pattern", "known_patterns", "revoke_pattern"]


def known_patterns(path: str | Path) -> tuple[Pattern, ...]:
    """Return all patterns of a file, those that do nothing any more too.

    Raises
    ------
    ReadError
        When there is no such file, or it is damaged.
    """
    lines = read_lines(Path(path), "the patterns", "`outlearn suppress` makes such a file")
    return _read(lines, Path(path))


def add_pattern(
    path: str | Path, where: Sequence[str], *, why: str, by: str, until: str | None = None
) -> Pattern:
    """Append a pattern to a file, which is made where there is none; see `ledger.pattern_line`.

    Raises
    ------
    InputError
        When the pattern is none, or the file is damaged or cannot be written.
    """
    with appending(Path(path)) as ledger:
        known = _read(ledger.read(), Path(path))
        pattern, line = pattern_line(known, where, why=why, by=by, until=until, now=datetime.now(UTC))
        ledger.append(line)
    return pattern


def revoke_pattern(path: str | Path, id: int, *, why: str, by: str) -> None:
    """Append that a pattern is taken back; it stays in the file.

    Raises
    ------
    InputError
        When there is no such pattern, or the file is damaged or cannot be written.
    """
    known_patterns(path)  # which says so where there is no file
    with appending(Path(path)) as ledger:
        known = _read(ledger.read(), Path(path))
        ledger.append(revocation_line(known, id, why=why, by=by, now=datetime.now(UTC)))


@dataclass(frozen=True, slots=True)
class Suppression:
    """The patterns that hold today, and sentences on those of the file that do not."""

    patterns: tuple[Pattern, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of_file(cls, path: str | Path | None) -> Suppression:
        """Read a file; no file, no patterns."""
        if path is None:
            return cls()
        today = datetime.now(UTC).date()
        known = known_patterns(path)
        idle = [(pattern, pattern.idle(today)) for pattern in known]
        return cls(
            tuple(pattern for pattern, why in idle if not why),
            tuple(
                f"pattern {pattern.id} ({pattern.why}) does nothing: {why}" for pattern, why in idle if why
            ),
        )

    def check(self, columns: Sequence[str], kind: RowKind, where: str = "") -> None:
        """Refuse conditions on columns that rows of a kind do not have, under no name.

        where : the table that has these columns, for the message.

        Raises
        ------
        SchemaError
            With the names that are close.
        """
        for pattern in self.patterns:
            for condition in pattern.where:
                if kind.column_of(literal(condition.column), columns) is None:
                    what = f"pattern {pattern.id}"
                    raise unknown_column(condition.column, columns, what=what, where=where)

    def ids(self, rows: pl.DataFrame, kind: RowKind) -> NDArray[np.int64]:
        """Return (n,) the id of the first pattern that each row of a kind matches; 0 where none does."""
        matched = np.zeros(rows.height, np.int64)
        for pattern in self.patterns:
            holds = np.ones(rows.height, np.bool_)
            for condition in pattern.where:
                name = kind.column_of(literal(condition.column), rows.columns)
                holds &= condition.holds(rows[str(name)]).to_numpy()
            matched[holds & (matched == 0)] = pattern.id
        return matched

    def counted(self, ids: NDArray[np.int64], flagged: NDArray[np.bool_]) -> tuple[str, ...]:
        """Return how many flagged rows each pattern suppresses, in sentences, then the notes."""
        sentences = []
        for pattern in self.patterns:
            rows = int((flagged & (ids == pattern.id)).sum())
            verb = "row was" if rows == 1 else "rows were"
            sentences.append(
                f"{rows:,} flagged {verb} suppressed by pattern {pattern.id} ({pattern.words()})"
            )
        return (*sentences, *self.notes)


def _read(lines: Lines, path: Path) -> tuple[Pattern, ...]:
    if lines.torn:
        raise ReadError(f"{path}: the last line is not whole; mend or restore the file")
    return read_patterns([text for _, text in lines.whole], str(path))
