"""What stands before and after a number: a sign, a currency, a scale, a unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from outlearn.data.quantities.units import (
    CURRENCIES,
    MEASURES,
    SHORT,
    TEMPERATURE,
    THREE_DECIMALS,
    currency_of,
)

__all__ = ["MONEY", "WORD", "Affix", "factor_of", "has_cents", "read_affix"]

MONEY, WORD = "money:", "word:"  # begin the names of measures that no table holds

_SIGNS, _BEHIND = "+-−–‐", "behind"
_LIMIT = re.compile(r"^(?:[<>≤≥⩽⩾＜＞]=?|=[<>]|&[lg]t;=?)\s*")  # of what can be measured: < 0.5
# A word that may be a unit though no table has it: letters, perhaps squared, perhaps by another unit.
_UNIT = re.compile(r"^[°º]?[^\W\d_]{0,15}\.?[²³23]?(/[^\W\d_]{1,12}[²³23]?)?$")
_PRICE_DASH = re.compile(r"^[.,][-–—]{1,2}")
_CELSIUS, _FAHRENHEIT = ("°C", "℃", "ºC"), ("°F", "℉", "ºF")


@dataclass(frozen=True, slots=True)
class Affix:
    """What stands around the digits of a cell.

    negative : by a sign on either side, or by parentheses. behind : whether it is by parentheses or by a sign
        behind the digits. currency : of `units.CURRENCIES`, or "".
    symbol : the currency as written. word : the unit or scale as written, without blanks.
    apart : whether a blank parts it from the digits. limit : whether the number is one that was not reached
        or was passed, as in < 0.5.
    """

    negative: bool = False
    behind: bool = False
    currency: str = ""
    symbol: str = ""
    word: str = ""
    apart: bool = False
    limit: bool = False

    @property
    def bare(self) -> bool:
        """Whether nothing but a sign, or one of a limit, stands there."""
        return not self.currency and not self.word

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures in which a number with this beside it may be meant."""
        if self.currency:
            return (MONEY + self.currency,)
        if not self.word:
            return ("",)
        known = tuple(name for name in MEASURES if _in_table(name, self.word) is not None)
        return known or (WORD + _singular(self.word),)


@lru_cache(4096)
def read_affix(before: str, after: str) -> Affix | None:
    """Return what stands around digits; None where they are no number by it.

    >>> read_affix("($", ")")
    Affix(negative=True, behind=True, currency='USD', symbol='$', word='', apart=False, limit=False)
    >>> read_affix("", " km/h").word, read_affix("A", ""), read_affix("< ", " mg/L").limit
    ('km/h', None, True)
    """
    before, after = before.strip(), _PRICE_DASH.sub("", after)
    limit = _LIMIT.match(before)
    before = before[limit.end() :] if limit else before
    apart = after[:1].isspace()
    after = after.strip()
    enclosed = "(" in before
    if enclosed != (")" in after):
        return None
    if enclosed:
        before, after = before.replace("(", "", 1).strip(), after.replace(")", "", 1).strip()
    signs, before, after = _without_signs(before, after)
    if len(signs) + enclosed > 1:
        return None
    if after in (".", ","):
        after = ""
    behind = enclosed or signs[:1] == [_BEHIND]
    negative = enclosed or (bool(signs) and signs[0] != "+")
    worded = _of_words(before, after)
    return worded and replace(worded, negative=negative, behind=behind, apart=apart, limit=limit is not None)


def _without_signs(before: str, after: str) -> tuple[list[str], str, str]:
    """Return the signs of a number, of which a minus behind the digits is `_BEHIND`, and the rest."""
    signs = ["+" if letter == "+" else "-" for letter in before if letter in _SIGNS]
    before = "".join(letter for letter in before if letter not in _SIGNS).strip()
    for place in (0, -1):
        if after and after[place] in _SIGNS:
            signs.append("+" if after[place] == "+" else _BEHIND)
            after = (after[1:] if place == 0 else after[:-1]).strip()
    return signs, before, after


