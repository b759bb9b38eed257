"""Network flows as a kind of rows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from outlearn.data.kinds.flows.features import FEATURES, HOSTS, TEXTS
from outlearn.data.kinds.flows.forms import flow_columns, holds_flows, named
from outlearn.data.kinds.flows.view import flow_ends, flow_names, flow_view, flow_words
from outlearn.data.kinds.kind import RowFacts, RowKind, Surroundings
from outlearn.data.named import only
from outlearn.data.readers.source import ReadOptions, Source

__all__ = ["FLOWS"]


def _view(source: Source, keep: Sequence[str], _: ReadOptions) -> tuple[Source, tuple[str, ...]]:
    return flow_view(source, keep)


def _column_of(name: str, columns: Sequence[str]) -> str | None:
    """Return the column that a name stands for: any that a flow's column goes by will do.

    >>> _column_of("src_ip", ["id.orig_h", "sent bytes"]), _column_of("bytes", ["id.orig_h", "sent bytes"])
    ('id.orig_h', 'sent bytes')
    """
    if name in columns:
        return name
    ours = next(iter(flow_columns([name])), None)
    naming = flow_columns([column for column in columns if column not in FEATURES])
    return naming.get(ours or "", ours if ours in columns else None)


def _facts(frame: pl.DataFrame, clock: str) -> RowFacts:
    ends = named(only(frame, flow_ends(frame.columns).values()), clock)
    facts = {name: ends[name] for name in ("source", "source port", "target", "target port")}
    facts |= {name: frame[name] for name in ("protocol", "service", "sent bytes", "received bytes")}
    return RowFacts(facts["source"], ends["time"], facts)


FLOWS = RowKind(
    "flows",
    one="flow",
    many="network flows",
    seen={name: pl.String if name in TEXTS else pl.Float64 for name in FEATURES},
    holds=holds_flows,
    view=_view,
    names=flow_names,
    words=flow_words,
    around=True,
    surroundings=Surroundings(
        HOSTS, lambda columns: tuple(flow_ends(columns).values()), "what their hosts did around them"
    ),
    column_of=_column_of,
    beside_reference="committee",  # on networks it found more than a learner (docs/security.md)
    facts=_facts,
    ends=flow_ends,
    category=("network",),
)
