"""Oddities of one sequence of events beside usual ones: new events, new steps, more or fewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from outlearn.explain.words import MIDDLE, Cells
from outlearn.shown import as_text, clean

__all__ = ["oddity_of_events"]

EVENTS_READ = 1_000  # of each sequence
LONGEST_EVENT = 60  # characters of an event that are shown
COMMON = 0.9  # share of sequences from which on an event is missed in others


def oddity_of_events(value: Any, present: Cells, near: Cells) -> tuple[str, str] | None:
    """Return what usual sequences have or lack where this one differs, and the side it differs on.

    The first that holds is returned: an event that no usual sequence has, a step from one event to the next
    that none has, an event that nine in ten have and this one lacks, a length outside the middle 90 %. None:
    none of these holds. Of each sequence the first 1,000 events are read.

    >>> usual = ["open read read close", "open read close"] * 9
    >>> oddity_of_events("open write close", usual, [])
    ("none with 'write'", 'unusual here')
    >>> oddity_of_events("open close read", usual, [])
    ("in none 'open' is followed by 'close'", 'unusual here')
    >>> oddity_of_events("open read read read read read close", usual, [])
    ('3 to 4 events', 'high')
    """
    own, others = _events(value), [_events(cell) for cell in present]
    if not others:
        return None
    new = _first(own, {event for events in others for event in events})
    if new is not None:
        return f"none with '{clean(new, LONGEST_EVENT)}'", "unusual here"
    step = _first(_steps(own), {step for events in others for step in _steps(events)})
    if step is not None:
        before, after = (clean(event, LONGEST_EVENT) for event in step)
        return f"in none {_words(before, after)}", "unusual here"
    common = Counter(event for events in others for event in dict.fromkeys(events))
    lacking = [event for event, cells in common.items() if cells >= COMMON * len(others) and event not in own]
    if lacking:
        return f"nearly all with '{clean(lacking[0], LONGEST_EVENT)}'", "unusual here"
    low, high = np.quantile([len(events) for events in others], MIDDLE)
    if low <= len(own) <= high:
        return None
    return f"{low:,.0f} to {high:,.0f} events", "high" if len(own) > high else "low"


def _words(before: str, after: str) -> str:
    if not before:
        return f"'{after}' comes first"
    return f"'{before}' is followed by '{after}'" if after else f"'{before}' comes last"


def _events(cell: Any) -> list[str]:
    return as_text(cell).split()[:EVENTS_READ]


def _steps(events: list[str]) -> list[tuple[str, str]]:
    return list(zip(["", *events], [*events, ""], strict=True))


def _first(of: Sequence[Any], known: set[Any]) -> Any:
    return next((item for item in of if item not in known), None)
