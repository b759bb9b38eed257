"""A kind of rows as a value: how it is recognised, the features of its rows, and what names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from outlearn.data.named import by_name

if TYPE_CHECKING:
    from outlearn.data.readers.source import ReadOptions, Source
    from outlearn.data.schema import Schema

__all__ = ["FACTS", "PLAIN", "RowFacts", "RowKind", "Surroundings"]

#: What alerts hold of a row beside its score, null where its kind has no such thing.
FACTS: dict[str, type[pl.DataType]] = {
    "source": pl.String,
    "source port": pl.String,
    "target": pl.String,
    "target port": pl.String,
    "protocol": pl.String,
    "service": pl.String,
    "sent bytes": pl.Float64,
    "received bytes": pl.Float64,
    "line": pl.String,
    "file": pl.String,
}


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What alerts hold of rows (k,): whose they are, when they were, and those of `FACTS` that are known.

    entities : names, null where a row is nobody's; None where the rows of a kind never are anybody's.
    times : seconds since 1970, null where a time is not known; None where the kind has no times.
    """

    entities: pl.Series | None = None
    times: pl.Series | None = None
    facts: Mapping[str, pl.Series] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Columns that only the rows around a row can fill, so that a file of single rows does not have them.

    keys : from the columns of a table, those by which a single row is found in it again.
    words : what is not known of a row that is not found.
    """

    columns: tuple[str, ...]
    keys: Callable[[Sequence[str]], Sequence[str]]
    words: str


def _is_none(_: Sequence[str]) -> bool:
    return False


def _no_columns(_: Any) -> tuple[str, ...]:
    return ()


def _not_opened(_name: str, _options: ReadOptions) -> Source | None:
    return None


def _as_it_is(source: Source, _keep: Sequence[str], _options: ReadOptions) -> tuple[Source, tuple[str, ...]]:
    return source, ()


def _as_inferred(schema: Schema) -> Schema:
    return schema


def _no_name(_: Mapping[str, Any]) -> str:
    return ""


def _no_facts(_frame: pl.DataFrame, _clock: str) -> RowFacts:
    return RowFacts()


def _by_name(name: str, columns: Sequence[str]) -> str | None:
    return name if name in columns else None


@dataclass(frozen=True, slots=True)
class RowKind:
    """A kind of rows; what is not said is as of a table, whose rows are taken as they are.

    Reading
    -------
    name : as users, models and alerts call it. one, many : a row and its rows in words.
    seen : the columns of each view of the kind, with their types; none of a table.
    holds : whether a table with these columns is taken for one of the kind where nobody says what it is.
    open : opens what a path names, in a way of its own; None: as any file.
    digits : from the columns of a text file, those whose digits are no numbers.
    view : from a source, columns to keep as they are, and how to read: a source of the features of the same
        rows, and its columns that no score may see.
    names : of a source that is such a view, its columns that no score may see.
    schema : corrects what was inferred from the values of a view.

    Telling
    -------
    words : the name of a row from its cells, "" for none.
    around : whether features depend on the rows around each; surroundings : what a single row lacks of these.
    column_of : the column that a name stands for among some; None for none.
    beside_reference : the detector that does best beside a reference of normal rows, where it is known.

    Alerts
    ------
    facts : what alerts hold of rows, and how their times are read ("none" where the kind needs no such word).
    ends : of the columns of a view, those that say from where to where a row goes, and when; None where rows
        go nowhere.
    category : of events about such rows, in the words of the Elastic Common Schema, if it has a word.
    yearless : whether times may lack the year.
    """

    name: str
    one: str = "row"
    many: str = "rows"
    seen: Mapping[str, pl.DataType | type[pl.DataType]] = field(default_factory=dict)
    holds: Callable[[Sequence[str]], bool] = _is_none
    open: Callable[[str, ReadOptions], Source | None] = _not_opened
    digits: Callable[[Sequence[str]], Sequence[str]] = _no_columns
    view: Callable[[Source, Sequence[str], ReadOptions], tuple[Source, tuple[str, ...]]] = _as_it_is
    names: Callable[[Source], tuple[str, ...]] = _no_columns
    schema: Callable[[Schema], Schema] = _as_inferred
    words: Callable[[Mapping[str, Any]], str] = _no_name
    around: bool = False
    surroundings: Surroundings | None = None
    column_of: Callable[[str, Sequence[str]], str | None] = _by_name
    beside_reference: str | None = None
    facts: Callable[[pl.DataFrame, str], RowFacts] = _no_facts
    ends: Callable[[Sequence[str]], Mapping[str, str]] | None = None
    category: tuple[str, ...] = ()
    yearless: bool = False

    def made(self, columns: Sequence[str]) -> bool:
        """Tell whether columns are those of a view of this kind, such as one that was written to a file."""
        if not self.seen or not self.seen.keys() <= set(columns):
            return False
        return self.ends is None or {"source", "target"} <= self.ends(columns).keys()

    def text_columns(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the columns of a text file in which no value is a number, whatever it looks like."""
        if self.made(columns):
            return tuple(name for name, dtype in self.seen.items() if dtype == pl.String)
        return tuple(self.digits(columns))

    def view_of(
        self, source: Source, keep: Sequence[str], options: ReadOptions
    ) -> tuple[Source, tuple[str, ...]]:
        """Return a source of the features of the rows of a source, and its columns that no score may see.

        A view, such as one that was written to a file, stays as it is.

        Raises
        ------
        ReadError
            When the source holds no rows of this kind.
        """
        if self.made(source.columns):
            batches = source.batches
            source = replace(source, batches=lambda rows: self._typed(batches(rows)))
            aside = tuple(name for name in self.names(source) if name not in keep)
        else:
            source, aside = self.view(source, keep, options)
        return replace(source, kind=self.name), aside

    def named(self, cells: Mapping[str, Any]) -> str:
        """Return what stands before a sentence on a row: its name, if rows of this kind have one."""
        words = self.words(cells)
        return f"{words}: " if words else ""

    def _typed(self, batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        casts = [by_name(name).cast(dtype, strict=False) for name, dtype in self.seen.items()]
        for batch in batches:
            yield batch.with_columns(casts)


PLAIN = RowKind("table")
