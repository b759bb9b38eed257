"""Decimal signs, and the signs that may part thousands."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

__all__ = ["APART", "CONTINENTAL", "ENGLISH", "Convention"]

#: Blanks (plain, no-break, narrow no-break, thin, figure) and apostrophes part thousands in any convention.
APART = " '’\u00a0\u202f\u2009\u2007"


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
        refused where the sign is a dot. Where it is a comma, groups of two before the last one of three are
        lakhs and crores.
        """
        decimals = f"{_class(self.decimal)}[0-9]*"
        group = f"{_class(self.thousands)}[0-9]{{3}}"
        few = f"(({group}){{1,2}}|({group}){{4,}})" if "." in self.thousands else f"({group})+"
        grouped = f"[1-9][0-9]{{0,2}}({few}|({group})+{decimals})"
        if "," in self.thousands:
            grouped += f"|[1-9][0-9]?(,[0-9]{{2}})+,[0-9]{{3}}({decimals})?"
        return f"^[+-]?({grouped}|[0-9]+({decimals})?|{decimals})([eE][+-]?[0-9]+)?$"

    def parse(self, stripped: pl.Expr) -> pl.Expr:
        """Return Float64, null where a value (without blanks around it) is no number so written."""
        bare = stripped.str.replace_all(_class(self.thousands), "")
        if self.decimal != ".":
            bare = bare.str.replace_all(self.decimal, ".", literal=True)
        return pl.when(stripped.str.contains(self.pattern)).then(bare.cast(pl.Float64, strict=False))


ENGLISH = Convention(".", "," + APART, "decimal point and thousands sign")
CONTINENTAL = Convention(",", "." + APART, "decimal comma")


def _class(signs: str) -> str:
    return "[" + "".join(rf"\{sign}" if sign in r"\]^-[&~" else sign for sign in signs) + "]"
