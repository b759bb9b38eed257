"""Oddities of one list of numbers beside the usual ones: how long, how low, how high, how rough it is."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.words import Cells, number_range, show
from outlearn.ranges import HUGE, WIDEST, width

__all__ = ["list_words", "oddity_of_list"]

CHARACTERS_READ = 100_000  # characters of a list that is text
_PART = 2.0**64  # of huge numbers, of which this many can be summed
LIST_FEATURES = ("numbers", "as the lowest", "as the highest", "on average", "from one number to the next")


def oddity_of_list(value: Any, usual: Cells) -> tuple[str, str] | None:
    """Return the usual words and a direction, as `text.describe` has them; None where a cell is no list.

    >>> oddity_of_list([7.0, 7.5, 7.0], [[0.0, 1.0, 0.5], [0.5, 1.5, 0.5]])
    ('0.517 to 0.817 on average', 'unusual here')
    """
    own = _numbers(value)
    known = [numbers for numbers in map(_numbers, usual) if numbers is not None]
    if own is None or not known:
        return None
    mine, theirs = _features(own), np.array([_features(numbers) for numbers in known])
    far = np.zeros(len(LIST_FEATURES))
    ranges = []
    for place, name in enumerate(LIST_FEATURES):
        low, high, words = number_range(theirs[:, place])
        usual_width = max(width(low, high), 1e-9 * max(abs(low), abs(high), 1.0))
        far[place] = max(width(mine[place], low), width(high, mine[place]), 0.0) / usual_width
        ranges.append(f"{words} {name}")
    if not far.any():
        return "another course", "in combination"
    return ranges[int(far.argmax())], "unusual here"


def list_words(value: Any) -> str | None:
    """Return a list of numbers in short; None for what is none.

    >>> list_words([1.0, 2.5, -3.0])
    'list of 3 numbers from -3 to 2.5'
    """
    numbers = _numbers(value)
    if numbers is None:
        return None
    return f"list of {len(numbers):,} numbers from {_short(numbers.min())} to {_short(numbers.max())}"


def _short(number: float) -> str:
    return show(float(f"{number:.3g}"))


def _features(numbers: NDArray[np.float64]) -> list[float]:
    low, high = float(numbers.min()), float(numbers.max())
    part = _PART if max(-low, high) > HUGE else 1.0  # sums of such numbers are none that float64 holds
    parts = numbers / part
    step = float(np.abs(np.diff(parts)).mean()) if len(parts) > 1 else 0.0
    return [float(len(parts)), low, high, part * float(parts.mean()), part * min(step, WIDEST / part)]


def _numbers(value: Any) -> NDArray[np.float64] | None:
    """Return the finite numbers of a list, or of text such as ``[1, 2]``; None without any."""
    if isinstance(value, str):
        value = [word for word in re.split(r"[\s,;]+", value[:CHARACTERS_READ].strip().strip("[]()")) if word]
    try:
        numbers = np.asarray(value, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        return None
    numbers = numbers[np.isfinite(numbers)]
    return numbers if len(numbers) else None
