"""What the user says about columns, against what was read from their values: a small TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from outlearn.data.schema import Column, Kind, Role, Schema, unknown_column
from outlearn.errors import ReadError, SchemaError

__all__ = ["ColumnOverride", "apply_overrides", "read_overrides"]

_KEYS = ("kind", "role", "unit")

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ColumnOverride:
    """What to change about a column; None leaves it as it was read."""

    kind: Kind | None = None
    role: Role | None = None
    unit: str | None = None


def read_overrides(path: str | Path) -> dict[str, ColumnOverride]:
    """Read a TOML file such as::

        [columns.amount]
        kind = "numeric"
        unit = "EUR"
        [columns.note]
        role = "ignored"

    Raises
    ------
    ReadError
        When the file cannot be read.
    SchemaError
        When it is not TOML, or holds a key, kind or role that does not exist.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(f"cannot read the overrides file {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"{path} is not a TOML file: {error}") from error
    columns = content.pop("columns", {})
    if content or not isinstance(columns, dict):
        keys = ", ".join(content) or "columns = …"
        raise SchemaError(f"{path} holds {keys}; wanted only tables named [columns.NAME]")
    return {name: _override(name, entry) for name, entry in columns.items()}


def apply_overrides(schema: Schema, overrides: Mapping[str, ColumnOverride], *, where: str = "") -> Schema:
    """Return the schema with the overrides applied; a changed column says so in its note.

    where : the table that has these columns, for the message.

    Raises
    ------
    SchemaError
        When a column does not exist, or more than one column gets the role label or time.

    >>> schema = Schema((Column("code", Kind.NUMERIC),))
    >>> print(apply_overrides(schema, {"code": ColumnOverride(kind=Kind.CATEGORICAL)}))
    name  kind         role     note
    code  categorical  feature  kind set by the user, read as numeric
    """
    for name in overrides:
        if name not in schema.names:
            raise unknown_column(name, schema.names, what="the overrides", where=where)
    changed = schema.with_columns(_changed(schema[name], override) for name, override in overrides.items())
    for role in (Role.LABEL, Role.TIME):
        names = [column.name for column in changed.columns if column.role is role]
        if len(names) > 1:
            raise SchemaError(f"{len(names)} columns have the role {role} ({', '.join(names)}); keep one")
    return changed


def _override(name: str, entry: Any) -> ColumnOverride:
    if not isinstance(entry, dict):
        raise SchemaError(f"overrides of {name!r}: got {entry!r}, wanted a table with {', '.join(_KEYS)}")
    for key in entry:
        if key not in _KEYS:
            raise SchemaError(f"overrides of {name!r}: unknown key {key!r}; allowed are {', '.join(_KEYS)}")
    unit = entry.get("unit")
    if unit is not None and not isinstance(unit, str):
        raise SchemaError(f"overrides of {name!r}: unit is {unit!r}, wanted text in quotes")
    return ColumnOverride(_choice(name, "kind", entry, Kind), _choice(name, "role", entry, Role), unit)


def _choice(name: str, key: str, entry: dict[str, Any], choices: type[Choice]) -> Choice | None:
    if key not in entry:
        return None
    try:
        return choices(entry[key])
    except ValueError:
        allowed = ", ".join(choices)
        raise SchemaError(
            f"overrides of {name!r}: unknown {key} {entry[key]!r}; allowed are {allowed}"
        ) from None


def _changed(column: Column, override: ColumnOverride) -> Column:
    kind = override.kind or column.kind
    note = column.note
    if kind is not column.kind:
        note = f"kind set by the user, read as {column.kind}"
    return replace(
        column, kind=kind, role=override.role or column.role, unit=override.unit or column.unit, note=note
    )
