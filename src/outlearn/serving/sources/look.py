"""One look for new rows: of which job, read how, and what is known already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.dates import moments_of
from outlearn.data.columns.moment import form_of_moments
from outlearn.data.kinds.names import TABLE
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.schema import Schema, check_columns
from outlearn.errors import ParameterError
from outlearn.pipeline.learn import Reading, open_table
from outlearn.pipeline.rows import Opener
from outlearn.serving.definition import JobSpec
from outlearn.serving.settings import Settings
from outlearn.serving.sources.folder import Tell

__all__ = ["Look", "Window", "completed", "rows_within"]

#: From one moment on up to another, in seconds since 1970.
Window = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look for new rows goes by.

    reading : how rows are read, as the model was taught. schema : of that model; None while there is none.
    positions : how far each part of the source was read. tell : takes what was left out, in words.
    now : seconds since 1970, by the clock of the files. window : rows of the past that are wanted, in place
    of new ones. raw : whether rows are wanted as they came, cells of text as text.
    """

    spec: JobSpec
    settings: Settings
    reading: Reading
    schema: Schema | None = None
    positions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tell: Tell = field(default=lambda _: None)
    now: float = 0.0
    window: Window | None = None
    raw: bool = False

    @property
    def options(self) -> ReadOptions:
        return self.reading.options or ReadOptions()

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that the model reads, as they stand in a table; none while nobody knows."""
        if self.schema is None or self.schema.kind not in (None, TABLE):
            return ()
        return tuple(column.name for column in self.schema.used)

    def opened(self, name: str, open: Callable[[ReadOptions], Source], *, keys: bool) -> Source:
        """Open rows as the model reads them, in memory.

        keys : whether rows name their columns themselves, and may leave some out.

        Raises
        ------
        ReadError
            When they cannot be read.
        SchemaError
            When they lack columns that the model reads.
        """

        def complete(options: ReadOptions) -> Source:
            source = open(options)
            return completed(source, self.schema) if keys else source

        source = self.lazily(name, complete)
        frame = source.read()
        return replace(source, name=name, batches=frame.iter_slices, rows=frame.height)

    def lazily(self, name: str, open: Callable[[ReadOptions], Source]) -> Source:
        """Open rows as the model reads them, which stay where they are."""
        if self.raw:
            return open(replace(self.options, as_written=True))
        source, _ = open_table(Opener(open), self.reading)
        if self.schema is not None:
            check_columns(self.schema, source.columns, where=name)
        return source


def completed(source: Source, schema: Schema | None) -> Source:
    """Add the columns that rows with keys may leave out, empty, where every key that came is known.

    With one that is not, a column that lacks is a fault: it may have been renamed.
    """
    if schema is None or schema.kind not in (None, TABLE):
        return source
    lacking = [column.name for column in schema.used if column.name not in source.columns]
    if not lacking or not set(source.columns) <= set(schema.names):
        return source
    batches = source.batches
    empty = [pl.lit(None, dtype=pl.String).alias(name) for name in lacking]
    return replace(
        source,
        columns=(*source.columns, *lacking),
        batches=lambda rows: (batch.with_columns(empty) for batch in batches(rows)),
        notes=(*source.notes, f"no row has a value of {', '.join(map(repr, lacking))}"),
    )


def rows_within(
    source: Source, frame: pl.DataFrame, time_column: str | None, window: Window
) -> NDArray[np.int64]:
    """Return the rows of a window by the time column, or by the times that rows of a kind have.

    Raises
    ------
    ParameterError
        When nothing says when rows were.
    """
    column = time_column if time_column in frame.columns else "time" if source.kind != TABLE else None
    if column is None or column not in frame.columns:
        raise ParameterError(f"{source.name}: nothing says when its rows were; name a time column")
    cells = frame[column]
    if source.kind != TABLE and cells.dtype.is_numeric():
        seconds = cells.cast(pl.Float64)
    else:
        form, zone = form_of_moments(cells), getattr(cells.dtype, "time_zone", None)
        seconds = moments_of(cells, form, zone)[0].to_physical().cast(pl.Float64) / 1e6
    inside = (seconds >= window[0]) & (seconds < window[1])
    return np.flatnonzero(inside.fill_null(value=False).to_numpy()).astype(np.int64)
