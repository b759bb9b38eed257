"""Find the notation of a column of text, if its cells are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from outlearn.data.quantities.affixes import has_cents
from outlearn.data.quantities.convention import CONTINENTAL, ENGLISH, Convention
from outlearn.data.quantities.notation import Form, Notation
from outlearn.data.quantities.notes import how_read, limits_read, limits_refused, not_read
from outlearn.data.quantities.tally import AffixTally
from outlearn.data.quantities.timed import timed

__all__ = ["LEAST", "Recognised", "recognise"]

LEAST = 0.95  # share of the filled cells that must fit
_PROBED = 200  # cells that are looked at first, to spare most columns of text the reading
_LUCK = 0.05  # by which those may be unluckier than the column
_SOME = 0.05  # share of cells with several units of time, from which on all are spans
_DIGIT = "[0-9½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]"
_SEVERAL = 5  # plain numbers that differ, beside which limits are those of a measurement, not of bands
_CODES = 0.01  # share of digits with leading zeros, above which they are codes
_COLONS = (
    r"(?i)^[+-]?(?:[0-9]+ ?d(?:ays?)?,? +|[0-9]+[-.])?[0-9]{1,6}(?::[0-5][0-9]){1,2}(?:[.,][0-9]+)?"
    r"\s*(?:[ap]\.?m\.?)?$"
)
_SPAN_WORDS = (
    r"(?i)^[+-]?P(?:T?[0-9]|[0-9]+[WD])"
    r"|[0-9]\s*[wdhms][a-z]*\s*,?\s*(?:and\s+)?[0-9]+\s*[dhms][a-z]*"
)
_HALF_DAY = r"(?i)^[0-9]{1,2}(?::[0-9]{2}){0,2}\s*[ap]\.?m\.?$"
_FRACTION = r"[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]|[0-9]/[0-9]"


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the text of a column is.

    notation : how its numbers are written; None where they are none. values : (n,) Float64 of the cells, null
    where one does not fit. unread : filled cells that do not fit.
    note : how it is read, or why not, where one may wonder. mixed : whether cells are numbers of several
    units, which make no one number. bands : whether limits such as < 18 stand beside too few plain numbers to
    be those of a measurement.
    """

    notation: Notation | None
    unread: int = 0
    note: str = ""
    mixed: bool = False
    bands: bool = False
    values: pl.Series = field(default_factory=pl.Series, compare=False, repr=False)


