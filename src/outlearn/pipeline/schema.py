"""The schema of a source, and the small TOML file that overrides it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from outlearn.data.named import written
from outlearn.data.readers import ReadOptions
from outlearn.data.sample import sample_source
from outlearn.data.schema import Column, Role, Schema
from outlearn.errors import OutputError
from outlearn.files import whole
from outlearn.pipeline.learn import SAMPLE_ROWS, Reading, open_table
from outlearn.pipeline.rows import Spec, chunk_rows

__all__ = ["read_schema", "schema_toml", "write_new"]


def read_schema(
    source: Spec,
    *,
    label_column: str | None = None,
    time_column: str | None = None,
    ignore: Sequence[str] = (),
    schema: str | Path | None = None,
    options: ReadOptions | None = None,
    missing_values: Sequence[str] = (),
    seed: int = 0,
) -> tuple[Schema, tuple[str, ...]]:
    """Return how a source is read, with notes; the arguments are those of `Monitor.fit`.

    >>> schema, notes = read_schema("dataset:iris")
    >>> str(schema["label"].role)
    'ignored'
    """
    wanted = Reading(
        label_column, time_column, tuple(ignore), schema, options, missing_values=tuple(missing_values)
    )
    opened, reading = open_table(source, wanted)
    drawn = sample_source(opened, SAMPLE_ROWS, seed=seed, chunk_rows=chunk_rows(opened))
    return reading.schema_of(drawn.frame, opened), (*opened.notes, *drawn.notes)


def schema_toml(schema: Schema) -> str:
    """Return the schema as a file of overrides.

    >>> from outlearn.data.schema import Kind
    >>> print(schema_toml(Schema((Column("amount", Kind.NUMERIC, unit="EUR"),))))
    # kind: numeric, boolean, categorical, datetime, text, identifier or constant
    # role: feature, label, time or ignored
    <BLANKLINE>
    [columns."amount"]
    kind = "numeric"
    role = "feature"
    unit = "EUR"
    <BLANKLINE>
    """
    roles = ", ".join(list(Role)[:-1]) + f" or {list(Role)[-1]}"
    head = f"# kind: numeric, boolean, categorical, datetime, text, identifier or constant\n# role: {roles}\n"
    return head + "".join(_table(column) for column in schema.columns)


def _table(column: Column) -> str:
    note = f"# {' '.join(column.note.split())}\n" if column.note else ""
    unit = f"unit = {_quoted(column.unit)}\n" if column.unit else ""
    codes = f"missing = [{', '.join(map(_quoted, column.missing))}]\n" if column.missing else ""
    kind, role = _quoted(column.kind), _quoted(column.role)
    return f"\n{note}[columns.{_quoted(written(column.name))}]\nkind = {kind}\nrole = {role}\n{unit}{codes}"


def _quoted(text: str) -> str:
    """Return a TOML basic string: JSON's rules, but for the character DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_new(path: Path, text: str) -> None:
    """Write a text file, but never over another: it may hold what somebody edited.

    Raises
    ------
    OutputError
        When the file exists or cannot be written.
    """
    try:
        with whole(path, over=False) as draft:
            draft.write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise OutputError(
            f"cannot write to {path}: it exists, and may have been edited; give another name"
        ) from error
