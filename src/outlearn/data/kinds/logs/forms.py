"""Fields that lines of a log have in common: time, level, process, and the form of the message."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2s

import polars as pl

__all__ = ["HOLE", "form_id", "parts_of", "time_form"]

HOLE = "<*>"
#: Patterns of a time at the head of a line, and how it is read; the first that fits most lines is taken.
TIMES: tuple[tuple[str, str], ...] = (
    (r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)", "iso"),
    (r"^\[?\w{3} (\w{3} +\d+ \d\d:\d\d:\d\d \d{4})\]?", "%b %e %H:%M:%S %Y"),
    (r"(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d)", "%d/%b/%Y:%H:%M:%S"),
    (r"^(\d\d/\d\d/\d\d \d\d:\d\d:\d\d)", "%y/%m/%d %H:%M:%S"),
    (r"^(\d{6} \d{6})\b", "%y%m%d %H%M%S"),
    (r"(?:^|\s)(1\d{9})(?:\.\d+)?\b", "epoch"),
    (r"^(?:<\d+>)?(\w{3} +\d+ \d\d:\d\d:\d\d)", "syslog"),
)
HEAD = 80  # characters of a line in which its time stands
LEVELS = (
    r"(?i)\b(trace|debug|info|notice|warn|warning|error|err|severe|critical|crit|fatal|alert|emerg|panic)\b"
)
PROCESS = r"(?:^|\s)([A-Za-z_][\w./()$-]*)(?:\[\d+\])?: "
#: Patterns of what differs from one line to the next of the same form, in this order.
MASKS: tuple[tuple[str, str], ...] = (
    (r"\"[^\"]*\"|'[^']*'", HOLE),
    (r"=\S+", f"={HOLE}"),
    (r"\b[0-9a-fA-F]{8,}\b", HOLE),
    (r"(?:^|\s)\S*/\S*/\S*", f" {HOLE}"),
    (r"\S*\d\S*", HOLE),
    (r"<\*>(?:[\s,:;]+<\*>)+", HOLE),
    (r"\s+", " "),
)
LONGEST_FORM = 200  # characters of a form
NAMED = 40  # characters of a form that its id begins with
SHORT = 3  # characters from which on what is hidden cannot be part of many words


def parts_of(lines: pl.Series, time: tuple[str, str] | None, hidden: pl.Series | None = None) -> pl.DataFrame:
    """Return (n,) time in seconds, level, process, form and message of lines.

    time : of `TIMES`, as `time_form` finds it; None: no time is read.
    hidden : (n,) text that is a hole in the form of its line where it has three characters or more.
    """
    frame = lines.alias("line").to_frame()
    message = pl.col("line") if time is None else pl.col("line").str.replace(time[0], " ", n=1)
    form = message
    if hidden is not None:
        frame = frame.with_columns(hidden.alias("hidden"))
        without = message.str.split(pl.col("hidden")).list.join(HOLE)
        form = pl.when(pl.col("hidden").str.len_chars() >= SHORT).then(without).otherwise(message)
    for pattern, to in MASKS:
        form = form.str.replace_all(pattern, to)
    return frame.select(
        _seconds(time).alias("time"),
        pl.col("line").str.extract(LEVELS).str.to_lowercase().alias("level"),
        message.str.extract(PROCESS).alias("process"),
        form.str.strip_chars().str.slice(0, LONGEST_FORM).alias("form"),
        message.alias("message"),
    )


@lru_cache(maxsize=100_000)
def form_id(form: str) -> str:
    """Return a short name of a form: its first words, and a hash that tells it from others of the same words.

    It depends on the form alone: the same in every log and on every machine.

    >>> form_id("Receiving block <*> src: <*> dest: <*>")
    'Receiving_block_src_dest#eb4730'
    """
    words = "_".join(re.findall(r"[^\W\d_]+", form))[:NAMED].rstrip("_")
    return f"{words or 'line'}#{blake2s(form.encode(), digest_size=3).hexdigest()}"


def time_form(lines: pl.Series) -> tuple[str, str] | None:
    """Return how the time of lines is read; None where most tell none."""
    head = lines.alias("line").to_frame()
    for form in TIMES:
        known = head.select(_seconds(form).is_not_null().sum()).item()
        if known > 0.5 * len(lines):
            return form
    return None


def _seconds(time: tuple[str, str] | None) -> pl.Expr:
    if time is None:
        return pl.lit(None, dtype=pl.Float64)
    pattern, form = time
    text = pl.col("line").str.slice(0, HEAD).str.extract(pattern)
    if form == "epoch":
        return text.cast(pl.Float64, strict=False)
    if form == "iso":
        moment = text.str.replace("T", " ").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
    elif form == "syslog":  # of no year: any leap year, for what counts is how times follow one another
        moment = (pl.lit("2000 ") + text.str.replace_all(r" +", " ")).str.to_datetime(
            "%Y %b %d %H:%M:%S", strict=False
        )
    else:
        moment = text.str.replace_all(r" +", " ").str.to_datetime(form.replace("%e", "%d"), strict=False)
    return moment.dt.epoch("us").cast(pl.Float64) / 1e6
