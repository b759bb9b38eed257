"""One column, and one row, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.events import oddity_of_events
from outlearn.explain.explanation import Contribution
from outlearn.explain.lists import list_words, oddity_of_list
from outlearn.explain.prose import oddity_of_text
from outlearn.explain.words import (
    as_moments,
    as_numbers,
    as_text,
    clean,
    is_missing,
    moment_range,
    number_range,
    percent,
    plain,
    shares,
    show,
)

__all__ = ["describe", "never_seen", "sentence", "telling"]

Values = Sequence[Any] | NDArray[Any]

RARE = 0.05  # share of usual rows under which a category may be rare
FAR_RARER = 5  # times as common as a rare category the commonest is at least
SELDOM = 0.2  # share of the nearest usual rows under which a category is none of theirs
MOSTLY = 0.9  # share of usual rows without a value, from which on having one is rare
COLUMNS_NAMED = 3  # columns of a sentence, at most
WORTH_NAMING = 0.2  # of the drop of the strongest column, that another has to reach
LIKE_THIS = "in rows like this"


def describe(
    column: str, kind: str, value: Any, usual_values: Values, near_values: Values, drop: float = 0.0
) -> Contribution:
    """Say how a value compares with the usual ones of its column.

    Parameters
    ----------
    column : name of the table column.
    kind : "numeric", "datetime", "text", "sequence", "series", "embedding"; anything else is read as
        categories.
    value : the raw cell; anything, even hostile.
    usual_values : raw cells of the usual rows; some thousands are plenty.
    near_values : raw cells of the nearest usual rows.
    drop : how far the score falls when the column is made usual.

    Notes
    -----
    "high" and "low" mean outside the middle 90 % of the usual values (for a date-time later and earlier, for
    a text longer and shorter), "rare" a category in under 5 % of usual rows and at most a fifth as common as
    the commonest. A value that is neither is compared with the nearest usual rows: "unusual here" if they
    have something else, or else odd only "in combination".

    >>> describe("amount", "numeric", 9120, range(0, 400), [10, 20]).usual
    '20 to 379'
    >>> describe("country", "categorical", "KP", ["DE"] * 999 + ["KP"], ["DE"])
    Contribution(column='country', value='KP', usual='DE 99.9 %; this value 0.1 %', direction='rare',
        drop=0.0)
    """
    present = [cell for cell in usual_values if not is_missing(cell)]
    near = [cell for cell in near_values if not is_missing(cell)]
    gone = 1 - len(present) / len(usual_values) if len(usual_values) else 0.0
    summary = list_words(value) if str(kind) in _LISTS else None
    # A list without a number is read as missing.
    if is_missing(value) or (str(kind) in _LISTS and summary is None):
        value, usual, direction = None, _range_in_words(kind, present), "missing"
        if gone >= RARE:
            usual += f"; missing in {percent(gone)} of usual rows"
    elif gone >= MOSTLY:
        usual, direction = f"missing in {percent(gone)} of usual rows", "rare"
    else:
        usual, direction = _COMPARED.get(str(kind), _category)(value, present, near) or _category(
            value, present, near
        )
    shown = plain(value) if summary is None else summary
    return Contribution(clean(column), shown, usual, direction, float(drop))


def never_seen(column: str, value: Any, usual: float | str | None, rows: int, drop: float) -> Contribution:
    """Say that a column holds another value than in all of the rows compared with.

    >>> never_seen("state", 7, 1.0, 60, 3.0).usual
    '1 in all 60 rows compared with'
    """
    held = "missing" if usual is None else show(plain(usual))
    words = f"{held} in all {rows:,} rows compared with"
    return Contribution(clean(column), plain(value), words, "never seen", drop)


def sentence(contributions: Sequence[Contribution]) -> str:
    """Return one sentence that names the three strongest columns.

    Columns that lower the score by less than a fifth of what the strongest does are not named.

    >>> amount = Contribution("amount", 9120, "12 to 340", "high", 0.8)
    >>> country = Contribution("country", "KP", "DE 61 %; this value 0.1 %", "rare", 0.2)
    >>> sentence([amount, country])
    "amount is 9,120, above the usual 12 to 340; country 'KP' is rare (usual: DE 61 %; this value 0.1 %)."
    """
    named = [_clause(contribution) for contribution in telling(contributions)]
    if not named:
        named = ["no single column explains it; its values are unusual only together"]
    text = "; ".join(named)
    return f"{text[0].upper()}{text[1:]}." if text.startswith("no single") else f"{text}."


def telling(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Return the contributions that a sentence names, strongest first: three at most."""
    least = WORTH_NAMING * max((contribution.drop for contribution in contributions), default=0.0)
    return [
        contribution for contribution in contributions if contribution.drop >= least and contribution.drop > 0
    ][:COLUMNS_NAMED]


