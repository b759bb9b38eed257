import numpy as np
import polars as pl
import pytest

from outlearn.data.schema import Kind, Role
from outlearn.decisions.conformal import p_values
from outlearn.decisions.rule import Rule
from outlearn.errors import InputError, LabelError, OutputError, ParameterError, SchemaError
from outlearn.pipeline import detect, rows
from outlearn.pipeline.monitor import Monitor


def table(n=200, seed=0, odd=5):
    """Rows of three normal columns; the first `odd` rows lie far out."""
    values = np.random.default_rng(seed).normal(size=(n, 3))
    values[:odd] += 12
    return pl.DataFrame(values, schema=["a", "b", "c"], orient="row")


def test_the_odd_rows_come_first_with_reasons():
    findings = detect(table(), detector="knn", top=7)
    assert set(findings.top[:5].tolist()) == set(range(5))
    assert (np.diff(findings.scores[findings.top]) <= 0).all()
    assert [told.row for told in findings.explanations] == findings.top.tolist()
    assert [values["a"] for values in findings.top_values] == table()["a"][findings.top.tolist()].to_list()
    assert findings.explanations[0].score == pytest.approx(findings.scores[findings.top[0]])
    assert findings.reference is None and findings.labels == (0, 0) and findings.support_size == 200


def test_the_learnt_detector_is_the_default():
    findings = detect(table(odd=1), top=1)
    assert findings.top.tolist() == [0]
    assert findings.detector == "profiles (learnt across tables)"


def test_neighbours_are_row_numbers_of_usual_rows():
    near = detect(table(), detector="knn", top=1).explanations[0].neighbours
    assert near and all(5 <= row < 200 for row in near)


def test_same_seed_same_findings_another_detector_others():
    one, two = (detect(table(), detector="iforest", top=3, random_state=4) for _ in range(2))
    assert (one.scores == two.scores).all() and one.explanations == two.explanations
    assert (one.map.xy == two.map.xy).all() and one.profiles == two.profiles
    assert (detect(table(), detector="iforest", random_state=5).scores != one.scores).any()


def test_pieces_change_nothing(monkeypatch, tmp_path):
    path = tmp_path / "rows.csv"
    table(3000).write_csv(path)
    whole = detect(path, detector="knn", top=4, out=tmp_path / "whole.csv")
    monkeypatch.setattr(rows, "_HELD_CELLS", 0)
    monkeypatch.setattr(rows, "_CHUNK_CELLS", 0)  # 1,000 rows a piece
    pieces = detect(path, detector="knn", top=4, out=tmp_path / "pieces.csv")
    assert (whole.scores == pieces.scores).all()
    assert whole.explanations == pieces.explanations and whole.top_values == pieces.top_values
    assert (tmp_path / "whole.csv").read_text() == (tmp_path / "pieces.csv").read_text()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "arrow"])
def test_all_rows_are_written_in_order(tmp_path, suffix):
    out = tmp_path / f"scored.{suffix}"
    findings = detect(table(), detector="knn", top=3, out=out, rule=Rule.budget(6))
    read = {
        "parquet": pl.read_parquet,
        "csv": pl.read_csv,
        "jsonl": pl.read_ndjson,
        "arrow": pl.read_ipc,
    }[suffix](out)
    assert read.columns == ["a", "b", "c", "anomaly_score", "flagged", "rank", "reason"]
    assert np.allclose(read["a"], table()["a"]) and np.allclose(read["anomaly_score"], findings.scores)
    assert read["flagged"].to_list() == findings.decision.flagged.tolist()
    assert read["rank"].drop_nulls().sort().to_list() == [1, 2, 3]
    row = int(findings.top[0])
    assert read["rank"][row] == 1 and read["reason"][row] == findings.explanations[0].sentence
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_our_columns_make_room_for_those_of_the_table(tmp_path):
    frame = table().with_columns(rank=pl.lit(1), flagged=pl.lit(True))
    findings = detect(frame, detector="knn", top=1, out=tmp_path / "scored.csv")
    columns = pl.read_csv(tmp_path / "scored.csv").columns
    assert {"rank", "outlearn_rank", "flagged", "outlearn_flagged", "anomaly_score"} <= set(columns)
    assert any("outlearn_rank" in note for note in findings.notes)


