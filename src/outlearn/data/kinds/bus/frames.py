"""Rows of a table as frames: times in seconds, ids and payloads in hexadecimal digits."""

from __future__ import annotations

import numpy as np
import polars as pl

from outlearn.data.kinds.bus.forms import FrameForm
from outlearn.data.kinds.bus.payloads import WIDEST, hex_of
from outlearn.data.kinds.clocks import seconds_of

__all__ = ["frames_of"]

STANDARD, HIGHEST = 0x7FF, 0x1FFFFFFF  # ids of 11 and of 29 bits
FLAG = 1 << 31  # by which SocketCAN marks an extended id


def frames_of(table: pl.DataFrame, form: FrameForm) -> pl.DataFrame:
    """Return (n,) time in seconds, bus, id, number of the id, whether it is extended, payload and length.

    An id is written as 0x and three hexadecimal digits, or eight where it is extended; a payload in
    hexadecimal digits. What cannot be read is null; no row is left out.
    """
    there, rows = form.there, table.height
    number, extended = _ids(table, form)
    short = {code: f"0x{code:03X}" for code in number.drop_nulls().unique()}
    longer = {code: f"0x{code:08X}" for code in number.filter(extended).drop_nulls().unique()}
    ids = [None if n is None else (longer if e else short)[n] for n, e in zip(number, extended, strict=True)]
    length = _numbers(table[there["length"]], 10) if "length" in there else _none(rows)
    payload = _cut(_bytes(table, form), length)
    size = length.cast(pl.Float64)
    size = size.zip_with(size.is_not_null(), (payload.str.len_chars() // 2).cast(pl.Float64))
    time = seconds_of(table[there["time"]], form.clock) if "time" in there else _none(rows)
    bus = table[there["bus"]].cast(pl.String) if "bus" in there else pl.Series([""] * rows, dtype=pl.String)
    return pl.DataFrame(
        {
            "time": time.set(time.is_nan() | time.is_infinite(), None),
            "bus": bus.fill_null(""),
            "id": pl.Series(ids, dtype=pl.String),
            "number": number,
            "extended": extended,
            "payload": payload,
            "length": size,
        }
    )


def _none(rows: int) -> pl.Series:
    return pl.Series([None] * rows, dtype=pl.Float64)


def _numbers(values: pl.Series, base: int) -> pl.Series:
    """Return whole numbers; null where there are none, or a number has a fraction."""
    if values.dtype == pl.String:
        bare = values.str.strip_chars().str.replace(r"^0[xX]", "").str.replace(r"\.0+$", "")
        return bare.str.to_integer(base=base, strict=False)
    if not values.dtype.is_numeric() and values.dtype != pl.Boolean:
        return pl.Series([None] * len(values), dtype=pl.Int64)
    whole = values.cast(pl.Int64, strict=False)
    return whole.set(whole.cast(pl.Float64) != values.cast(pl.Float64), None)


def _ids(table: pl.DataFrame, form: FrameForm) -> tuple[pl.Series, pl.Series]:
    """Return ids as numbers, null where there are none, and whether they are extended ones of 29 bits."""
    given = table[form.there["id"]]
    number = _numbers(given, form.id_base)
    number = (number + (1 << 32)).zip_with(number < 0, number)  # of 32 bits with a sign
    flagged = (number & FLAG) != 0
    number = (number & HIGHEST).zip_with(flagged, number)
    number = number.set((number < 0) | (number > HIGHEST), None)
    extended = (flagged | (number > STANDARD)).fill_null(value=False)
    if "extended" in form.there:
        extended = extended | (_numbers(table[form.there["extended"]], 10) == 1).fill_null(value=False)
    elif given.dtype == pl.String:
        long = given.str.strip_chars().str.replace(r"^0[xX]", "").str.len_chars() == 8
        extended = extended | long.fill_null(value=False)
    return number, extended


def _bytes(table: pl.DataFrame, form: FrameForm) -> pl.Series:
    """Return payloads in hexadecimal digits."""
    if not form.cells:
        bare = table[form.there["payload"]].cast(pl.String).str.replace_all(r"0[xX]|[\s.,:_\[\]-]", "")
        whole = bare.str.contains(rf"^([0-9a-fA-F]{{2}}){{0,{WIDEST}}}$")
        return bare.str.to_uppercase().set(~whole, None)
    cells = [_numbers(table[name], form.byte_base) for name in form.cells]
    known = np.column_stack([cell.is_between(0, 255).fill_null(value=False).to_numpy() for cell in cells])
    values = np.column_stack([cell.fill_null(0).to_numpy() & 255 for cell in cells]).astype(np.uint8)
    sizes = np.where(known.all(axis=1), known.shape[1], known.argmin(axis=1))
    return hex_of(values, sizes)


def _cut(payload: pl.Series, length: pl.Series) -> pl.Series:
    """Return payloads without what stands beyond their length, where that is known."""
    frame = pl.DataFrame({"payload": payload, "length": length})
    end = (2 * pl.col("length").clip(0, WIDEST)).cast(pl.UInt32)
    return frame.select(
        pl.when(end.is_null()).then("payload").otherwise(pl.col("payload").str.slice(0, end))
    )["payload"]
