"""Sequences of events are described as a plain oracle does, each by itself, whatever their words."""

import json
import runpy
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlearn import Detector
from outlearn.data import Encoder, infer_schema
from outlearn.data.columns import Repairs, SequenceEncoder
from outlearn.data.columns.events import event_blocks, events_of, holds_events
from outlearn.data.columns.sequence import SHAPE
from outlearn.data.schema import Column, Kind, Schema

naive = runpy.run_path(str(Path(__file__).parents[2] / "naive" / "sequence.py"))
TOKEN = st.one_of(st.sampled_from("abc"), st.text(min_size=1, max_size=4).filter(lambda t: t.split() == [t]))
CELLS = st.lists(st.lists(TOKEN, min_size=1, max_size=9).map(" ".join), min_size=1, max_size=8)


def calls(rows=400, seed=0):
    rng = np.random.default_rng(seed)
    return pl.Series(
        "calls",
        [
            " ".join(["open", *rng.choice(["read", "write"], rng.integers(2, 9)), "close"])
            for _ in range(rows)
        ],
    )


def told(encoder, *cells):
    values = encoder.encode(pl.Series(cells, dtype=pl.String))[0]
    return {part: values[:, place] for place, part in enumerate(SHAPE)}


@settings(deadline=None)
@given(CELLS, CELLS)
def test_sequences_are_described_as_the_plain_oracle_does(fitted, cells):
    values, _ = SequenceEncoder.fit("c", pl.Series(fitted)).encode(pl.Series(cells))
    wanted = [naive["describe"](fitted, cell) for cell in cells]
    np.testing.assert_allclose(values[:, : len(SHAPE)], wanted, rtol=1e-4, atol=1e-4)


@settings(deadline=None)
@given(CELLS, st.randoms())
def test_the_order_of_rows_does_not_matter_and_the_state_is_whole(cells, random):
    encoder = SequenceEncoder.fit("c", pl.Series(cells))
    turned = random.sample(cells, len(cells))
    assert SequenceEncoder.fit("c", pl.Series(turned)) == encoder
    assert SequenceEncoder.from_state(json.loads(json.dumps(encoder.to_state()))) == encoder


def test_a_cell_alone_reads_as_in_a_batch_of_many_blocks(monkeypatch):
    cells = calls()
    encoder = SequenceEncoder.fit("calls", cells)
    whole, _ = encoder.encode(cells)
    alone = np.concatenate([encoder.encode(cells[row : row + 1])[0] for row in range(20)])
    assert np.array_equal(alone, whole[:20])
    monkeypatch.setattr("outlearn.data.columns.events._BLOCK_BYTES", 200)
    assert len(list(event_blocks(cells))) > 10
    assert np.array_equal(encoder.encode(cells)[0], whole)
    assert SequenceEncoder.fit("calls", cells) == encoder


def test_what_is_odd_shows_where_it_should():
    parts = told(
        SequenceEncoder.fit("calls", calls()),
        "open read write close",
        "open write open close",
        "open erase close",
        "read write",
        "open" + " read" * 40 + " close",
    )
    assert parts["rarest step"].argmin() in (0, 4) and parts["rarest step"][1:4].min() > 4
    assert parts["unseen"].tolist() == pytest.approx([0, 0, 1 / 3, 0, 0])
    assert parts["longest repeat"].argmax() == 4 == parts["length"].argmax()


def test_frequent_events_are_counted_and_named():
    encoder = SequenceEncoder.fit("calls", calls())
    place = encoder.names.index("calls count of read")
    assert encoder.encode(pl.Series(["read read open"]))[0][0, place] == pytest.approx(np.log(3))
    many = SequenceEncoder.fit("c", pl.Series([" ".join(f"e{i}" for i in range(100))]))
    assert len(many.names) == len(SHAPE) + 32


def test_vocabulary_and_runs_are_bounded_and_the_rest_is_as_unseen(monkeypatch):
    monkeypatch.setattr("outlearn.data.columns.steps._VOCABULARY", 2)
    monkeypatch.setattr("outlearn.data.columns.steps._RUNS", 3)
    encoder = SequenceEncoder.fit("c", pl.Series(["a a a b b c", "a b c d"]))
    assert encoder.events == ("a", "b") and encoder.rest == 3
    assert len(encoder.steps) == 3 == len(encoder.triples)
    assert told(encoder, "a c")["unseen"][0] == 0.5
    assert np.isfinite(encoder.encode(pl.Series(["d c b a"]))[0]).all()


def test_missing_and_empty_cells_are_the_usual_sequence():
    cells = pl.Series(["a b", "a b c", "a b c d"])
    values, repairs = SequenceEncoder.fit("c", cells).encode(pl.Series([None, " ", "a b c"]))
    assert repairs == Repairs(missing=2)
    assert values[0, 0] == values[1, 0] == np.float32(np.log(4))
    seen = SequenceEncoder.fit("c", pl.Series(["a b", None]))
    assert seen.names[-1] == "c is missing"
    assert seen.encode(pl.Series(["a", None]))[0][:, -1].tolist() == [0, 1]


def test_lists_read_as_text_does():
    text = pl.Series(["1 2 2", "3", None])
    for same in (
        pl.Series([[1, 2, 2], [3], []]),
        pl.Series([["1", "2", "2"], ["3"], None]),
        pl.Series(['["1", "2", "2"]', '["3"]', "[]"]),
    ):
        assert events_of(same).to_list() == text.to_list()
    assert events_of(pl.Series([["read it", " \t "]])).to_list() == ["read_it"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (calls().to_list(), "sequence"),
        ([["open", "read", "close"], ["open", "close"]], "sequence"),
        (
            [
                " ".join(str(n) for n in np.random.default_rng(i).integers(0, 9, 5 + i % 9))
                for i in range(200)
            ],
            "sequence",
        ),
        ([f"A-{i} B-{i + 1}" for i in range(200)], "text"),
        ([f"paid the rent of flat {i} for the month of May" for i in range(200)], "text"),
        (["New York New York", "Baden Baden"] * 100, "categorical"),
        (
            [f"{i % 256:02x} {i * 7 % 256:02x} {i * 11 % 256:02x} {i * 13 % 256:02x}" for i in range(400)],
            "text",
        ),
        ([" ".join(str(n) for n in np.random.default_rng(i).integers(0, 3, 9)) for i in range(200)], "text"),
    ],
)
def test_only_events_that_come_again_and_again_are_taken_for_sequences(cells, kind):
    assert str(infer_schema(pl.DataFrame({"c": cells})).columns[0].kind) == kind


def test_few_cells_prove_nothing():
    assert not holds_events(pl.Series(["open read read close", "open close"]))


def test_a_confirmed_case_does_not_make_its_own_steps_usual():
    odd = "open close read write"
    frame = pl.DataFrame({"calls": [*calls(), *[odd] * 5]})
    y = np.repeat([-1, 1], [400, 5])
    schema = Schema((Column("calls", Kind.SEQUENCE),))
    fitted = Detector(schema=schema, random_state=0).fit(frame, y).encoder_
    assert fitted == Encoder.fit(frame[:400], schema)
    assert fitted != Encoder.fit(frame, schema)
    assert Encoder.fit(frame, schema, odd=np.ones(405, dtype=bool)) == Encoder.fit(frame, schema)


def test_an_odd_order_is_found_and_said():
    frame = pl.DataFrame({"calls": [*calls(), "close read write open"]})
    found = Detector(random_state=0).fit(frame)
    assert found.anomaly_score(frame).argmax() == 400
    (why,) = found.explain(frame, np.array([400]))
    assert "in none 'close' comes first" in why.sentence
