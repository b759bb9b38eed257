"""Records of network flows under one set of names, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

__all__ = ["FLOW_COLUMNS", "NEEDED", "clock_of", "flow_columns", "holds_flows", "named"]

NAMES = {
    "time": "ts flow_start timestamp start start_time first stime date_first_seen flowstartmilliseconds "
    "flowstartseconds first_switched",
    "source": "id_orig_h src_ip srcip sa srcaddr src_addr source_ip sourceipv4address saddr ipv4_src_addr",
    "source port": "id_orig_p src_port srcport sp sport source_port sourcetransportport l4_src_port",
    "target": "id_resp_h dst_ip dstip dest_ip da dstaddr dst_addr destination_ip destinationipv4address "
    "daddr ipv4_dst_addr",
    "target port": "id_resp_p dst_port dstport dest_port dp dport destination_port "
    "destinationtransportport l4_dst_port",
    "protocol": "proto protocol pr prot protocolidentifier",
    "service": "service app_proto",
    "duration": "duration td dur flow_age",
    "sent bytes": "orig_bytes src_bytes flow_bytes_toserver ibyt sbytes in_bytes octetdeltacount "
    "octettotalcount bytes byt",
    "received bytes": "resp_bytes dst_bytes flow_bytes_toclient obyt dbytes out_bytes",
    "sent packets": "orig_pkts src_pkts flow_pkts_toserver ipkt spkts in_pkts packetdeltacount "
    "packettotalcount packets pkt",
    "received packets": "resp_pkts dst_pkts flow_pkts_toclient opkt dpkts out_pkts",
    "state": "conn_state flow_state state flg tcp_flags",
    "history": "history",
}
FLOW_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {ours: tuple(theirs.split()) for ours, theirs in NAMES.items()}
)
"""Of each column of a flow, the names that it goes by: Zeek, Suricata, nfdump, IPFIX, Argus and others.

Lower case, with _ for all that is no letter or digit.
"""
AMOUNTS = ("duration", "sent bytes", "received bytes", "sent packets", "received packets")
ISO = "ISO 8601"
#: How dates are written as text; where day and month leave it open, the month comes first.
CLOCKS = (
    ISO,
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
)
UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
NEEDED = ("source", "target")
ANY = ("protocol", "sent bytes", "sent packets", "duration")  # one of these beside the addresses


def flow_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return, of each column of a flow that is there, what it is called.

    >>> flow_columns(["id.orig_h", "id.resp_h", "proto", "note"])
    {'source': 'id.orig_h', 'target': 'id.resp_h', 'protocol': 'proto'}
    """
    plain = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): name for name in reversed(columns)}
    found = {}
    for ours, theirs in FLOW_COLUMNS.items():
        there = next((plain[name] for name in theirs if name in plain), None)
        if there is not None:
            found[ours] = there
    return found


def holds_flows(columns: Sequence[str]) -> bool:
    """Tell whether a table with these columns holds flows: two addresses, and what went between them.

    >>> holds_flows(["src_ip", "dst_ip", "bytes"]), holds_flows(["src_ip", "amount"])
    (True, False)
    """
    found = flow_columns(columns)
    return all(name in found for name in NEEDED) and any(name in found for name in ANY)


def named(frame: pl.DataFrame, clock: str | None = None) -> pl.DataFrame:
    """Return flows with the columns of `FLOW_COLUMNS`, null where one is absent, numbers as numbers.

    Times, whatever they were, become seconds; other columns are left out.

    clock : how times are read, of `clock_of`; told by these rows where it is None.
    """
    there = flow_columns(frame.columns)
    found = []
    for name in FLOW_COLUMNS:
        values = frame[there[name]] if name in there else None
        if values is None:
            dtype = pl.Float64 if name in (*AMOUNTS, "time") else pl.String
            found.append(pl.Series(name, [None] * frame.height, dtype=dtype))
        elif name == "time":
            found.append(seconds_of(values, clock_of(values) if clock is None else clock).alias(name))
        elif name in AMOUNTS:
            amount = values.dt.total_microseconds() / 1e6 if values.dtype == pl.Duration else values
            found.append(amount.cast(pl.Float64, strict=False).alias(name))
        elif values.dtype.is_float():  # a port where some are missing
            found.append(values.cast(pl.Int64, strict=False).cast(pl.String).alias(name))
        else:
            found.append(values.cast(pl.String).str.strip_suffix(".0").alias(name))
    return pl.DataFrame(found)


def clock_of(values: pl.Series) -> str:
    """Return how times are read: of `CLOCKS`, or the unit of a count since 1970."""
    if values.dtype in (pl.Date, pl.Datetime):
        return "moment"
    if values.dtype.is_numeric():
        return _unit(values.cast(pl.Float64))
    if values.dtype != pl.String:
        return "none"
    numbers = values.cast(pl.Float64, strict=False)
    if numbers.null_count() == values.null_count() < len(values):
        return f"text of {_unit(numbers)}"
    read = {clock: len(values) - seconds_of(values, clock).null_count() for clock in CLOCKS}
    best = max(read, key=lambda clock: read[clock])
    return best if read[best] else "none"


def _unit(counts: pl.Series) -> str:
    """Return the unit of counts since 1970, by their size."""
    size = counts.abs().median()
    if not isinstance(size, float) or size < 1e11:
        return "s"
    return "ms" if size < 1e14 else "us" if size < 1e17 else "ns"


def seconds_of(values: pl.Series, clock: str) -> pl.Series:
    """Return times as seconds since 1970; null where they are none."""
    unit = clock.removeprefix("text of ")
    if unit in UNITS:
        return values.cast(pl.Float64, strict=False) / UNITS[unit]
    if clock == "moment" and values.dtype in (pl.Date, pl.Datetime):
        return values.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
    if clock not in CLOCKS or values.dtype != pl.String:
        return pl.Series(values.name, [None] * len(values), dtype=pl.Float64)
    moments = (
        values.str.strip_chars()
        .str.strip_suffix(" UTC")
        .str.to_datetime(
            None if clock == ISO else clock, strict=False, time_unit="us", time_zone="UTC", ambiguous="null"
        )
    )
    return moments.dt.epoch("us").cast(pl.Float64) / 1e6
