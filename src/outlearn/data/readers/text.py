"""Columns of text become numbers, booleans or stay text, judged over all rows, never over the first ones.

A first pass counts, for each column, what its values could be; the counts are sums and do not depend on
where chunks end. The second pass converts, and a value that does not convert is null, never an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from outlearn.data.named import by_name
from outlearn.data.quantities import Notation
from outlearn.data.readers.limits import check_columns_of_rows
from outlearn.data.readers.numbers import CONTINENTAL, ENGLISH, ERRORS, Convention, conventions
from outlearn.data.readers.source import ReadOptions, Source, reading
from outlearn.data.readers.tally import Tally, count
from outlearn.data.readers.totals import first_word, holds_sums, looks_like_total, on_total, without_last
from outlearn.errors import ReadError

__all__ = ["from_text"]

_NAMED = 5  # columns, and errors, that a note names
_BAD_SHARE = 0.05  # a column with more values that are no numbers than this stays text

Frames = Callable[[], Iterable[pl.DataFrame]]
DType = type[pl.DataType]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one column is converted; `way` is None where all its numbers are plain.

    written : whether some number is not plain, so that only `way` can read it.
    errors : whether some values are errors of a spreadsheet, which are missing.
    """

    dtype: DType
    way: Convention | None = None
    note: str = ""
    written: bool = False
    errors: bool = False

    @property
    def notation(self) -> Notation | None:
        """How its numbers are written, for what is read later; None where they are plain."""
        if self.way is None or not (self.written or self.way.decimal != "."):
            return None
        return Notation(decimal=self.way.decimal, thousands=self.way.thousands, converted=True)

    def convert(self, values: pl.Expr) -> pl.Expr:
        if self.errors:
            values = pl.when(~values.str.strip_chars().is_in(ERRORS)).then(values)
        if self.dtype is pl.String:
            return values
        bare = values.str.strip_chars()
        if self.dtype is pl.Boolean:
            return bare.str.to_lowercase() == "true"
        if self.way is None or self.dtype is pl.Int64:
            return (bare if self.way else values).cast(self.dtype, strict=False).fill_nan(None)
        plain = bare.cast(pl.Float64, strict=False)
        return pl.coalesce(self.way.parse(bare), plain).fill_nan(None)


def from_text(
    name: str,
    frames: Frames,
    *,
    options: ReadOptions,
    notes: tuple[str, ...] = (),
    ambiguous: Convention = ENGLISH,
    totals: bool = False,
) -> Source:
    """Read frames of text columns twice: to decide the types, and to hand out typed chunks.

    Parameters
    ----------
    frames : gives the same frames afresh each time; a column may be absent from a frame.
    ambiguous : the convention of ``1,234`` where no other value of the file tells.
    totals : whether a last row that holds the sums of the columns is left out.

    Raises
    ------
    ReadError
        When there is no row.
    """
    ways = conventions(options.decimal, options.thousands)
    with reading(name):
        tallies, rows, last = _count(name, frames, ways, values=not options.as_written)
    if not rows:
        raise ReadError(f"{name}: no rows of data; wanted at least one below the header")
    plans = _decide(tallies, ways, ambiguous, options)
    if totals and looks_like_total(last, rows):
        with reading(name):
            judged = plans
            if options.as_written:  # sums are numbers, whatever the cells stay
                tallies, _, _ = _count(name, frames, ways, values=True)
                judged = _decide(tallies, ways, ambiguous, replace(options, as_written=False))
            total = holds_sums((_typed(frame, judged) for frame in frames()), rows)
        if total:
            said = (*notes, on_total(first_word(last)))
            return from_text(
                name, without_last(frames, rows), options=options, notes=said, ambiguous=ambiguous
            )

    def batches(_: int) -> Iterator[pl.DataFrame]:
        return (_typed(frame, plans) for frame in frames())

    said = (*_ways_used(plans), _on_errors(tallies), *(plan.note for plan in plans.values()))
    notations = {column: plan.notation for column, plan in plans.items() if plan.notation is not None}
    decimals = {way.decimal for way in ways} if len(ways) == 1 else {n.decimal for n in notations.values()}
    return Source(
        name,
        tuple(plans),
        batches,
        (*notes, *filter(None, said)),
        rows,
        notations=notations,
        decimal=ambiguous.decimal if len(decimals) != 1 else decimals.pop(),
    )


def _count(
    name: str, frames: Frames, ways: tuple[Convention, ...], *, values: bool
) -> tuple[dict[str, Tally], int, dict[str, object]]:
    """Return a tally of each column, how many rows there are, and the last of them.

    values : whether those are counted.
    """
    tallies: dict[str, Tally] = {}
    rows = 0
    last: dict[str, object] = {}
    for frame in frames():
        rows += frame.height
        last = frame.row(-1, named=True) if frame.height else last
        check_columns_of_rows(name, len(tallies.keys() | set(frame.columns)))
        columns = [tallies.setdefault(column, Tally(ways)) for column in frame.columns]
        if values:
            count(columns, frame)
    return tallies, rows, last


