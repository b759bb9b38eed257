"""How flagged rows differ from usual rows, column by column."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.cells import numbers_of
from outlearn.data.columns.events import events_of
from outlearn.data.named import written
from outlearn.data.quantities import Form
from outlearn.data.schema import Column, Kind, Schema
from outlearn.findings.table import Bin, CategorySummary, ColumnProfile, NumberSummary
from outlearn.ranges import quantiles

__all__ = ["column_profiles"]

# The tails get bins of their own: that is where flagged rows gather.
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_MOST_VALUES = 8  # a numeric column with no more distinct values has a bin for each
_COMMON, _OWN = 5, 3  # categories with a bin: the most common ones, and those that only flagged rows have
_FREQUENT = 3  # categories of a summary
_LONGEST = 200  # characters of a category that are kept
_SCALES: dict[Form, Literal["span", "clock"]] = {Form.SPAN: "span", Form.CLOCK: "clock"}
_WEEK = 7 * 86400  # seconds

Floats = NDArray[np.float64]


def column_profiles(usual: pl.DataFrame, flagged: pl.DataFrame, schema: Schema) -> tuple[ColumnProfile, ...]:
    """Compare two groups of rows in every used column, the most different columns first.

    Numbers, times and lengths of text are binned by quantiles of the usual rows, categories by their most
    common values; missing values have a bin of their own; a bin that nobody is in is left out. Difference is
    the total variation distance of the two binned distributions; columns that tie stay in table order.

    Parameters
    ----------
    usual, flagged : the rows of each group; a sample will do.
    schema : the columns; those that are not used, or not in both frames, are passed over.

    Returns
    -------
    tuple of ColumnProfile
        Empty where either group has no rows.

    >>> from outlearn.data.schema import Column
    >>> usual, flagged = pl.DataFrame({"land": ["DE", "DE", "FR"]}), pl.DataFrame({"land": ["XX"]})
    >>> profile, = column_profiles(usual, flagged, Schema((Column("land", Kind.CATEGORICAL),)))
    >>> [(bin.value, round(bin.usual, 2), bin.flagged) for bin in profile.bins]
    [('DE', 0.67, 0.0), ('FR', 0.33, 0.0), ('XX', 0.0, 1.0)]
    """
    if usual.is_empty() or flagged.is_empty():
        return ()
    shared = set(usual.columns) & set(flagged.columns)
    compared = [c for c in (*schema.used, *schema.constant) if c.name in shared]
    profiles = [_profile(c, usual[c.name], flagged[c.name]) for c in compared]
    # What was one value in the rows learnt from is worth a place only where the flagged rows differ.
    profiles = [p for c, p in zip(compared, profiles, strict=True) if c.used or _difference(p)]
    return tuple(sorted(profiles, key=_difference, reverse=True))


def _difference(profile: ColumnProfile) -> float:
    return round(sum(abs(bin.usual - bin.flagged) for bin in profile.bins) / 2, 12)


def _profile(column: Column, usual: pl.Series, flagged: pl.Series) -> ColumnProfile:
    instants = {pl.Date, pl.Datetime}
    if column.kind is Kind.SEQUENCE:
        return _of_numbers(column, _events(usual), _events(flagged), "events")
    if column.kind is Kind.TEXT:
        return _of_numbers(column, _lengths(usual), _lengths(flagged), "characters")
    if column.kind is Kind.DATETIME and {usual.dtype.base_type(), flagged.dtype.base_type()} <= instants:
        return _of_moments(column, _instants(usual), _instants(flagged))
    if column.kind is Kind.NUMERIC:
        profile = _of_numbers(column, _floats(usual), _floats(flagged), column.unit or "")
        scale = None if column.notation is None else _SCALES.get(column.notation.form)
        return profile if scale is None else replace(profile, unit="", scale=scale)
    return _of_categories(column, _strings(usual), _strings(flagged))


def _floats(series: pl.Series) -> Floats:
    """Return the numbers of a column, NaN where there is none; seconds of durations and times of day."""
    if series.dtype in (pl.Duration, pl.Time):
        return numbers_of(series).values
    readable = series if series.dtype.is_numeric() else _strings(series)
    return readable.cast(pl.Float64, strict=False).to_numpy()


def _lengths(series: pl.Series) -> Floats:
    return _floats(_strings(series).str.len_chars())


def _events(series: pl.Series) -> Floats:
    return _floats(events_of(series).str.count_matches(r"\S+"))


def _instants(series: pl.Series) -> Floats:
    """Return seconds since 1970."""
    return _floats(series.cast(pl.Datetime("us")).cast(pl.Int64)) / 1e6


def _strings(series: pl.Series) -> pl.Series:
    if series.dtype.is_nested() or series.dtype == pl.Object:
        words = [None if value is None else str(value) for value in series.to_list()]
        return pl.Series(words, dtype=pl.String)
    return series.cast(pl.String, strict=False)


def _of_moments(column: Column, usual: Floats, flagged: Floats) -> ColumnProfile:
    """Compare points in time, which are shown to the day where they reach over more than a week."""
    known = np.concatenate([side[np.isfinite(side)] for side in (usual, flagged)])
    scale: Literal["day", "minute"] = "day" if known.size and np.ptp(known) > _WEEK else "minute"
    return replace(_of_numbers(column, usual, flagged, ""), scale=scale)


def _of_numbers(column: Column, usual: Floats, flagged: Floats, unit: str) -> ColumnProfile:
    known = usual[np.isfinite(usual)]
    values = np.unique(known)
    sides = usual, flagged
    if values.size <= _MOST_VALUES:
        bins = [Bin("value", 0.0, 0.0, value=float(value)) for value in values]
        bins.append(Bin("other", 0.0, 0.0))
        codes = [np.where(np.isin(x, values), np.searchsorted(values, x), values.size) for x in sides]
    else:
        edges = np.unique(quantiles(known, _QUANTILES))
        ends = [None, *edges.tolist(), None]
        bins = [Bin("range", 0.0, 0.0, low=low, high=high) for low, high in pairwise(ends)]
        codes = [np.searchsorted(edges, x, side="right") for x in sides]
    missing = len(bins)
    shares = [
        np.bincount(np.where(np.isnan(x), missing, code), minlength=missing + 1) / code.size
        for x, code in zip(sides, codes, strict=True)
    ]
    summaries = [_summary(x) for x in sides]
    filled = _filled([*bins, Bin("missing", 0.0, 0.0)], *shares)
    return ColumnProfile(
        written(column.name), str(column.kind), "number", unit, filled, summaries[0], summaries[1]
    )


def _summary(values: Floats) -> NumberSummary:
    known, missing = values[np.isfinite(values)], float(np.isnan(values).mean())
    if known.size == 0:
        return NumberSummary(None, None, None, constant=False, missing=missing)
    low, middle, high = quantiles(known, [0.05, 0.5, 0.95]).tolist()
    return NumberSummary(low, middle, high, bool(known.min() == known.max()), missing)


def _of_categories(column: Column, usual: pl.Series, flagged: pl.Series) -> ColumnProfile:
    counts = _counts(usual), _counts(flagged)
    common = list(counts[0])[:_COMMON]
    own = [value for value in counts[1] if value not in common][:_OWN]
    shown = [*common, *own]
    shares = []
    for seen, series in zip(counts, (usual, flagged), strict=True):
        known = [seen.get(value, 0) for value in shown]
        rest = sum(seen.values()) - sum(known)
        shares.append(np.array([*known, rest, series.null_count()]) / len(series))
    bins = [Bin("value", 0.0, 0.0, value=value[:_LONGEST]) for value in shown]
    filled = _filled([*bins, Bin("other", 0.0, 0.0), Bin("missing", 0.0, 0.0)], *shares)
    summaries = _frequent(counts[0], usual), _frequent(counts[1], flagged)
    return ColumnProfile(written(column.name), str(column.kind), "category", "", filled, *summaries)


def _counts(series: pl.Series) -> dict[str, int]:
    """Return how often each value occurs, the most frequent first, ties by name."""
    counts = series.drop_nulls().alias("value").value_counts(name="rows")
    pairs = zip(counts["value"].to_list(), counts["rows"].to_list(), strict=True)
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _frequent(counts: dict[str, int], series: pl.Series) -> CategorySummary:
    first = list(counts.items())[:_FREQUENT]
    common = tuple((value[:_LONGEST], count / len(series)) for value, count in first)
    return CategorySummary(common, series.null_count() / len(series))


def _filled(bins: list[Bin], usual: Floats, flagged: Floats) -> tuple[Bin, ...]:
    """Return bins with the shares of rows in them, without those that nobody is in."""
    return tuple(
        replace(bin, usual=a, flagged=b)
        for bin, a, b in zip(bins, usual.tolist(), flagged.tolist(), strict=True)
        if a + b > 0
    )
