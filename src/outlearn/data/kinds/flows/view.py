"""A source of flow records becomes one of their features, the columns that name them set apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import polars as pl

from outlearn.data.kinds.clocks import clock_of
from outlearn.data.kinds.flows.events import flows_of_events, holds_events
from outlearn.data.kinds.flows.features import FEATURES, HOUR, flow_features
from outlearn.data.kinds.flows.forms import FLOW_COLUMNS, flow_columns, holds_flows, named
from outlearn.data.named import only, renamed
from outlearn.data.readers.source import Source, unique_names
from outlearn.errors import ReadError

__all__ = ["ENTITY", "flow_ends", "flow_names", "flow_view", "flow_words"]

ENTITY = ("time", "source", "source port", "target", "target port")
IDENTIFIERS = ("uid", "community_id", "flow_id", "flow.id", "fuid")  # of a flow, in those who write them
ENDS = ("te", "end", "last", "last_switched", "flow_end", "flowendmilliseconds")  # times too
LOOKED = 1000  # rows that show whether a column holds addresses
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

    keep : columns that say nothing of a flow, such as a label, and stay as they are.

    Only the events of ended flows are kept of Suricata's (eve.json), and said so.

    Raises
    ------
    ReadError
        When the source holds no flows; see `forms.holds_flows`.
    """
    if not holds_flows(source.columns):
        raise ReadError(
            f"{source.name}: no flows: wanted columns of a source and a target address, and of a "
            "protocol, bytes, packets or a duration"
        )
    head = next(iter(source.chunks(LOOKED)))
    if holds_events(head):
        source = flows_of_events(source)
        head = next(iter(source.chunks(LOOKED)))
    there = flow_columns([name for name in source.columns if name not in keep])
    used = set(there.values())
    naming = [there[name] for name in ENTITY if name in there]
    rest = [name for name in source.columns if name not in used]
    taken = {*naming, *FEATURES}
    free, _ = unique_names([*taken, *(name if name not in taken else f"{name} (as given)" for name in rest)])
    others = dict(zip(rest, free[len(taken) :], strict=True))
    entity = {name: name if name not in FEATURES else f"{name} (as given)" for name in naming}
    called = (*entity.values(), *FEATURES, *others.values())
    note = f"read as network flows: {', '.join(f'{ours} is {theirs}' for ours, theirs in there.items())}"
    clock = clock_of(head[there["time"]]) if "time" in there else "none"
    times = named(only(head, there.values()), clock)["time"]
    if "time" in there and times.null_count() > 0.5 * head.height:
        note += "; most of its times cannot be read, so what hosts do is counted over the whole file"
    view = replace(
        source,
        columns=called,
        batches=partial(_batches, source, tuple(there.values()), clock, entity, others),
        notes=(*source.notes, note),
        kind="flows",
    )
    return view, (*entity.values(), *(others[name] for name in _identifying(only(head, rest))))


def flow_ends(columns: Sequence[str]) -> dict[str, str]:
    """Return the columns of a view that name a flow, by their place in `ENTITY`."""
    there = flow_columns([name for name in columns if name not in FEATURES])
    return {name: there[name] for name in ENTITY if name in there}


def flow_names(view: Source) -> tuple[str, ...]:
    """Return the columns of a view that no score may see, as `flow_view` returns them."""
    entity = flow_ends(view.columns).values()
    rest = [name for name in view.columns if name not in FEATURES and name not in entity]
    return (*entity, *_identifying(only(next(iter(view.chunks(LOOKED))), rest)))


def flow_words(cells: Mapping[str, Any]) -> str:
    """Return the name of a flow, from the cells of its row in a view.

    >>> flow_words({"src_ip": "10.0.0.5", "dst_ip": "192.0.2.1", "dst_port": 53, "bytes": 60})
    '10.0.0.5 to 192.0.2.1 port 53'
    """
    there = flow_columns(list(cells))
    source, target, port = (cells.get(there.get(name, "")) for name in ("source", "target", "target port"))
    return f"{source} to {target}" + (f" port {port}" if port is not None else "")


def _identifying(head: pl.DataFrame) -> list[str]:
    """Return the columns that hold other names, times or addresses of flows."""
    apart = (*IDENTIFIERS, *FLOW_COLUMNS["time"], *ENDS)
    return [name for name in head.columns if name.lower() in apart or _addresses(head[name])]


def _addresses(values: pl.Series) -> bool:
    """Tell whether a column holds addresses."""
    if values.dtype != pl.String:
        return False
    filled = values.drop_nulls()
    return len(filled) > 0 and int(filled.str.contains(ADDRESS).sum()) >= ADDRESSES * len(filled)


def _batches(
    source: Source,
    there: Sequence[str],
    clock: str,
    entity: dict[str, str],
    others: dict[str, str],
    rows: int,
) -> Iterator[pl.DataFrame]:
    """Yield flows with their features; an hour that is not over waits for the rows that follow."""
    held: pl.DataFrame | None = None
    for batch in source.batches(max(rows, BLOCK)):
        whole = batch if held is None else pl.concat([held, batch])
        cut = _over(only(whole, there), clock)
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
    features = flow_features(named(only(frame, there), clock))
    return pl.concat([renamed(frame, entity), features, renamed(frame, others)], how="horizontal")
