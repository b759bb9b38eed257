"""Numbers as people write them: decimal commas, thousands signs, blanks around them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

__all__ = ["CONTINENTAL", "ENGLISH", "MISSING", "Convention", "conventions"]

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NaN", "nan", "NAN", "NaT"),
    *("null", "NULL", "Null", "None", "none", "?", "-"),
)
_APART = " '’\u00a0\u202f"


@dataclass(frozen=True, slots=True)
class Convention:
    """The sign that starts the decimals, and those that may stand between groups of three digits."""

    decimal: str
    thousands: str
    words: str

    @property
    def pattern(self) -> str:
        """The regular expression of a number so written.

        Four dotted groups without decimals are an IPv4 address, not a number, so exactly three signs are
        refused where the sign is a dot.
        """
        decimals = f"{_class(self.decimal)}[0-9]*"
        group = f"{_class(self.thousands)}[0-9]{{3}}"
        few = f"(({group}){{1,2}}|({group}){{4,}})" if "." in self.thousands else f"({group})+"
        grouped = f"[1-9][0-9]{{0,2}}({few}|({group})+{decimals})"
        return f"^[+-]?({grouped}|[0-9]+({decimals})?|{decimals})([eE][+-]?[0-9]+)?$"

    def parse(self, stripped: pl.Expr) -> pl.Expr:
        """Return Float64, null where a value (without blanks around it) is no number so written."""
        bare = stripped.str.replace_all(_class(self.thousands), "").str.replace_all(
            self.decimal, ".", literal=True
        )
        return pl.when(stripped.str.contains(self.pattern)).then(bare.cast(pl.Float64, strict=False))


ENGLISH = Convention(".", "," + _APART, "decimal point and thousands sign")
CONTINENTAL = Convention(",", "." + _APART, "decimal comma")


def conventions(decimal: str | None, thousands: str | None) -> tuple[Convention, ...]:
    """Return the conventions in question: one where the user gave signs, else both usual ones.

    >>> [c.decimal for c in conventions(None, None)], [c.decimal for c in conventions(None, ".")]
    (['.', ','], [','])
    """
    if decimal is None and thousands is None:
        return (ENGLISH, CONTINENTAL)
    if decimal is None:
        decimal = "," if thousands == "." else "."
    usual = (("." if decimal == "," else "") + ("," if decimal == "." else "")) + _APART
    return (Convention(decimal, thousands or usual, f"decimal sign '{decimal}'"),)


def _class(signs: str) -> str:
    return "[" + "".join(rf"\{sign}" if sign in r"\]^-[&~" else sign for sign in signs) + "]"
