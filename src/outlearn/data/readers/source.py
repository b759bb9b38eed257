"""What every reader returns: rows in chunks, with a word on how they were read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from outlearn.data.kinds.names import KINDS, TABLE
from outlearn.data.named import is_pattern, literal
from outlearn.data.quantities import Notation
from outlearn.data.readers.limits import TOO_DEEP
from outlearn.errors import ParameterError, ReadError
from outlearn.panics import without_panics
from outlearn.shown import clean

__all__ = ["FIXED", "WHITESPACE", "ReadOptions", "Source", "groups_of", "one_line", "reading", "unique_names"]

BATCH_ROWS = 16_384
WHITESPACE, FIXED = "whitespace", "fixed-width"  # separators that are no single character


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read where detection should not decide; None means: detect.

    separator : one character between the fields of a delimited text file; "whitespace" where any run of
        blanks parts them, "fixed-width" where they stand at the same places of every line.
    header : whether the first row of a delimited text file, or of the table in a sheet, names the columns.
    sheet : which sheet of a workbook; None takes the first that is seen and not empty.
    encoding : a codec name such as ``"cp1252"``.
    decimal, thousands : signs within numbers, one character each.
    query : the SQL text, wanted where the source is a database URL. query_timeout : seconds that it may take.
    session : regular expression of what names the session of a line of a log, whose lines are then grouped;
        implies the kind "logs".
    kind : what the rows are, where it is not to be told by their columns: "flows", "logs" for a text file
        of lines, "bus" for frames of a CAN bus, "executables" for a folder of them, or "table" for rows that
        are taken as they are.
    as_text : columns of text sources in which no value may be taken for a badly written number, such as
        labels: a column mostly of numbers otherwise loses the few values that are none (with a note).
    as_written : whether all cells of text sources stay text, to be read another time.
    decimals : columns, each with the sign of decimals that it is known to have, whatever its values suggest.
    """

    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    query: str | None = None
    kind: str | None = None
    as_text: tuple[str, ...] = ()
    session: str | None = None
    decimals: tuple[tuple[str, str], ...] = ()
    header: bool | None = None
    sheet: str | None = None
    query_timeout: float = 600.0
    as_written: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.query_timeout < math.inf:
            raise ParameterError(f"query_timeout is {self.query_timeout!r}; wanted seconds above 0")
        if self.session is not None:
            if self.kind not in (None, "logs"):
                raise ParameterError(
                    f"a session pattern came with kind {self.kind!r}; only logs have sessions: leave one out"
                )
            groups_of(self.session)
            object.__setattr__(self, "kind", "logs")
        if self.kind not in (None, *KINDS):
            raise ParameterError(f"kind is {self.kind!r}; wanted one of {', '.join(KINDS)}, or None")
        object.__setattr__(self, "as_text", tuple(map(literal, self.as_text)))
        object.__setattr__(self, "decimals", tuple((literal(name), sign) for name, sign in self.decimals))
        for option in ("separator", "decimal", "thousands"):
            value = getattr(self, option)
            if option == "separator" and value in (WHITESPACE, FIXED):
                continue
            if value is not None and (len(value) != 1 or not value.isascii() or value in '"\r\n'):
                words = f", {WHITESPACE} or {FIXED}" if option == "separator" else ""
                raise ParameterError(
                    f"{option} is {value!r}; wanted one ASCII character, not a quote or line end{words}"
                )
        for sign in (self.decimal, self.thousands):
            if sign is not None and (sign.isalnum() or sign in "+-"):
                raise ParameterError(
                    f"{sign!r} cannot be a decimal or thousands sign; wanted one such as , or ."
                )
        if self.decimal is not None and self.decimal == self.thousands:
            raise ParameterError(f"decimal and thousands are both {self.decimal!r}; give two different signs")


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that can be walked again and again, each time in the same chunks with the same types.

    Missing values are null in every column. Nothing is sampled and no row is dropped.

    name : what is read, in words.
    notes : sentences for the user on what was detected or repaired.
    columns : names, unique, never empty, and none that polars takes for a pattern; see `named`.
    rows : how many, where that is known without another pass.
    batches : gives the rows afresh, in pieces of any size; its argument is the size wanted.
    kind : what the rows are, as far as the reader knows: a name of `data.kinds.registry`.
    notations : how the numbers of columns were written that became numbers when they were read, where that is
        not as a computer writes them.
    decimal : the sign of decimals that the file has, where it may say how to read 1.234; None: nobody knows.
    """

    name: str
    columns: tuple[str, ...]
    batches: Callable[[int], Iterable[pl.DataFrame]]
    notes: tuple[str, ...] = ()
    rows: int | None = None
    kind: str = TABLE
    notations: Mapping[str, Notation] = field(default_factory=dict)
    decimal: str | None = None

    def __post_init__(self) -> None:
        patterns = [name for name in self.columns if is_pattern(name)]
        if patterns:  # a fault of the reader
            raise ValueError(f"{self.name}: the columns {patterns} are patterns; wanted literal names")

    def chunks(self, rows: int = 100_000) -> Iterator[pl.DataFrame]:
        """Yield frames of exactly `rows` rows, the last one of what is left.

        Raises
        ------
        ReadError
            When the source turns out to be damaged on the way.
        """
        if rows < 1:
            raise ParameterError(f"chunks of {rows} rows were asked for; wanted at least 1")
        held: list[pl.DataFrame] = []
        ready = total = 0
        with reading(self.name):
            for batch in self.batches(rows):
                held.append(batch)
                ready += batch.height
                total += batch.height
                if ready >= rows:
                    whole = pl.concat(held)
                    full = ready - ready % rows
                    for start in range(0, full, rows):
                        yield whole.slice(start, rows).rechunk()
                    held, ready = [whole.slice(full)], ready - full
            if ready:
                yield pl.concat(held).rechunk()
        if not total:
            raise ReadError(f"{self.name}: no rows of data; wanted at least one")
        if self.rows is not None and total != self.rows:
            raise ReadError(
                f"{self.name}: {total:,} rows, where there were {self.rows:,} before: it was changed while "
                "it was read; give a copy that nobody writes to"
            )

    def read(self) -> pl.DataFrame:
        """Return all rows in one frame."""
        return pl.concat(list(self.chunks())).rechunk()


def one_line(error: BaseException, limit: int = 200) -> str:
    """Return the message of a foreign error on one line.

    >>> one_line(ValueError("first\\n  second"))
    'first second'
    """
    return clean(str(error), limit) or type(error).__name__


def groups_of(pattern: str) -> int:
    """Return how many groups a regular expression has.

    Raises
    ------
    ParameterError
        When it is none that polars reads; those take time in proportion to the line, whatever they are.

    >>> groups_of("blk_[0-9]+"), groups_of("user=([a-z]+)")
    (0, 1)
    """
    try:
        return len(pl.Series([""]).str.extract_groups(pattern).struct.fields)
    except pl.exceptions.ComputeError as error:
        raise ParameterError(
            f"the session pattern {pattern!r} is no regular expression ({one_line(error)}); wanted one such "
            r"as blk_-?\d+, or one with a group around what names the session (look-around is not known)"
        ) from error


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what the file system and the libraries raise into a ReadError of one line."""
    try:
        with without_panics(name):
            yield
    except FileNotFoundError as error:
        raise ReadError(f"{name}: no such file; check the path") from error
    except PermissionError as error:
        raise ReadError(f"{name}: no permission to read it") from error
    except MemoryError as error:
        raise ReadError(
            f"{name}: there is not enough memory to read it; give fewer rows or columns, or a larger machine"
        ) from error
    except RecursionError as error:
        raise ReadError(f"{name}: {TOO_DEEP}") from error
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError, UnicodeError, OverflowError) as error:
        raise ReadError(f"{name}: damaged, truncated or unreadable ({one_line(error)})") from error