def _typed(frame: pl.DataFrame, plans: Mapping[str, _Plan]) -> pl.DataFrame:
    there = set(frame.columns)
    nothing = pl.lit(None, dtype=pl.String)
    return frame.select(
        plan.convert(by_name(name) if name in there else nothing).alias(name) for name, plan in plans.items()
    )


def _decide(
    tallies: Mapping[str, Tally],
    ways: tuple[Convention, ...],
    ambiguous: Convention,
    options: ReadOptions,
) -> dict[str, _Plan]:
    if len(ways) == 1:
        choose = partial(_given_way, way=ways[0])
    else:
        balance = sum((t.written[0] > t.written[1]) - (t.written[1] > t.written[0]) for t in tallies.values())
        choose = partial(_likely_way, balance=balance, ambiguous=ambiguous)
    signs = dict(options.decimals)
    known = {way.decimal: way for way in ways}
    chosen = {name: known.get(signs.get(name, "")) or choose(tally) for name, tally in tallies.items()}
    plans = {
        name: _Plan(pl.String)
        if options.as_written or name in options.as_text
        else _plan(name, tally, chosen[name])
        for name, tally in tallies.items()
    }
    return {name: replace(plan, errors=bool(tallies[name].errors)) for name, plan in plans.items()}


def _on_errors(tallies: Mapping[str, Tally]) -> str:
    """Say which columns hold errors of a spreadsheet, and how many."""
    broken = {name: tally.errors for name, tally in tallies.items() if tally.errors}
    if not broken:
        return ""
    words = sum(broken.values(), Counter[str]()).most_common(_NAMED)
    where = [f"{sum(errors.values()):,} in '{name}'" for name, errors in broken.items()]
    more = f" and {len(where) - _NAMED} more columns" if len(where) > _NAMED else ""
    return (
        f"cells that hold an error of a spreadsheet ({', '.join(word for word, _ in words)}) are missing: "
        f"{', '.join(where[:_NAMED])}{more}"
    )


def _given_way(tally: Tally, way: Convention) -> Convention | None:
    return way if tally.odd or way.decimal != "." else None


def _likely_way(tally: Tally, balance: int, ambiguous: Convention) -> Convention | None:
    """Choose by the values of the column, then by the other columns (`balance` > 0: English)."""
    english, continental = tally.written
    if english != continental:
        return ENGLISH if english > continental else CONTINENTAL
    if english and not tally.free_dot:
        return CONTINENTAL if balance < 0 or (balance == 0 and ambiguous is CONTINENTAL) else ENGLISH
    if balance < 0 and tally.fraction and not tally.free_dot:
        return CONTINENTAL  # 1.234 in a file with decimal commas
    return ENGLISH if tally.odd else None


def _plan(name: str, tally: Tally, way: Convention | None) -> _Plan:
    if tally.present and tally.truths == tally.present:
        return _Plan(pl.Boolean)
    if tally.zero_led:
        return _Plan(pl.String, note=f"column '{name}' has leading zeros and stays text")
    written = tally.written[tally.ways.index(way)] if way else 0
    good = tally.plain + written
    bad = tally.present - good
    if tally.huge and not tally.fraction and not bad:
        return _Plan(pl.String, note=f"column '{name}' has integers past 64 bits and stays text")
    # What is beside the digits may say what they mean: that is settled with the kind of the column.
    worded = bad * tally.worded_share
    if worded and good + worded >= (1 - _BAD_SHARE) * tally.present:
        return _Plan(pl.String)
    if bad > _BAD_SHARE * tally.present:
        mixed = f"column '{name}' stays text: {bad:,} of its {tally.present:,} values are not numbers"
        return _Plan(pl.String, note=mixed if good > bad else "")
    whole = tally.present > 0 and tally.whole == good
    dtype = pl.Int64 if whole else pl.Float64
    return _Plan(dtype, way, _missing_note(name, tally, bad), written=written > 0)


def _missing_note(name: str, tally: Tally, bad: int) -> str:
    if not bad:
        return ""
    shown = ", ".join(repr(value[:30]) for value in tally.examples)
    values = "1 value" if bad == 1 else f"{bad:,} values"
    verb = "is not a number and was" if bad == 1 else "are not numbers and were"
    return f"{values} of column '{name}' {verb} read as missing" + (f" (such as {shown})" if shown else "")


def _ways_used(plans: Mapping[str, _Plan]) -> Iterator[str]:
    """Say which columns have numbers that are not written as a computer does."""
    ways = {n: p.way for n, p in plans.items() if p.way and p.dtype is not pl.String and p.notation}
    commas = [f"'{n}'" for n, way in ways.items() if way.decimal != "." and plans[n].dtype is pl.Float64]
    grouped = [f"'{n}'" for n in ways if plans[n].written and f"'{n}'" not in commas]
    for words, named in (("decimal comma", commas), ("signs between thousands", grouped)):
        if named:
            more = f" and {len(named) - 5} more" if len(named) > 5 else ""
            yield f"{words} in the numbers of {', '.join(named[:5])}{more}"
