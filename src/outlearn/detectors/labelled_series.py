"""Series that a detector learnt from, and what is known of their points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series import Series
from outlearn.detectors.model_file import Arrays, checked_array

__all__ = ["LabelledSeries", "hold_out", "pack", "point_labels", "unheld", "unpack", "with_labels"]

Labels = NDArray[np.int8]
_FIELDS = ("values", "starts", "rows", "places")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSeries:
    """A series that was learnt from. labels : (n,) of its points, as users give them."""

    series: Series
    labels: Labels

    def between(self, start: int, end: int) -> LabelledSeries:
        """Return the points from start to end."""
        return LabelledSeries(_cut(self.series, start, end), self.labels[start:end])

    def is_of(self, series: Series) -> bool:
        """Return whether it is that series: the same values."""
        return np.array_equal(self.series.values, series.values)


def point_labels(series: Series, labels: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the labels (n,) of points from those of the rows: the highest of several rows of a point."""
    of_points = np.full(len(series), -1, dtype=np.int8)
    np.maximum.at(of_points, series.places, labels[series.rows])
    filled = np.ones(len(series), dtype=bool)
    filled[series.places] = False
    if filled.any():  # a point put in between takes the label of the one before it
        before = np.maximum.accumulate(np.where(filled, 0, np.arange(len(series))))
        of_points = of_points[before]
    return of_points


def hold_out(
    known: Iterable[LabelledSeries], share: float
) -> tuple[list[LabelledSeries], list[LabelledSeries]]:
    """Return the beginnings of series, and their ends: the last `share` of the points of each."""
    first, last = [], []
    for labelled in known:
        n = len(labelled.series)
        cut = max(int(n * (1 - share)), 1)
        first.append(labelled.between(0, cut))
        if cut < n:
            last.append(labelled.between(cut, n))
    return first, last


def unheld(series: Series, labels: Labels, held: Iterable[LabelledSeries]) -> Labels:
    """Return labels (n,) of a series without those of normal points at times that `held` covers."""
    for past in held:
        known, times = past.series.times, series.times
        if past.series.key == series.key and known is not None and times is not None:
            inside = (times >= known[0]) & (times <= known[-1]) & (labels == 0)
            labels = np.where(inside, -1, labels).astype(np.int8)
    return labels


def with_labels(known: Sequence[LabelledSeries], series: Series, labels: Labels) -> list[LabelledSeries]:
    """Return the known series with labels (n,) of one added: to those it has, or as one more series."""
    grown = list(known)
    place = next((i for i, labelled in enumerate(grown) if labelled.is_of(series)), None)
    if place is not None:
        merged = np.where(labels >= 0, labels, grown[place].labels).astype(np.int8)
        grown[place] = LabelledSeries(grown[place].series, merged)
    elif (labels >= 0).any():
        grown.append(LabelledSeries(series, labels))
    return grown


def pack(name: str, known: Sequence[LabelledSeries]) -> Arrays:
    """Return series and labels as arrays whose names begin with `name`, for a model file."""
    packed: dict[str, NDArray[Any]] = {}
    for i, labelled in enumerate(known):
        series, first = labelled.series, f"{name}.{i}."
        packed[f"{first}labels"] = labelled.labels
        for field in _FIELDS:
            packed[first + field] = getattr(series, field)
        if series.times is not None:
            packed[f"{first}times"] = series.times.astype("datetime64[us]").astype(np.int64)
    return packed


def unpack(name: str, keys: Sequence[str], channels: tuple[str, ...], arrays: Arrays) -> list[LabelledSeries]:
    """Return the series that `pack` was given: one a key, all with the same channels.

    Raises
    ------
    ValueError
        When an array is missing or is none of such series.
    """
    return [_unpacked(f"{name}.{i}.", key, channels, arrays) for i, key in enumerate(keys)]


def _unpacked(first: str, key: str, channels: tuple[str, ...], arrays: Arrays) -> LabelledSeries:
    """Return the series of the arrays whose names begin with `first`."""
    values = checked_array(arrays, f"{first}values", np.float64, (None, len(channels)))
    starts, rows = (checked_array(arrays, first + name, np.int64, (None,)) for name in ("starts", "rows"))
    places = checked_array(arrays, f"{first}places", np.int64, rows.shape)
    labels = checked_array(arrays, f"{first}labels", np.int8, (len(values),))
    times = None
    if f"{first}times" in arrays:
        times = checked_array(arrays, f"{first}times", np.int64, (len(values),))
    if not (
        len(values)
        and starts[:1].tolist() == [0]
        and _rise(starts, len(values), strictly=True)
        and _rise(rows, None)
        and (not len(places) or 0 <= places.min() <= places.max() < len(values))
        and np.isin(labels, (-1, 0, 1)).all()
        and (times is None or not len(times) or bool((np.diff(times) >= 0).all()))
    ):
        raise ValueError(
            f"the arrays {first}… are those of no series: places, rows, times or labels do not fit"
        )
    moments = None if times is None else times.astype("datetime64[us]")
    return LabelledSeries(Series(values, channels, starts, rows, places, moments, key), labels)


def _rise(numbers: NDArray[np.int64], end: int | None, *, strictly: bool = False) -> bool:
    """Return whether numbers (n,) go up from 0 or more, to less than an `end`."""
    steps = np.diff(numbers)
    up = bool((steps > 0).all() if strictly else (steps >= 0).all())
    return up and (not len(numbers) or (numbers[0] >= 0 and (end is None or bool(numbers[-1] < end))))


def _cut(series: Series, start: int, end: int) -> Series:
    inside = (series.places >= start) & (series.places < end)
    starts = np.unique(np.clip(series.starts - start, 0, None))
    return Series(
        series.values[start:end],
        series.names,
        starts[starts < max(end - start, 1)],
        series.rows[inside],
        series.places[inside] - start,
        None if series.times is None else series.times[start:end],
        series.key,
    )
