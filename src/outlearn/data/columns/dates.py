"""Reading moments: typed dates and times, text in a few common forms, and counts since 1970."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.cells import numbers_of, text_of

__all__ = [
    "FORMS",
    "OPEN_ENDS",
    "PACKED",
    "SHORT_YEAR",
    "check_form",
    "epoch_unit",
    "form_of",
    "holds_packed",
    "moments_of",
    "short_years",
]

PACKED, SHORT_YEAR = "yyyymmdd", "yy-mm-dd"

_CLOCK = ("%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p")


def _dated(*dates: str) -> tuple[str, ...]:
    return tuple(form for date in dates for form in (date, *(f"{date} {clock}" for clock in _CLOCK)))


# Ways to write a moment. A column is read in one of them only, settled when its kind is: 03/04 cannot mean
# March in one row and April in the next. Where two fit equally well the first is taken (the day before the
# month).
FORMS: dict[str, tuple[str, ...]] = {
    "iso": (
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S%.f%#z",
        "%Y-%m-%d %H:%M%#z",
    ),
    "year/month/day": _dated("%Y/%m/%d"),
    "day.month.year": _dated("%d.%m.%Y", "%d.%m.%y"),
    SHORT_YEAR: _dated("%y-%m-%d"),
    "day/month/year": _dated("%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y", "%d-%m-%y"),
    "month/day/year": _dated("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%m-%d-%y"),
    "day month-name year": _dated("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%y"),
    "month-name day, year": _dated("%b %d, %Y", "%B %d, %Y"),
    "web server log": ("%d/%b/%Y:%H:%M:%S %z",),
    "mail header": ("%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT"),
    PACKED: ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M"),
}
# What a cell must have to be read by a pattern, for parsers take 2.1.0, a version, for a day of the year 0,
# and 1/2/24 for one of the year 1.
_YEARS = {
    "%Y": r"[0-9]{4}",
    "%y": r"^\W*([0-9]{1,2}/[0-9]{1,2}/|[0-9]{2}\.[0-9]{2}\.|[0-9]{1,2}-([A-Za-z]+|[0-9]{1,2})-)"
    r"[0-9]{2}([^0-9]|$)",
}
_ISO_YEAR = r"^\W*[0-9]{4}-"
_PACKED = r"^(?:19|20)[0-9]{6}(?:[0-9]{4}|[0-9]{6})?$"  # 20260105, with a time of day or without
_PACKED_DATES = 3  # different ones, fewer of which may be other numbers by chance
OPEN_ENDS = ("0", "00000000", "99991231")  # that programs write where there is no date
# Counts since 1970 by unit: the size below which a count is taken for that unit (the years 1970 to 5138).
_EPOCHS = {"s": 1e11, "ms": 1e14, "us": 1e17, "ns": np.inf}
_END_OF_DAY = r" 24:00(:00(?:\.0+)?)?$"  # the end of one day is the start of the next
_TYPICAL = re.compile(r"^\W*(\d{1,4}[-/. ]|[A-Za-z]{3,9},? \d)")


def form_of(text: pl.Series, *, share: float = 0.99) -> str | None:
    """Return the form in which at least `share` of the filled cells are moments, or None.

    >>> form_of(pl.Series(["31/12/2024", "01/02/2025 10:30"]))
    'day/month/year'
    """
    filled = text.drop_nulls()
    # A look at a few cells spares most columns the parsing.
    if not filled.len() or not any(_TYPICAL.match(cell) for cell in filled.head(5).to_list()):
        return None
    probe = filled.gather_every(max(1, filled.len() // 200))
    for form in FORMS:
        # The probe may be unluckier than the column, so it is judged more mildly.
        if _share(probe, form) >= share - 0.05 and _share(filled, form) >= share:
            return form if form != SHORT_YEAR else _narrowest(filled, share)
    return None


def _narrowest(filled: pl.Series, share: float) -> str:
    """Return how to read dates such as 24-01-02: of the forms that fit, the one by which they lie closest."""
    forms = [f for f in (SHORT_YEAR, "day/month/year", "month/day/year") if _share(filled, f) >= share]
    return min(forms, key=lambda form: np.ptp(_parse(filled, form).drop_nulls().to_physical().to_numpy()))


def holds_packed(values: NDArray[np.float64], few: int = _PACKED_DATES) -> bool:
    """Tell whether numbers (n,) are all dates such as 20260105, of the years 1900 to 2099.

    few : different dates that there must be, for fewer may be other numbers by chance. Zero and 99991231,
    which programs write where there is no date, may stand between them.

    >>> holds_packed(np.array([20260105, 20251231, 20260228.0]))
    True
    >>> holds_packed(np.array([20260105, 20251231, 20260230.0]))
    False
    """
    finite = values[np.isfinite(values)]
    dates = finite[~np.isin(finite, list(map(float, OPEN_ENDS)))]
    if 2 * dates.size <= finite.size or dates.min() < 19e6 or dates.max() > 21e12:
        return False
    distinct = np.unique(dates)
    if distinct.size < few or (distinct != np.floor(distinct)).any():
        return False
    return _parse(pl.Series(distinct.astype(np.int64)).cast(pl.String), PACKED).null_count() == 0


def _share(text: pl.Series, form: str) -> float:
    return 1 - _parse(text, form).null_count() / text.len()


def _parse(text: pl.Series, form: str) -> pl.Series:
    if form == "iso":
        text = _only(text.str.replace(r"^(\d{4}-\d\d-\d\d)T", "${1} "), _ISO_YEAR)
    elif form == PACKED:
        text = _only(text, _PACKED)
    late = text.str.contains(_END_OF_DAY).fill_null(False)
    if late.any():
        started = _parse(text.str.replace(_END_OF_DAY, " 00:00${1}"), form)
        return started.dt.offset_by("1d").zip_with(late, started)
    moments = pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, text.len())
    for pattern in FORMS[form]:
        dated = text if form in ("iso", PACKED) else _with_year(text, pattern)
        parsed = dated.str.to_datetime(pattern, strict=False, time_unit="us")
        moments = moments.zip_with(moments.is_not_null(), parsed.dt.replace_time_zone(None))
        if moments.null_count() == text.null_count():
            break
    return moments


def _with_year(text: pl.Series, pattern: str) -> pl.Series:
    """Return text without the cells whose year is not as long as the pattern says."""
    return _only(text, next(shape for year, shape in _YEARS.items() if year in pattern))


def _only(text: pl.Series, shape: str) -> pl.Series:
    """Return text without the cells that are not of a shape."""
    return text.set(~text.str.contains(shape).fill_null(False), None)


def short_years(text: pl.Series, form: str) -> int:
    """Return how many cells that are read in a form have years of two digits."""
    short = text.str.contains(_YEARS["%y"]) & ~text.str.contains(_YEARS["%Y"])
    return int((short & _parse(text, form).is_not_null()).sum())


def epoch_unit(typical: float) -> str:
    """Return the unit of a count since 1970 of that size.

    >>> epoch_unit(1.7e9), epoch_unit(1.7e12)
    ('s', 'ms')
    """
    return next(unit for unit, limit in _EPOCHS.items() if abs(typical) < limit)


def check_form(form: str, zone: str | None = None) -> None:
    """Refuse a way to read moments that there is not, see `moments_of`.

    Raises
    ------
    ValueError
        When there is no such form, or no such time zone.
    """
    if form not in FORMS and form not in _EPOCHS:
        raise ValueError(f"moments are read as {form[:40]!r}; wanted one of {', '.join((*FORMS, *_EPOCHS))}")
    if zone is not None and zone not in available_timezones():
        raise ValueError(f"{zone[:40]!r} is no time zone")


def moments_of(cells: pl.Series, form: str, zone: str | None = None) -> tuple[pl.Series, int]:
    """Return moments without a time zone and the count of filled cells that are none.

    Parameters
    ----------
    form : a key of `FORMS` for text, or a unit (s, ms, us, ns) for counts since 1970.
    zone : the time zone in whose clock moments that have a zone are read; UTC when None.
    """
    kind = cells.dtype
    if kind in (pl.Datetime, pl.Date):
        moments = cells.cast(pl.Datetime("us", getattr(kind, "time_zone", None)))
        if getattr(kind, "time_zone", None):
            moments = moments.dt.convert_time_zone(zone or "UTC").dt.replace_time_zone(None)
        return moments, 0
    if form in FORMS:
        text = text_of(cells)
        if form == PACKED:
            text = text.set(text.is_in(OPEN_ENDS), None)
        moments = _parse(text, form)
        return moments, moments.null_count() - text.null_count()
    values, unparsed, _ = numbers_of(cells)
    micros = np.rint(values * {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}[form])
    # Within the years that a calendar covers; the rest are no moments.
    usable = np.abs(micros) < 2.5e17
    whole = pl.Series(np.where(usable, micros, 0).astype(np.int64)).set(pl.Series(~usable), None)
    outside = int((~usable & ~np.isnan(values)).sum())
    return whole.cast(pl.Datetime("us")), unparsed + outside
