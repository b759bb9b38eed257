"""Lines of a log become their features: their form, what it follows, and what comes in the minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from outlearn.data.kinds.logs.forms import HOLE, parts_of, time_form
from outlearn.data.readers.lines import LINE
from outlearn.data.readers.source import Source
from outlearn.errors import ReadError

__all__ = ["LOG_FEATURES", "LOG_TEXTS", "log_view", "log_words"]

LOG_FEATURES = (
    "form",
    "form after the one before",
    "level",
    "process",
    "lines of the form in the minute",
    "lines in the minute",
    "seconds since the line before",
    "characters",
    "holes",
)
LOG_TEXTS = LOG_FEATURES[:4]  # all others are numbers
LOOKED = 1000  # lines that show how times are written
BLOCK = 50_000
LINE_SHOWN = 160  # characters of a line in the reason of a row


def log_view(source: Source) -> tuple[Source, tuple[str, ...]]:
    """Return a source of the same lines as `LOG_FEATURES`, and the columns that no score may see.

    Those are the line itself and its time. The features of a line depend on it and on those around it, not
    on the rest of its file, so that it may be compared with lines of another. What comes within a minute is
    counted in pieces of 50,000 lines. The first line, which follows none, has the step to the second:
    to be first is no oddness.

    Raises
    ------
    ReadError
        When the source holds no lines.
    """
    if LINE not in source.columns:
        raise ReadError(f"{source.name}: no text file; wanted a log of lines")
    form = time_form(next(iter(source.chunks(LOOKED)))[LINE])
    timing = "no time was found in its lines" if form is None else "times are read from its lines"

    def batches(_: int) -> Iterator[pl.DataFrame]:
        last: pl.DataFrame | None = None
        for batch in source.batches(BLOCK):
            parts = parts_of(batch[LINE], form)
            yield _seen(batch, parts, last)
            last = parts[-1:]

    columns, notes = (LINE, "time", *LOG_FEATURES), (*source.notes, f"read as a log; {timing}")
    return replace(source, columns=columns, batches=batches, notes=notes, kind="logs"), (LINE, "time")


def _seen(batch: pl.DataFrame, parts: pl.DataFrame, last: pl.DataFrame | None) -> pl.DataFrame:
    """Return the features of lines; `last` is the line before the first of them."""
    before = None if last is None else last["form"][0]
    clock = None if last is None else last["time"][0]
    pair = pl.concat_str([pl.col("form").shift(1, fill_value=before), "form"], separator=" > ")
    gap = (pl.col("time") - pl.col("time").shift(1, fill_value=clock)).clip(lower_bound=0.0)
    if last is None:
        first = pl.int_range(pl.len()) == 0
        pair, gap = (pl.when(first).then(step.shift(-1)).otherwise(step) for step in (pair, gap))
    minute = (pl.col("time") / 60).floor()
    known = minute.is_not_null()
    return pl.concat([batch.select(LINE), parts], how="horizontal").select(
        LINE,
        "time",
        "form",
        pair.alias(LOG_FEATURES[1]),
        "level",
        "process",
        pl.when(known).then(pl.len().over(["form", minute])).cast(pl.Float64).alias(LOG_FEATURES[4]),
        pl.when(known).then(pl.len().over(minute)).cast(pl.Float64).alias(LOG_FEATURES[5]),
        gap.alias(LOG_FEATURES[6]),
        pl.col("message").str.len_chars().cast(pl.Float64).alias(LOG_FEATURES[7]),
        pl.col("form").str.count_matches(HOLE, literal=True).cast(pl.Float64).alias(LOG_FEATURES[8]),
    )


def log_words(cells: Mapping[str, Any]) -> str:
    """Return a line, cut where it is long."""
    line = str(cells[LINE])
    return line if len(line) <= LINE_SHOWN else f"{line[: LINE_SHOWN - 1]}…"
