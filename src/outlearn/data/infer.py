"""What the columns of a table mean, read from their values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import polars as pl
from narwhals.typing import IntoDataFrame
from numpy.typing import NDArray

from outlearn.data.columns.addresses import holds_addresses
from outlearn.data.columns.cells import (
    FALSE_WORDS,
    TRUE_WORDS,
    columns_of,
    numbers_of,
    text_of,
    written_of,
)
from outlearn.data.columns.dates import OPEN_ENDS, form_of, holds_packed, short_years
from outlearn.data.columns.events import events_of, holds_events, lists_of_text
from outlearn.data.columns.runs import holds_runs, runs_of
from outlearn.data.missing import with_missing
from outlearn.data.named import literal
from outlearn.data.quantities import LEAST, Form, Notation, Recognised, recognise
from outlearn.data.schema import Column, Kind, Role, Schema, unknown_column
from outlearn.panics import without_panics

__all__ = ["infer_schema"]

_DISTINCT = 0.99  # share of distinct values from which a column can be an identifier
_SAME_LENGTH = 0.95  # share of lists that must be as long as most are
_CODES = 10  # distinct hexadecimal values up to which they are codes
_TRUTHS = 6  # distinct values that truth values can be written in, with capitals
_REPEATED = 0.5  # share of distinct values up to which they are categories
_FEW_ROWS = 10  # below this many values a run of whole numbers proves nothing
_SMOOTH = 0.5  # correlation of neighbouring numbers of a list from which on it is a series
_FARTHEST = 1e60  # of a number of a list: sums of its squares still fit in float64
_ID_WORDS = {"id", "ids", "uuid", "guid", "key", "pk", "rowid", "oid"}
_UUID = r"^\{?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?$"


class Inference(NamedTuple):
    """What a column is, why, how its numbers are written where they are text, and how many cells the note
    says to be none."""

    kind: Kind
    note: str = ""
    notation: Notation | None = None
    unread: int = 0


_TYPED = {
    pl.Boolean: Inference(Kind.BOOLEAN),
    pl.Duration: Inference(Kind.NUMERIC, "read in seconds", Notation(Form.SPAN)),
    pl.Time: Inference(Kind.NUMERIC, "read in seconds", Notation(Form.CLOCK)),
}


@np.errstate(over="ignore", invalid="ignore")  # differences of numbers near the ends of float64
@without_panics("the table")
def infer_schema(
    frame: IntoDataFrame | nw.DataFrame[Any],
    *,
    label_column: str | None = None,
    time_column: str | None = None,
    ignore: Sequence[str] = (),
    decimal: str | None = None,
    missing: Mapping[str, Sequence[str]] | None = None,
) -> Schema:
    """Read what the columns of a dataframe (pandas, polars or pyarrow) mean from their values.

    The first rule that holds decides; `Column.note` gives the reason where one may wonder.

    * **constant**: all cells empty, or one value and none empty. Infinities count as empty.
    * **boolean**: truth values, or text with both words of true/false, yes/no, y/n, t/f or on/off.
    * **identifier**: at least 99 % of the values distinct, and one of: UUIDs; whole numbers that fill their
      range without gaps (at least 10 values); whole numbers that rise or fall in even steps from row to row
      (at least 20); whole numbers or text without spaces in a column named like id, uuid, guid or key; text
      without spaces of at most 64 characters that holds digits. A number with a fraction is never one, nor
      are distinct whole numbers such as prices in cents in a column of another name. Counts since 1970 do not
      fall under the steps.
    * **numeric**: numbers, durations, times of day, and text of which at least 95 % are numbers (not where
      leading zeros show codes), as a computer or as people write them: see `quantities`. Whole-number codes
      are numeric too: only a person can tell them from counts.
    * **datetime**: dates and date-times, and text of which at least 99 % is in one common form, ISO first.
    * **series**, **embedding**: lists of numbers, also as text in brackets. Those of several lengths (fewer
      than 95 % of one), or in which a number tells of the next, are series; others are vectors whose
      coordinates have no order.
    * **sequence**: lists of text, and text of events separated by blanks: few words that come again and
      again, also within a cell (see `columns.events.holds_events`).
    * **categorical**: columns typed so; addresses (IP, MAC), which count by their networks where most differ;
      and text with few distinct values: at most half as many as rows, or at most 30 on a table so small that
      they are under four fifths of the rows.
    * **text**: all other text.

    Parameters
    ----------
    label_column, time_column : columns that get these roles. Counts since 1970 in `time_column` are
    date-times.
    ignore : columns that get the role `ignored`.
    decimal : the sign of decimals, ``.`` or ``,``, in text whose cells do not tell (1.234 may be 1234).
    missing : values that stand for missing, by column; see `Column`.

    Raises
    ------
    SchemaError
        When `frame` is not a dataframe or a named column does not exist.

    >>> import polars as pl
    >>> rows = {"id": [4, 9, 2], "price": [1.5, 2.0, 7.25], "shop": ["A", "B", "A"]}
    >>> print(infer_schema(pl.DataFrame(rows)))
    name   kind         role     note
    id     identifier   feature  distinct whole numbers, and named like an identifier
    price  numeric      feature
    shop   categorical  feature
    """
    columns = columns_of(frame)
    roles = _roles(list(columns), label_column, time_column, ignore)
    inferred = []
    for name, written in columns.items():
        role = roles.get(name, Role.FEATURE)
        codes = tuple((missing or {}).get(name, ())) if role is not Role.LABEL else ()
        cells = with_missing(written, codes)
        verdict = _verdict(name, cells, decimal)
        if role is Role.TIME:
            verdict = _as_time(cells, verdict)
        unit = verdict.notation.plain_unit if verdict.notation else ""
        note = "; ".join(
            filter(None, [verdict.note, _on_codes(cells.null_count() - written.null_count(), codes)])
        )
        column = Column(name, verdict.kind, role, unit or None, note, verdict.notation, codes, verdict.unread)
        inferred.append(column)
    return Schema(tuple(inferred))


def _on_codes(count: int, codes: Sequence[str]) -> str:
    """Say how many cells are missing because they hold a value that stands for that."""
    if not count:
        return ""
    return (
        f"{count:,} {'cell is' if count == 1 else 'cells are'} {' or '.join(codes)}, which stands for missing"
    )


def _roles(names: list[str], label: str | None, time: str | None, ignore: Sequence[str]) -> dict[str, Role]:
    roles = dict.fromkeys(map(literal, ignore), Role.IGNORED)
    roles |= {literal(time): Role.TIME} if time is not None else {}
    roles |= {literal(label): Role.LABEL} if label is not None else {}
    for name, role in roles.items():
        if name not in names:
            what = "the columns to ignore" if role is Role.IGNORED else f"the {role} column"
            raise unknown_column(name, names, what=what)
    return roles


def _as_time(cells: pl.Series, verdict: Inference) -> Inference:
    """Keep a column that the user calls time usable, though it may count up like an identifier."""
    if verdict.kind in (Kind.NUMERIC, Kind.IDENTIFIER) and cells.dtype.is_numeric():
        if _since_1970(numbers_of(cells).values):
            return Inference(Kind.DATETIME, "whole numbers read as counts since 1970")
        return Inference(Kind.NUMERIC)
    return verdict


def _verdict(name: str, cells: pl.Series, decimal: str | None) -> Inference:
    dtype = cells.dtype
    if cells.null_count() == cells.len():
        return Inference(Kind.CONSTANT, "all values are missing" if cells.len() else "there are no rows")
    if dtype.is_numeric():
        return _of_numbers(name, numbers_of(cells).values)
    if dtype.is_temporal() or dtype == pl.Boolean:
        return _of_typed(cells)
    if holds_runs(cells):
        return _of_runs(cells)
    listed = lists_of_text(cells)
    text = events_of(cells) if listed else text_of(cells)
    filled = text.drop_nulls()
    if not filled.len():
        return Inference(Kind.CONSTANT, "all values are missing")
    distinct = filled.n_unique()
    if distinct == 1:
        value = str(filled[0])
        return _single(value if len(value) <= 40 else f"{value[:40]}…", text.null_count(), Kind.CATEGORICAL)
    if dtype in (pl.Categorical, pl.Enum):
        return Inference(Kind.CATEGORICAL)
    if listed:
        return Inference(Kind.SEQUENCE, "lists of text")
    if distinct <= _TRUTHS and _truth_words(filled):
        return Inference(Kind.BOOLEAN)
    return _of_numbers_in_text(name, cells, decimal) or _of_text(name, filled, distinct)


def _single(value: str, missing: int, otherwise: Kind) -> Inference:
    """Judge a column that holds one value: where cells are empty, that still tells rows apart."""
    if missing:
        return Inference(otherwise, f"holds one value ({value}) or none")
    return Inference(Kind.CONSTANT, f"one value: {value}")


def _of_typed(cells: pl.Series) -> Inference:
    verdict = _TYPED.get(cells.dtype.base_type(), Inference(Kind.DATETIME))
    if cells.drop_nulls().n_unique() == 1:
        return _single(str(cells.drop_nulls()[0]), cells.null_count(), verdict.kind)
    return verdict


def _of_numbers(name: str, values: NDArray[np.float64], note: str = "") -> Inference:
    """Judge numbers (n,), NaN where missing."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Inference(Kind.CONSTANT, "all values are missing")
    if finite.min() == finite.max():
        return _single(f"{finite[0]:g}", values.size - finite.size, Kind.NUMERIC)
    whole = bool((finite[:100] == np.floor(finite[:100])).all() and (finite == np.floor(finite)).all())
    # Where the range is smaller than the column is long, most values repeat: no need to count.
    if not whole:
        return Inference(Kind.NUMERIC, note)
    if holds_packed(finite):
        return Inference(Kind.DATETIME, "; ".join(filter(None, [note, _on_packed(finite)])))
    if finite.max() - finite.min() + 1 < _DISTINCT * finite.size:
        return Inference(Kind.NUMERIC, note)
    ordered = np.unique(finite)
    if ordered.size < _DISTINCT * finite.size:
        repeats = "named like an identifier, but values repeat; if they are codes, set kind = categorical"
        return Inference(Kind.NUMERIC, note or (repeats if _named_like_id(name) else ""))
    by_name = "distinct whole numbers, and named like an identifier" if _named_like_id(name) else ""
    reason = by_name or _counting(finite)
    return Inference(Kind.IDENTIFIER, reason) if reason else Inference(Kind.NUMERIC, note)


