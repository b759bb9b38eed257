"""Records of network flows under one set of names, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from outlearn.data.kinds.clocks import clock_of, seconds_of

__all__ = ["FLOW_COLUMNS", "flow_columns", "holds_flows", "named"]

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
"""The names that each column of a flow goes by: Zeek, Suricata, nfdump, IPFIX, Argus and others.

Lower case, with _ for all that is no letter or digit.
"""
AMOUNTS = ("duration", "sent bytes", "received bytes", "sent packets", "received packets")
NEEDED = ("source", "target")
ANY = ("protocol", "sent bytes", "sent packets", "duration")  # one of these beside the addresses


def flow_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return the name that each column of a flow that is there goes by.

    >>> flow_columns(["id.orig_h", "id.resp_h", "proto", "note"])
    {'source': 'id.orig_h', 'target': 'id.resp_h', 'protocol': 'proto'}
    """
    plain = {re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_"): name for name in reversed(columns)}
    names = {}
    for ours, theirs in FLOW_COLUMNS.items():
        there = next((plain[name] for name in theirs if name in plain), None)
        if there is not None:
            names[ours] = there
    return names


def holds_flows(columns: Sequence[str]) -> bool:
    """Tell whether a table with these columns holds flows: two addresses, and what went between them.

    >>> holds_flows(["src_ip", "dst_ip", "bytes"]), holds_flows(["src_ip", "amount"])
    (True, False)
    """
    there = flow_columns(columns)
    return all(name in there for name in NEEDED) and any(name in there for name in ANY)


def named(frame: pl.DataFrame, clock: str | None = None) -> pl.DataFrame:
    """Return flows with the columns of `FLOW_COLUMNS`, null where one is absent, numbers as numbers.

    Times, whatever they were, become seconds; other columns are left out.

    clock : how times are read, of `clocks.clock_of`; read off these rows where it is None.
    """
    there = flow_columns(frame.columns)
    columns = []
    for name in FLOW_COLUMNS:
        values = frame[there[name]] if name in there else None
        if values is None:
            dtype = pl.Float64 if name in (*AMOUNTS, "time") else pl.String
            columns.append(pl.Series(name, [None] * frame.height, dtype=dtype))
        elif name == "time":
            columns.append(seconds_of(values, clock_of(values) if clock is None else clock).alias(name))
        elif name in AMOUNTS:
            amount = values.dt.total_microseconds() / 1e6 if values.dtype == pl.Duration else values
            columns.append(amount.cast(pl.Float64, strict=False).alias(name))
        elif values.dtype.is_float():  # a port where some are missing
            columns.append(values.cast(pl.Int64, strict=False).cast(pl.String).alias(name))
        else:
            columns.append(values.cast(pl.String).str.strip_suffix(".0").alias(name))
    return pl.DataFrame(columns)
