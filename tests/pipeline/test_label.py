"""From a scored file with verdicts to a model that has learnt them."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from outlearn.data.readers import ReadOptions
from outlearn.detectors.series import SeriesDetector
from outlearn.errors import LabelError, SchemaError
from outlearn.feedback.store import VerdictFile
from outlearn.feedback.verdict import Answer, Channel, make_verdict
from outlearn.pipeline import Monitor, engine
from outlearn.pipeline.label import label_model
from outlearn.pipeline.labelled import identities_of
from outlearn.pipeline.request import FitRequest, Outputs

ODD, FINE = 11, 40  # a row that is odd though it hardly looks so, and one that looks odd and is fine


@pytest.fixture(scope="module")
def table():
    """Payments of two kinds; one is of a large amount."""
    rng = np.random.default_rng(3)
    amount = np.round(rng.gamma(3, 20, 150), 2)
    amount[FINE] = 900.0
    return pl.DataFrame(
        {
            "id": np.arange(150) + 7000,
            "amount": amount,
            "shop": rng.choice(["A", "B", "C"], 150),
            "when": [datetime(2026, 1, 1) + timedelta(hours=7 * i) for i in range(150)],
            "age": [None if i % 11 == 0 else int(rng.integers(18, 80)) for i in range(150)],
        }
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def store(folder):
    return VerdictFile(folder / "verdicts.jsonl")


def scored(folder, table, detector="iforest", suffix="csv"):
    """Fit, score and return the model and the scored file, in which nothing is said yet."""
    table.write_parquet(folder / "t.parquet")
    model, out = folder / "m.outlearn", folder / f"scored.{suffix}"
    monitor = Monitor.fit(folder / "t.parquet", detector=detector)
    monitor.save(model)
    monitor.detect(folder / "t.parquet", out=out, top=3)
    return model, out


READ = {"csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": pl.read_ndjson, "arrow": pl.read_ipc}
WRITE = {"csv": "write_csv", "parquet": "write_parquet", "jsonl": "write_ndjson", "arrow": "write_ipc"}


def say(path, verdicts):
    """Write verdicts, by row, into a scored file."""
    suffix = path.suffix[1:]
    frame = READ[suffix](path)
    cells = [verdicts.get(row) for row in range(frame.height)]
    getattr(frame.with_columns(verdict=pl.Series(cells)), WRITE[suffix])(path)


def test_a_row_called_an_anomaly_scores_higher_and_a_false_alarm_lower(folder, table, store):
    model, path = scored(folder, table, "profiles")
    before = Monitor.load(model).detect(table, top=0).scores
    assert before[FINE] == before.max() and before[ODD] < np.median(before) + 0.2
    say(path, {ODD: "anomaly", FINE: "normal"})
    labelled = label_model(model, path, model, store, by="ana")
    assert (labelled.anomalies, labelled.normals, labelled.added) == (1, 1, 2)
    assert not any("makes little of verdicts" in note for note in labelled.notes)
    after = Monitor.load(model).detect(table, top=0).scores
    assert after[ODD] > 2 * before[ODD] and after[FINE] < before[FINE]
    effects = {effect.row: effect for effect in labelled.effects}
    assert effects[ODD].before == pytest.approx(before[ODD]) and effects[ODD].after == pytest.approx(
        after[ODD]
    )
    kept = store.read().verdicts
    assert [(each.row, each.answer, each.by, each.origin) for each in kept] == [
        (ODD, "anomaly", "ana", "file"),
        (FINE, "normal", "ana", "file"),
    ]
    assert kept[0].score == pytest.approx(before[ODD]) and kept[0].model == "m.outlearn"


@pytest.mark.parametrize("suffix", READ)
def test_verdicts_come_from_every_format_and_are_no_features(folder, table, store, suffix):
    model, path = scored(folder, table, suffix=suffix)
    say(path, {3: "1", 5: "0", 6: " Normal "})
    out = folder / "new.outlearn"
    labelled = label_model(model, path, out, store, by="ana")
    assert (labelled.anomalies, labelled.normals, labelled.skipped) == (1, 2, ())
    assert any("iforest makes little of verdicts" in note for note in labelled.notes)
    new = Monitor.load(out).detector
    assert [column.name for column in new.schema_.used] == ["amount", "shop", "when", "age"]
    assert sorted(new.support_y_[new.support_y_ >= 0].tolist()) == [0, 0, 1]
    assert (Monitor.load(model).detector.support_y_ == -1).all()  # the old model stays where another is named
    identities = identities_of(table[[3, 5, 6]], new.schema_)
    assert [each.identity for each in store.read().verdicts] == identities


def test_a_file_that_is_read_twice_adds_nothing_and_a_change_of_mind_holds(folder, table, store):
    model, path = scored(folder, table)
    say(path, {3: "anomaly", 5: "normal"})
    label_model(model, path, model, store, by="ana")
    again = label_model(model, path, model, store, by="ana")
    assert again.added == 0 and (again.anomalies, again.normals) == (1, 1)
    first = store.read().verdicts[0]
    of_row = {"source": "x", "row": 3, "identity": first.identity, "origin": Channel.CLI}
    store.append([make_verdict(Answer.NORMAL, by="bob", **of_row)])
    later = label_model(model, path, model, store, by="ana")
    assert (later.anomalies, later.normals, later.added) == (0, 1, 0)
    assert "row 3: bob called it normal" in later.skipped[0]


def test_what_is_no_verdict_is_passed_over_and_named(folder, table, store):
    twice = pl.concat([table, table[[3]]])
    model, path = scored(folder, twice)
    say(path, {3: "anomaly", 4: "mybe", 5: "unsure", 150: "normal"})
    labelled = label_model(model, path, model, store, by="ana")
    assert (labelled.anomalies, labelled.normals, labelled.unsure) == (0, 1, 1)
    assert "row 4: 'mybe' is no verdict" in labelled.skipped[0]
    assert "row 3: row 150, which is the same, is called normal" in labelled.skipped[1]


def test_where_nothing_is_said_nothing_is_written(folder, table, store):
    model, path = scored(folder, table)
    before = model.read_bytes()
    with pytest.raises(SchemaError, match="no column 'verdict' for the verdicts"):
        label_model(model, path, model, store, by="ana")
    with pytest.raises(SchemaError, match="'shop' is one that the model judges rows by"):
        label_model(model, path, model, store, by="ana", label_column="shop")
    say(path, {3: "mybe"})
    with pytest.raises(LabelError, match=r"no verdict came .*row 3: 'mybe'"):
        label_model(model, path, model, store, by="ana")
    assert model.read_bytes() == before and not store.path.exists()


def test_a_log_is_labelled_by_its_scored_lines(folder, store):
    usual = "Jan 1 10:{:02d}:00 host sshd[{}]: Accepted password for user{}"
    lines = [usual.format(i % 60, i, i % 5) for i in range(120)]
    lines[60] = "Jan 1 10:00:00 host kernel: segfault at 0 ip 0 sp 0 error 4 in xmrig"
    (folder / "l.log").write_text("\n".join(lines) + "\n")
    options = ReadOptions(kind="logs")
    monitor = Monitor.fit(folder / "l.log", detector="iforest", options=options)
    monitor.save(folder / "m.outlearn")
    monitor.detect(folder / "l.log", out=folder / "scored.csv", top=0, options=options)
    say(folder / "scored.csv", {60: "anomaly", 2: "normal"})
    labelled = label_model(
        folder / "m.outlearn", folder / "scored.csv", folder / "m.outlearn", store, by="ana"
    )
    assert (labelled.anomalies, labelled.normals) == (1, 1)


def test_points_of_a_series_are_labelled(folder, store):
    values = np.sin(np.arange(400) / 5) + 0.05 * np.random.default_rng(0).normal(size=400)
    values[300:310] += 3
    when = [datetime(2026, 1, 1) + timedelta(minutes=i) for i in range(400)]
    pl.DataFrame({"when": when, "heat": values}).write_csv(folder / "s.csv")
    model, path = folder / "m.outlearn", folder / "scored.csv"
    asked = FitRequest.of(folder / "s.csv", time_column="when", kind="series")
    engine.fit(asked).save(model)
    engine.score(model, folder / "s.csv", Outputs(out=path))
    say(path, dict.fromkeys(range(300, 310), "anomaly"))
    labelled = label_model(model, path, model, store, by="ana")
    assert labelled.anomalies == labelled.added == 10 and len(store.read().verdicts) == 10
    known = SeriesDetector.load(model).known_[0]
    assert np.flatnonzero(known.labels == 1).tolist() == list(range(300, 310))


def test_equal_points_of_a_series_without_times_are_each_learnt(folder, store):
    values = np.sin(np.arange(400) / 5)
    values[300:320] = 0.0  # a sensor that stood still
    pl.DataFrame({"v": values}).write_csv(folder / "s.csv")
    model, path = folder / "m.outlearn", folder / "scored.csv"
    engine.fit(FitRequest.of(folder / "s.csv", kind="series")).save(model)
    engine.score(model, folder / "s.csv", Outputs(out=path))
    say(path, dict.fromkeys(range(300, 320), "anomaly"))
    labelled = label_model(model, path, model, store, by="ana")
    assert labelled.anomalies == labelled.added == 20 and labelled.skipped == ()
    known = SeriesDetector.load(model).known_[0]
    assert np.flatnonzero(known.labels == 1).tolist() == list(range(300, 320))


def test_whoever_returns_to_an_earlier_answer_is_believed(folder, table, store):
    model, path = scored(folder, table)
    for answer in ("anomaly", "normal", "anomaly"):
        say(path, {10: answer})
        assert label_model(model, path, model, store, by="ana").added == 1
    assert [verdict.answer.value for verdict in store.read().verdicts] == ["anomaly", "normal", "anomaly"]
    say(path, {10: "unsure"})
    assert "fitted anew" in label_model(model, path, model, store, by="ana").notes[-1]


def test_verdicts_in_words_of_ones_own_are_understood_or_named(folder, table, store):
    model, path = scored(folder, table)
    say(path, {3: "fraud", 5: "ok", 6: "phishing mail"})
    labelled = label_model(model, path, model, store, by="ana")
    assert (labelled.anomalies, labelled.normals, labelled.skipped) == (2, 1, ())
    assert any(
        "read as anomalies: 'fraud' (1 row), 'phishing mail' (1 row)" in each for each in labelled.notes
    )
    say(path, {3: "normal", 7: "odd", 8: "mine"})
    assert "row 7: 'odd' is no verdict" in label_model(model, path, model, store, by="ana").skipped[0]
    named = label_model(model, path, model, store, by="ana", anomaly_values=["odd"])
    assert (named.anomalies, named.normals, named.skipped) == (1, 2, ())
