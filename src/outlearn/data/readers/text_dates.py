"""Dates that stand as text among real ones, as where somebody typed them into a sheet."""

from __future__ import annotations

import polars as pl

from outlearn.data.columns.dates import form_of, moments_of
from outlearn.data.quantities import LEAST
from outlearn.data.readers.numbers import NOTHING

__all__ = ["with_text_dates"]

# As a reader of sheets writes a real date into a column that holds text too.
_REAL = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$"


def with_text_dates(column: pl.Series) -> tuple[pl.Series, str]:
    """Return a column of text, most of which are real dates, as moments; others as they are. With a note.

    Text among the dates is read in the one form that most of it has. Where more cells than one in twenty are
    neither, the column stays text.

    >>> cells = pl.Series("day", ["2025-01-02 00:00:00", "2025-01-03 00:00:00", "04.01.2025"])
    >>> with_text_dates(cells)[1]
    "column 'day': 1 of its dates is text, read as day.month.year"
    """
    cells = column.str.strip_chars()
    cells = cells.set(cells.is_in(NOTHING), None)
    real = cells.str.contains(_REAL).fill_null(False)
    filled = len(cells) - cells.null_count()
    if 2 * int(real.sum()) <= filled:
        return column, ""
    moments, _ = moments_of(cells.set(~real, None), "iso")
    rest = cells.set(real, None)
    form = form_of(rest, share=0.5)
    if form is not None:
        moments = moments.zip_with(real, moments_of(rest, form)[0])
    unread = cells.filter(moments.is_null() & cells.is_not_null())
    shown = ", ".join(repr(cell[:30]) for cell in unread.unique(maintain_order=True).head(3).to_list())
    if len(unread) > (1 - LEAST) * filled:
        return column, (
            f"column {column.name!r} stays text: {len(unread):,} of its {filled:,} cells are no dates (such "
            f"as {shown}), and the others are"
        )
    typed = filled - int(real.sum()) - len(unread)
    words = [f"{typed:,} of its dates {'is' if typed == 1 else 'are'} text, read as {form}"] if typed else []
    lost = "cell is no date and is" if len(unread) == 1 else "cells are no dates and are"
    words += [f"{len(unread):,} {lost} missing (such as {shown})"] if len(unread) else []
    return moments.alias(column.name), f"column {column.name!r}: {'; '.join(words)}" if words else ""
