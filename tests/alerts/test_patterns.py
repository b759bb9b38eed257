from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlearn.alerts import parse_condition, pattern_line, read_patterns, revocation_line
from outlearn.errors import ParameterError, ReadError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ADDRESSES = pl.Series(["10.0.0.5", "10.0.1.5", "fe80::1", "x", None])


@pytest.mark.parametrize(
    ("text", "cells", "holds"),
    [
        ("a=10.0.0.0/24", ADDRESSES, [1, 0, 0, 0, 0]),
        ("a=10.0.0.7/16", ADDRESSES, [1, 1, 0, 0, 0]),
        ("a=fe80::/10", ADDRESSES, [0, 0, 1, 0, 0]),
        ("a=10.0.*", ADDRESSES, [1, 1, 0, 0, 0]),
        ("a=*", ADDRESSES, [1, 1, 1, 1, 0]),
        ("a=X", ADDRESSES, [0, 0, 0, 0, 0]),
        ("a=a/b", pl.Series(["a/b", "a"]), [1, 0]),
        ("a=a+b*", pl.Series(["a+b\nc", "aab"]), [1, 0]),
        ("a=443", pl.Series([443.0, 44.0]), [1, 0]),
        ("a=443", pl.Series(["443", "443.0"]), [1, 0]),
        ("a>=5", pl.Series([5, 4, None]), [1, 0, 0]),
        ("a<=5", pl.Series(["5", "6", "x"]), [1, 0, 0]),
        ("a=true", pl.Series([True, False]), [1, 0]),
        ("a=b=c", pl.Series(["b=c"]), [1]),
    ],
)
def test_a_condition_holds_for_its_cells_and_no_others(text, cells, holds):
    assert parse_condition(text).holds(cells).to_list() == [bool(expected) for expected in holds]


@pytest.mark.parametrize("text", ["", "a", "=5", "a=", "a>=x", "a<=nan", "a=10.0.0.0/99"])
def test_what_is_no_condition_is_refused(text):
    with pytest.raises(ParameterError, match="wanted"):
        parse_condition(text)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_star_alone_is_a_star_whatever_is_around_it(value, cell):
    text = f"a={value}*"
    try:
        condition = parse_condition(text)
    except ParameterError:
        return
    cell = cell.encode("utf-8", "replace").decode()
    if "/" not in condition.value and condition.sign == "=" and condition.value.count("*") == 1:
        head = condition.value[:-1]
        assert condition.holds(pl.Series([cell, f"{head}{cell}"])).to_list() == [cell.startswith(head), True]


def test_lists_are_no_plain_cells():
    with pytest.raises(ParameterError, match="wanted plain cells"):
        parse_condition("a=1").holds(pl.Series([[1, 2]]))


def lines(*patterns, until=None):
    known, entries = (), []
    for where in patterns:
        _, line = pattern_line(known, [where], why="why\nnot", by="soc", until=until, now=NOW)
        entries.append(line)
        known = read_patterns([entry.rstrip("\n") for entry in entries], "f")
    return [line.rstrip("\n") for line in entries], known


def test_what_is_written_is_read_and_ids_go_up():
    text, known = lines("a=1", "b>=2")
    assert [pattern.id for pattern in known] == [1, 2] and known[0].why == "why not"
    text.append(revocation_line(known, 1, why="wrong", by="eve", now=NOW).rstrip("\n"))
    first, second = read_patterns(text, "f")
    assert "by eve: wrong" in first.idle(date(2026, 6, 1)) and second.idle(date(2026, 6, 1)) == ""
    with pytest.raises(ParameterError, match="nothing is left to do"):
        revocation_line((first,), 1, why="again", by="eve", now=NOW)
    with pytest.raises(ParameterError, match="the ids are: 1, 2"):
        revocation_line((first, second), 3, why="x", by="eve", now=NOW)


def test_a_pattern_holds_until_the_end_of_its_last_day():
    _, (pattern,) = lines("a=1", until="2026-06-30")
    assert pattern.idle(date(2026, 6, 30)) == "" and "expired" in pattern.idle(date(2026, 7, 1))


@pytest.mark.parametrize(
    ("where", "why", "until", "says"),
    [
        ([], "x", None, "at least one"),
        (["a=1"], " \x1b", None, "no reason"),
        (["a=1"], "x", "soon", "wanted a day"),
        (["a=1"], "x", "2026-05-31", "is over"),
        (["a"], "x", None, "wanted COLUMN=VALUE"),
    ],
)
def test_half_a_pattern_is_refused(where, why, until, says):
    with pytest.raises(ParameterError, match=says):
        pattern_line((), where, why=why, by="soc", until=until, now=NOW)


GOOD = '{"id": 1, "when": "2026-06-01", "by": "a", "why": "b", "where": ["a=1"], "until": null}'


@pytest.mark.parametrize(
    "damaged",
    [
        "", "[]", "1", "null", '{"id": 1}', GOOD, GOOD.replace("1,", '"1",', 1),
        GOOD.replace('["a=1"]', "[]"),
        GOOD.replace('["a=1"]', '"a=1"'), GOOD.replace('["a=1"]', "[1]"), GOOD.replace("2026-06-01", "soon"),
        GOOD.replace("null", "1"), GOOD.replace("1,", "true,", 1),
        '{"revokes": 9, "when": "2026-06-01", "by": "a", "why": "b"}',
        '{"revokes": [], "when": "2026-06-01", "by": "a", "why": "b"}', "[" * 100_000,
    ],
    ids=str.__len__,
)  # fmt: skip
def test_a_damaged_line_is_named(damaged):
    with pytest.raises(ReadError, match="f, line 2: damaged"):
        read_patterns([GOOD, damaged], "f")
