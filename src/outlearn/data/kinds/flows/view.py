"""A source of flow records becomes one of what is seen of flows, the columns that name them set apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import polars as pl

from outlearn.data.kinds.flows.events import flows_of_events, holds_events
from outlearn.data.kinds.flows.features import FEATURES, HOUR, flow_features
from outlearn.data.kinds.flows.forms import FLOW_COLUMNS, NEEDED, clock_of, flow_columns, named
from outlearn.data.readers.source import Source, unique_names

__all__ = ["ENTITY", "flow_view", "flow_words", "of_flows"]

ENTITY = ("time", "source", "source port", "target", "target port")
NAMES = ("uid", "community_id", "flow_id", "flow.id", "fuid")  # of a flow, in those who write them
ENDS = ("te", "end", "last", "last_switched", "flow_end", "flowendmilliseconds")  # times too
LOOKED = 1000  # rows that tell whether a column holds addresses
ADDRESS = (
    r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}"
    r"|([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2})$"
)
ADDRESSES = 0.9  # share of values
BLOCK = 100_000  # rows that are asked for at once
MOST = 400_000  # rows that are looked at together, however many one hour holds


def flow_view(source: Source, keep: Sequence[str] = ()) -> tuple[Source, tuple[str, ...]]:
    """Return a source of the same rows as flows, and its columns that no score may see.

    Those name the flow: addresses, ports, times and identifiers, as they came. Then come `FEATURES`, then all
    other columns. Hosts are looked at within an hour of the log; an hour that holds more than 400,000 flows
    is looked at in parts.

    keep : columns that tell nothing of a flow, such as a label, and stay as they are.

    The source must hold flows; see `forms.holds_flows`. Of the events of Suricata (eve.json) only those of
    ended flows are kept, and said so.
    """
    head = next(iter(source.chunks(LOOKED)))
    if holds_events(head):
        source = flows_of_events(source)
        head = next(iter(source.chunks(LOOKED)))
    there = flow_columns([name for name in source.columns if name not in keep])
    used = set(there.values())
    naming = [there[name] for name in ENTITY if name in there]
    rest = [name for name in source.columns if name not in used]
    apart = (*NAMES, *FLOW_COLUMNS["time"], *ENDS)
    aside = [name for name in rest if name.lower() in apart or _addresses(head[name])]
    taken = {*naming, *FEATURES}
    free, _ = unique_names([*taken, *(name if name not in taken else f"{name} (as given)" for name in rest)])
    others = dict(zip(rest, free[len(taken) :], strict=True))
    entity = {name: name if name not in FEATURES else f"{name} (as given)" for name in naming}
    columns = (*entity.values(), *FEATURES, *others.values())
    note = f"read as network flows: {', '.join(f'{ours} is {theirs}' for ours, theirs in there.items())}"
    clock = clock_of(head[there["time"]]) if "time" in there else "none"
    told = named(head.select(there.values()), clock)["time"]
    if "time" in there and told.null_count() > 0.5 * head.height:
        note += "; most of its times cannot be read, so what hosts do is counted over the whole file"
    view = Source(
        source.name,
        columns,
        partial(_batches, source, tuple(there.values()), clock, entity, others),
        (*source.notes, note),
        source.rows,
    )
    return view, (*entity.values(), *(others[name] for name in aside))


def of_flows(columns: Sequence[str]) -> bool:
    """Tell whether columns are those of a view of flows, with the addresses that name them."""
    others = [name for name in columns if name not in FEATURES]
    return len(columns) - len(others) == len(FEATURES) and set(NEEDED) <= set(flow_columns(others))


def flow_words(cells: Mapping[str, Any]) -> str:
    """Return the name of a flow, from the cells of its row in a view.

    >>> flow_words({"src_ip": "10.0.0.5", "dst_ip": "192.0.2.1", "dst_port": 53, "bytes": 60})
    '10.0.0.5 to 192.0.2.1 port 53'
    """
    there = flow_columns(list(cells))
    source, target, port = (cells.get(there.get(name, "")) for name in ("source", "target", "target port"))
    return f"{source} to {target}" + (f" port {port}" if port is not None else "")


def _addresses(values: pl.Series) -> bool:
    """Tell whether a column holds addresses."""
    if values.dtype != pl.String:
        return False
    told = values.drop_nulls()
    return len(told) > 0 and int(told.str.contains(ADDRESS).sum()) >= ADDRESSES * len(told)


def _batches(
    source: Source,
    there: Sequence[str],
    clock: str,
    entity: dict[str, str],
    others: dict[str, str],
    rows: int,
) -> Iterator[pl.DataFrame]:
    """Yield flows with what is seen of them; an hour that is not over waits for the rows that follow."""
    held: pl.DataFrame | None = None
    for batch in source.batches(max(rows, BLOCK)):
        whole = batch if held is None else pl.concat([held, batch])
        cut = _over(whole.select(there), clock)
        if cut:
            yield _seen(whole[:cut], there, clock, entity, others)
        held = whole[cut:]
    if held is not None and held.height:
        yield _seen(held, there, clock, entity, others)


def _over(frame: pl.DataFrame, clock: str) -> int:
    """Return how many rows, from the first, lie before the last hour begins; all where there are too many."""
    if frame.height >= MOST:
        return frame.height
    hours = (named(frame, clock)["time"] / HOUR).floor()
    last = hours.max()
    if last is None:  # without times a part of the file is one window
        return 0
    place = (hours == last).fill_null(value=False).arg_max()
    return int(place or 0)


def _seen(
    frame: pl.DataFrame,
    there: Sequence[str],
    clock: str,
    entity: dict[str, str],
    others: dict[str, str],
) -> pl.DataFrame:
    told = flow_features(named(frame.select(there), clock))
    return pl.concat(
        [
            frame.select(pl.col(old).alias(new) for old, new in entity.items()),
            told,
            frame.select(pl.col(old).alias(new) for old, new in others.items()),
        ],
        how="horizontal",
    )
