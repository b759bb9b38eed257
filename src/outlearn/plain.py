"""Plain values, as JSON keeps them, checked as they are read: what a file says may be made up.

Each function takes one value out of a mapping; its `ValueError` says what came and what was wanted.

>>> real({"centre": "far"}, "centre")
Traceback (most recent call last):
ValueError: 'centre' is 'far'; wanted a finite number
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

__all__ = ["entry", "flag", "optional_text", "real", "reals", "record", "text", "texts", "whole", "wholes"]

Values = Mapping[str, Any]
LARGEST = 2**63 - 1
_SHOWN = 60  # characters of a value that came


def entry(values: Values, key: str) -> Any:
    """Return a value of any type, which must be there."""
    if key not in values:
        raise ValueError(f"{key!r} is missing")
    return values[key]


def text(values: Values, key: str) -> str:
    """Return a text."""
    value = entry(values, key)
    return value if isinstance(value, str) else _refuse(key, value, "a text")


def optional_text(values: Values, key: str) -> str | None:
    """Return a text or None."""
    value = entry(values, key)
    return value if isinstance(value, str | None) else _refuse(key, value, "a text, or nothing")


def flag(values: Values, key: str) -> bool:
    """Return a truth value."""
    value = entry(values, key)
    return value if isinstance(value, bool) else _refuse(key, value, "true or false")


def whole(values: Values, key: str, low: int = 0, high: int = LARGEST) -> int:
    """Return a whole number from `low` to `high`."""
    value = entry(values, key)
    return value if _is_whole(value, low, high) else _refuse(key, value, _range(low, high))


def real(values: Values, key: str) -> float:
    """Return a finite number."""
    value = entry(values, key)
    return float(value) if _is_real(value) else _refuse(key, value, "a finite number")


def texts(values: Values, key: str) -> tuple[str, ...]:
    """Return a list of texts."""
    return tuple(
        item if isinstance(item, str) else _refuse(key, item, "a list of texts", "holds")
        for item in _items(values, key)
    )


def reals(values: Values, key: str) -> tuple[float, ...]:
    """Return a list of finite numbers."""
    return tuple(
        float(item) if _is_real(item) else _refuse(key, item, "a list of finite numbers", "holds")
        for item in _items(values, key)
    )


def wholes(values: Values, key: str, low: int = 0, high: int = LARGEST) -> tuple[int, ...]:
    """Return a list of whole numbers from `low` to `high`."""
    wanted = f"a list of {_range(low, high, 'whole numbers')}"
    return tuple(
        item if _is_whole(item, low, high) else _refuse(key, item, wanted, "holds")
        for item in _items(values, key)
    )


def record(value: Any, what: str) -> Values:
    """Return a mapping from texts to values, as JSON has them."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is {_short(value)}; wanted names with values")
    return value


def _items(values: Values, key: str) -> list[Any] | tuple[Any, ...]:
    items = entry(values, key)
    return items if isinstance(items, list | tuple) else _refuse(key, items, "a list")


def _is_whole(value: Any, low: int, high: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_real(value: Any) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= LARGEST


def _range(low: int, high: int, what: str = "a whole number") -> str:
    return f"{what} from {low}" if high == LARGEST else f"{what} from {low} to {high}"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _refuse(key: str, value: Any, wanted: str, verb: str = "is") -> Any:
    raise ValueError(f"{key!r} {verb} {_short(value)}; wanted {wanted}")
