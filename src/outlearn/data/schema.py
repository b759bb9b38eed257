"""What the columns of a table are: names, kinds, roles; and whether a table has the ones that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

import narwhals as nw

from outlearn import plain
from outlearn.data.named import literal
from outlearn.data.quantities import Notation
from outlearn.errors import SchemaError
from outlearn.shown import unbroken

__all__ = ["Column", "Kind", "Role", "Schema", "Table", "check_columns", "unknown_column"]

_LISTED = 10  # names that a message shows before it only counts


class Kind(StrEnum):
    """What the values of a column mean, which decides how they are encoded."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    DATETIME = "datetime"
    TEXT = "text"
    SERIES = "series"
    EMBEDDING = "embedding"
    SEQUENCE = "sequence"
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
    """One column.

    name : as it goes here, see `named.literal`; any other becomes that.
    unit : what its numbers are in. note : why it was read so, in words, where a user may wonder.
    notation : how numbers in text are written; None: as a computer writes them.
    missing : values that stand for missing, as text; those that are numbers are compared as such.
    unread : how many cells the note says to be no such values, of the rows that the schema was read from.
    """

    name: str
    kind: Kind
    role: Role = Role.FEATURE
    unit: str | None = None
    note: str = ""
    notation: Notation | None = None
    missing: tuple[str, ...] = ()
    unread: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", literal(self.name))

    @property
    def used(self) -> bool:
        """Whether the column reaches the matrix."""
        return self.role in (Role.FEATURE, Role.TIME) and self.kind not in (Kind.IDENTIFIER, Kind.CONSTANT)


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in its order.

    kind : what its rows are, a name of `data.kinds.registry`; None where nobody said.

    >>> print(Schema((Column("age", Kind.NUMERIC, unit="years"), Column("id", Kind.IDENTIFIER))))
    name  kind        role     note
    age   numeric     feature  in years
    id    identifier  feature
    """

    columns: tuple[Column, ...] = field(default=())
    kind: str | None = None

    def __str__(self) -> str:
        rows = [("name", "kind", "role", "note")]
        for column in self.columns:
            unit = f"in {column.unit}" if column.unit else ""
            note = "; ".join(words for words in (unit, column.note) if words)
            rows.append((column.name, str(column.kind), str(column.role), note))
        widths = [max(len(row[place]) for row in rows) for place in range(3)]
        lines = ("  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in rows)
        return "\n".join(unbroken(line).rstrip() for line in lines)

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
    def constant(self) -> tuple[Column, ...]:
        """Feature columns that hold one value, by which a row is odd only where it differs."""
        return tuple(c for c in self.columns if c.kind is Kind.CONSTANT and c.role is Role.FEATURE)

    @property
    def set_aside(self) -> tuple[Column, ...]:
        """Columns whose values are not compared (identifiers, constants, ignored)."""
        return tuple(c for c in self.columns if not c.used and c.role is not Role.LABEL)

    def to_dict(self) -> dict[str, Any]:
        columns = [_column_state(column) for column in self.columns]
        return {"columns": columns} if self.kind is None else {"columns": columns, "kind": self.kind}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Schema:
        def column(entry: Mapping[str, Any]) -> Column:
            notation = entry.get("notation")
            plain.text(entry, "name")
            plain.text({"note": "", **entry}, "note")
            plain.optional_text({"unit": None, **entry}, "unit")
            return Column(
                **{
                    **entry,
                    "kind": Kind(entry["kind"]),
                    "role": Role(entry["role"]),
                    "notation": None if notation is None else Notation.from_state(notation),
                    "missing": plain.texts({"missing": [], **entry}, "missing"),
                    "unread": plain.whole({"unread": 0, **entry}, "unread"),
                }
            )

        columns = [column(plain.record(entry, "a column")) for entry in state["columns"]]
        schema = cls(tuple(columns), plain.optional_text({"kind": None, **state}, "kind"))
        if len(set(schema.names)) < len(columns):
            raise ValueError("two columns have one name")
        return schema

    def with_columns(self, columns: Iterable[Column]) -> Schema:
        """Return a schema in which the given columns replace those of the same name."""
        new = {column.name: column for column in columns}
        return replace(self, columns=tuple(new.get(old.name, old) for old in self.columns))


def _column_state(column: Column) -> dict[str, Any]:
    state = asdict(column)
    state["missing"] = list(column.missing)
    for key in ("missing", "unread"):
        if not state[key]:
            del state[key]  # as earlier versions wrote and read it
    if column.notation is None:
        del state["notation"]
    else:
        state["notation"] = column.notation.to_state()
    return state


def check_columns(schema: Schema, names: Sequence[str], *, where: str = "") -> tuple[str, ...]:
    """Check that the columns that `schema` uses are among `names`, in any order.

    where : the table that has these names, for the message.

    Returns
    -------
    Sentences about columns that are not in the schema and will not be read; they are no error.

    Raises
    ------
    SchemaError
        When a used column is missing; the message shows the difference and likely new names.

    >>> schema = Schema((Column("amount", Kind.NUMERIC),))
    >>> check_columns(schema, ["amount", "shop"])
    ('1 column is not in the schema and not read: shop',)
    >>> check_columns(schema, ["Amount"])
    Traceback (most recent call last):
    outlearn.errors.SchemaError: 1 of 1 columns that the model reads is missing:
      - amount   (renamed? there is: Amount)
      + Amount   (not in the schema)
    Give the table these columns, or fit again on the new ones.
    """
    known, given = set(schema.names), set(names)
    missing = [column.name for column in schema.used if column.name not in given]
    unexpected = [name for name in names if name not in known]
    if missing:
        raise SchemaError(*_difference(missing, unexpected, len(schema.used), where))
    if not unexpected:
        return ()
    verb = "column is" if len(unexpected) == 1 else "columns are"
    return (f"{len(unexpected)} {verb} not in the schema and not read: {_few(unexpected)}",)


def _difference(missing: Sequence[str], unexpected: Sequence[str], wanted: int, where: str) -> list[str]:
    verb = "is" if len(missing) == 1 else "are"
    place = f" in {where}" if where else ""
    lines = [f"{len(missing)} of {wanted} columns that the model reads {verb} missing{place}:"]
    lines += [f"  - {name}{_renamed(name, unexpected)}" for name in missing[:_LISTED]]
    lines += [f"  … and {len(missing) - _LISTED} more missing"] if len(missing) > _LISTED else []
    lines += [f"  + {name}   (not in the schema)" for name in unexpected[:_LISTED]]
    more = len(unexpected) - _LISTED
    lines += [f"  … and {more} more not in the schema"] if more > 0 else []
    return [*lines, "Give the table these columns, or fit again on the new ones."]


def unknown_column(name: str, names: Sequence[str], *, what: str, where: str = "") -> SchemaError:
    """Return the error for a column that does not exist, with the close names.

    what : the column is for. where : name of the table that lacks it.

    >>> print(unknown_column("lable", ["label", "x"], what="the label column"))
    there is no column 'lable' for the label column; did you mean label?
    >>> print(unknown_column("y", ["label", "x"], what="the label column"))
    there is no column 'y' for the label column; the columns are: label, x
    """
    close = _close(name, names)
    hint = f"did you mean {' or '.join(close)}?" if close else f"the columns are: {_few(names)}"
    return SchemaError(f"there is no column {name!r} for {what}{f' in {where}' if where else ''}; {hint}")


def _close(name: str, names: Sequence[str]) -> list[str]:
    """Return up to three names that are alike, whatever their capitals."""
    folded = {other.casefold(): other for other in names}
    return [folded[match] for match in get_close_matches(name.casefold(), list(folded), cutoff=0.6)]


def _renamed(name: str, unexpected: Sequence[str]) -> str:
    close = _close(name, unexpected)
    return f"   (renamed? there is: {' or '.join(close)})" if close else ""


def _few(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + rest


@dataclass(frozen=True, slots=True)
class Table:
    """A dataframe of any library (through narwhals) with its schema.

    `notes` are sentences for the user: what was set aside, repaired or read in a way that may surprise.
    """

    frame: nw.DataFrame[Any]
    schema: Schema
    notes: tuple[str, ...] = ()
