"""Numbers as people write them: decimal commas, thousands signs, blanks around them."""

from __future__ import annotations

from outlearn.data.quantities.convention import APART, CONTINENTAL, ENGLISH, Convention

__all__ = ["CONTINENTAL", "ENGLISH", "ERRORS", "MISSING", "NOTHING", "Convention", "conventions"]

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "<NA>", "NaN", "nan", "NAN", "NaT"),
    *("null", "NULL", "Null", "None", "none", "?", "-"),
)
#: What programs for spreadsheets show in place of a value that they could not compute, in several languages.
ERRORS = (
    *("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#ERROR!"),
    *("#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOM?", "#NOMBRE!", "#VALORE!", "#RIF!", "#NOME?"),
    *("#¡VALOR!", "#¡REF!", "#¿NOMBRE?", "#¡DIV/0!", "#¡NUM!", "#DIV/0", "#VALOR!", "#WAARDE!", "#VERW!"),
    *(f"Err:{number}" for number in range(501, 534)),
)
NOTHING = (*MISSING, *ERRORS)


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
