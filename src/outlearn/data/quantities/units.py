"""Words for units, currencies and scales, and what they are of the unit that their measure is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "COUNT",
    "CURRENCIES",
    "MEASURES",
    "SHARE",
    "SHORT",
    "TEMPERATURE",
    "THREE_DECIMALS",
    "currency_of",
]

COUNT, SHORT, SHARE, TEMPERATURE = "count", "short scale", "share", "temperature"

_PREFIXES = {"n": 1e-9, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1, "": 1.0, "h": 1e2}
_PREFIXES |= {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}


def _metric(symbol: str, prefixes: str, of_plain: float = 1.0) -> dict[str, float]:
    """Return a unit with each of the prefixes, of one letter, and without.

    >>> _metric("g", "mk")
    {'g': 1.0, 'mg': 0.001, 'kg': 1000.0}
    """
    return {prefix + symbol: _PREFIXES[prefix] * of_plain for prefix in ("", *prefixes)}


def _named(factor: float, *words: str) -> dict[str, float]:
    return dict.fromkeys(words, factor)


def _binary(symbol: str) -> dict[str, float]:
    return {prefix + symbol: factor for prefix, factor in _BINARY.items()}


_MASS = {
    **_metric("g", "µμmk"),
    **_named(1.0, "gram", "grams", "gr"),
    **_named(1e3, "kgs", "kilo", "kilos", "kilogram", "kilograms"),
    **_named(1e6, "t", "tonne", "tonnes"),
    **_named(453.59237, "lb", "lbs", "pound", "pounds"),
    **_named(28.349523125, "oz", "ounce", "ounces"),
}
_LENGTH = {
    **_metric("m", "nµμmcdk"),
    **_named(1.0, "meter", "meters", "metre", "metres"),
    **_named(1e3, "kilometer", "kilometers", "kilometre", "kilometres", "kms"),
    **_named(0.0254, "in", "inch", "inches", '"', "″"),
    **_named(0.3048, "ft", "feet", "foot", "'", "′"),
    **_named(0.9144, "yd", "yard", "yards"),
    **_named(1609.344, "mi", "mile", "miles"),
}
_TIME = {
    **_metric("s", "nµμum"),
    **_named(1.0, "sec", "secs", "second", "seconds"),
    **_named(1e-3, "msec", "millisecond", "milliseconds"),
    **_named(60.0, "m", "min", "mins", "minute", "minutes"),
    **_named(3600.0, "h", "hr", "hrs", "hour", "hours", "std"),
    **_named(86400.0, "d", "day", "days"),
    **_named(604800.0, "w", "wk", "wks", "week", "weeks"),
}
_DATA = {**_metric("B", "kKMGTP"), **_binary("B"), **_named(1.0, "byte", "bytes"), **_binary("")}
_SCALE = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
_SCALE_WORDS = {
    **_named(1e3, "tsd", "thousand", "thousands"),
    **_named(1e6, "mn", "mln", "mio", "million", "millions"),
    **_named(1e9, "bn", "bln", "mrd", "billion", "billions"),
    **_named(1e12, "tn", "trn", "trillion", "trillions"),
    **_named(1e5, "lakh", "lakhs", "lac"),
    **_named(1e7, "crore", "crores", "cr"),
}

#: Measure → word → how many of the unit that has the factor 1 it is.
MEASURES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        SHARE: {"%": 1.0, "percent": 1.0, "pct": 1.0, "‰": 0.1},
        "mass": _MASS,
        "length": _LENGTH,
        "time": _TIME,
        "data": _DATA,
        COUNT: {**_SCALE, **_SCALE_WORDS, **_binary("")},
        # Here m is a million: a reading for columns that have thousands or billions beside it.
        SHORT: {**_SCALE, **_SCALE_WORDS, "m": 1e6, "mm": 1e6, "b": 1e9, "t": 1e12},
        TEMPERATURE: _named(1.0, "°C", "℃", "ºC", "°F", "℉", "ºF", "K"),
        "area": {
            **_named(1.0, "m²", "m2", "sqm", "qm"),
            **_named(1e-4, "cm²", "cm2"),
            **_named(1e6, "km²", "km2"),
            **_named(1e4, "ha", "hectare", "hectares"),
            **_named(0.09290304, "ft²", "ft2", "sqft"),
        },
        "volume": {
            **_metric("l", "µμmcdh"),
            **_metric("L", "µμmcdh"),
            **_named(1.0, "liter", "liters", "litre", "litres"),
            **_named(1e3, "m³", "m3"),
            **_named(1e-3, "cm³", "cm3", "cc"),
        },
        "speed": {
            "m/s": 1.0,
            **_named(1 / 3.6, "km/h", "kmh", "kph"),
            "mph": 0.44704,
            **_named(1852 / 3600, "kn", "kt", "knot", "knots"),
        },
        "bits": {**_metric("bit", "kKMGT"), **_metric("b", "kKMGT")},
        "bits a second": {**_metric("bps", "kKMGT"), **_metric("bit/s", "kKMGT"), **_metric("b/s", "kKMGT")},
        "bytes a second": {**_metric("B/s", "kKMGT"), **_binary("B/s")},
        "power": _metric("W", "µμmkMG"),
        "energy": {**_metric("Wh", "kMG", 3600.0), **_metric("J", "mkMG"), **_metric("cal", "k", 4.184)},
        "voltage": _metric("V", "µμmk"),
        "current": _metric("A", "nµμmk"),
        "charge": _metric("Ah", "mk"),
        "frequency": _metric("Hz", "mkKMG"),
        "pressure": {
            **_metric("Pa", "hkM"),
            **_metric("bar", "m", 1e5),
            "psi": 6894.757293168,
            "mmHg": 133.322387415,
            "atm": 101325.0,
        },
        "resistance": {**_metric("Ω", "mkM"), **_metric("ohm", "kM")},
        "force": _metric("N", "mkM"),
    }
)

_CODES = (
    "USD EUR GBP JPY CNY CHF CAD AUD NZD HKD SGD SEK NOK DKK ISK PLN CZK HUF RON BGN RSD TRY RUB UAH KZT INR "
    "PKR BDT LKR NPR KRW TWD THB VND IDR MYR PHP ILS AED SAR QAR KWD BHD OMR JOD EGP MAD TND NGN GHS KES ZAR "
    "BRL MXN ARS CLP PEN UYU BTC ETH"
)
#: What stands for money → which money it is. A dollar sign alone is taken for that of USD.
CURRENCIES: Mapping[str, str] = MappingProxyType(
    {
        **{code: code for code in _CODES.split()},
        "$": "USD",
        "US$": "USD",
        "€": "EUR",
        "£": "GBP",
        "¥": "JPY",
        "￥": "JPY",
        "₹": "INR",
        "₽": "RUB",
        "₩": "KRW",
        "₺": "TRY",
        "₫": "VND",
        "₴": "UAH",
        "₪": "ILS",
        "₦": "NGN",
        "฿": "THB",
        "₱": "PHP",
        "₸": "KZT",
        "₿": "BTC",
        "₵": "GHS",
        "R$": "BRL",
        "C$": "CAD",
        "CA$": "CAD",
        "A$": "AUD",
        "AU$": "AUD",
        "NZ$": "NZD",
        "HK$": "HKD",
        "S$": "SGD",
        "NT$": "TWD",
        "RM": "MYR",
        "Rp": "IDR",
        "zł": "PLN",
        "Kč": "CZK",
        "Ft": "HUF",
        "kr": "kr",
        "kr.": "kr",
        "Rs": "Rs",
        "Rs.": "Rs",
        "Fr.": "CHF",
        "SFr.": "CHF",
        "lei": "RON",
        "¢": "¢",
        "euro": "EUR",
        "euros": "EUR",
        "dollar": "USD",
        "dollars": "USD",
        "yen": "JPY",
    }
)
THREE_DECIMALS = frozenset({"KWD", "BHD", "OMR", "JOD", "TND"})


def currency_of(word: str) -> str | None:
    """Return the currency that a word stands for, or None.

    >>> currency_of("€"), currency_of("eur"), currency_of("kg")
    ('EUR', 'EUR', None)
    """
    known = CURRENCIES.get(word) or CURRENCIES.get(word.lower())
    if known is None and len(word) == 3:
        known = CURRENCIES.get(word.upper())
    return known
