"""How flagged rows differ from usual rows, column by column."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.events import events_of
from outlearn.data.schema import Column, Kind, Schema
from outlearn.report.findings import ColumnProfile
from outlearn.report.words import clean, number, percent, unique

__all__ = ["column_profiles"]

# The tails get bins of their own: that is where flagged rows gather.
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_MOST_VALUES = 8  # a numeric column with no more distinct values is shown value by value
_COMMON, _OWN = 5, 3  # categories shown: the most common ones, and those that only flagged rows have
_LABEL = 28
_WEEK = 7 * 86400  # seconds

Say = Callable[[float], str]


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
    >>> profile.usual, profile.flagged, profile.bins
    ('DE 67 %, FR 33 %', 'XX 100 %', ('DE', 'FR', 'XX'))
    """
    if usual.is_empty() or flagged.is_empty():
        return ()
    shared = set(usual.columns) & set(flagged.columns)
    profiles = [_profile(c, usual[c.name], flagged[c.name]) for c in schema.used if c.name in shared]
    return tuple(sorted(profiles, key=_difference, reverse=True))


def _difference(profile: ColumnProfile) -> float:
    pairs = zip(profile.usual_share, profile.flagged_share, strict=True)
    return round(sum(abs(a - b) for a, b in pairs) / 2, 12)


def _profile(column: Column, usual: pl.Series, flagged: pl.Series) -> ColumnProfile:
    instants = {pl.Date, pl.Datetime}
    if column.kind is Kind.SEQUENCE:
        return _of_numbers(column, _events(usual), _events(flagged), number, "events")
    if column.kind is Kind.TEXT:
        return _of_numbers(column, _lengths(usual), _lengths(flagged), number, "characters")
    if column.kind is Kind.DATETIME and {usual.dtype.base_type(), flagged.dtype.base_type()} <= instants:
        seconds = _instants(usual), _instants(flagged)
        return _of_numbers(column, *seconds, _say_instant(*seconds), "")
    if column.kind is Kind.NUMERIC:
        return _of_numbers(column, _floats(usual), _floats(flagged), number, clean(column.unit or "", 12))
    return _of_categories(column, _strings(usual), _strings(flagged))


def _floats(series: pl.Series) -> NDArray[np.float64]:
    """Return the numbers of a column, NaN where there is none."""
    readable = series if series.dtype.is_numeric() else _strings(series)
    return readable.cast(pl.Float64, strict=False).to_numpy()


def _lengths(series: pl.Series) -> NDArray[np.float64]:
    return _floats(_strings(series).str.len_chars())


def _events(series: pl.Series) -> NDArray[np.float64]:
    return _floats(events_of(series).str.count_matches(r"\S+"))


def _instants(series: pl.Series) -> NDArray[np.float64]:
    """Return seconds since 1970."""
    return _floats(series.cast(pl.Datetime("us")).cast(pl.Int64)) / 1e6


def _say_instant(*sides: NDArray[np.float64]) -> Say:
    """Return how to write a point in time: to the day where the times reach over more than a week."""
    known = np.concatenate([side[np.isfinite(side)] for side in sides])
    unit: Literal["D", "m"] = "D" if known.size and np.ptp(known) > _WEEK else "m"
    return lambda seconds: str(np.datetime64(int(seconds), "s").astype(f"datetime64[{unit}]")).replace(
        "T", " "
    )


def _strings(series: pl.Series) -> pl.Series:
    if series.dtype.is_nested() or series.dtype == pl.Object:
        words = [None if value is None else str(value) for value in series.to_list()]
        return pl.Series(words, dtype=pl.String)
    return series.cast(pl.String, strict=False)


def _of_numbers(
    column: Column, usual: NDArray[np.float64], flagged: NDArray[np.float64], say: Say, unit: str
) -> ColumnProfile:
    known = usual[np.isfinite(usual)]
    values = np.unique(known)
    sides = usual, flagged
    if values.size <= _MOST_VALUES:
        labels = (*(say(v) for v in values), "other values")
        codes = [np.where(np.isin(x, values), np.searchsorted(values, x), values.size) for x in sides]
    else:
        edges = np.unique(np.quantile(known, _QUANTILES))
        ends = [say(e) for e in edges]
        labels = (f"under {ends[0]}", *(f"{a} to {b}" for a, b in pairwise(ends)), f"{ends[-1]} or more")
        codes = [np.searchsorted(edges, x, side="right") for x in sides]
    shares = [
        _shares(np.where(np.isnan(x), len(labels), code), len(labels) + 1)
        for x, code in zip(sides, codes, strict=True)
    ]
    words = [_range(x, say, unit) for x in sides]
    return _assemble(column, words, (*labels, "missing"), shares)


def _shares(codes: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return the share of rows in each of `size` bins."""
    return np.bincount(codes, minlength=size) / codes.size


def _range(values: NDArray[np.float64], say: Say, unit: str) -> str:
    """Return the middle and the reach of some numbers in words."""
    known, missing = values[np.isfinite(values)], float(np.isnan(values).mean())
    if known.size == 0:
        return "all missing" if missing == 1 else "no finite values"
    low, middle, high = (say(x) for x in np.quantile(known, [0.05, 0.5, 0.95]))
    middle = f"{middle} {unit}".rstrip()
    words = f"all {middle}" if known.min() == known.max() else f"median {middle} (5–95 %: {low} to {high})"
    return words + (f", {percent(missing)} missing" if missing else "")


def _of_categories(column: Column, usual: pl.Series, flagged: pl.Series) -> ColumnProfile:
    ranked, ranked_flagged = _ranked(usual), _ranked(flagged)
    common = list(ranked)[:_COMMON]
    own = [value for value in ranked_flagged if value not in common][:_OWN]
    shown = [*common, *own]
    shares = []
    for counts, series in ((ranked, usual), (ranked_flagged, flagged)):
        known = [counts.get(value, 0) for value in shown]
        rest = sum(counts.values()) - sum(known)
        shares.append(np.array([*known, rest, series.null_count()]) / len(series))
    labels = (*(_label(value) for value in shown), "other values", "missing")
    words = [_most(ranked, usual), _most(ranked_flagged, flagged)]
    return _assemble(column, words, labels, shares)


def _ranked(series: pl.Series) -> dict[str, int]:
    """Return how often each value occurs, the most frequent first, ties by name."""
    counts = series.drop_nulls().alias("value").value_counts(name="rows")
    pairs = zip(counts["value"].to_list(), counts["rows"].to_list(), strict=True)
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _label(value: str) -> str:
    return clean(value, _LABEL) or "(blank)"


def _most(counts: dict[str, int], series: pl.Series) -> str:
    """Return the three most frequent values with their shares in words."""
    parts = [f"{_label(value)} {percent(count / len(series))}" for value, count in list(counts.items())[:3]]
    if series.null_count():
        parts.append(f"{percent(series.null_count() / len(series))} missing")
    return ", ".join(parts)


def _assemble(
    column: Column, words: list[str], labels: tuple[str, ...], shares: list[NDArray[np.float64]]
) -> ColumnProfile:
    """Put a profile together without the bins that nobody is in."""
    kept = np.flatnonzero(shares[0] + shares[1])
    bins = unique(tuple(labels[i] for i in kept))
    usual_share, flagged_share = (tuple(share[kept].tolist()) for share in shares)
    kind = str(column.kind)
    return ColumnProfile(column.name, kind, words[0], words[1], bins, usual_share, flagged_share)
