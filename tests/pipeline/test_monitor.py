from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from outlearn.decisions.rule import Rule
from outlearn.errors import InputError, ReadError, SchemaError
from outlearn.pipeline import Monitor
from outlearn.pipeline.learn import Reading, open_table
from outlearn.report.profiles import profile_words


@pytest.fixture(scope="module")
def frame():
    values = np.random.default_rng(0).normal(size=(150, 3))
    return pl.DataFrame(values, schema=["a", "b", "c"], orient="row").with_columns(
        kind=pl.Series(["x", "y", "z"] * 50)
    )


@pytest.fixture(scope="module")
def monitor(frame):
    return Monitor.fit(frame, detector="knn", contamination=0.1)


def test_a_saved_monitor_judges_alike(frame, monitor, tmp_path):
    monitor.save(tmp_path / "model.outlearn")
    again = Monitor.load(tmp_path / "model.outlearn")
    here, there = monitor.detect(frame, top=3), again.detect(frame, top=3)
    assert (here.scores == there.scores).all()
    assert here.decision.threshold == there.decision.threshold and here.decision.rule == there.decision.rule
    assert here.explanations == there.explanations and here.reference == there.reference
    assert here.explanations[0].of_source and here.notes == there.notes and here.limits == there.limits
    assert (again.learnt_from, again.total, again.notes) == (
        monitor.learnt_from,
        monitor.total,
        monitor.notes,
    )
    assert (again.support_rows == monitor.support_rows).all()


def test_neighbours_of_a_sample_are_numbered_as_rows_of_the_source_after_loading(frame, tmp_path):
    """Known normals of which a part is kept out, so that the support is not the table."""
    fitted = Monitor.fit(frame, detector="knn", known_normal=True, false_alarm_rate=0.1)
    fitted.save(tmp_path / "model.outlearn")
    again = Monitor.load(tmp_path / "model.outlearn")
    assert len(again.support_rows) < frame.height
    told = again.explain(frame, 3)
    assert told.neighbours == fitted.explain(frame, 3).neighbours and told.of_source
    fitted.detector.save(tmp_path / "detector.outlearn")  # which knows nothing of the table
    bare = Monitor.load(tmp_path / "detector.outlearn")
    assert bare.support_rows is None and not bare.explain(frame, 3).of_source
    assert "rows kept in" in bare.learnt_from


def test_row_numbers_that_do_not_fit_the_support_are_refused(monitor, tmp_path):
    replace(monitor, support_rows=np.arange(3)).save(tmp_path / "model.outlearn")
    with pytest.raises(ReadError, match="3 row numbers for a support of 150 rows"):
        Monitor.load(tmp_path / "model.outlearn")


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "model").write_text("not a model")
    with pytest.raises(ReadError, match="is not a model"):
        Monitor.load(tmp_path / "model")


def test_dates_written_in_another_form_are_profiled_as_dates(frame):
    days = [f"{1 + i % 28}.{1 + i % 3:02}.2024" for i in range(150)]
    rows = frame.with_columns(when=pl.Series(days))
    findings = Monitor.fit(rows, detector="knn", contamination=0.1).detect(rows, top=1)
    profile = next(profile for profile in findings.profiles if profile.column == "when")
    assert profile_words(profile).usual.startswith("median 2024-0")
    assert findings.top_values[0]["when"] in days  # shown as it stands in the table


def test_a_row_is_explained_as_in_the_findings(frame, monitor):
    findings = monitor.detect(frame, top=2)
    row = int(findings.top[1])
    assert monitor.explain(frame, row) == findings.explanations[1]
    assert len(monitor.explain(frame, row, columns=1).contributions) == 1


@pytest.mark.parametrize("row", [150, -1])
def test_a_row_that_is_not_there_is_refused(frame, monitor, row):
    with pytest.raises(InputError, match=f"row {row} was asked for"):
        monitor.explain(frame, row)


def test_columns_are_matched_by_name(frame, monitor):
    scores = monitor.detect(frame, top=0).scores
    turned = frame.select("kind", "c", pl.lit(1).alias("extra"), "b", "a")
    assert (monitor.detect(turned, top=0).scores == scores).all()
    with pytest.raises(SchemaError, match="renamed"):
        monitor.detect(frame.rename({"kind": "Kind"}))


def test_a_rule_of_the_day_goes_before_that_of_the_fit(frame, monitor):
    assert monitor.detect(frame, top=0).decision.rule == Rule.contamination(0.1)
    assert monitor.detect(frame, top=0, rule=Rule.budget(4)).decision.flagged.sum() == 4


def test_an_unseen_category_is_told(frame, monitor):
    notes = monitor.detect(frame.with_columns(kind=pl.lit("new")), top=0).notes
    assert any("not seen in the fit" in note for note in notes)


def test_an_update_is_another_monitor_and_the_old_one_goes_on_as_before(frame, monitor):
    """Two threads score by the monitor that a third updates."""
    rows = frame.height
    labels = np.where(np.arange(rows) % 7 == 0, 1, 0)
    opened, _ = open_table(frame.with_columns(verdict=labels), Reading(label_column="verdict"))
    before = monitor.detect(frame, top=3)
    with ThreadPoolExecutor(3) as pool:
        scored = [pool.submit(monitor.detector.anomaly_score, frame) for _ in range(6)]
        updated = pool.submit(monitor.update, opened, "verdict").result()
        assert all(np.array_equal(each.result(), before.scores) for each in scored)
    assert updated.detector is not monitor.detector
    after = monitor.detect(frame, top=3)
    assert np.array_equal(after.scores, before.scores)
    assert after.explanations == before.explanations and after.labels == before.labels
    assert len(updated.support_rows) == len(updated.detector.support_)
    found = updated.detect(frame, top=3)
    assert sum(found.labels) == rows and not np.array_equal(found.scores, before.scores)


def test_what_is_repaired_in_any_piece_is_told_with_its_number(frame, monitor, monkeypatch):
    """A category that is new in the last rows of many pieces."""
    monkeypatch.setattr("outlearn.pipeline.rows._CHUNK_ROWS", 1000)
    many = pl.concat([frame] * (4000 // frame.height))
    late = np.arange(many.height) >= many.height - 7
    odd = many.with_columns(kind=pl.when(pl.Series(late)).then(pl.lit("new")).otherwise("kind"))
    assert "kind: 7 values are of a category not seen in the fit" in monitor.detect(odd, top=0).notes
    assert not any("not seen" in note for note in monitor.detect(many, top=0).notes)
