"""Events of Suricata (eve.json): those of flows, with what is nested in them as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from outlearn.data.named import only
from outlearn.data.readers.source import Source
from outlearn.errors import ReadError

__all__ = ["flows_of_events", "holds_events"]

NESTED = {
    "flow_start": ("$.start", pl.String),
    "flow_age": ("$.age", pl.Float64),
    "flow_state": ("$.state", pl.String),
    "flow_reason": ("$.reason", pl.String),
    "flow_pkts_toserver": ("$.pkts_toserver", pl.Float64),
    "flow_pkts_toclient": ("$.pkts_toclient", pl.Float64),
    "flow_bytes_toserver": ("$.bytes_toserver", pl.Float64),
    "flow_bytes_toclient": ("$.bytes_toclient", pl.Float64),
}
ASIDE = ("flow", "event_type")
FLAT = "flow."  # how columns begin that a reader made of what is nested


def holds_events(head: pl.DataFrame) -> bool:
    """Tell whether rows are events of Suricata, by the objects that are nested in them."""
    if "event_type" in head.columns and any(name.startswith(FLAT) for name in head.columns):
        return True
    if not {"event_type", "flow"} <= set(head.columns) or head["flow"].dtype != pl.String:
        return False
    filled = head["flow"].drop_nulls()
    return len(filled) == 0 or bool(filled.str.starts_with("{").all())


def flows_of_events(source: Source) -> Source:
    """Return the events of type flow, with the numbers that are nested in them as columns.

    Raises
    ------
    ReadError
        When no event is a flow.
    """
    others: dict[str, int] = {}
    filled: dict[str, None] = {}  # columns that tell of flows, not of other events
    rows = 0
    for batch in source.batches(100_000):
        flows = batch.filter(pl.col("event_type") == "flow")
        filled |= dict.fromkeys(
            cells.name for cells in flows.iter_columns() if cells.null_count() < len(cells)
        )
        counts = dict(batch["event_type"].value_counts().iter_rows())
        rows += counts.pop("flow", 0)
        for name, count in counts.items():
            others[str(name)] = others.get(str(name), 0) + count
    if not rows:
        kinds = ", ".join(sorted(others))
        raise ReadError(
            f"{source.name}: no event is a flow, of {sum(others.values()):,} ({kinds}); log flows too, or "
            "take the events as a table by --kind table"
        )

    def batches(size: int) -> Iterator[pl.DataFrame]:
        for batch in source.batches(size):
            flows = batch.filter(pl.col("event_type") == "flow")
            if flows.height:
                yield only(flows.with_columns(_nested(flows)), names)

    kept = (n for n in source.columns if n in filled and n not in ASIDE and not n.startswith(FLAT))
    names = (*kept, *NESTED)
    listed = ", ".join(f"{count:,} {name}" for name, count in sorted(others.items()))
    notes = (f"events that are no flows were left aside: {listed}",) if others else ()
    return replace(source, columns=names, batches=batches, rows=rows, notes=(*source.notes, *notes))


def _nested(flows: pl.DataFrame) -> list[pl.Series]:
    """Return what is nested in the events of flows, from JSON text or from columns of its own."""
    nested = []
    for name, (path, dtype) in NESTED.items():
        flat = FLAT + path.removeprefix("$.")
        if flat in flows.columns:
            cells = flows[flat]
        elif "flow" in flows.columns:
            cells = flows["flow"].str.json_path_match(path)
        else:
            cells = pl.Series([None] * flows.height, dtype=pl.String)
        nested.append(cells.cast(dtype, strict=False).alias(name))
    return nested
