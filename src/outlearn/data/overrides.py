"""What the user says about columns, against what was read from their values: a small TOML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import narwhals as nw
import polars as pl
from narwhals.typing import IntoDataFrame

from outlearn.data.columns.cells import numbers_of, truths_of, written_of
from outlearn.data.columns.dates import moments_of
from outlearn.data.columns.moment import form_of_moments
from outlearn.data.missing import cells_by
from outlearn.data.named import literal
from outlearn.data.quantities import Notation, recognise
from outlearn.data.schema import Column, Kind, Role, Schema, unknown_column
from outlearn.errors import SchemaError
from outlearn.small_files import read_toml

__all__ = ["ColumnOverride", "apply_overrides", "missing_values_of", "read_missing", "read_overrides"]

_KEYS = ("kind", "role", "unit", "missing")

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ColumnOverride:
    """What to change about a column; None leaves it as it was read.

    missing : values that stand for missing in it, see `Column`, beside those of the whole table.
    """

    kind: Kind | None = None
    role: Role | None = None
    unit: str | None = None
    missing: tuple[str, ...] = ()


def read_overrides(path: str | Path) -> dict[str, ColumnOverride]:
    """Read a TOML file such as::

        [columns.amount]
        kind = "numeric"
        unit = "EUR"
        missing = [-200]
        [columns.note]
        role = "ignored"

    Beside the columns may stand `missing`, for all of them; see `read_missing`.

    Raises
    ------
    ReadError
        When the file cannot be read.
    SchemaError
        When it is not TOML, or holds a key, kind or role that does not exist.
    """
    content = read_toml(Path(path), "the overrides file", fault=SchemaError)
    columns = content.pop("columns", {})
    content.pop("missing", None)
    if content or not isinstance(columns, dict):
        keys = ", ".join(content) or "columns = …"
        raise SchemaError(f"{path} holds {keys}; wanted only tables named [columns.NAME], and missing = […]")
    return {literal(name): _override(name, entry) for name, entry in columns.items()}


def read_missing(path: str | Path) -> tuple[str, ...]:
    """Return the values that stand for missing in the whole table by a file of overrides.

    Raises
    ------
    ReadError, SchemaError
        As `read_overrides` does.
    """
    content = read_toml(Path(path), "the overrides file", fault=SchemaError)
    return _missing(str(path), content.get("missing", []))


def missing_values_of(
    names: Sequence[str], overrides: Mapping[str, ColumnOverride], everywhere: Sequence[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Return what stands for missing in each of these columns that has such; none does in one of labels.

    >>> missing_values_of(["a", "b"], {"b": ColumnOverride(missing=("-1",))}, ["-200"])
    {'a': ('-200',), 'b': ('-200', '-1')}
    """
    said = {literal(name): overrides.get(literal(name), ColumnOverride()) for name in names}
    codes = {
        name: tuple(dict.fromkeys((*everywhere, *override.missing)))
        for name, override in said.items()
        if override.role is not Role.LABEL
    }
    return {name: values for name, values in codes.items() if values}


def apply_overrides(
    schema: Schema,
    overrides: Mapping[str, ColumnOverride],
    frame: IntoDataFrame | nw.DataFrame[Any] | None = None,
    *,
    decimal: str | None = None,
    where: str = "",
) -> Schema:
    """Return the schema with the overrides applied; a changed column says so in its note.

    Parameters
    ----------
    frame : rows to try each new kind on, so that the note counts the cells that cannot be read.
    decimal : as in `infer_schema`.
    where : the table that has these columns, for the message.

    Raises
    ------
    SchemaError
        When a column does not exist, more than one column gets the role label or time, or no cell of a
        column can be read as its new kind.

    >>> schema = Schema((Column("code", Kind.NUMERIC),))
    >>> print(apply_overrides(schema, {"code": ColumnOverride(kind=Kind.CATEGORICAL)}))
    name  kind         role     note
    code  categorical  feature  kind set by the user, read as numeric
    """
    overrides = {literal(name): override for name, override in overrides.items()}
    for name in overrides:
        if name not in schema.names:
            raise unknown_column(name, schema.names, what="the overrides", where=where)
    changed = schema.with_columns(_changed(schema[name], override) for name, override in overrides.items())
    if frame is not None:
        new = [c for c in changed.columns if c.kind is not schema[c.name].kind and c.kind in _TRIALS]
        cells = cells_by(changed, frame, [column.name for column in new])
        changed = changed.with_columns(_tried(column, cells[column.name], decimal) for column in new)
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
    missing = _missing(f"overrides of {name!r}", entry.get("missing", []))
    return ColumnOverride(
        _choice(name, "kind", entry, Kind), _choice(name, "role", entry, Role), unit, missing
    )