def test_a_reference_makes_the_promise_and_p_values():
    findings = detect(
        table(300, 1, odd=3), reference=table(500, 2, odd=0), detector="knn", rule=Rule.false_alarm_rate(0.05)
    )
    assert findings.decision.promise.holds
    assert findings.decision.flagged[:3].all() and findings.decision.flagged.sum() < 60
    assert findings.labels == (0, 500) and findings.support_size == 350
    assert findings.reference.rows == 500
    monitor_p = findings.decision.p_values
    assert (np.argsort(-findings.scores)[:3] < 3).all() and monitor_p[:3].max() == pytest.approx(1 / 151)


def test_without_a_reference_there_is_no_promise():
    decision = detect(table(), detector="knn", rule=Rule.false_alarm_rate(0.05)).decision
    assert not decision.promise.holds and decision.p_values is None


def test_discoveries_hold_rows_out_of_the_reference_too():
    findings = detect(
        table(50, 1, odd=3),
        reference=table(2000, 2, odd=0),
        detector="knn",
        rule=Rule.false_discovery_rate(0.2),
    )
    assert findings.decision.promise.holds and findings.decision.flagged[:3].all()
    assert findings.support_size == 1400


def test_labels_are_no_feature_and_reach_the_detector():
    frame = table().with_columns(verdict=pl.Series(["anomaly", "0", *[""] * 198]))
    findings = detect(frame, detector="bagged_trees", label_column="verdict", top=1)
    assert findings.schema["verdict"].role is Role.LABEL
    assert findings.labels == (1, 1)
    assert any("name 1 anomaly; kinds" in limit for limit in findings.limits)
    assert all(why.column != "verdict" for told in findings.explanations for why in told.contributions)


def test_labels_of_today_are_learnt_beside_a_reference():
    today = table(100, 1).with_columns(y=pl.Series([1, 0, *[None] * 98]))
    findings = detect(today, reference=table(200, 2, odd=0), detector="knn", label_column="y")
    assert findings.labels == (1, 201)
    assert any("2 labelled rows" in note for note in findings.notes)


def test_a_label_column_that_is_nowhere_is_refused():
    with pytest.raises(SchemaError, match="no column 'y' for the label column"):
        detect(table(), reference=table(), detector="knn", label_column="y")


def test_a_table_of_anomalies_only_is_refused():
    with pytest.raises(LabelError, match="all 200 rows are labelled anomalies"):
        detect(table().with_columns(y=1), detector="knn", label_column="y")


def test_a_budget_a_day_takes_the_top_of_each_day():
    days = pl.Series("when", [f"2024-01-0{1 + i // 50} 10:00:{i % 50:02d}" for i in range(200)])
    findings = detect(
        table().with_columns(days), detector="knn", time_column="when", rule=Rule.budget("2/day"), top=5
    )
    assert findings.schema["when"].kind is Kind.DATETIME
    assert [int(findings.decision.flagged[i : i + 50].sum()) for i in range(0, 200, 50)] == [2, 2, 2, 2]
    with pytest.raises(ParameterError, match="needs the time of each row"):
        detect(table(), detector="knn", rule=Rule.budget("2/day"))


def test_the_answer_of_a_bundled_set_is_not_seen_unasked():
    blind = detect("dataset:wine", detector="knn", top=1)
    assert blind.schema["label"].role is Role.IGNORED
    assert detect("dataset:wine", detector="knn", label_column="label").labels == (13, 130)


def test_overrides_may_name_the_label_column(tmp_path):
    toml = tmp_path / "schema.toml"
    toml.write_text('[columns.y]\nrole = "label"\n[columns.c]\nkind = "categorical"\n')
    findings = detect(table().with_columns(y=pl.lit(0)), detector="knn", schema=toml)
    assert findings.labels == (0, 200) and findings.schema["c"].kind is Kind.CATEGORICAL