def _on_packed(values: NDArray[np.float64]) -> str:
    """Say that whole numbers are read as dates, and how many stand for none."""
    dates = values[~np.isin(values, list(map(float, OPEN_ENDS)))]
    none = values.size - dates.size
    rest = f"; {none:,} cells of 0 or 99991231 are none" if none else ""
    return f"whole numbers such as {dates[0]:.0f} read as dates{rest}"


def _counting(values: NDArray[np.float64]) -> str:
    """Return why distinct whole numbers look like a count of rows, or nothing."""
    low, high, size = values.min(), values.max(), values.size
    if size >= _FEW_ROWS and low >= 0 and high - low + 1 <= 1.1 * size:
        return "distinct whole numbers that fill their range, like row numbers"
    steps = np.diff(values)
    if size < 2 * _FEW_ROWS or _since_1970(values) or not ((steps > 0).all() or (steps < 0).all()):
        return ""
    # Numbers drawn evenly have a largest gap near log(n) mean gaps; a sorted measurement has far larger ones.
    if np.abs(steps).max() <= 3 * np.log(size) * np.abs(steps).mean():
        return "whole numbers that rise or fall evenly from row to row, like a counter"
    return ""


def _since_1970(values: NDArray[np.float64]) -> bool:
    """Tell whether finite values are whole counts since 1970 of dates in 1990 to 2100, in s, ms, us or ns."""
    finite = values[np.isfinite(values)]
    low, high = finite.min(initial=np.inf), finite.max(initial=-np.inf)
    return bool(finite.size) and any(
        6.3e8 * unit <= low and high <= 4.1e9 * unit for unit in (1, 1e3, 1e6, 1e9)
    )


