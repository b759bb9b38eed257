"""A uniform sample of rows in one pass, which also keeps the rows that carry a label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.empty import empty_note, empty_rows
from outlearn.data.labels import Labelling, LabelTally
from outlearn.data.named import without
from outlearn.data.readers.source import Source
from outlearn.data.schema import Schema, unknown_column
from outlearn.errors import ParameterError
from outlearn.panics import without_panics
from outlearn.rng import derive

__all__ = ["Sample", "sample_source"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows drawn from a source, in its order.

    frame : (n, columns). rows : (n,) their numbers in the source, from 0, ascending.
    total : rows of the source. notes : sentences for the user.
    labels : (n,) of the rows, and labelling, what the values of the label column mean; None without such a
        column.
    """

    frame: pl.DataFrame
    rows: NDArray[np.int64]
    total: int
    notes: tuple[str, ...] = ()
    labels: NDArray[np.int8] | None = None
    labelling: Labelling | None = None

    def filled(self, schema: Schema) -> Sample:
        """Return the sample without empty rows, which say nothing of what is usual; with a note on them.

        Where all rows of the source were drawn, `total` is without them too.
        """
        empty = empty_rows(self.frame, schema)
        if not empty.any():
            return self
        note = f"{empty_note(int(empty.sum()))}, and nothing is learnt from them"
        left = self.total - int(empty.sum()) if len(empty) == self.total else self.total
        return replace(
            self,
            frame=self.frame.filter(~empty),
            rows=self.rows[~empty],
            total=left,
            notes=(*self.notes, note),
            labels=None if self.labels is None else self.labels[~empty],
        )


@without_panics("the table")
def sample_source(
    source: Source,
    rows: int,
    *,
    seed: int,
    label_column: str | None = None,
    anomaly_values: Sequence[str] = (),
    max_labelled: int = 10_000,
    chunk_rows: int = 100_000,
    progress: Callable[[int], None] | None = None,
) -> Sample:
    """Draw `rows` rows uniformly, and add every labelled row up to `max_labelled`.

    Each row gets a random key and the rows of smallest keys stay, which needs one pass and the memory of
    the sample and one chunk. The result depends on the seed only, not on `chunk_rows`.

    Parameters
    ----------
    label_column : where labels stand; None takes no row for its label. anomaly_values : those of them that
        mean an anomaly, where the user says so; see `parse_labels`.
    progress : called after each chunk with the number of rows seen.

    Raises
    ------
    ParameterError
        When `rows` or `max_labelled` is negative, or both are 0.
    SchemaError
        When the source has no such label column.
    LabelError
        When a label is outside the allowed values, wherever it stands, or its meaning is not certain.

    >>> from outlearn.data.readers import open_source
    >>> source = open_source(pl.DataFrame({"a": range(1000)}))
    >>> sample = sample_source(source, 3, seed=0)
    >>> sample.total, (sample.frame["a"].to_numpy() == sample.rows).all()
    (1000, np.True_)
    """
    if min(rows, max_labelled) < 0 or not rows + max_labelled:
        raise ParameterError(f"a sample of {rows} rows and {max_labelled} labelled ones was asked for")
    if label_column is not None and label_column not in source.columns:
        raise unknown_column(label_column, source.columns, what="the label column", where=source.name)
    rng = derive(seed)
    drawn, labelled = _Smallest(rows), _Smallest(max_labelled)
    tally = LabelTally(label_column or "", source=source.name, anomaly_values=anomaly_values)
    total = 0
    for chunk in source.chunks(chunk_rows):
        keyed = chunk.with_columns(
            pl.Series(_KEY, rng.random(chunk.height)),
            pl.int_range(total, total + chunk.height, dtype=pl.Int64, eager=True).alias(_ROW),
        )
        drawn.add(keyed)
        if label_column is not None:
            labelled.add(keyed.filter(tally.add(chunk[label_column], total)))
        total += chunk.height
        if progress is not None:
            progress(total)
    sample = _finish(drawn, labelled, total)
    return sample if label_column is None else _labelled(sample, label_column, tally.settle(), labelled)


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


def _finish(drawn: _Smallest, labelled: _Smallest, total: int) -> Sample:
    frames = [smallest.frame for smallest in (drawn, labelled) if smallest.frame is not None]
    frame = pl.concat(frames).unique(_ROW).sort(_ROW)
    notes = (f"{frame.height:,} of {total:,} rows were drawn at random",) if frame.height < total else ()
    rows = frame[_ROW].to_numpy().astype(np.int64)
    return Sample(without(frame, {_KEY, _ROW}), rows, total, notes)


def _labelled(sample: Sample, column: str, labelling: Labelling, kept: _Smallest) -> Sample:
    """Return a sample with its labels, and with sentences on them."""
    marked, held = labelling.anomalies + labelling.normals, 0 if kept.frame is None else kept.frame.height
    notes = [*sample.notes, *labelling.notes]
    if held < marked:
        notes.append(f"of {marked:,} labelled rows {held:,} were kept besides those drawn")
    labels = labelling.labels(sample.frame[column])
    return replace(sample, notes=tuple(notes), labels=labels, labelling=labelling)