def _missing(where: str, values: Any) -> tuple[str, ...]:
    """Return values that stand for missing, as text."""
    listed = values if isinstance(values, list) else [values]
    if any(isinstance(value, bool) or not isinstance(value, int | float | str) for value in listed):
        raise SchemaError(f'{where}: missing is {values!r}; wanted numbers or texts such as [-200, "n.d."]')
    return tuple(map(str, listed))


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
    if kind is not column.kind:
        note = f"kind set by the user, read as {column.kind}"
        column = replace(column, kind=kind, note=note, notation=None, unit=_own_unit(column), unread=0)
    return replace(
        column,
        role=override.role or column.role,
        unit=override.unit or column.unit,
        missing=tuple(dict.fromkeys((*column.missing, *override.missing))),
    )


def _own_unit(column: Column) -> str | None:
    """Return the unit of a column, unless it is only that in which its text is written."""
    return None if column.notation is not None else column.unit


def _tried(column: Column, cells: pl.Series, decimal: str | None) -> Column:
    """Return the column with what reading its cells by the new kind gave.

    Raises
    ------
    SchemaError
        When no cell can be read.
    """
    filled = written_of(cells).drop_nulls()
    notation, unread, note = _TRIALS[column.kind](column.name, cells, decimal)
    if filled.len() and unread == filled.len():
        shown = ", ".join(repr(cell[:30]) for cell in filled.unique(maintain_order=True).head(3).to_list())
        raise SchemaError(
            f"the overrides set column {column.name!r} to {column.kind}, but none of its {filled.len():,} "
            f"filled cells can be read so (such as {shown}); wanted {_WANTED[column.kind]}: set another "
            "kind, or leave the column out of the overrides"
        )
    unit = column.unit or (notation.plain_unit if notation else "") or None
    note = "; ".join(filter(None, [column.note, note]))
    return replace(column, note=note, notation=notation, unit=unit, unread=unread)


_Trial = tuple[Notation | None, int, str]  # how text is written, cells that cannot be read, a note


def _as_numbers(name: str, cells: pl.Series, decimal: str | None) -> _Trial:
    unread = numbers_of(cells).unparsed
    if not unread:
        return None, 0, ""
    filled = written_of(cells).drop_nulls()
    found = recognise(filled, name=name, decimal=decimal, least=0.0)
    if found.notation is not None and found.unread < unread:
        return found.notation, found.unread, found.note
    return None, unread, _lost(unread, filled.len())


def _as_moments(name: str, cells: pl.Series, decimal: str | None) -> _Trial:
    unread = moments_of(cells, form_of_moments(cells))[1]
    return None, unread, _lost(unread, written_of(cells).drop_nulls().len())


def _as_truths(name: str, cells: pl.Series, decimal: str | None) -> _Trial:
    unread = truths_of(cells)[1]
    return None, unread, _lost(unread, written_of(cells).drop_nulls().len())


def _lost(unread: int, filled: int) -> str:
    if not unread:
        return ""
    return f"{unread:,} of {filled:,} cells cannot be read so and {'is' if unread == 1 else 'are'} missing"


_TRIALS: Mapping[Kind, Callable[[str, pl.Series, str | None], _Trial]] = {
    Kind.NUMERIC: _as_numbers,
    Kind.DATETIME: _as_moments,
    Kind.BOOLEAN: _as_truths,
}
_WANTED = {
    Kind.NUMERIC: "numbers such as 12.5, $1,200.50, 12 % or 3 kg",
    Kind.DATETIME: "dates such as 2024-12-31 or 31.12.2024 23:59, or counts since 1970",
    Kind.BOOLEAN: "words such as true and false, yes and no, or 1 and 0",
}
