"""Features of a flow: its own size and course, and what its source, target and pair do around it."""

from __future__ import annotations

import polars as pl

__all__ = ["FEATURES", "FLOW", "HOSTS", "TEXTS", "flow_features"]

MINUTE, HOUR = 60.0, 3600.0
FEWEST_GAPS = 3  # of a pair within an hour, from which on their evenness is known
WELL_KNOWN = 1024
MORE = "1433 1521 1883 3306 3389 5060 5353 5432 5900 6379 8080 8443 8883"  # ports that are known too
ZEEK = ("S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH")
FAILED = ("S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR", "RSTR", "RSTO")
PRIVATE = r"^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|127\.|169\.254\.|fe80:|f[cd][0-9a-f]{2}:|::1$)"
MANY = r"^(22[4-9]\.|23\d\.|255\.255\.255\.255$|ff[0-9a-f]{2}:)|\.255$"
FLOW = (
    "protocol",
    "service",
    "state",
    "target port",
    "direction",
    "duration",
    "sent bytes",
    "received bytes",
    "sent packets",
    "received packets",
    "bytes a sent packet",
    "bytes a received packet",
    "sent share",
    "bytes a second",
    "steps of the connection",
    "reset",
    "retransmitted",
)
HOSTS = (
    "flows of the source in a minute",
    "targets of the source in a minute",
    "ports of the source in a minute",
    "failed share of the source in a minute",
    "flows to the target in a minute",
    "sources of the target in a minute",
    "ports of the target in a minute",
    "flows of the pair in an hour",
    "unevenness of gaps of the pair",
    "unevenness of sizes of the pair",
)
FEATURES = (*FLOW, *HOSTS)
TEXTS = ("protocol", "service", "state", "target port", "direction")  # all others are numbers


def flow_features(flows: pl.DataFrame) -> pl.DataFrame:
    """Return (n, …) `FEATURES` of flows under the names of `forms.FLOW_COLUMNS`, in any order of time.

    Hosts are looked at within the clock minute and hour of a flow; flows without a time make one window.
    """
    own = flows.select(_own())
    context = flows.with_columns(_windows()).with_columns(failed=_failed()).select(_hosts())
    return pl.concat([own, context], how="horizontal").select(FEATURES)


def _own() -> list[pl.Expr]:
    sent, received = pl.col("sent bytes").fill_null(0.0), pl.col("received bytes").fill_null(0.0)
    port = pl.col("target port")
    number = port.cast(pl.Int64, strict=False)
    inside = [pl.col(end).str.contains(PRIVATE) for end in ("source", "target")]
    history = pl.col("history")
    return [
        pl.col("protocol").str.to_lowercase(),
        pl.col("service"),
        pl.col("state"),
        pl.when((number < WELL_KNOWN) | port.is_in(MORE.split()))
        .then(pl.format("port {}", port))
        .when(number < 49152)
        .then(pl.lit("registered"))
        .when(number.is_not_null())
        .then(pl.lit("dynamic"))
        .alias("target port"),
        pl.when(pl.col("target").str.contains(MANY))
        .then(pl.lit("to many"))
        .when(inside[0] & inside[1])
        .then(pl.lit("inside"))
        .when(inside[0])
        .then(pl.lit("outward"))
        .when(inside[1])
        .then(pl.lit("inward"))
        .otherwise(pl.lit("outside"))
        .alias("direction"),
        *(
            pl.col(name).clip(lower_bound=0.0).alias(f"{name}")
            for name in ("duration", "sent bytes", "received bytes", "sent packets", "received packets")
        ),
        _ratio(sent, pl.col("sent packets")).alias("bytes a sent packet"),
        _ratio(received, pl.col("received packets")).alias("bytes a received packet"),
        _ratio(sent, sent + received).alias("sent share"),
        ((sent + received) / (pl.col("duration").clip(lower_bound=0.0) + 1.0)).alias("bytes a second"),
        history.str.len_chars().cast(pl.Float64).alias("steps of the connection"),
        history.str.contains("[Rr]").cast(pl.Float64).alias("reset"),
        history.str.contains("[Tt]").cast(pl.Float64).alias("retransmitted"),
    ]


def _ratio(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below > 0).then(above.clip(lower_bound=0.0) / below)


def _windows() -> list[pl.Expr]:
    return [
        (pl.col("time") / seconds).floor().cast(pl.Int64, strict=False).fill_null(-1).alias(name)
        for name, seconds in (("minute", MINUTE), ("hour", HOUR))
    ]


def _failed() -> pl.Expr:
    """Return whether nothing came back, by the state where it is one of Zeek."""
    silent = (pl.col("received packets").fill_null(0.0) == 0) & (pl.col("received bytes").fill_null(0.0) == 0)
    return pl.when(pl.col("state").is_in(ZEEK)).then(pl.col("state").is_in(FAILED)).otherwise(silent)


def _hosts() -> list[pl.Expr]:
    source, target, pair = (
        ["source", "minute"],
        ["target", "minute"],
        ["source", "target", "target port", "hour"],
    )
    gap = pl.col("time").sort().diff()  # logs are in order of the end of flows, or of none
    size = pl.col("sent bytes").fill_null(0.0)
    enough = pl.len() > FEWEST_GAPS
    aggregates: list[tuple[pl.Expr, list[str]]] = [
        (pl.len().cast(pl.Float64), source),
        (pl.col("target").n_unique().cast(pl.Float64), source),
        (pl.col("target port").n_unique().cast(pl.Float64), source),
        (pl.col("failed").mean(), source),
        (pl.len().cast(pl.Float64), target),
        (pl.col("source").n_unique().cast(pl.Float64), target),
        (pl.col("target port").n_unique().cast(pl.Float64), target),
        (pl.len().cast(pl.Float64), pair),
        (pl.when(enough).then(_unevenness(gap)), pair),
        (pl.when(enough).then(_unevenness(size)), pair),
    ]
    return [expr.over(keys).alias(name) for name, (expr, keys) in zip(HOSTS, aggregates, strict=True)]


def _unevenness(values: pl.Expr) -> pl.Expr:
    """Return the spread relative to the mean, at most 5."""
    return (values.std() / (values.mean().abs() + 1e-6)).clip(upper_bound=5.0)
