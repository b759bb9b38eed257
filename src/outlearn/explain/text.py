"""One column, and one row, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.beside import category_beside, number_beside
from outlearn.explain.events import oddity_of_events
from outlearn.explain.explanation import Contribution
from outlearn.explain.lists import list_words, oddity_of_list
from outlearn.explain.prose import oddity_of_text
from outlearn.explain.quantities import CLOCK, SPAN
from outlearn.explain.words import (
    MIDDLE,
    Cells,
    as_moments,
    as_numbers,
    is_missing,
    moment_range,
    number_range,
    percent,
    plain,
    shares,
    shares_of,
    show,
)
from outlearn.shown import as_text, clean

__all__ = ["behind", "describe", "is_usual", "never_seen", "sentence", "telling"]

RARE = 0.05  # share of usual rows under which a category may be rare
FAR_RARER = 5  # times as common as a rare category the commonest is at least
MOSTLY = 0.9  # share of usual rows without a value, from which on having one is rare
COLUMNS_NAMED = 3  # columns of a sentence, at most
WORTH_NAMING = 0.2  # of the drop of the strongest column, that another has to reach
MOST_LIKE = "in the rows most like it in its other columns"
BESIDE, COMBINED = "unusual here", "in combination"
UNKNOWN = "no column was found that explains it"
_OPENINGS = ("no ", "none ", "nothing ", "all ")  # of sentences that begin with no name of a column


def describe(
    column: str,
    kind: str,
    value: Any,
    usual_values: Cells,
    near_values: Cells = (),
    drop: float = 0.0,
    *,
    unit: str = "",
) -> Contribution:
    """Say how a value compares with the usual ones of its column.

    Parameters
    ----------
    column : name of the table column.
    kind : "numeric", "datetime", "text", "sequence", "series", "embedding"; anything else is read as
        categories.
    value : the raw cell; anything, even hostile.
    usual_values : raw cells of the usual rows; some thousands are plenty.
    near_values : raw cells of the usual rows most like this one in its other columns; none: they are not
        compared with.
    drop : how far the score falls when the column is made usual.
    unit : what numbers are in; see `quantities`.

    Notes
    -----
    "high" and "low" mean outside the middle 90 % of the usual values (for a date-time later and earlier, for
    a text longer and shorter), "rare" a category in under 5 % of usual rows and at most a fifth as common as
    the commonest. A value that is neither is compared with the rows most like it: "unusual here" if all of
    them have something else, and something narrower than all rows have; or else odd only "in combination".

    >>> describe("amount", "numeric", 9120, range(0, 400), [10, 20]).usual
    '20 to 379'
    >>> describe("country", "categorical", "KP", ["DE"] * 999 + ["KP"], ["DE"])
    Contribution(column='country', value='KP', usual='DE 99.9 %; this value 0.1 %', direction='rare',
        drop=0.0, beside=(), unit='')
    """
    present, near = _present(usual_values), _present(near_values)
    gone = 1 - len(present) / len(usual_values) if len(usual_values) else 0.0
    summary = list_words(value) if str(kind) in _LISTS else None
    # A list without a number is read as missing.
    if is_missing(value) or (str(kind) in _LISTS and summary is None):
        value, usual, direction = None, _range_in_words(kind, present, unit), "missing"
        if gone >= RARE:
            usual += f"; missing in {percent(gone)} of usual rows"
    elif gone >= MOSTLY:
        usual, direction = f"missing in {percent(gone)} of usual rows", "rare"
    else:
        compare = (
            partial(_number, unit=unit) if str(kind) == "numeric" else _COMPARED.get(str(kind), _category)
        )
        usual, direction = compare(value, present, near) or _category(value, present, near)
    shown = plain(value) if summary is None else summary
    return Contribution(clean(column), shown, usual, direction, float(drop), unit=unit)


def never_seen(column: str, value: Any, usual: float | str | None, rows: int, drop: float) -> Contribution:
    """Say that a column holds another value than in all of the rows compared with.

    >>> never_seen("state", 7, 1.0, 60, 3.0).usual
    '1 in all 60 rows compared with'
    """
    held = "missing" if usual is None else show(plain(usual))
    words = f"{held} in all {rows:,} rows compared with"
    return Contribution(clean(column), plain(value), words, "never seen", drop)


def _present(cells: Cells) -> Cells:
    """Return the cells that are not missing."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "fM":
        there: NDArray[Any] = cells[cells == cells]  # NaN and NaT equal nothing
        return there
    return [cell for cell in cells if not is_missing(cell)]


