"""A thousand alike rows become one incident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.alerts.incident import LISTED, FlaggedRows, Incident
from outlearn.alerts.techniques import RULES, techniques_of
from outlearn.data.kinds.kind import FACTS
from outlearn.data.named import by_name
from outlearn.errors import ParameterError
from outlearn.explain.explanation import Explanation
from outlearn.explain.text import telling

__all__ = ["GAP", "incidents_of"]

GAP = 600.0  # seconds
_NAMED = [name for name, dtype in FACTS.items() if dtype is pl.String]
_BYTES = ("sent bytes", "received bytes")


def incidents_of(flagged: FlaggedRows, *, gap: float = GAP, single: bool = False) -> tuple[Incident, ...]:
    """Group flagged rows: one entity, one cause, and never more than `gap` seconds from one to the next.

    The cause is the technique that a rule supports; without one the reason. Two reasons are one where the
    strongest column of either, and its direction, is among those that the other names. Rows without a time
    are near one another. Incidents come by their highest score, then by size, then by their first row.

    single : every row is an incident of its own.

    Raises
    ------
    ParameterError
        When `gap` is no time.
    """
    if not gap >= 0:
        raise ParameterError(f"gap is {gap!r}; wanted 0 seconds or more between two rows of an incident")
    frame = _frame(flagged)
    if single:
        frame = frame.with_columns(incident=pl.int_range(pl.len()))
    else:
        apart = (pl.col("time").diff() > gap).fill_null(value=False)
        new = apart | pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift()) for key in _KEYS)
        frame = frame.sort(*_KEYS, "time", "row").with_columns(incident=new.fill_null(value=True).cum_sum())
    groups = (
        frame.sort(["score", "row"], descending=[True, False])
        .group_by("incident", maintain_order=True)
        .agg(*_summaries())
        # To two digits: beyond, scores near 1 say less of an incident than how many rows it has.
        .sort(pl.col("score").round(2), "count", "score", "lead", descending=[True, True, True, False])
    )
    return tuple(_incident(flagged, cells) for cells in groups.iter_rows(named=True))


_KEYS = ("entity", "cause", "timed")


def _frame(flagged: FlaggedRows) -> pl.DataFrame:
    roots = _roots(flagged.reasons)
    p_values = [None] * len(flagged.rows) if flagged.p_values is None else flagged.p_values
    times = pl.Series("time", flagged.times, dtype=pl.Float64).fill_nan(None)
    return flagged.facts.with_columns(
        pl.Series("entity", flagged.entities, dtype=pl.String),
        pl.Series("cause", _causes(flagged.masks, roots[flagged.reason_of])),
        times,
        times.is_not_null().alias("timed"),
        pl.Series("row", flagged.rows),
        pl.Series("score", flagged.scores),
        pl.Series("p_value", p_values).cast(pl.Float64),
        pl.Series("mask", flagged.masks),
        pl.Series("reason", flagged.reason_of),
        pl.Series("remark", flagged.remarks or [""] * len(flagged.rows), dtype=pl.String),
    )


def _summaries() -> list[pl.Expr]:
    """Return the summaries of the rows of an incident, which come highest score first."""
    distinct = [by_name(name).drop_nulls().unique(maintain_order=True) for name in _NAMED]
    return [
        pl.len().alias("count"),
        pl.col("score").first(),
        pl.col("row").first().alias("lead"),
        pl.col("row").head(LISTED).alias("rows"),
        pl.col("p_value").min(),
        pl.col("time").min().alias("start"),
        pl.col("time").max().alias("end"),
        pl.col("reason").first(),
        pl.col("remark").first(),
        pl.col("mask").bitwise_or(),
        pl.col("entity").first(),
        *(values.head(LISTED).alias(name) for values, name in zip(distinct, _NAMED, strict=True)),
        *(values.len().alias(f"n {name}") for values, name in zip(distinct, _NAMED, strict=True)),
        *(_total(by_name(name).filter(by_name(name).is_finite())).alias(name) for name in _BYTES),
    ]


def _total(amounts: pl.Expr) -> pl.Expr:
    """Return the sum, null where there is no amount; never more than a whole number of 64 bits holds."""
    return pl.when(amounts.count() > 0).then(amounts.sum().clip(0.0, 9e18))


def _incident(flagged: FlaggedRows, cells: dict[str, Any]) -> Incident:
    return Incident(
        kind=flagged.kind,
        entity=cells["entity"],
        count=cells["count"],
        rows=tuple(cells["rows"]),
        score=cells["score"],
        p_value=cells["p_value"],
        start=cells["start"],
        end=cells["end"],
        why=flagged.reasons[cells["reason"]],
        techniques=techniques_of(cells["mask"]),
        facts={name: tuple(cells[name]) for name in _NAMED if cells[name]},
        counts={name: cells[f"n {name}"] for name in _NAMED if cells[name]},
        sent=cells["sent bytes"],
        received=cells["received bytes"],
        remark=cells["remark"],
    )


def _causes(masks: NDArray[np.uint32], roots: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (k,) numbers that are equal where the first technique is; without one, where the reason is."""
    ids = [rule.technique.id for rule in RULES]
    causes = roots.copy()
    for bit in reversed(range(len(RULES))):
        causes[masks >> np.uint32(bit) & 1 == 1] = -1 - ids.index(ids[bit])
    return causes


def _roots(reasons: Sequence[Explanation]) -> NDArray[np.int64]:
    """Return for each reason the first one that is the same, itself where there is none before it."""
    named = [
        [(contribution.column, contribution.direction) for contribution in telling(why.contributions)]
        for why in reasons
    ]
    roots: list[int] = []
    kept: dict[int, list[tuple[str, str]]] = {}
    for place, parts in enumerate(named):
        same = (
            root
            for root, others in kept.items()
            if parts == others or (parts and others and (parts[0] in others or others[0] in parts))
        )
        root = next(same, place)
        if root == place:
            kept[place] = parts
        roots.append(root)
    return np.array(roots, dtype=np.int64)
