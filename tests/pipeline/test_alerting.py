import json

import numpy as np
import polars as pl
import pytest

from outlearn.decisions.rule import Rule
from outlearn.errors import OutputError, ParameterError, ReadError, SchemaError
from outlearn.pipeline import Monitor, collect, reasons
from outlearn.pipeline.alerting import AlertOptions
from outlearn.pipeline.detection import detect
from outlearn.pipeline.suppression import add_pattern, known_patterns, revoke_pattern


def flows(usual=400, scan=60, seed=0):
    rng = np.random.default_rng(seed)
    told = {
        "ts": np.sort(rng.uniform(1.7e9, 1.7e9 + 3600, usual)),
        "src_ip": [f"10.0.0.{i}" for i in rng.integers(1, 9, usual)],
        "dst_ip": [f"192.0.2.{i}" for i in rng.integers(1, 4, usual)],
        "dst_port": rng.choice([53, 443], usual),
        "proto": "tcp",
        "bytes": rng.lognormal(6, 0.5, usual),
        "packets": rng.integers(5, 20, usual),
    }
    odd = {
        "ts": 1.7e9 + 1800 + np.arange(scan) / 4,
        "src_ip": ["10.0.0.77"] * scan,
        "dst_ip": [f"10.0.1.{i}" for i in range(scan)],
        "dst_port": [445] * scan,
        "proto": "tcp",
        "bytes": np.full(scan, 40.0),
        "packets": [1] * scan,
    }
    return pl.concat([pl.DataFrame(odd), pl.DataFrame(usual and told)], how="vertical_relaxed")


def run(table=None, **options):
    chosen = AlertOptions(**options)
    table = flows() if table is None else table
    return detect(
        table, reference=flows(scan=0, seed=1), detector="knn", rule=Rule.budget(70), top=5, alerts=chosen
    )


@pytest.fixture
def good(tmp_path):
    return tmp_path / "good.jsonl"


def test_a_scan_is_one_incident_with_its_technique_and_its_source_is_the_first_host():
    findings = run()
    assert findings.decision.flagged.sum() == 70
    first = findings.incidents[0]
    assert first.entity == "10.0.0.77" and first.count == 60 and first.counts["target"] == 60
    assert [technique.id for technique in first.techniques] == ["T1046"]
    assert findings.hosts[0].address == "10.0.0.77" and findings.hosts[0].flagged == 60
    assert sum(each.count for each in findings.incidents) == 70


def test_what_is_known_to_be_good_is_not_flagged_and_counted(good, tmp_path):
    add_pattern(good, ["source_ip=10.0.0.64/26", "dst_port=445"], why="our scanner", by="soc")
    before, out = run(), tmp_path / "out.parquet"
    findings = detect(
        flows(), reference=flows(scan=0, seed=1), detector="knn", rule=Rule.budget(70), top=5, out=out,
        alerts=AlertOptions(suppress=good),
    )  # fmt: skip
    assert (findings.scores == before.scores).all()
    assert findings.decision.flagged.sum() == 10 and findings.suppressed == 60
    assert not (findings.decision.flagged & ~before.decision.flagged).any()
    assert findings.top.min() >= 60 and all(each.entity != "10.0.0.77" for each in findings.incidents)
    assert "60 flagged rows were suppressed by pattern 1 (our scanner, by soc, for good)" in findings.notes
    assert findings.decision.promise == before.decision.promise
    written = pl.read_parquet(out)
    assert written["suppressed"].to_list() == [1] * 60 + [None] * 400
    assert not written["flagged"][:60].any()


def test_a_promise_on_discoveries_says_that_it_counts_them(good):
    add_pattern(good, ["dst_port=445"], why="our scanner", by="soc")
    past = flows(usual=3000, scan=0, seed=1)
    findings = detect(
        flows(),
        reference=past,
        detector="knn",
        rule=Rule.false_discovery_rate(0.2),
        top=1,
        alerts=AlertOptions(suppress=good),
    )
    assert findings.suppressed and "counts the suppressed rows too" in findings.decision.promise.text


def test_a_revoked_or_expired_pattern_does_nothing_and_is_told(good):
    add_pattern(good, ["dst_port=445"], why="our scanner", by="soc")
    revoke_pattern(good, 1, why="it was theirs", by="eve")
    old = {
        "id": 7,
        "when": "2020-01-01",
        "by": "a",
        "why": "old",
        "where": ["dst_port=*"],
        "until": "2020-02-01",
    }
    good.write_text(f"{good.read_text()}{json.dumps(old)}\n")
    findings = run(suppress=good)
    assert findings.suppressed == 0 and findings.decision.flagged.sum() == 70
    told = " ".join(findings.notes)
    assert (
        "by eve: it was theirs" in told and "pattern 7 (old) does nothing: expired after 2020-02-01" in told
    )


