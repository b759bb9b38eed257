"""Rows as the store keeps them, as frames again."""

from __future__ import annotations

import json
from collections.abc import Sequence

import polars as pl

from outlearn.data.named import literal
from outlearn.data.readers import Source
from outlearn.findings.cells import cell_in
from outlearn.pipeline.monitor import Monitor

__all__ = ["frame_of", "source_of"]


def frame_of(cells: Sequence[str]) -> pl.DataFrame:
    """Return rows from the JSON texts of their cells; a column that a row lacks is empty there.

    >>> frame_of(['{"a": 1, "b": "x"}', '{"a": 2.5}'])["a"].to_list()
    [1.0, 2.5]
    """
    rows = [{literal(name): cell_in(cell) for name, cell in json.loads(text).items()} for text in cells]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return pl.DataFrame([pl.Series(name, values, strict=False) for name, values in columns.items()])


def source_of(monitor: Monitor, frame: pl.DataFrame, name: str) -> Source:
    """Return rows that were kept as a source that the monitor judges."""
    return Source(name, tuple(frame.columns), frame.iter_slices, rows=frame.height, kind=monitor.kind.name)
