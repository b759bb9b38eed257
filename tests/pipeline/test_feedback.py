"""Asking about rows and following the answers."""

import numpy as np
import polars as pl
import pytest

from outlearn.errors import InputError, ParameterError
from outlearn.feedback.store import VerdictFile
from outlearn.pipeline import Monitor
from outlearn.pipeline import feedback as module
from outlearn.pipeline.feedback import Feedback

PLANTED = (30, 77, 101)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(160, 3))
    values[list(PLANTED)] += (5, 5, -5)
    return pl.DataFrame(values, schema=["a", "b", "c"]).with_columns(
        shop=pl.Series(rng.choice(["x", "y"], 160)), id=pl.Series(range(160))
    )


@pytest.fixture(scope="module")
def monitor(table):
    return Monitor.fit(table, detector="iforest")


@pytest.fixture
def store(tmp_path):
    return VerdictFile(tmp_path / "verdicts.jsonl")


def talk(feedback, rows):
    """Answer by the truth; return the rows asked about."""
    asked = []
    for _ in range(rows):
        row = feedback.ask().row
        asked.append(row)
        feedback.tell(row, "anomaly" if row in PLANTED else "normal")
    return asked


def test_planted_rows_are_found_with_few_questions(table, monitor, store):
    feedback = Feedback(monitor, table, store, by="ana")
    question = feedback.ask()
    assert question.cells == table.row(question.row, named=True)
    assert question.score == pytest.approx(monitor.detector.anomaly_score(table)[question.row])
    assert question.why.row == question.row and question.why.sentence
    assert feedback.ask().row == question.row
    asked = talk(feedback, 8)
    assert set(PLANTED) <= set(asked) and len(set(asked)) == 8
    assert [each.row for each in store.read().verdicts] == asked


def test_each_answer_is_kept_at_once_and_known_to_the_next_session(table, monitor, store):
    asked = talk(Feedback(monitor, table, store, by="ana"), 3)
    again = Feedback(monitor, table.reverse().select("id", "shop", "c", "b", "a"), store, by="ana")
    assert {159 - row for row in again.answers} == set(asked)
    assert 159 - again.ask().row not in asked
    updated = again.updated()
    assert (updated.detector.support_y_ >= 0).sum() == 3 and (monitor.detector.support_y_ == -1).all()


def test_a_change_of_mind_is_followed_and_both_are_on_record(table, monitor, store):
    feedback = Feedback(monitor, table, store, by="ana")
    feedback.tell(30, "anomaly")
    feedback.tell(31, "normal")
    feedback.tell(30, "unsure", note="a test of ours")
    assert feedback.answers == {30: "unsure", 31: "normal"}
    assert feedback._inquiry.answers == {31: 0}
    assert [each.answer for each in store.read().verdicts] == ["anomaly", "normal", "unsure"]
    labels = feedback.updated().detector.support_y_
    assert (labels == 0).sum() == 1 and (labels == 1).sum() == 0
    assert {effect.row for effect in feedback.effects(monitor)} == {30, 31}


def test_without_an_answer_the_monitor_stays(table, monitor, store):
    feedback = Feedback(monitor, table, store, by="ana")
    feedback.tell(30, "unsure")
    assert feedback.updated() is monitor


def test_a_copy_of_a_row_is_not_asked_about(table, monitor, store):
    feedback = Feedback(monitor, pl.concat([table, table]), store, by="ana")
    asked = talk(feedback, 12)
    assert len({row % 160 for row in asked}) == 12


def test_of_many_rows_the_oddest_and_some_others_are_asked_about(table, monitor, store, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 60)
    feedback = Feedback(monitor, table, store, by="ana")
    assert any("60 of 160 rows can be asked about" in note for note in feedback.notes)
    assert set(PLANTED) <= set(feedback._known.rows.tolist()) and len(feedback._known.rows) == 60
    other = next(row for row in range(160) if row not in feedback._known.rows)
    assert feedback.tell(other, "normal").row == other
    assert (feedback.updated().detector.support_y_ == 0).sum() == 1


def test_what_cannot_be_asked_or_told_is_refused(table, monitor, store):
    feedback = Feedback(monitor, table[:10], store, by="ana")
    with pytest.raises(InputError, match="row 999"):
        feedback.tell(999, "normal")
    with pytest.raises(ParameterError, match="wanted one of"):
        feedback.tell(3, "bad")
    talk(feedback, 10)
    with pytest.raises(InputError, match="nothing left to ask"):
        feedback.ask()
    with pytest.raises(InputError, match="at least 10"):
        Feedback(monitor, table[:4], store, by="ana")