def unique_names(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return usable column names and the notes on what was renamed, but for blanks around them.

    >>> unique_names(["a", " a", ""])[0]
    ('a', 'a_2', 'column_3')
    """
    kept = [name.strip() for name in names]
    taken = set(kept)
    last: dict[str, int] = {}  # the number that a name got last: thousands may be alike
    seen: set[str] = set()
    blank: list[str] = []
    duplicate: list[str] = []
    for position, name in enumerate(kept):
        if name and name not in seen:
            seen.add(name)
            continue
        new = _free_name(name, position + 1, taken, last)
        (duplicate if name else blank).append(f"'{name}' → '{new}'" if name else f"'{new}'")
        kept[position] = new
        taken.add(new)
        seen.add(new)
    notes = [f"duplicate column names renamed: {_first(duplicate)}"] if duplicate else []
    notes += [f"columns without a name were called {_first(blank)}"] if blank else []
    return tuple(map(literal, kept)), tuple(notes)


def _free_name(name: str, position: int, taken: set[str], last: dict[str, int]) -> str:
    if not name and f"column_{position}" not in taken:
        return f"column_{position}"
    base, number = name or f"column_{position}", last.get(name, 1) + 1
    while f"{base}_{number}" in taken:
        number += 1
    if name:
        last[name] = number
    return f"{base}_{number}"


def _first(items: Iterable[str], limit: int = 5) -> str:
    items = list(items)
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more