def _of_numbers_in_text(name: str, cells: pl.Series, decimal: str | None) -> Inference | None:
    """Judge text with at least two distinct values by the numbers in it; None where it holds none."""
    written = written_of(cells)
    filled = written.drop_nulls()
    plain = numbers_of(cells)
    if not filled.len():
        return None
    found = recognise(filled, name=name, decimal=decimal) if plain.unparsed else Recognised(None)
    hexadecimal = found.notation is not None and found.notation.form is Form.HEX
    # Ids of devices and messages are written so too.
    if hexadecimal and (_named_like_id(name) or filled.n_unique() <= _CODES):
        return None
    if found.notation is not None and found.unread < plain.unparsed:
        return _of_notation(name, found, missing=written.null_count())
    if plain.unparsed <= (1 - LEAST) * filled.len() and not _leading_zeros(filled):
        note = _left_out(plain.unparsed)
        verdict = _of_numbers(name, plain.values, note)
        return verdict._replace(unread=plain.unparsed if note in verdict.note else 0)
    if found.mixed:
        return Inference(Kind.TEXT, found.note)
    if found.bands:
        verdict = _of_text(name, filled, filled.n_unique())
        return verdict._replace(note=verdict.note or found.note)
    return None


def _of_notation(name: str, found: Recognised, missing: int) -> Inference:
    """Judge numbers as people write them; those with a unit count no rows."""
    assert found.notation is not None
    values = found.values.to_numpy()
    plain = found.notation.form in (Form.NUMBER, Form.HEX) and not found.notation.unit
    counts = plain and not found.notation.limits
    verdict = _of_numbers(name, np.append(values, np.full(missing, np.nan)), found.note)
    if verdict.kind is Kind.DATETIME or (verdict.kind is Kind.IDENTIFIER and not counts):
        verdict = Inference(Kind.NUMERIC, found.note)
    if verdict.kind is not Kind.NUMERIC:
        return verdict
    return verdict._replace(notation=found.notation, unread=found.unread if found.note in verdict.note else 0)