def sentence(contributions: Sequence[Contribution], otherwise: str = UNKNOWN) -> str:
    """Return one sentence that names the three strongest columns, or oddities of several columns.

    Columns that lower the score by less than a fifth of what the strongest does are not named.

    otherwise : the words where no column lowers the score.

    >>> amount = Contribution("amount", 9120, "12 to 340", "high", 0.8)
    >>> country = Contribution("country", "KP", "DE 61 %; this value 0.1 %", "rare", 0.2)
    >>> sentence([amount, country])
    "amount is 9,120, above the usual 12 to 340; country 'KP' is rare (usual: DE 61 %; this value 0.1 %)."
    >>> sentence([])
    'No column was found that explains it.'
    """
    named = telling(contributions)
    if not named:
        text = otherwise
    elif all(is_usual(contribution) for contribution in named):
        values = _listed([f"{clean(c.column)} {c.shown}" for c in named])
        text = f"no value is unusual by itself; {values} {'weighs' if len(named) == 1 else 'weigh'} most"
    else:
        text = "; ".join(_clause(contribution, contributions) for contribution in named)
    return f"{text[0].upper()}{text[1:]}." if text.startswith(_OPENINGS) else f"{text}."


def behind(words: str, reason: str) -> str:
    """Return a sentence with words before it.

    >>> behind("the same as the case; ", "Nothing in it stands out."), behind("", "Nothing in it stands out.")
    ('the same as the case; nothing in it stands out.', 'Nothing in it stands out.')
    >>> behind("like the case; ", "Amount is 9, above the usual 1 to 2.")
    'like the case; Amount is 9, above the usual 1 to 2.'
    """
    ours = words and (reason[:1].lower() + reason[1:]).startswith(_OPENINGS)
    return f"{words}{reason[:1].lower()}{reason[1:]}" if ours else f"{words}{reason}"