def test_notes_say_what_was_set_aside_and_repaired():
    frame = table().with_columns(
        pl.Series("id", range(200)), pl.lit("x").alias("same"), pl.col("b").replace(pl.first("b"), np.inf)
    )
    notes = " ".join(detect(frame, detector="knn", ignore=["c"], top=0).notes)
    assert "'id' (identifier" in notes and "only where it differs: 'same' (x)" in notes and "'c'" in notes
    assert "1 infinite value" in notes


def test_where_rows_that_tie_are_not_flagged_it_is_said_why():
    rng = np.random.default_rng(0)
    rows = pl.DataFrame({"a": rng.choice(["x", "y"], 300), "b": rng.choice([0, 1], 300)})
    for rule in (None, Rule.contamination(0.05), Rule.budget(5)):
        findings = detect(rows, detector="iforest", rule=rule, top=1)
        told = [limit for limit in findings.limits if "flagged all or not at all" in limit]
        tied = int((findings.scores == findings.scores.max()).sum())
        if rule == Rule.budget(5):
            assert findings.decision.flagged.sum() == 5 and not told
        else:
            assert not findings.decision.flagged.any() and f"which {tied} rows share" in told[0]


def test_limits_speak_of_few_rows_copies_and_labels():
    few = " ".join(detect(table(20), detector="knn", top=1).limits)
    assert "only 20 rows" in few and "Without labelled anomalies" in few and "no probability" in few
    copies = pl.concat([table(30)] * 3)
    assert any("67 %" in limit and "copies" in limit for limit in detect(copies, detector="knn").limits)


def test_only_part_of_a_large_table_is_compared_with():
    findings = detect(table(6000), detector="iforest", top=1)
    assert findings.support_size == 5000
    assert any("5,000 of 6,000 rows" in limit for limit in findings.limits)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"top": -1}, ParameterError, "top is -1"),
        ({"out": "/nowhere/x.csv"}, OutputError, "there is no folder"),
        ({"out": "x.xlsx"}, OutputError, "ends in .parquet, .csv, .jsonl, .arrow"),
        ({"detector": "nope"}, ParameterError, "no detector is called 'nope'"),
        ({"ignore": ["zz"]}, SchemaError, "no column 'zz'"),
        ({"time_column": "zz"}, SchemaError, "no column 'zz'"),
        ({"reference": table().rename({"a": "q"})}, SchemaError, "- q"),
    ],
)
def test_wrong_requests_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        detect(table(), **{"detector": "knn", **arguments})


def test_the_table_itself_is_not_overwritten(tmp_path):
    path = tmp_path / "rows.csv"
    table().write_csv(path)
    before = path.read_text()
    with pytest.raises(OutputError, match="it is what is read"):
        detect(str(path), detector="knn", out=path)
    assert path.read_text() == before


def test_one_row_is_too_few():
    with pytest.raises(InputError, match="1 row; at least 2"):
        detect(table(1), detector="knn")


def test_p_values_are_those_of_the_held_out_rows():
    from outlearn.pipeline import Monitor

    monitor = Monitor.fit(table(300, odd=0), detector="knn", known_normal=True, false_alarm_rate=0.1)
    findings = monitor.detect(table(40, 1))
    held_out = monitor.detector.calibration_scores_
    assert len(held_out) == 90
    assert (findings.decision.p_values == p_values(findings.scores, held_out)).all()


def test_progress_tells_each_stage(tmp_path):
    seen = []
    detect(
        table(),
        detector="knn",
        out=tmp_path / "x.csv",
        progress=lambda stage, done, total: seen.append(stage),
    )
    assert list(dict.fromkeys(seen)) == [
        "reading",
        "sampling",
        "learning",
        "scoring",
        "explaining",
        "writing",
    ]