def _clause(contribution: Contribution) -> str:
    name, value, usual = clean(contribution.column), show(contribution.value), contribution.usual
    above, below = _sides_of(contribution.value)
    clauses = {
        "high": f"{name} is {value}, {above} the usual {usual}",
        "low": f"{name} is {value}, {below} the usual {usual}",
        "rare": f"{name} {value} is rare (usual: {usual})",
        "missing": f"{name} is missing (usual: {usual})",
        "never seen": f"{name} is {value}; it was {usual}",
        "in combination": f"{name} is {value}, odd only beside the other columns (usual: {usual})",
    }
    return clauses.get(contribution.direction, f"{name} is {value}, unusual here (usual: {usual})")


def _sides_of(value: Any) -> tuple[str, str]:
    if isinstance(value, date):
        return "later than", "earlier than"
    return ("longer than", "shorter than") if isinstance(value, str) else ("above", "below")


def _number(value: Any, present: list[Any], near: list[Any]) -> tuple[str, str] | None:
    own, usual, close = as_numbers([value], finite=False), as_numbers(present), as_numbers(near)
    if own is None or usual is None:
        return None
    low, high, words = number_range(usual)
    direction = _side(own[0], low, high)
    if direction == "unusual here" and close is not None:
        least, most, there = number_range(close)
        if least <= own[0] <= most:
            return words, "in combination"
        words = f"{there} {LIKE_THIS}"
    return words, direction


def _moment(value: Any, present: list[Any], near: list[Any]) -> tuple[str, str] | None:
    own, usual, close = as_moments([value]), as_moments(present), as_moments(near)
    if own is None or usual is None:
        return None
    low, high, words = moment_range(usual)
    direction = _side(own[0], low, high)
    if direction != "unusual here":
        return words, direction
    first, last = np.quantile(_minutes(usual), (0.05, 0.95))
    if not first <= _minutes(own)[0] <= last:
        return f"{_clock(first)} to {_clock(last)} of the day", direction
    if close is None:
        return words, direction
    least, most, there = moment_range(close)
    if least <= own[0] <= most:
        return words, "in combination"
    return f"{there} {LIKE_THIS}", direction


def _text(value: Any, present: list[Any], near: list[Any]) -> tuple[str, str] | None:
    usual = as_numbers([len(as_text(cell)) for cell in present])
    if usual is None:
        return None
    low, high, words = number_range(usual)
    direction = _side(len(as_text(value)), low, high)
    if direction != "unusual here":
        return f"{words} characters", direction
    oddity = oddity_of_text(as_text(value), [as_text(cell) for cell in present])
    return (oddity, direction) if oddity else (f"{words} characters", "in combination")


def _category(value: Any, present: list[Any], near: list[Any]) -> tuple[str, str]:
    if not present:
        return "none known", "unusual here"
    counts = Counter(as_text(cell) for cell in present)
    share = counts[as_text(value)] / len(present)
    # Of a hundred values alike in number none is rare.
    if share < RARE and share * FAR_RARER <= max(counts.values()) / len(present):
        return f"{shares(present)}; this value {percent(share)}", "rare"
    here = Counter(as_text(cell) for cell in near)
    # A few neighbours tell what belongs here only if most of them agree and hardly any is as this row is.
    agreed = max(here.values(), default=0) >= len(near) / 2 and here[as_text(value)] < SELDOM * len(near)
    return (f"{shares(near)} {LIKE_THIS}", "unusual here") if agreed else (shares(present), "in combination")


def _list(value: Any, present: list[Any], near: list[Any]) -> tuple[str, str] | None:
    return oddity_of_list(value, present)


def _vector(value: Any, present: list[Any], near: list[Any]) -> tuple[str, str] | None:
    # Coordinates of a vector have no meaning of their own that could be told.
    return ("other vectors", "unusual here") if list_words(value) is not None else None


_LISTS = ("series", "embedding")
_COMPARED: dict[str, Callable[[Any, list[Any], list[Any]], tuple[str, str] | None]] = {
    "numeric": _number,
    "datetime": _moment,
    "text": _text,
    "sequence": oddity_of_events,
    "series": _list,
    "embedding": _vector,
}


def _side(value: Any, low: Any, high: Any) -> str:
    if value > high:
        return "high"
    return "low" if value < low else "unusual here"


def _minutes(moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return minutes since midnight (n,)."""
    since: NDArray[np.timedelta64] = moments - moments.astype("datetime64[D]")
    return since.astype("timedelta64[m]").astype(np.int64)


def _clock(minutes: float) -> str:
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}"


def _range_in_words(kind: str, present: list[Any]) -> str:
    if not present:
        return "always missing"
    if kind in _LISTS:
        return "lists of numbers"
    numbers = as_numbers(present) if kind == "numeric" else None
    moments = as_moments(present) if kind == "datetime" else None
    if numbers is not None:
        return number_range(numbers)[2]
    if moments is not None:
        return moment_range(moments)[2]
    return shares(present)
