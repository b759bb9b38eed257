"""Numbers as people write them: decimal commas, thousands signs, blanks around them."""

from __future__ import annotations

from outlearn.data.quantities.convention import APART, CONTINENTAL, ENGLISH, Convention

__all__ = ["CONTINENTAL", "ENGLISH", "MISSING", "Convention", "conventions"]

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NaN", "nan", "NAN", "NaT"),
    *("null", "NULL", "Null", "None", "none", "?", "-"),
)


def conventions(decimal: str | None, thousands: str | None) -> tuple[Convention, ...]:
    """Return the conventions in question: one where the user gave signs, else both usual ones.

    >>> [c.decimal for c in conventions(None, None)], [c.decimal for c in conventions(None, ".")]
    (['.', ','], [','])
    """
    if decimal is None and thousands is None:
        return (ENGLISH, CONTINENTAL)
    if decimal is None:
        decimal = "," if thousands == "." else "."
    usual = (("." if decimal == "," else "") + ("," if decimal == "." else "")) + APART
    return (Convention(decimal, thousands or usual, f"decimal sign '{decimal}'"),)
