"""The text of a file of known-good patterns: lines that are only ever added to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from outlearn.alerts.patterns import Pattern, parse_condition
from outlearn.errors import ParameterError, ReadError
from outlearn.shown import clean

__all__ = ["pattern_line", "read_patterns", "revocation_line"]

_LONG = 300  # characters of a reason or a name


def read_patterns(lines: Iterable[str], name: str) -> tuple[Pattern, ...]:
    """Read patterns, with what was revoked since, from the lines of a file that is called `name`.

    Raises
    ------
    ReadError
        For a line that is none of ours, an id that comes twice, or a revocation of what is not there.

    >>> line = '{"id": 1, "when": "2026-01-01T00:00:00+00:00", "by": "soc", "why": "backup",'
    >>> read_patterns([line + ' "where": ["service=dns"], "until": null}'], "good.jsonl")[0].words()
    'backup, by soc, for good'
    """
    patterns: dict[int, Pattern] = {}
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            if "revokes" in entry:
                revoked = f"{_day(entry)} by {_text(entry, 'by')}: {_text(entry, 'why')}"
                patterns[_id(entry, "revokes")] = replace(patterns[_id(entry, "revokes")], revoked=revoked)
                continue
            pattern = _pattern(entry)
            if pattern.id in patterns:
                raise ValueError(f"the id {pattern.id} comes twice")
            patterns[pattern.id] = pattern
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            why = f"no such pattern or field as {error}" if isinstance(error, KeyError) else error
            raise ReadError(
                f"{name}, line {number}: damaged, or no file of `outlearn suppress` ({clean(why, 200)}); "
                "mend or restore the file: nothing is suppressed by half of it"
            ) from error
    return tuple(patterns.values())


def pattern_line(
    known: Sequence[Pattern],
    where: Sequence[str],
    *,
    why: str,
    by: str,
    until: str | None,
    now: datetime,
) -> tuple[Pattern, str]:
    """Return a new pattern, with the id after those that are known, and its line.

    until : the last day on which it holds, as YYYY-MM-DD; None: for good.

    Raises
    ------
    ParameterError
        Without a condition or a reason, or for a day that is none or over.
    """
    if not where:
        raise ParameterError("no condition was given; wanted at least one, e.g. --where 'src_ip=10.0.0.5'")
    _wanted(why)
    entry = {
        "id": max((pattern.id for pattern in known), default=0) + 1,
        "when": now.isoformat(timespec="seconds"),
        "by": clean(by, _LONG),
        "why": clean(why, _LONG),
        "where": [str(parse_condition(condition)) for condition in where],
        "until": None if until is None else _last_day(until, now.date()).isoformat(),
    }
    return _pattern(entry), json.dumps(entry)


def revocation_line(known: Sequence[Pattern], id: int, *, why: str, by: str, now: datetime) -> str:
    """Return the line that takes a pattern back.

    Raises
    ------
    ParameterError
        When there is no such pattern, it was revoked before, or no reason is given.
    """
    pattern = next((pattern for pattern in known if pattern.id == id), None)
    if pattern is None:
        there = ", ".join(str(pattern.id) for pattern in known) or "none"
        raise ParameterError(f"there is no pattern {id} to revoke; the ids are: {there}")
    if pattern.revoked:
        raise ParameterError(f"pattern {id} was revoked {pattern.revoked}; nothing is left to do")
    _wanted(why)
    entry = {
        "revokes": id,
        "when": now.isoformat(timespec="seconds"),
        "by": clean(by, _LONG),
        "why": clean(why, _LONG),
    }
    return json.dumps(entry)


def _pattern(entry: dict[str, Any]) -> Pattern:
    where, until = entry["where"], entry["until"]
    if not isinstance(where, list) or not where or not all(isinstance(condition, str) for condition in where):
        raise ValueError("'where' holds no conditions")
    conditions = tuple(parse_condition(condition) for condition in where)
    _day(entry)
    last = None if until is None else date.fromisoformat(until)
    return Pattern(
        _id(entry, "id"), conditions, _text(entry, "why"), _text(entry, "by"), _text(entry, "when"), last
    )


def _wanted(why: str) -> None:
    if not clean(why, _LONG):
        raise ParameterError("no reason was given; say why in --reason, for those who read it later")


def _last_day(text: str, today: date) -> date:
    try:
        last = date.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"--until is {text!r}; wanted a day as 2027-01-31") from error
    if last < today:
        raise ParameterError(f"--until is {text}, which is over; wanted today or a day to come")
    return last


def _id(entry: dict[str, Any], key: str) -> int:
    if type(entry[key]) is not int or entry[key] < 1:
        raise ValueError(f"{key!r} is no whole number from 1")
    return int(entry[key])


def _text(entry: dict[str, Any], key: str) -> str:
    if not isinstance(entry[key], str):
        raise TypeError(f"{key!r} is no text")
    return clean(entry[key], _LONG)


def _day(entry: dict[str, Any]) -> date:
    return datetime.fromisoformat(_text(entry, "when")).date()