def _left_out(count: int) -> str:
    if not count:
        return ""
    verb = "value is not a number and is" if count == 1 else "values are not numbers and are"
    return f"{count:,} {verb} read as missing"


def _of_text(name: str, filled: pl.Series, distinct: int) -> Inference:
    """Judge text with at least two distinct values that are no numbers."""
    form = form_of(filled)
    if form:
        return Inference(Kind.DATETIME, _on_form(filled, form))
    if holds_events(filled):
        return Inference(Kind.SEQUENCE, "events separated by blanks")
    share = distinct / filled.len()
    if holds_addresses(filled):
        return Inference(
            Kind.CATEGORICAL, "addresses, compared by their networks" if share > _REPEATED else ""
        )
    if share >= _DISTINCT:
        reason = _code_like(name, filled)
        if reason:
            return Inference(Kind.IDENTIFIER, reason)
    if share <= _REPEATED or (distinct <= 30 and share < 0.8):
        return Inference(Kind.CATEGORICAL)
    return Inference(Kind.TEXT)


def _on_form(filled: pl.Series, form: str) -> str:
    """Say how text is read as dates; nothing of what is certain."""
    words = "" if form == "iso" else f"text read as {form}"
    if not short_years(filled, form):
        return words
    return f"{words}, with years of two digits as 1969 to 2068"


def _of_runs(cells: pl.Series) -> Inference:
    """Judge lists of numbers: is a number like the one before it, as in a series, or not?"""
    runs = runs_of(cells)
    lengths = runs.lengths[~runs.missing]
    if not lengths.size:
        return Inference(Kind.CONSTANT, "all values are missing")
    known, counts = np.unique(lengths, return_counts=True)
    width = int(known[counts.argmax()])
    if counts.max() < _SAME_LENGTH * len(lengths):
        return Inference(Kind.SERIES, f"lists of {lengths.min():,} to {lengths.max():,} numbers")
    fits = np.repeat(lengths == width, lengths)
    values = runs.values[fits].reshape(-1, width)
    if np.array_equal(values, np.repeat(values[:1], len(values), axis=0), equal_nan=True):
        return Inference(Kind.CONSTANT, "one list of numbers")
    values = np.clip(values, -_FARTHEST, _FARTHEST)
    away = values - _mean(values)
    spread = np.sqrt(_mean(away**2))
    away /= np.where(spread > 0, spread, 1.0)
    along = float(_mean((away[:, 1:] * away[:, :-1]).ravel())) if width > 1 else 0.0
    others = len(lengths) - len(values)
    note = f"lists of {width:,} numbers" + (f", {others:,} of another length" if others else "")
    return Inference(Kind.SERIES if along > _SMOOTH else Kind.EMBEDDING, note)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of what is known of each column, 0 where nothing is."""
    known = ~np.isnan(values)
    mean: NDArray[np.float64] = np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean


def _truth_words(filled: pl.Series) -> bool:
    words = set(filled.str.to_lowercase().unique().to_list())
    return any(words == pair for pair in map(set, zip(TRUE_WORDS, FALSE_WORDS, strict=True)))


def _leading_zeros(filled: pl.Series) -> bool:
    """Tell whether more than 1 % are written like 00123: a code, not a number."""
    return int(filled.str.contains(r"^0\d").sum()) > 0.01 * filled.len()


def _code_like(name: str, filled: pl.Series) -> str:
    """Return why distinct text looks like codes for rows, or nothing."""
    size = filled.len()
    if int(filled.str.contains(_UUID).sum()) >= _DISTINCT * size:
        return "distinct UUIDs"
    if int(filled.str.contains(r"\s").sum()) > 0.01 * size:
        return ""
    if _named_like_id(name):
        return "distinct text, and named like an identifier"
    digits = int(filled.str.contains(r"\d").sum()) >= LEAST * size
    short = int(filled.str.len_chars().max() or 0) <= 64  # type: ignore[arg-type]
    return "distinct short codes" if digits and short and size >= _FEW_ROWS else ""


def _named_like_id(name: str) -> bool:
    """Tell whether a word of the name (split at capitals and signs) is one that names identifiers.

    >>> _named_like_id("customerId"), _named_like_id("humidity")
    (True, False)
    """
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower())
    return not _ID_WORDS.isdisjoint(words)