def recognise(
    filled: pl.Series, *, name: str = "", decimal: str | None = None, least: float = LEAST
) -> Recognised:
    """Find out how the numbers of a column are written.

    Parameters
    ----------
    filled : stripped cells, none of which is empty.
    name : of the column, which tells spans of time from times of day where their range does not.
    decimal : the sign of decimals where the cells do not tell: 1.234 may be 1234.
    least : share of the cells that must fit; 0 where the user says that they are numbers.

    >>> recognise(pl.Series(["$1,200.50", "$12", "(3.10)", "$9"])).note
    "'$' with thousands commas read as numbers, minus in parentheses or behind the digits"
    >>> recognise(pl.Series(["A12", "XL", "3M"])).notation is None
    True
    """
    probe = filled.gather_every(max(1, filled.len() // _PROBED))
    nothing = Recognised(None, filled.len())
    if not filled.len() or float(probe.str.contains(_DIGIT).mean() or 0.0) < least - _LUCK:  # type: ignore[arg-type]
        return nothing
    first = _best(probe, probe, name, decimal, least - _LUCK)
    if first.notation is not None or first.note:
        first = _best(filled, probe, name, decimal, least)
    if first.notation is None:
        return replace(first, unread=filled.len())
    return replace(first, note=first.note + not_read(filled, first.values))


def _best(filled: pl.Series, probe: pl.Series, name: str, decimal: str | None, least: float) -> Recognised:
    """Return the notation that most cells fit, if enough do, and else why none is taken."""
    best, refused = Recognised(None, filled.len()), Recognised(None, filled.len())
    for candidate in _candidates(filled, probe, name, decimal, least):
        if candidate.notation is None:
            refused = candidate if candidate.note else refused
        elif candidate.unread < best.unread:
            best = candidate
        if not best.unread:
            break
    return best if best.unread <= (1 - least) * filled.len() else refused


def _candidates(
    filled: pl.Series, probe: pl.Series, name: str, decimal: str | None, least: float
) -> Iterator[Recognised]:
    """Yield the notations that some cells of the probe suggest, the one of its most cells first."""
    colons, halves, words = (
        float(probe.str.contains(shape).mean() or 0.0)  # type: ignore[arg-type]
        for shape in (_COLONS, _HALF_DAY, _SPAN_WORDS)
    )
    if colons + halves > words:
        yield _fitted(filled, *timed(filled, name))
    elif words > _SOME:
        yield _fitted(filled, Notation(Form.SPAN), "durations read in seconds")
    if probe.str.contains("^[+-]?0[xX]").any():
        yield _fitted(filled, Notation(Form.HEX), "hexadecimal digits read as numbers")
    if probe.str.contains(_FRACTION).any():
        yield _fitted(filled, Notation(Form.FRACTION), "fractions read as numbers")
    yield _numbers(filled, decimal, least)


def _fitted(filled: pl.Series, notation: Notation, note: str) -> Recognised:
    values = notation.read(filled)
    return Recognised(notation, values.null_count(), note, values=values)


def _numbers(filled: pl.Series, decimal: str | None, least: float) -> Recognised:
    tally = AffixTally.of(filled)
    if tally is None or not tally.digits.len():
        return Recognised(None)
    if float(tally.digits.str.contains("^0[0-9]").mean() or 0.0) > _CODES:  # type: ignore[arg-type]
        return Recognised(None, note="leading zeros: codes, not numbers")
    if _phones(tally.digits):
        return Recognised(None, note="as many digits in each, in groups of three: codes, not numbers")
    measure = tally.measure
    if measure and tally.looks_like_names(measure, filled.n_unique()):
        return Recognised(None)
    way = _convention(tally.digits, decimal, cents=has_cents(measure))
    notation = Notation(
        decimal=way.decimal,
        thousands=way.thousands,
        measure=measure,
        unit=tally.unit_in(measure),
        bare=tally.stands_alone(measure),
    )
    read = _fitted(filled, notation, how_read(notation, tally))
    if tally.limits:
        read = _with_limits(filled, notation, read, least)
        if read.bands:
            return read
    mixture = tally.mixture(least * filled.len()) if read.unread > (1 - least) * filled.len() else ""
    if not mixture:
        return read
    note = f"read as text, for it mixes {mixture}, which make no one number; give each a column of its own"
    return Recognised(None, note=note, mixed=True)


def _with_limits(filled: pl.Series, notation: Notation, plain: Recognised, least: float) -> Recognised:
    """Return cells with their limits read as numbers, if enough plain numbers beside them say what they are.

    plain : the cells read without limits.
    """
    notation = replace(notation, limits=True)
    values = notation.read(filled)
    unread = values.null_count()
    if unread == plain.unread or unread > (1 - least) * filled.len():
        return plain
    limits = filled.filter(values.is_not_null() & plain.values.is_null())
    several = plain.values.drop_nulls().n_unique() >= _SEVERAL
    if least > 0 and not (several and 2 * limits.len() < filled.len()):
        return Recognised(None, note=limits_refused(limits, filled), bands=True)
    note = "; ".join(filter(None, [plain.note, limits_read(limits, filled)]))
    return Recognised(notation, unread, note, values=values)


def _convention(digits: pl.Series, decimal: str | None, *, cents: bool) -> Convention:
    """Return the convention that the most cells keep to; where both do, that of the rest of the file."""
    english, continental = (int(digits.str.contains(way.pattern).sum()) for way in (ENGLISH, CONTINENTAL))
    if english != continental:
        return ENGLISH if english > continental else CONTINENTAL
    dots = digits.filter(digits.str.contains(".", literal=True))
    # Nobody writes prices with three decimals, so that 1.540 € is a price in thousands.
    if cents and dots.len() and dots.str.contains(r"^[1-9][0-9]{0,2}(\.[0-9]{3})+$").all():
        return CONTINENTAL
    return CONTINENTAL if decimal == "," else ENGLISH


def _phones(digits: pl.Series) -> bool:
    """Tell whether digits in groups are codes: as many in each, without decimals."""
    grouped = digits.str.contains(r"^[0-9]{3}( [0-9]{3}){2,}$")
    return bool(grouped.mean() == 1.0)
