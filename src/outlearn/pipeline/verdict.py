"""The columns that are written beside the rows of a table: score, flag, rank, reason and others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.decisions.decision import Decision

__all__ = ["VERDICT", "scored_columns", "with_verdict", "written_columns"]

NAMES = ("anomaly_score", "flagged", "p_value", "rank", "reason", "suppressed")
ALWAYS = ("anomaly_score", "flagged", "rank", "reason")  # which every scored table has
PREFIX = "outlearn_"
VERDICT = "verdict"  # what analysts call the column where they say what a row was


def written_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that we wrote beside the rows of a scored table; none where it is no such table.

    >>> written_columns(["a", "rank", "anomaly_score", "flagged", "outlearn_rank", "reason"])
    ('anomaly_score', 'flagged', 'outlearn_rank', 'reason')
    >>> written_columns(["a", "rank", "flagged"])
    ()
    """
    called = {
        name: sorted((column for column in columns if re.fullmatch(f"({PREFIX})*{name}", column)), key=len)
        for name in NAMES
    }
    times = min(len(called[name]) for name in ALWAYS)  # that the table was scored
    # Where a column of our name was there before, ours got a longer one.
    return tuple(name for same in called.values() for name in same[len(same) - min(times, len(same)) :])


def scored_columns(taken: Sequence[str], *, suppressed: bool = False) -> tuple[dict[str, str], str]:
    """Return our column names, changed where the table has them already, and a note if one was.

    suppressed : whether patterns of what is known to be good were given.

    >>> scored_columns(["a", "rank"])[0]["rank"]
    'outlearn_rank'
    """
    names, changed = {}, []
    for name in NAMES if suppressed else NAMES[:-1]:
        free = name
        while free in taken:
            free = f"{PREFIX}{free}"
        names[name] = free
        if free != name:
            changed.append(f"'{free}'")
    note = f"the table has columns of our names; ours were called {', '.join(changed)}" if changed else ""
    return names, note


def with_verdict(
    chunk: pl.DataFrame,
    start: int,
    scores: NDArray[np.float64],
    decision: Decision,
    reasons: Mapping[int, tuple[int | None, str]],
    names: Mapping[str, str],
    suppressed: NDArray[np.int64] | None = None,
) -> pl.DataFrame:
    """Return rows `start` onwards with their score, flag, p-value, rank and reason beside them.

    reasons : row number → (rank from 1, None for an empty row; sentence).
    suppressed : (n,) ids of known-good patterns, 0 for none.
    """
    rows = slice(start, start + chunk.height)
    ranked = [reasons.get(row, (None, None)) for row in range(rows.start, rows.stop)]
    columns = {
        "anomaly_score": pl.Series(scores[rows], dtype=pl.Float64),
        "flagged": pl.Series(decision.flagged[rows], dtype=pl.Boolean),
        "p_value": None
        if decision.p_values is None
        else pl.Series(decision.p_values[rows], dtype=pl.Float64),
        "rank": pl.Series([rank for rank, _ in ranked], dtype=pl.Int64),
        "reason": pl.Series([reason for _, reason in ranked], dtype=pl.String),
        "suppressed": None if suppressed is None else pl.Series(suppressed[rows]).replace(0, None),
    }
    return chunk.with_columns(*(c.alias(names[name]) for name, c in columns.items() if c is not None))
