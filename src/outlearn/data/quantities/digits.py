"""Digits in text, cell by cell: with what stands around them, as powers of ten, hexadecimal, as fractions."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from outlearn.data.quantities.convention import Convention
from outlearn.data.quantities.spans import tried

__all__ = ["Meaning", "fractions", "hexadecimals", "numbers", "powers_as_exponents", "split"]

# What stands before the digits, the digits with the signs among them, and what stands behind.
_SPLIT = (
    r"^([^0-9]*?)"
    r"([.,]?[0-9](?:[0-9.,'’ \x{a0}\x{202f}\x{2009}\x{2007}]*[0-9])?(?:[eE][+-]?[0-9]+)?)"
    r"([^0-9]?.*)$"
)
_HEX = r"^([+-]?)0[xX]([0-9a-fA-F]{1,16})$"
_POWER = r"\s*[×xX*·⋅]\s*10\s*\^?\s*([-+−⁻]?[0-9⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
_AROUND_POWER = rf"^(.*?){_POWER}(.*)$"
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--", strict=True))
_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
}
_FRACTION = r"^([+-]?)(?:([0-9]+)(?: +|-|$))?(?:([0-9]{1,3})/(2|3|4|5|6|8|10|12|16|20|32|64|100))?$"

_MANY = 5_000  # cells from which on the commonest affixes are taken off first, which is several times as fast
_SEEN, _COMMON = 1_000, 4  # cells that tell which affixes those are, and how many are tried

#: Text before and after digits → by what these are multiplied, what is then added, and whether only zero may
#: stand so; None where they are no number.
Meaning = Callable[[str, str], "tuple[float, float, bool] | None"]


def numbers(text: pl.Series, convention: Convention, meaning: Meaning) -> pl.Series:
    """Return Float64, null where a cell is no number by its digits or by what stands around them."""

    def common(cells: pl.Series) -> pl.Series:
        return _with_common(cells, convention, meaning)

    def any_affix(cells: pl.Series) -> pl.Series:
        return _with_any(cells, convention, meaning)

    def powers(cells: pl.Series) -> pl.Series:
        return _with_any(powers_as_exponents(cells), convention, meaning)

    return tried(text, (common, any_affix, powers) if text.len() >= _MANY else (any_affix, powers))


def _with_common(text: pl.Series, convention: Convention, meaning: Meaning) -> pl.Series:
    """Read the cells whose affixes are among the commonest; the others, which `_with_any` reads, are null."""
    seen = split(text.head(_SEEN)).drop_nulls().group_by("before", "after").len().sort("len", descending=True)
    cell, digits, factor, offset = (
        pl.col("cell"),
        pl.lit(None, pl.String),
        pl.lit(None, pl.Float64),
        pl.lit(0.0),
    )
    for before, after, _ in seen.head(_COMMON).iter_rows():
        means = meaning(before, after)
        if means is None or means[2]:
            continue
        inner = cell.str.slice(len(before)) if before else cell
        inner = inner.str.head(-len(after)) if after else inner
        fits = cell.str.starts_with(before) & cell.str.ends_with(after)
        here = digits.is_null() & inner.str.contains(r"^[.,]?[0-9]([^+-]*[0-9])?$") & fits
        digits = pl.when(here).then(inner).otherwise(digits)
        factor, offset = (
            pl.when(here).then(pl.lit(new)).otherwise(old)
            for new, old in ((means[0], factor), (means[1], offset))
        )
    frame = text.to_frame("cell").select(
        digits.alias("digits"), factor.alias("factor"), offset.alias("offset")
    )
    value = convention.parse(pl.col("digits")) * pl.col("factor") + pl.col("offset")
    return frame.select(value.alias("value")).to_series()


def _with_any(text: pl.Series, convention: Convention, meaning: Meaning) -> pl.Series:
    parts = split(text)
    beside = parts.select("before", "after").unique().drop_nulls()
    table = beside.with_columns(
        pl.DataFrame(
            [meaning(before, after) or (None, None, None) for before, after in beside.iter_rows()],
            schema={"factor": pl.Float64, "offset": pl.Float64, "zero": pl.Boolean},
            orient="row",
        )
    )
    joined = parts.join(table, on=["before", "after"], how="left", maintain_order="left")
    digits = convention.parse(pl.col("digits"))
    value = digits * pl.col("factor") + pl.col("offset")
    return joined.select(pl.when(~pl.col("zero") | (digits == 0)).then(value).alias("value")).to_series()


def split(text: pl.Series) -> pl.DataFrame:
    """Return what stands before the digits of each cell, its digits, and what stands after.

    >>> split(pl.Series(["$1,200.50-", "soon"])).rows()
    [('$', '1,200.50', '-'), (None, None, None)]
    """
    return text.str.extract_groups(_SPLIT).struct.rename_fields(["before", "digits", "after"]).struct.unnest()


def powers_as_exponents(text: pl.Series) -> pl.Series:
    """Return text with powers of ten as a computer writes them.

    >>> powers_as_exponents(pl.Series(["1.2×10⁵", "1.2 x 10^-5 kg", "12 m²"])).to_list()
    ['1.2e5', '1.2e-5 kg', '12 m²']
    """
    power = text.str.extract(_POWER, 1)
    if power.null_count() == len(power):
        return text
    exponent = "e" + power.str.replace_many(list(_SUPERSCRIPTS), list(_SUPERSCRIPTS.values()))
    parts = text.str.extract_groups(_AROUND_POWER).struct
    plain = parts.field("1") + exponent + parts.field("3")
    return plain.zip_with(power.is_not_null(), text)


def hexadecimals(text: pl.Series) -> pl.Series:
    parts = text.str.extract_groups(_HEX).struct
    # Sixteen digits are too many for 64 bits with a sign: the upper eight are read by themselves.
    digits = parts.field("2").str.pad_start(16, "0")
    upper, lower = (digits.str.slice(start, 8).str.to_integer(base=16, strict=False) for start in (0, 8))
    values = upper.cast(pl.Float64) * 2.0**32 + lower.cast(pl.Float64)
    return (-values).zip_with((parts.field("1") == "-").fill_null(False), values)


def fractions(text: pl.Series) -> pl.Series:
    """Return whole numbers, proper fractions and both together; other cells are null."""
    spelled = text.str.replace_many(
        list(_VULGAR), [f" {fraction}" for fraction in _VULGAR.values()]
    ).str.strip_chars()
    parts = spelled.str.extract_groups(_FRACTION).struct
    whole, above, below = (parts.field(place).cast(pl.Float64, strict=False) for place in "234")
    part = above / below
    values = whole.fill_null(0.0) + part.fill_null(0.0)
    read = (whole.is_not_null() | part.is_not_null()) & (part.fill_null(0.0) <= 1.0)
    values = (-values).zip_with((parts.field("1") == "-").fill_null(False), values)
    return values.set(~read.fill_null(False), None)