def test_only_learners_of_probabilities_speak_of_calibration():
    table = pl.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), schema=["a", "b", "c"])
    found = {name: detect(table, detector=name) for name in ("profiles", "protonet")}
    assert "none that is less likely than 30 %" in str(found["profiles"].decision.rule)
    assert "rough estimate" in str(found["protonet"].decision.rule)
    said = {name: " ".join(each.limits) for name, each in found.items()}
    assert "calibrated" in said["profiles"] and "no probability" not in said["profiles"]
    assert "no probability" in said["protonet"] and "calibrated" not in said["protonet"]


@pytest.mark.parametrize("detector", ["profiles", "knn"])
def test_copies_score_as_the_rows_that_they_are_copies_of(detector):
    rows = pl.DataFrame({"a": [*range(60)], "b": ["x", "y", None] * 20, "c": [0.5, None] * 30})
    copies = pl.concat([rows] * 5)
    scores = detect(copies, detector=detector, top=0).scores
    monitor = Monitor.fit(copies, detector=detector)
    assert scores.reshape(5, 60).tolist() == [scores[:60].tolist()] * 5
    assert scores == pytest.approx(monitor.detector.anomaly_score(copies), abs=1e-6)


def test_what_was_written_beside_rows_is_no_feature_when_they_are_read_again(tmp_path):
    rng = np.random.default_rng(0)
    table = pl.DataFrame(rng.normal(size=(120, 3)), schema=["a", "b", "rank"])
    first, again = tmp_path / "first.csv", tmp_path / "again.csv"
    found = detect(table, detector="knn", out=first)
    second = detect(first, detector="knn", out=again)
    assert (second.scores == found.scores).all()
    assert [column.name for column in second.schema.used] == ["a", "b", "rank"]
    told = " ".join(second.notes)
    assert "scored before" in told and "'outlearn_rank'" in told and "'verdict'" not in told
    third = detect(again, detector="knn")
    assert (third.scores == found.scores).all()

    said = pl.read_csv(first).with_columns(verdict=pl.when(pl.col("flagged")).then(pl.lit("normal")))
    plain, taught = (detect(said, detector="protonet", label_column=name) for name in (None, "verdict"))
    assert "verdict" not in [column.name for column in plain.schema.used]
    assert any("name it as the label column" in note for note in plain.notes)
    assert taught.labels[1] == int(found.decision.flagged.sum()) and not (taught.scores == plain.scores).all()


def scikit_learn(n=200):
    """Rows with labels as scikit-learn has them: -1 for the first five, which are odd, and 1."""
    return table(n).with_columns(y=pl.Series([-1] * 5 + [1] * (n - 5)))


def test_labels_of_scikit_learn_stop_until_the_user_says_which_are_anomalies():
    with pytest.raises(LabelError, match="1 is an anomaly, 0 a normal row, and -1 or an empty cell"):
        detect(scikit_learn(), detector="knn", label_column="y")
    findings = detect(scikit_learn(), detector="knn", label_column="y", anomaly_values=["-1"], top=5)
    assert findings.labels == (5, 195) and set(findings.top.tolist()) == set(range(5))
    assert any("anomalies: '-1' (5 rows); normal: '1' (195 rows)" in note for note in findings.notes)
    with pytest.raises(LabelError, match=r"no row of column 'y' of .* holds '-2'; its values are '-1', '1'"):
        detect(scikit_learn(), detector="knn", label_column="y", anomaly_values=["-2"])
    with pytest.raises(LabelError, match="and -1 in 5, and no 0"):
        detect(table(), reference=scikit_learn(), detector="knn", label_column="y")


def test_more_anomalies_than_normal_rows_are_never_taken_in_silence():
    alone = table().with_columns(y=pl.Series([1] * 150 + [None] * 50))
    with pytest.raises(LabelError, match="150 of 200 rows anomalies and none normal"):
        detect(alone, detector="knn", label_column="y")
    turned = detect(table().with_columns(y=pl.Series([0] * 5 + [1] * 195)), detector="knn", label_column="y")
    assert "the other way round" in turned.cautions[0]