def _of_words(before: str, after: str) -> Affix | None:
    """Return the currency and the unit or scale; None where a word is neither."""
    currency = currency_of(before) if before else ""
    if currency is None:
        return None
    symbol, words = before, []
    for token in after.split():
        scale, money = _parted(token)
        if money:
            here = currency_of(money)
            if currency and currency != here:
                return None
            currency, symbol = here or "", symbol or money
        words += [scale] if scale else []
    word = "".join(words)
    if len(words) > 2 or (word and not _possible(word, money=bool(currency))):
        return None
    return Affix(currency=currency, symbol=symbol, word=word)


def _parted(token: str) -> tuple[str, str]:
    """Return the scale and the currency of a word such as M€ or €; no currency: a unit, if anything.

    >>> _parted("M€"), _parted("USD"), _parted("kg")
    (('M', '€'), ('', 'USD'), ('kg', ''))
    """
    if currency_of(token):
        return "", token
    for size in (1, 2, 3):
        scale, money = token[:-size], token[-size:]
        if money in CURRENCIES and _in_table(SHORT, scale) is not None:
            return scale, money
    return token, ""


def _possible(word: str, *, money: bool) -> bool:
    if money:
        return _in_table(SHORT, word) is not None
    return any(_in_table(name, word) is not None for name in MEASURES) or bool(_UNIT.match(word))


def _in_table(measure: str, word: str) -> float | None:
    table = MEASURES[measure]
    factor = table.get(word, table.get(word.rstrip(".")))
    if factor is not None:
        return factor
    # Words of several letters mean the same in capitals, unless that is another unit, as with mW and MW.
    folded = _folded(measure)
    return folded.get(word.rstrip(".").lower()) if len(word) > 1 else None


@cache
def _folded(measure: str) -> dict[str, float]:
    """Return the words of a measure in small letters, without those that then mean two things."""
    meanings: dict[str, set[float]] = {}
    for word, factor in MEASURES[measure].items():
        meanings.setdefault(word.lower(), set()).add(factor)
    return {word: min(factors) for word, factors in meanings.items() if len(factors) == 1}


def _singular(word: str) -> str:
    """Return a word that no table has in one form, be it written for one or for several.

    >>> _singular("beds"), _singular("bed")
    ('bed', 'bed')
    """
    return word.lower().removesuffix("s") if len(word) > 2 else word


def factor_of(affix: Affix, measure: str) -> tuple[float, float] | None:
    """Return by what a number so written is multiplied, and what is then added, to be one of the measure.

    That is one of its unit of factor 1, which of temperatures is the degree Celsius; None where the affix is
    of another measure.

    >>> factor_of(read_affix("", "kg"), "mass"), factor_of(read_affix("$", "M"), "money:USD")
    ((1000.0, 0.0), (1000000.0, 0.0))
    >>> factor_of(read_affix("", "kg"), "length") is None
    True
    """
    sign = -1.0 if affix.negative else 1.0
    if affix.bare:
        return sign, 0.0
    if measure not in affix.measures:
        return None
    if measure.startswith(WORD):
        return sign, 0.0
    if measure.startswith(MONEY):
        scale = _in_table(SHORT, affix.word) if affix.word else 1.0
        return None if scale is None else (sign * scale, 0.0)
    if measure == TEMPERATURE:
        return _celsius(affix.word, sign)
    factor = _in_table(measure, affix.word)
    return None if factor is None else (sign * factor, 0.0)


def _celsius(word: str, sign: float) -> tuple[float, float]:
    if word in _FAHRENHEIT:
        return sign * 5 / 9, -160 / 9
    return sign, 0.0 if word in _CELSIUS else -273.15


def has_cents(measure: str) -> bool:
    """Return whether it is money that nobody writes with three decimals.

    >>> has_cents("money:EUR"), has_cents("money:KWD"), has_cents("mass")
    (True, False, False)
    """
    return measure.startswith(MONEY) and measure.removeprefix(MONEY) not in THREE_DECIMALS
