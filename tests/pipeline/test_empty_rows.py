"""Rows whose cells are all missing: told, not learnt from, never first."""

import numpy as np
import polars as pl
import pytest

from outlearn.data.readers import open_source
from outlearn.decisions.rule import Rule
from outlearn.errors import InputError
from outlearn.feedback.store import VerdictFile
from outlearn.pipeline import feedback
from outlearn.pipeline.detection import detect
from outlearn.pipeline.evaluate import evaluate
from outlearn.pipeline.hunt import hunt
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.scan import score_rows
from outlearn.pipeline.stages import Stages

ROWS, EVERY, ODD = 120, 5, 33  # every fifth row is empty, and one of the others is odd
EMPTY = np.arange(ROWS) % EVERY == 0
REASON = "all cells are missing."


@pytest.fixture(scope="module")
def table():
    """Rows with a name each and a constant; where they are empty, nothing else is in them."""
    rng = np.random.default_rng(0)
    heat = rng.normal(20, 1, ROWS)
    heat[ODD] = 60
    filled = pl.DataFrame(
        {
            "name": [f"row-{7919 * i % 10007:05d}" for i in range(ROWS)],
            "heat": heat,
            "load": rng.normal(5, 1, ROWS),
            "shop": rng.choice(["A", "B"], ROWS),
            "unit": ["C"] * ROWS,
        }
    )
    empty = pl.Series(EMPTY)
    return filled.with_columns(
        pl.when(~empty).then(pl.col(name)).alias(name) for name in ("heat", "load", "shop", "unit")
    )


@pytest.fixture(scope="module")
def monitor(table):
    return Monitor.fit(table, detector="knn")


def test_they_are_said_and_come_last(table, tmp_path):
    out = tmp_path / "scored.csv"
    findings = detect(table, detector="knn", rule=Rule.budget(ROWS), top=ROWS, out=out)
    assert findings.top[0] == ODD
    assert set(findings.top) == set(np.flatnonzero(~EMPTY))
    assert (findings.decision.flagged == ~EMPTY).all()
    [said] = [note for note in findings.notes if "empty" in note]
    assert said == (
        "24 rows are empty: all their cells are missing; nothing is learnt from them, they score 0 and come "
        "last"
    )
    assert not any("is missing" in why.sentence for why in findings.explanations)
    assert {column.name for column in findings.schema.used} == {"heat", "load", "shop"}
    scored = pl.read_csv(out)
    assert scored.height == ROWS
    assert set(scored.filter(EMPTY)["reason"]) == {REASON}
    assert scored.filter(EMPTY).select("anomaly_score", "flagged", "rank").unique().rows() == [
        (0, False, None)
    ]


def test_nothing_is_learnt_from_them(table, monitor):
    alone = Monitor.fit(table.filter(~EMPTY), detector="knn")
    assert monitor.total == alone.total == ROWS - EMPTY.sum()
    np.testing.assert_array_equal(monitor.detector.support_, alone.detector.support_)
    assert set(monitor.support_rows) == set(np.flatnonzero(~EMPTY))
    assert "24 rows are empty: all their cells are missing, and nothing is learnt from them" in monitor.notes


def test_they_score_the_same_in_any_pieces(table, monitor, elsewhere):
    whole = score_rows(monitor.detector, open_source(table), Stages(None), elsewhere)
    by_one = [
        score_rows(monitor.detector, open_source(table[[row]]), Stages(None)) for row in (0, 1, ODD, 35)
    ]
    assert (whole.empty == EMPTY).all()
    assert [bool(scan.empty[0]) for scan in by_one] == [True, False, False, True]
    np.testing.assert_allclose([s.scores[0] for s in by_one], whole.scores[[0, 1, ODD, 35]], rtol=1e-6)
    blank = table.with_columns(
        shop=pl.col("shop").fill_null("  "), heat=pl.col("heat").fill_null(float("nan"))
    )
    assert (score_rows(monitor.detector, open_source(blank.to_pandas()), Stages(None)).empty == EMPTY).all()


def test_nobody_is_asked_about_them(table, monitor, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(feedback.Inquiry, "__init__", lambda self, rows, random_state: asked.append(rows))
    monkeypatch.setattr(feedback.Inquiry, "afresh", lambda self: self)
    feedback.Feedback(monitor, table, VerdictFile(tmp_path / "verdicts.jsonl"), by="ana")
    assert [len(rows) for rows in asked] == [ROWS - EMPTY.sum()]


def test_an_empty_row_is_explained_and_labelled_as_such(table, monitor):
    why = monitor.explain(table, 5)
    assert (why.sentence, why.score) == (REASON, 0.0)
    labelled = open_source(table.with_columns(y=pl.when(pl.Series(EMPTY)).then(1)))
    assert monitor.update(labelled, "y") is monitor


def test_a_reference_with_empty_rows(table):
    findings = detect(table[30:60], reference=table[60:], detector="knn", top=1)
    assert findings.top[0] == ODD - 30
    assert findings.reference.rows == 48


def test_one_is_said_as_one(table):
    findings = detect(pl.concat([table[:1], table.filter(~EMPTY)[:20]]), detector="knn", top=1)
    assert any(note.startswith("1 row is empty: all its cells are missing") for note in findings.notes)


def test_a_table_of_empty_rows_is_refused(table):
    with pytest.raises(InputError, match="all rows are empty"):
        detect(table.filter(EMPTY).drop("name"), detector="knn")


def test_hunting_passes_over_them(table, few_trees):
    findings = hunt(table, table[[ODD]], learner="profiles", top=3)
    assert findings.top[0] == ODD
    assert not findings.decision.flagged[EMPTY].any()
    with pytest.raises(InputError, match="case 1, counted from 0, is empty"):
        hunt(table, table[[ODD, 35]], learner="profiles")


def test_detectors_are_not_judged_on_them(table):
    heat = pl.col("heat").fill_null(60.0)
    labelled = table.with_columns(y=(heat > 22).cast(pl.Int64))
    trial = evaluate(labelled, detectors=["knn"], label_column="y", splits=1)
    figures = trial.figures["knn"]
    assert figures.train_rows + figures.test_rows == ROWS - EMPTY.sum()
    assert any(note.startswith("24 rows are empty") for note in trial.notes)


def test_cells_that_did_not_fit_are_told_once(table):
    weights = [f"{1 + i % 7}.5 kg" for i in range(ROWS - 2)]
    mixed = table.with_columns(w=pl.Series([*weights, "lost", "lost"]), heat=pl.col("heat").cast(pl.String))
    mixed = mixed.with_columns(heat=pl.when(pl.int_range(ROWS) == 7).then(pl.lit("oops")).otherwise("heat"))
    told = detect(mixed, detector="knn").notes
    assert [note for note in told if note.startswith(("column 'w'", "w:"))] == [
        "column 'w': 'kg' read as numbers; 2 of 120 cells did not fit and are missing (such as 'lost')"
    ]
    assert sum("not a number" in note or note.startswith("heat:") for note in told) == 1
    new = Monitor.fit(mixed, detector="knn").detect(mixed.tail(2)).notes
    assert "w: 2 values are not of the column's kind and read as missing" in new