def test_what_looks_like_the_answer_is_no_feature_and_that_is_said_first(tmp_path):
    frame = table().with_columns(is_fraud=pl.Series([1] * 5 + [0] * 195))
    findings = detect(frame, detector="knn", top=0)
    assert (findings.scores == detect(table(), detector="knn", top=0).scores).all()
    assert "'is_fraud' looks like the answer" in findings.cautions[0]
    assert "--label-column is_fraud" in findings.cautions[0]
    for known in ({"label_column": "is_fraud"}, {"ignore": ["is_fraud"]}):
        assert detect(frame, detector="knn", top=0, **known).cautions == ()
    toml = tmp_path / "schema.toml"
    toml.write_text('[columns.is_fraud]\nrole = "feature"\n')
    kept = detect(frame, detector="knn", schema=toml, top=0)
    assert kept.schema["is_fraud"].used and kept.cautions == ()
    two = detect(frame.with_columns(label=pl.col("is_fraud")), detector="knn", top=0).cautions
    assert len(two) == 1 and "each of the columns 'is_fraud', 'label' looks like the answer" in two[0]
    seats = table().with_columns(pl.Series("class", ["economy", "first"] * 100))
    assert "'class' may be the answer" in detect(seats, detector="knn", top=0).cautions[0]
    truth = np.repeat([0, 1], [60, 8])
    leak = pl.DataFrame({"a": np.random.default_rng(0).normal(size=68), "code": truth + 4, "verdict": truth})
    (caution,) = detect(leak, label_column="verdict", detector="knn", top=0).cautions
    assert caution.startswith("column 'code' alone tells every labelled anomaly from every normal row")
    monitor = Monitor.fit(frame, detector="knn")
    monitor.save(tmp_path / "m.outlearn")
    assert monitor.cautions and monitor.cautions[0] in Monitor.load(tmp_path / "m.outlearn").notes


@pytest.mark.parametrize("both", [False, True])
def test_a_column_to_leave_out_may_be_in_one_of_the_files(both, tmp_path):
    said = table(100).with_columns(verdict=pl.lit("x"))
    new, usual = (table(100), said) if both else (said, table(100))
    found = detect(new, reference=usual, detector="knn", ignore=["verdict"], top=0)
    assert (found.scores == detect(table(100), reference=table(100), detector="knn", top=0).scores).all()
    toml = tmp_path / "schema.toml"
    toml.write_text('[columns.verdict]\nrole = "ignored"\n')
    said_so = detect(new, reference=usual, detector="knn", schema=toml, top=0)
    assert (said_so.scores == found.scores).all()
    with pytest.raises(SchemaError, match=r"no column 'verdct' .* did you mean verdict"):
        detect(said, reference=said, detector="knn", ignore=["verdct"])


def test_a_message_about_a_column_names_the_file(tmp_path):
    new, usual = tmp_path / "new.csv", tmp_path / "usual.csv"
    table(60).write_csv(new)
    table(60).rename({"a": "q"}).write_csv(usual)
    with pytest.raises(SchemaError, match=r"missing in .*new\.csv"):
        detect(new, reference=usual, detector="knn")
    with pytest.raises(SchemaError, match=r"'y' for the label column in .*new\.csv or .*usual\.csv"):
        detect(new, reference=usual, detector="knn", label_column="y")
    table(60).with_columns(y=pl.lit("mybe")).write_csv(new)
    with pytest.raises(LabelError, match=r"column 'y' of .*new\.csv holds 'mybe' \(row 0\)"):
        detect(new, detector="knn", label_column="y")


def test_a_reference_that_was_given_is_not_asked_for():
    alone = detect(table(100), detector="knn", top=0).decision.promise.text
    beside = detect(table(100), reference=table(100), detector="knn", top=0).decision.promise.text
    assert "takes a reference" in alone and "reference" not in beside
    monitor = Monitor.fit(table(100), detector="knn", known_normal=True)
    text = monitor.detect(table(100), rule=Rule.false_discovery_rate(0.1)).decision.promise.text
    assert "no normal rows were held out" in text and "may hold anomalies" not in text