def test_patterns_are_only_ever_added(good):
    before = b""
    for task in (
        lambda: add_pattern(good, ["a=1"], why="x", by="soc"),
        lambda: add_pattern(good, ["b=1"], why="y", by="soc"),
        lambda: revoke_pattern(good, 1, why="z", by="soc"),
    ):
        task()
        assert good.read_bytes().startswith(before) and len(good.read_bytes()) > len(before)
        before = good.read_bytes()
    with pytest.raises(ParameterError):
        add_pattern(good, ["nonsense"], why="x", by="soc")
    assert good.read_bytes() == before and len(known_patterns(good)) == 2
    good.write_bytes(before[:-5])
    with pytest.raises(ReadError, match="last line is not whole"):
        add_pattern(good, ["a=1"], why="x", by="soc")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"file": "a.txt"}, OutputError, r"wanted a name that ends in \.jsonl, \.cef, \.syslog"),
        ({"file": "no/folder.cef"}, OutputError, "there is no folder"),
        ({"of": "hosts"}, ParameterError, "wanted incidents or rows"),
        ({"gap": -1.0}, ParameterError, "wanted 0 seconds"),
        ({"suppress": "absent"}, ReadError, "cannot be read"),
        ({"entity": "srcip"}, SchemaError, "did you mean"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(options, error, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "outlearn.pipeline.detection.learn", lambda *_, **__: pytest.fail("it began to learn")
    )
    with pytest.raises(error, match=says):
        run(**options)
    assert list(tmp_path.iterdir()) == []


def test_a_pattern_on_a_column_that_is_not_there_names_close_ones(good):
    add_pattern(good, ["servce=dns"], why="x", by="soc")
    with pytest.raises(SchemaError, match="did you mean service"):
        run(suppress=good)


@pytest.mark.parametrize(("of", "lines"), [("incidents", None), ("rows", 70)])
def test_alerts_tell_of_incidents_or_of_rows(tmp_path, of, lines):
    path = tmp_path / "a.jsonl"
    findings = run(file=path, of=of)
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(told) == (lines or len(findings.incidents))
    assert sum(each["outlearn"]["count"] for each in told) == 70
    assert told[0]["threat"]["technique"]["id"] == ["T1046"]
    assert all("promise" in each["outlearn"] and each["event"]["reason"] for each in told)


def test_nothing_flagged_is_an_empty_file_and_said(tmp_path):
    path = tmp_path / "a.cef"
    findings = detect(
        flows(scan=0),
        detector="knn",
        rule=Rule.budget(1),
        top=0,
        alerts=AlertOptions(path, suppress=_all(tmp_path)),
    )
    assert path.read_text() == "" and findings.incidents == ()
    assert "no row is flagged, so there is no incident and no alert" in findings.notes


def _all(folder):
    add_pattern(folder / "all", ["src_ip=10.*"], why="x", by="soc")
    return folder / "all"


def test_a_failed_write_leaves_no_file(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    monkeypatch.setattr("outlearn.pipeline.alerting.ALERT_FORMATS", {".jsonl": lambda *_: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        run(file=path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_flagged_rows_beyond_the_cap_are_left_and_told(monkeypatch):
    whole = run()
    monkeypatch.setattr(collect, "LEAST_HELD", 20)
    monkeypatch.setattr(collect, "MOST_HELD", 20)
    monkeypatch.setattr(collect, "chunks_of", lambda source: source.chunks(37))
    findings = run()
    kept = [row for each in findings.incidents for row in each.rows]
    highest = sorted(np.flatnonzero(whole.decision.flagged), key=lambda row: (-whole.scores[row], row))[:20]
    assert sorted(kept) == sorted(highest)
    assert any(
        "20 flagged rows with the highest scores; 50 more are flagged" in note for note in findings.notes
    )


def test_rows_that_are_not_explained_have_the_reason_of_the_most_alike(monkeypatch):
    table = pl.DataFrame({"a": [0.0, 0.1, 50.0, 51.0, 0.2], "b": [0.0, 90.0, 0.1, 0.2, 91.0]})
    rng = np.random.default_rng(0)
    usual = pl.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)})
    monitor = Monitor.fit(usual, detector="knn")
    monkeypatch.setattr(reasons, "EXPLAINED", 2)
    rows, scores = np.array([1, 2, 3, 4]), np.array([0.9, 0.8, 0.7, 0.6])
    told, reason_of = reasons.reasons_of(
        monitor.detector, table[rows], rows, scores, ["x", "y", "y", "x"], None
    )
    assert [why.row for why in told] == [1, 2]
    assert reason_of.tolist() == [0, 1, 1, 0]
    assert told[0].contributions[0].column == "b" and told[1].contributions[0].column == "a"


def test_plain_tables_are_grouped_where_asked(tmp_path):
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"shop": ["a", "b"] * 100, "amount": rng.normal(size=200)}).with_columns(
        amount=pl.when(pl.int_range(200) >= 190).then(1e4).otherwise("amount")
    )
    told = detect(table, detector="knn", rule=Rule.budget(10), top=1, alerts=AlertOptions(entity="shop"))
    assert sorted((each.entity, each.count) for each in told.incidents) == [("a", 5), ("b", 5)]
    assert detect(table, detector="knn", top=1).incidents is None
