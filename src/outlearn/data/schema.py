"""What the columns of a table are: names, kinds, roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import narwhals as nw

__all__ = ["Column", "Kind", "Role", "Schema", "Table"]


class Kind(StrEnum):
    """What the values of a column mean, which decides how they are encoded."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    DATETIME = "datetime"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"


class Role(StrEnum):
    """What a column is used for."""

    FEATURE = "feature"
    LABEL = "label"
    TIME = "time"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `note` says in words why it was read so, where a user may wonder."""

    name: str
    kind: Kind
    role: Role = Role.FEATURE
    unit: str | None = None
    note: str = ""

    @property
    def used(self) -> bool:
        """Whether the column reaches the matrix."""
        return self.role in (Role.FEATURE, Role.TIME) and self.kind not in (Kind.IDENTIFIER, Kind.CONSTANT)


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in its order."""

    columns: tuple[Column, ...] = field(default=())

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def used(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.used)

    @property
    def set_aside(self) -> tuple[Column, ...]:
        """Feature columns that carry nothing to learn from (identifiers, constants, ignored)."""
        return tuple(c for c in self.columns if not c.used and c.role is not Role.LABEL)

    def to_dict(self) -> dict[str, Any]:
        return {"columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Schema:
        def column(entry: dict[str, Any]) -> Column:
            return Column(**{**entry, "kind": Kind(entry["kind"]), "role": Role(entry["role"])})

        return cls(tuple(column(entry) for entry in state["columns"]))

    def with_columns(self, columns: Iterable[Column]) -> Schema:
        """Return a schema in which the given columns replace those of the same name."""
        new = {column.name: column for column in columns}
        return replace(self, columns=tuple(new.get(old.name, old) for old in self.columns))


@dataclass(frozen=True, slots=True)
class Table:
    """A dataframe of any library (through narwhals) with its schema.

    `notes` are sentences for the user: what was set aside, repaired or read in a way that may surprise.
    """

    frame: nw.DataFrame[Any]
    schema: Schema
    notes: tuple[str, ...] = ()
