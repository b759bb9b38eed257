"""A uniform sample of rows in one pass, which also keeps the rows that carry a label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.labels import parse_labels
from outlearn.data.readers.source import Source
from outlearn.errors import ParameterError, SchemaError
from outlearn.rng import derive

__all__ = ["Sample", "sample_source"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows drawn from a source, in its order.

    frame : (n, columns). rows : (n,) their numbers in the source, from 0, ascending.
    total : rows of the source. notes : sentences for the user.
    """

    frame: pl.DataFrame
    rows: NDArray[np.int64]
    total: int
    notes: tuple[str, ...] = ()


def sample_source(
    source: Source,
    rows: int,
    *,
    seed: int,
    label_column: str | None = None,
    max_labelled: int = 10_000,
    chunk_rows: int = 100_000,
    progress: Callable[[int], None] | None = None,
) -> Sample:
    """Draw `rows` rows uniformly, and add every labelled row up to `max_labelled`.

    Each row gets a random key and the rows of smallest keys stay, which needs one pass and the memory of
    the sample and one chunk. The result depends on the seed only, not on `chunk_rows`.

    Parameters
    ----------
    label_column : where labels stand (see `parse_labels`); None takes no row for its label.
    progress : called after each chunk with the number of rows seen.

    Raises
    ------
    ParameterError
        When `rows` or `max_labelled` is negative, or both are 0.
    SchemaError
        When the source has no such label column.
    LabelError
        When a label is outside the allowed values, wherever it stands.

    >>> from outlearn.data.readers import open_source
    >>> source = open_source(pl.DataFrame({"a": range(1000)}))
    >>> sample = sample_source(source, 3, seed=0)
    >>> sample.total, (sample.frame["a"].to_numpy() == sample.rows).all()
    (1000, np.True_)
    """
    if min(rows, max_labelled) < 0 or not rows + max_labelled:
        raise ParameterError(f"a sample of {rows} rows and {max_labelled} labelled ones was asked for")
    if label_column is not None and label_column not in source.columns:
        raise SchemaError(f"no column '{label_column}' for labels; there are {', '.join(source.columns)}")
    rng = derive(seed)
    drawn, labelled = _Smallest(rows), _Smallest(max_labelled)
    total = marked = 0
    for chunk in source.chunks(chunk_rows):
        keyed = chunk.with_columns(
            pl.Series(_KEY, rng.random(chunk.height)),
            pl.int_range(total, total + chunk.height, dtype=pl.Int64, eager=True).alias(_ROW),
        )
        drawn.add(keyed)
        if label_column is not None:
            known = parse_labels(chunk[label_column], name=label_column, first_row=total) >= 0
            marked += int(known.sum())
            labelled.add(keyed.filter(known))
        total += chunk.height
        if progress is not None:
            progress(total)
    return _finish(drawn, labelled, total, marked)


_KEY, _ROW = "\0key", "\0row"


class _Smallest:
    """The `count` rows of smallest keys among those added."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._bound = np.inf if count else -np.inf  # no row with a greater key can enter
        self.frame: pl.DataFrame | None = None

    def add(self, keyed: pl.DataFrame) -> None:
        keyed = keyed.filter(pl.col(_KEY) < self._bound)
        frame = keyed if self.frame is None else pl.concat([self.frame, keyed])
        if frame.height > self._count:
            keys = frame[_KEY].to_numpy()
            order = np.argpartition(keys, self._count - 1)[: self._count] if self._count else np.arange(0)
            frame = frame[np.sort(order)].rechunk()
            self._bound = float(frame[_KEY].max())  # type: ignore[arg-type]
        self.frame = frame


def _finish(drawn: _Smallest, labelled: _Smallest, total: int, marked: int) -> Sample:
    frames = [smallest.frame for smallest in (drawn, labelled) if smallest.frame is not None]
    frame = pl.concat(frames).unique(_ROW).sort(_ROW)
    kept = 0 if labelled.frame is None else labelled.frame.height
    notes = []
    if frame.height < total:
        notes.append(f"{frame.height:,} of {total:,} rows were drawn at random")
    if kept < marked:
        notes.append(f"of {marked:,} labelled rows {kept:,} were kept besides those drawn")
    rows = frame[_ROW].to_numpy().astype(np.int64)
    return Sample(frame.drop(_KEY, _ROW), rows, total, tuple(notes))
