"""Numbers in words with what they are in: $9,812.50, 88.4 °C, 11:06:40."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CLOCK", "HEX", "SPAN", "between", "in_unit"]

SPAN, CLOCK = "span of time", "time of day"  # units of seconds that are shown as 11:06:40 and as 03:01
HEX = "hexadecimal"  # no unit: whole numbers are shown as 0x1F
_DAY = 86_400
_SIGNS = "$€£¥￥₹₽₩₺₫₴₪₦฿₱₸₿₵"  # of money, which stand before the number

Say = Callable[[float], str]


def in_unit(value: float, unit: str, say: Say) -> str:
    """Return a number with its unit.

    say : the number alone, in words.

    >>> in_unit(-9812.5, "$", str), in_unit(88.4, "°C", str), in_unit(40000.0, SPAN, str)
    ('-$9,812.50', '88.4 °C', '11:06:40')
    """
    if unit == SPAN:
        return _span(value)
    if unit == CLOCK:
        return _clock(value)
    if unit == HEX:
        return f"{'-' if value < 0 else ''}0x{abs(int(value)):X}"
    if _before(unit):
        amount = f"{abs(value):,.2f}" if value != int(value) and abs(value) >= 0.01 else say(abs(value))
        return f"{'-' if value < 0 else ''}{unit}{amount}"
    return f"{say(value)} {unit}" if unit else say(value)


def between(low: float, high: float, unit: str, say: Say) -> str:
    """Return the range of two numbers with their unit.

    >>> between(20.2, 21.9, "°C", str), between(1.0, 12.5, "$", str), between(-3600.0, 3600.0, CLOCK, str)
    ('20.2 to 21.9 °C', '$1 to $12.5', '23:00 to 01:00')
    """
    if unit == HEX:
        return f"{in_unit(low, unit, say)} to {in_unit(high, unit, say)}"
    if unit in (SPAN, CLOCK):
        step = 60.0 if unit == CLOCK and high - low >= 600 else 1.0
        low, high = (step * round(end / step) if high - low >= 10 else end for end in (low, high))
        return f"{in_unit(low, unit, say)} to {in_unit(high, unit, say)}"
    if _before(unit):
        return " to ".join(
            f"{'-' if end < 0 else ''}{unit}{say(abs(end)).removesuffix('.0')}" for end in (low, high)
        )
    words = f"{say(low)} to {say(high)}"
    return f"{words} {unit}" if unit else words


def _before(unit: str) -> bool:
    return unit != "" and unit[-1] in _SIGNS


def _span(seconds: float) -> str:
    """Return a span of time: hours, minutes and seconds, after days where there are several.

    >>> _span(2891.5), _span(-90.0), _span(200_000.0)
    ('0:48:11.5', '-0:01:30', '2 d 7:33:20')
    """
    sign, rest = "-" if seconds < 0 else "", abs(seconds)
    days, rest = divmod(rest, _DAY) if rest >= 2 * _DAY else (0.0, rest)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    part = f"{rest:06.3f}".rstrip("0").rstrip(".") if rest != int(rest) else f"{int(rest):02d}"
    return f"{sign}{f'{int(days):,} d ' if days else ''}{int(hours)}:{int(minutes):02d}:{part}"


def _clock(seconds: float) -> str:
    """Return a time of day, with seconds where there are any.

    >>> _clock(10_860.0), _clock(-1.0)
    ('03:01', '23:59:59')
    """
    whole = round(seconds) % _DAY
    minutes, rest = divmod(whole, 60)
    words = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{words}:{rest:02d}" if rest else words
