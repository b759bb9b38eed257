"""Words on values that look like codes for missing, and on codes that were named and come nowhere."""

from __future__ import annotations

import polars as pl

from outlearn.data.missing import Suspect, holds_code, numbers_by, shown_code, suspected_codes
from outlearn.data.schema import Schema

__all__ = ["missing_cautions"]

_LISTED = 8


def missing_cautions(frame: pl.DataFrame, schema: Schema) -> tuple[str, ...]:
    """Return sentences on values in some rows that look like codes for missing, and on absent codes."""
    coded = [(column, code) for column in schema.columns for code in column.missing]
    held = {code for column, code in coded if holds_code(frame[column.name], code, column.notation)}
    absent = dict.fromkeys(code for _, code in coded if code not in held)
    return (
        *map(_suspicion, suspected_codes(numbers_by(schema, frame))),
        *(f"no cell of the rows read is {code}, which was said to stand for missing" for code in absent),
    )


def _suspicion(suspect: Suspect) -> str:
    code = shown_code(suspect.value)
    where = [f"{count:,} times in '{name}'" for name, count in suspect.columns.items()]
    more = f" and in {len(where) - _LISTED:,} more columns" if len(where) > _LISTED else ""
    return (
        f"{code} comes {', '.join(where[:_LISTED])}{more}, apart from all other values as codes for missing "
        f"ones are, and is judged as a number: --missing-value={code}, or missing = [{code}] in a --schema "
        "file, reads it as missing"
    )