def telling(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Return the contributions that a sentence names, strongest first: three at most.

    Of an oddity of several columns that is the one whose `usual` tells of all of them. Columns that are usual
    and odd in combination only are named where there is nothing else.
    """
    least = WORTH_NAMING * max((contribution.drop for contribution in contributions), default=0.0)
    drops = {contribution.column: contribution.drop for contribution in contributions}
    weights = [max(c.drop, *(drops.get(name, 0.0) for name in c.beside), 0.0) for c in contributions]
    weighty = [c for c, weight in zip(contributions, weights, strict=True) if weight >= least and c.drop > 0]
    named: list[Contribution] = []
    for contribution in weighty:
        if contribution.direction == COMBINED and any(_tells(other, contribution) for other in contributions):
            continue
        if not (is_usual(contribution) or any(_same(contribution, other) for other in named)):
            named.append(contribution)
    return (named or weighty)[:COLUMNS_NAMED]


def is_usual(contribution: Contribution) -> bool:
    """Return whether a value is usual by itself, and beside each other one, as far as anybody can say."""
    return contribution.direction == COMBINED and not contribution.beside


def _tells(teller: Contribution, contribution: Contribution) -> bool:
    """Return whether the words of one column tell of another."""
    return teller.direction == BESIDE and contribution.column in teller.beside


def _same(one: Contribution, other: Contribution) -> bool:
    """Return whether two columns belong to one oddity that neither tells alone."""
    return one.direction == other.direction == COMBINED and one.column in other.beside


def _clause(contribution: Contribution, others: Sequence[Contribution]) -> str:
    name, value, usual = clean(contribution.column), contribution.shown, contribution.usual
    above, below = _sides_of(contribution.value, contribution.unit)
    if contribution.direction == COMBINED:
        members = [contribution, *(c for c in others if c.column in contribution.beside)]
        listed = _listed([f"{clean(c.column)} {c.shown}" for c in members])
        return f"no single column explains it: {listed} are odd only together"
    if contribution.direction == BESIDE and (contribution.beside or usual.endswith(MOST_LIKE)):
        return f"{name} is {value}, usually {usual}"
    clauses = {
        "high": f"{name} is {value}, {above} the usual {usual}",
        "low": f"{name} is {value}, {below} the usual {usual}",
        "rare": f"{name} {value} is rare (usual: {usual})",
        "missing": f"{name} is missing (usual: {usual})",
        "never seen": f"{name} is {value}; it was {usual}",
    }
    return clauses.get(contribution.direction, f"{name} is {value}, unusual (usual: {usual})")


def _listed(names: Sequence[str]) -> str:
    """Return names in a row: "a, b and c"."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _sides_of(value: Any, unit: str) -> tuple[str, str]:
    if isinstance(value, date) or unit == CLOCK:
        return "later than", "earlier than"
    if unit == SPAN:
        return "longer than", "shorter than"
    return ("longer than", "shorter than") if isinstance(value, str) else ("above", "below")


def _number(value: Any, present: Cells, near: Cells, unit: str) -> tuple[str, str] | None:
    own, usual, close = as_numbers([value], finite=False), as_numbers(present), as_numbers(near)
    if own is None or usual is None:
        return None
    low, high, words = number_range(usual, unit)
    direction = _side(own[0], low, high)
    if direction:
        return words, direction
    if close is None or number_beside(float(own[0]), close, np.sort(usual)) is None:
        return words, COMBINED
    return f"{number_range(close, unit)[2]} {MOST_LIKE}", BESIDE


def _moment(value: Any, present: Cells, near: Cells) -> tuple[str, str] | None:
    own, usual, close = as_moments([value]), as_moments(present), as_moments(near)
    if own is None or usual is None:
        return None
    low, high, words = moment_range(usual)
    direction = _side(own[0], low, high)
    if direction:
        return words, direction
    first, last = np.quantile(_minutes(usual), MIDDLE)
    if not first <= _minutes(own)[0] <= last:
        return f"{_clock(first)} to {_clock(last)} of the day", BESIDE
    if close is None:
        return words, COMBINED
    value, there, known = (moments.astype(np.int64).astype(np.float64) for moments in (own, close, usual))
    if number_beside(float(value[0]), there, np.sort(known)) is None:
        return words, COMBINED
    return f"{moment_range(close)[2]} {MOST_LIKE}", BESIDE


def _text(value: Any, present: Cells, near: Cells) -> tuple[str, str] | None:
    usual = as_numbers([len(as_text(cell)) for cell in present])
    if usual is None:
        return None
    low, high, words = number_range(usual)
    direction = _side(len(as_text(value)), low, high)
    if direction:
        return f"{words} characters", direction
    oddity = oddity_of_text(as_text(value), [as_text(cell) for cell in present])
    return (oddity, BESIDE) if oddity else (f"{words} characters", COMBINED)


def _category(value: Any, present: Cells, near: Cells) -> tuple[str, str]:
    if not len(present):
        return "none known", BESIDE
    counts = Counter(map(as_text, present))
    share = counts[as_text(value)] / len(present)
    # Of a hundred values alike in number none is rare.
    if share < RARE and share * FAR_RARER <= max(counts.values()) / len(present):
        return f"{shares_of(counts)}; this value {percent(share)}", "rare"
    if category_beside(as_text(value), [as_text(cell) for cell in near], share) is None:
        return shares_of(counts), COMBINED
    return f"{shares(near)} {MOST_LIKE}", BESIDE


def _list(value: Any, present: Cells, near: Cells) -> tuple[str, str] | None:
    return oddity_of_list(value, present)


def _vector(value: Any, present: Cells, near: Cells) -> tuple[str, str] | None:
    # Coordinates of a vector have no meaning of their own that could be told.
    return ("other vectors", BESIDE) if list_words(value) is not None else None


_LISTS = ("series", "embedding")
_COMPARED: dict[str, Callable[[Any, Cells, Cells], tuple[str, str] | None]] = {
    "datetime": _moment,
    "text": _text,
    "sequence": oddity_of_events,
    "series": _list,
    "embedding": _vector,
}


def _side(value: Any, low: Any, high: Any) -> str:
    """Return the side of the usual values that a value lies on, nothing where it is within."""
    if value > high:
        return "high"
    return "low" if value < low else ""


def _minutes(moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return minutes since midnight (n,)."""
    since: NDArray[np.timedelta64] = moments - moments.astype("datetime64[D]")
    return since.astype("timedelta64[m]").astype(np.int64)


def _clock(minutes: float) -> str:
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}"


def _range_in_words(kind: str, present: Cells, unit: str) -> str:
    if not len(present):
        return "always missing"
    if kind in _LISTS:
        return "lists of numbers"
    numbers = as_numbers(present) if kind == "numeric" else None
    moments = as_moments(present) if kind == "datetime" else None
    if numbers is not None:
        return number_range(numbers, unit)[2]
    if moments is not None:
        return moment_range(moments)[2]
    return shares(present)
