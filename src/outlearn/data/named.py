"""Names of columns that polars takes as they are.

Polars takes a name for a pattern where it is ``*`` or goes from ``^`` to ``$``: nearly everywhere a name can
stand (`select`, `drop`, `sort`, `group_by`, `join`, `unique`, `cast`, `pl.col`, `struct.field`, …), and where
none is given too, since methods of a series and `concat` of frames look columns up by their own names. It
matches other columns then, or none, and some calls end in a panic. So no frame of ours has such a column: a
blank after its name, which is cut off wherever names are read or shown, makes it one like any other. Nor has
one a NUL in its name, at which Arrow panics, but for our own columns that stand beside others for a while.

Whatever lets names in, from files or users, passes them through `literal`; scored rows leave by `written`.
What takes columns by names that do not stand in the code does so by `by_name` and the functions below it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import polars as pl
import polars.selectors as cs

__all__ = [
    "by_name",
    "is_pattern",
    "literal",
    "only",
    "renamed",
    "settle_names",
    "with_literal_names",
    "without",
    "written",
]

_MARK = " "


def is_pattern(name: str) -> bool:
    """Tell whether polars takes a name for a pattern.

    >>> is_pattern("*"), is_pattern("^q$"), is_pattern("^q"), is_pattern("a*")
    (True, True, False, False)
    """
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def literal(name: str) -> str:
    """Return the name under which a column goes here.

    >>> literal("^q$"), literal("^q$ "), literal("q")
    ('^q$ ', '^q$ ', 'q')
    """
    name = name.replace("\0", "\ufffd")
    return f"{name}{_MARK}" if is_pattern(name) else name


def settle_names(value: object, *fields: str) -> None:
    """Put the names of columns that fields of a frozen value hold as they go here: a name, names, or None."""
    for field in fields:
        given = getattr(value, field)
        names = (
            given
            if given is None
            else literal(given)
            if isinstance(given, str)
            else tuple(map(literal, given))
        )
        object.__setattr__(value, field, names)


def written(name: str) -> str:
    """Return the name that a column came with, but for NUL.

    >>> written("^q$ "), written("q "), written("q")
    ('^q$', 'q ', 'q')
    """
    bare = name.removesuffix(_MARK)
    return bare if literal(bare) == name else name


def with_literal_names(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame that came from elsewhere with the names under which its columns go here."""
    names = {name: literal(name) for name in frame.columns if literal(name) != name}
    return frame.rename(names) if names else frame


def by_name(name: str) -> pl.Expr:
    """Return the column of a name, whatever the name is.

    >>> pl.DataFrame({"q": [1], "^q$": [2]}).select(by_name("^q$")).columns
    ['^q$']
    """
    return cs.by_name(name).as_expr()


def only(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """Return the columns of these names, in their order; a frame without rows where there are none.

    >>> only(pl.DataFrame({"a": [1], "*": [2], "b": [3]}), ["b", "*"]).columns
    ['b', '*']
    """
    return pl.DataFrame([frame.get_column(name) for name in names])


def renamed(frame: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return the columns that are keys of `names`, in their order, called as it says.

    >>> renamed(pl.DataFrame({"a": [1], "b": [2]}), {"b": "c"}).to_dict(as_series=False)
    {'c': [2]}
    """
    return pl.DataFrame([frame.get_column(old).alias(new) for old, new in names.items()])


def without(frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    """Return a frame without the columns of these names, as far as it has them."""
    return only(frame, [name for name in frame.columns if name not in names])
