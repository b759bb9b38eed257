"""Verdicts come back as they were given, in their order, whatever stands in the file beside them."""

import json
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlearn.errors import ParameterError, ReadError
from outlearn.feedback.store import VerdictFile
from outlearn.feedback.verdict import Answer, Channel, Verdict, current, make_verdict

ROW, OTHER = "0" * 32, "a" * 32


def verdict(answer="anomaly", identity=ROW, **fields):
    given = {"by": "ana", "source": "a.csv", "row": 3, "origin": Channel.CLI, **fields}
    return make_verdict(Answer(answer), identity=identity, **given)


@pytest.fixture
def store(tmp_path):
    return VerdictFile(tmp_path / "verdicts.jsonl")


ZONES = [UTC, timezone(timedelta(hours=5))]
hashes = st.text("0123456789abcdef", min_size=32, max_size=32)
verdicts = st.builds(
    Verdict,
    id=hashes,
    when=st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.sampled_from(ZONES)),
    by=st.text(min_size=1).map(lambda text: f"a{text}"),
    answer=st.sampled_from(Answer),
    source=st.text(),
    row=st.integers(0, 2**40),
    identity=hashes,
    origin=st.sampled_from(Channel),
    note=st.text(),
    score=st.none() | st.floats(0, 1),
    model=st.none() | st.text(),
)


@settings(max_examples=60)
@given(st.lists(verdicts, max_size=4, unique_by=lambda one: one.id))
def test_what_was_added_is_read_back(given):
    with tempfile.TemporaryDirectory() as folder:
        store = VerdictFile(Path(folder) / "v.jsonl")
        store.append(given)
        assert store.read().verdicts == tuple(given)


def test_a_later_verdict_stands_before_an_earlier_one_and_both_are_kept(store):
    store.append([verdict("anomaly"), verdict("normal", OTHER)])
    store.append([verdict("normal")])
    kept = store.read().verdicts
    assert [one.answer for one in kept] == ["anomaly", "normal", "normal"]
    assert {name: one.answer for name, one in current(kept).items()} == {ROW: "normal", OTHER: "normal"}


def test_a_store_that_is_not_there_holds_nothing_and_nothing_makes_none(store):
    store.append([])
    assert store.read().verdicts == () and not store.path.exists()


def test_a_verdict_that_was_cut_off_is_told_of_and_the_others_are_read(store):
    store.append([verdict(), verdict()])
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[:-40])
    read = store.read()
    assert len(read.verdicts) == 1 and "line 2 was cut off" in read.notes[0]
    store.append([verdict("normal")])
    read = store.read()
    assert [one.answer for one in read.verdicts] == ["anomaly", "normal"] and len(read.notes) == 1


def lines_that_are_none():
    good = {"v": 1, **verdict().to_dict()}
    yield from ("", "{", "[]", "7", "null", '"a"', "[" * 100_000)
    for changed in (
        {"v": 2},
        {"v": True},
        {"id": 7},
        {"id": "x"},
        {"when": "yesterday"},
        {"when": "2026-01-01T00:00:00"},
        {"when": "0001-01-01T00:00:00+23:59"},
        {"by": "\u202e"},
        {"verdict": "bad"},
        {"row": -1},
        {"row": True},
        {"row": 1.5},
        {"identity": "../../etc"},
        {"origin": "moon"},
        {"score": "0.5"},
        {"score": float("nan")},
        {"score": 10**400},
        {"note": None},
    ):
        yield json.dumps({**good, **changed})
    yield json.dumps({name: value for name, value in good.items() if name != "row"})


HOSTILE = list(lines_that_are_none())


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_a_damaged_line_is_named(store, line):
    store.append([verdict()])
    with store.path.open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(ReadError, match=r"verdicts.jsonl, line 2: .*; mend or restore"):
        store.read()


def test_a_line_that_comes_twice_is_refused(store):
    store.append([verdict()])
    store.path.write_text(store.path.read_text() * 2)
    with pytest.raises(ReadError, match=r"line 2: .*comes twice"):
        store.read()


def test_text_cannot_drive_a_terminal():
    said = verdict(note="a\x1b[31mb\nc", by="eve\u202e")
    assert (said.note, said.by) == ("a [31mb c", "eve")


def test_a_word_that_is_no_answer_is_refused():
    with pytest.raises(ParameterError, match="wanted one of anomaly, normal, unsure"):
        Answer.parse("bad")
    assert [Answer.of_label(answer.label) for answer in Answer] == list(Answer)
