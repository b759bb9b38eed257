"""Words on how the numbers of a column were read."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from outlearn.data.quantities.affixes import WORD
from outlearn.data.quantities.notation import Notation
from outlearn.data.quantities.tally import AffixTally

__all__ = ["how_read", "limits_read", "limits_refused", "not_read"]

_SHOWN = 3  # cells that a note shows
_GROUPED = r"[0-9][.,'’ \x{a0}\x{202f}\x{2009}\x{2007}][0-9]{3}([^0-9]|$)"
_SIGN_NAMES = {",": "thousands commas", ".": "thousands dots", "'": "apostrophes", "’": "apostrophes"}


def how_read(notation: Notation, tally: AffixTally) -> str:
    """Say how numbers are read; nothing where they are plain."""
    measure, unit = notation.measure, notation.unit
    signs = ["decimal commas"] if notation.decimal == "," else []
    signs += _groups(notation, tally.digits)
    scales = tally.scales_in(measure)
    converted = (
        [] if scales or not unit or measure.startswith(WORD) else tally.words_in(measure).keys() - {unit}
    )
    words = " with ".join(filter(None, [repr(unit) if unit else "", " and ".join(signs)]))
    more = [f"{_quoted(scales)} multiplied out"] if scales else []
    more += [f"{_quoted(sorted(converted))} converted"] if converted else []
    more += ["powers of ten as such"] if tally.powers else []
    more += ["minus in parentheses or behind the digits"] if tally.minus_behind else []
    if not words and not more:
        return ""
    return ", ".join([f"{words} read as numbers" if words else "read as numbers", *more])


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(map(repr, words))


def _groups(notation: Notation, digits: pl.Series) -> list[str]:
    """Name the signs that stand between thousands."""
    grouped = digits.filter(digits.str.contains(_GROUPED))
    signs = [sign for sign in notation.thousands if grouped.str.contains(sign, literal=True).any()]
    return list(dict.fromkeys(_SIGN_NAMES.get(sign, "blanks between thousands") for sign in signs))


def limits_read(limits: pl.Series, filled: pl.Series) -> str:
    """Say how many cells are limits of what was measured."""
    verb = "cell is a limit" if limits.len() == 1 else "cells are limits"
    return (
        f"{limits.len():,} of {filled.len():,} {verb} (such as {limits[0][:30]!r}), read as the limit itself"
    )


def limits_refused(limits: pl.Series, filled: pl.Series) -> str:
    """Say why cells with limits are read as no numbers."""
    return (
        f"{limits.len():,} of {filled.len():,} cells are limits (such as {limits[0][:30]!r}), beside too few "
        'plain numbers to read them as such; kind = "numeric" in a schema file does'
    )


def not_read(filled: pl.Series, values: pl.Series) -> str:
    """Say how many cells have no value, and show some."""
    unread = values.null_count()
    if not unread:
        return ""
    left = filled.filter(values.is_null()).unique(maintain_order=True)
    shown = ", ".join(repr(cell[:30]) for cell in left.head(_SHOWN).to_list())
    verb = "is" if unread == 1 else "are"
    return f"; {unread:,} of {filled.len():,} cells did not fit and {verb} missing (such as {shown})"
