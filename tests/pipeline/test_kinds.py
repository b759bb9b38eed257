"""What was written of flows, logs and frames is read again as such, or as a table where the user says so."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from outlearn.alerts import incident_words
from outlearn.data.readers import ReadOptions
from outlearn.errors import SchemaError
from outlearn.pipeline import Monitor
from outlearn.pipeline.alerting import AlertOptions
from outlearn.pipeline.detection import detect
from outlearn.pipeline.suppression import add_pattern

PLAIN = ReadOptions(kind="table")


def flows(path):
    rng = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "ts": np.sort(rng.uniform(1.7e9, 1.7e9 + 3600, 120)),
            "src_ip": [f"10.0.0.{i}" for i in rng.integers(1, 9, 119)] + ["10.0.0.66"],
            "dst_ip": [f"192.0.2.{i}" for i in rng.integers(1, 4, 120)],
            "dst_port": [*rng.choice([53, 443], 119).tolist(), 4444],
            "proto": "tcp",
            "bytes": [*rng.lognormal(6, 0.5, 119), 1e7],
        }
    )
    table.write_csv(path)


def log(path):
    lines = [
        f"2026-01-01 {i // 6:02d}:{i % 6:02d}:{second:02d} INFO app: {step} job_{i:03d}"
        for i in range(60)
        for second, step in enumerate(["start", "stop"] if i == 41 else ["start", "read 7 rows", "stop"])
    ]
    path.write_text("\n".join([*lines, "2026-01-01 11:00:00 FATAL app: disk on fire"]))


def bus(path):
    rng = np.random.default_rng(0)
    frames = [(i / 100, 0x100 + i % 3, [i % 16, 100, i % 3]) for i in range(240)]
    frames[200] = (2.0, 0x102, [255, 255, 255])
    times = 1.7e9 + rng.uniform(0, 0.001, 240)
    path.write_text(
        "\n".join(
            f"({at + t:.6f}) can0 {i:03X}#{bytes(data).hex().upper()}"
            for at, (t, i, data) in zip(times, frames, strict=True)
        )
    )


WRITTEN = {
    "flows": (flows, ReadOptions(), "10.0.0.66 to 192.0.2."),
    "logs": (log, ReadOptions(kind="logs"), "2026-01-01 11:00:00 FATAL"),
    "sessions": (log, ReadOptions(session=r"job_\d+"), "session job_041 (2 lines)"),
    "bus": (bus, ReadOptions(kind="bus"), "id 0x102 at 1700000002"),
}


@pytest.fixture(params=WRITTEN)
def written(request, tmp_path):
    """Return a kind, what was found, the file of scored rows, and how its odd row is called."""
    write, options, name = WRITTEN[request.param]
    write(tmp_path / "given")
    found = detect(tmp_path / "given", detector="knn", top=1, options=options, out=tmp_path / "scored.csv")
    return request.param, found, tmp_path / "scored.csv", name


def test_scored_rows_are_taken_for_what_they_were_and_that_is_said_once(written):
    kind, found, path, name = written
    again = detect(path, detector="knn", top=1)
    assert (again.scores == found.scores).all() and again.schema.kind == kind == found.schema.kind
    assert again.explanations[0].sentence == found.explanations[0].sentence
    assert again.explanations[0].sentence.startswith(name)
    assert again.incidents and list(map(incident_words, again.incidents)) == list(
        map(incident_words, found.incidents)
    )
    said = [note for note in again.notes if "--kind table" in note]
    assert len(said) == 1 and "the rows were taken for such" in said[0]
    assert again.schema.used == found.schema.used
    assert not any("--kind table" in note for note in found.notes)


def test_scored_rows_are_a_table_where_the_user_says_so_and_a_model_of_them_too(written, tmp_path):
    _, _, path, name = written
    found = detect(path, detector="knn", top=1, options=PLAIN)
    monitor = Monitor.fit(path, detector="knn", options=PLAIN)
    monitor.save(tmp_path / "m")
    loaded = Monitor.load(tmp_path / "m")
    assert loaded.kind.name == "table"
    for told in (found, loaded.detect(path, top=1)):
        assert told.schema.kind == "table" and not told.incidents and not told.hosts
        assert not told.explanations[0].sentence.startswith(name)
        assert not any("read as" in note or "taken for" in note for note in told.notes)
        assert any("judged one by one" in limit for limit in told.limits)


def test_a_model_of_scored_rows_scores_them_as_what_they_were(written, tmp_path):
    kind, found, path, name = written
    monitor = Monitor.fit(path, detector="knn")
    monitor.save(tmp_path / "m")
    options = ReadOptions(session="job") if kind == "sessions" else None  # what it groups is grouped already
    told = Monitor.load(tmp_path / "m").detect(path, top=1, options=options)
    assert told.explanations[0].sentence.startswith(name) and told.schema.kind == kind
    assert told.incidents and len(told.scores) == len(found.scores)


def test_of_a_model_that_does_not_say_its_kind_the_columns_tell(written):
    kind, _, path, _ = written
    monitor = Monitor.fit(path, detector="knn")
    monitor.detector.schema_ = replace(monitor.detector.schema_, kind=None)
    assert monitor.kind.name == kind
    monitor.detector.schema_ = replace(monitor.detector.schema_, kind="table")
    assert monitor.kind.name == "table"


def test_a_table_has_no_techniques_and_its_columns_one_name_each(tmp_path):
    scan = pl.DataFrame(
        {
            "ts": 1.7e9 + np.arange(60) / 4,
            "src_ip": ["10.0.0.77"] * 60,
            "dst_ip": [f"10.0.1.{i}" for i in range(60)],
            "dst_port": [445] * 60,
            "proto": ["tcp"] * 60,
            "bytes": [40.0] * 59 + [41.0],
            "packets": [1] * 60,
        }
    )
    path, alerts = tmp_path / "scored.csv", tmp_path / "a.jsonl"
    detect(scan, detector="knn", out=path, alerts=AlertOptions(file=alerts))
    assert "T1046" in alerts.read_text()
    detect(path, detector="knn", options=PLAIN, alerts=AlertOptions(file=alerts))
    told = [json.loads(line) for line in alerts.read_text().splitlines()]
    assert told and all(each["outlearn"]["kind"] == "table" and "threat" not in each for each in told)
    good = tmp_path / "good.jsonl"
    add_pattern(good, ["source_ip=10.0.0.77"], why="our scanner", by="soc")
    assert detect(path, detector="knn", alerts=AlertOptions(suppress=good)).decision.flagged.sum() == 0
    with pytest.raises(SchemaError, match="source_ip"):
        detect(path, detector="knn", options=PLAIN, alerts=AlertOptions(suppress=good))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "arrow"])
def test_a_log_that_was_written_is_no_text_of_lines(tmp_path, suffix):
    log(tmp_path / "a.log")
    options, path = ReadOptions(kind="logs"), tmp_path / f"scored.{suffix}"
    found = detect(tmp_path / "a.log", detector="knn", options=options, out=path)
    assert (detect(path, detector="knn", options=options).scores == found.scores).all()
