"""The kinds of rows by name: a new one is a folder beside this file, and a row in the table of `names`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from outlearn.data.kinds.kind import RowKind
from outlearn.data.kinds.names import SESSIONS, TABLE, WHERE
from outlearn.errors import ParameterError

if TYPE_CHECKING:
    from outlearn.data.readers.source import ReadOptions, Source

__all__ = ["kind_for", "kind_named", "kind_seen"]


@cache
def kind_named(name: str) -> RowKind:
    """Return a kind by its name.

    Raises
    ------
    ParameterError
        When there is none of this name, such as one of a later version.

    >>> kind_named("flows").one, kind_named("table").one
    ('flow', 'row')
    """
    if name not in WHERE:
        raise ParameterError(f"no kind of rows is called {name!r}; there are {', '.join(WHERE)}")
    kind: RowKind = resolve_name(f"{__package__}.{WHERE[name]}")
    return kind


def kind_for(source: Source, options: ReadOptions) -> RowKind:
    """Return the kind of the rows of a source: as asked for, as its reader knows, or as its columns tell."""
    if options.session is not None:
        return kind_named(SESSIONS)
    if options.kind is not None:
        return kind_named(options.kind)
    if source.kind != TABLE:
        return kind_named(source.kind)
    kinds = map(kind_named, WHERE)
    columns = source.columns
    return next((kind for kind in kinds if kind.made(columns) or kind.holds(columns)), kind_named(TABLE))


def kind_seen(columns: Sequence[str]) -> RowKind:
    """Return the kind whose view has these columns, of what does not say its kind, such as an older model.

    >>> kind_seen(["amount", "shop"]).name
    'table'
    """
    return next((kind for kind in map(kind_named, WHERE) if kind.made(columns)), kind_named(TABLE))
