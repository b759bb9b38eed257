"""Definitions of jobs and settings say what cannot be, before anything is read."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from outlearn.errors import ParameterError
from outlearn.serving.definition import JobSpec
from outlearn.serving.settings import Settings
from outlearn.serving.spans import parse_bytes, parse_seconds

PUSH: dict[str, Any] = {"name": "a", "source": {"push": True}}


def test_a_definition_comes_back_as_it_was() -> None:
    document = {
        "name": "payments",
        "entity": "card",
        "gap": "30m",
        "source": {"query": "select * from t", "database": "shop", "watermark": "id"},
        "past": {"rolling": "30d", "most": 1000},
        "table": {"time_column": "at", "ignore": ["id"]},
        "read": {"decimal": ","},
        "detector": {"name": "knn", "seed": 3},
        "rule": {"false_alarm_rate": 0.01},
        "schedule": {"score_every": "5s", "fit_every": "1d"},
        "keep": {"incidents": "10d"},
        "verdicts": {"act": "shadow"},
    }
    spec = JobSpec.from_document(document)
    assert spec.to_document() == document
    assert JobSpec.from_document(spec.to_document()) == spec
    assert (spec.gap_seconds, spec.schedule.fit_seconds, spec.past.seconds) == (1800.0, 86_400.0, 2_592_000.0)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"name": "a"}, "no source"),
        ({**PUSH, "name": "a b"}, "called 'a b'"),
        ({**PUSH, "name": "../a"}, "wanted up to 100"),
        ({**PUSH, "sources": 1}, "sources is no part"),
        ({**PUSH, "source": {}}, "none came"),
        ({**PUSH, "source": {"push": True, "files": "a", "root": "r"}}, "files and push came"),
        ({**PUSH, "source": {"push": "yes"}}, "expected bool"),
        ({**PUSH, "source": {"push": True, "root": "r"}}, "root does not belong"),
        ({**PUSH, "source": {"files": "a.csv"}}, "no root"),
        ({**PUSH, "source": {"query": "select 1", "database": "d"}}, "no watermark"),
        ({**PUSH, "source": {"files": "../a.csv", "root": "r"}}, "leads out of the root"),
        ({**PUSH, "source": {"files": "a/../../b", "root": "r"}}, "leads out of the root"),
        ({**PUSH, "source": {"files": "/etc/passwd", "root": "r"}}, "wanted a path below"),
        ({**PUSH, "source": {"files": "~/a", "root": "r"}}, "wanted a path below"),
        ({**PUSH, "source": {"files": "a\\b", "root": "r"}}, "wanted a path below"),
        ({**PUSH, "source": {"files": "a\0b", "root": "r"}}, "wanted a path below"),
        ({**PUSH, "rule": {"budget": "20/day"}}, "budget cannot: it takes the most abnormal rows"),
        ({**PUSH, "rule": {"fdr": 0.1}}, "fdr cannot"),
        ({**PUSH, "rule": {"false_alarms": "1/day"}}, "it is of series"),
        ({**PUSH, "table": {"kind": "series"}}, "points of a series"),
        ({**PUSH, "read": {"session": "id=(.*)"}}, "sessions of a log"),
        ({**PUSH, "read": {"kind": "executables"}}, "no source of a job"),
        ({**PUSH, "read": {"query": "select 1"}}, "that of its source"),
        ({**PUSH, "table": {"schema": "/etc/x.toml"}}, "wanted a path below"),
        ({**PUSH, "past": {"reference": "a.csv"}}, "reference and root"),
        ({**PUSH, "past": {"reference": "a", "root": "r", "rolling": "1d"}}, "wanted one of them"),
        ({**PUSH, "past": {"rolling": "soon"}}, "wanted a span"),
        ({**PUSH, "past": {"most": 1}}, "most is 1"),
        ({**PUSH, "schedule": {"score_every": "0s"}}, "wanted a span"),
        ({**PUSH, "verdicts": {"act": "never"}}, "live or shadow"),
        ({**PUSH, "entity": 3}, "entity"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words.replace("(", r"\(")):
        JobSpec.from_document(document)


def test_settings_come_from_a_file_and_options_before_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "serve.toml"
    path.write_text(
        'workers = 2\nworker_memory = "1GiB"\n[roots]\nlanding = "in"\n'
        '[databases]\nshop = "postgresql://reader:hush-hush@db/shop"\n'
    )
    settings = Settings.read(path, port=9000, host=None)
    assert (settings.workers, settings.worker_memory, settings.port) == (2, 1 << 30, 9000)
    assert settings.root("landing") == (tmp_path / "in").resolve()
    assert "hush" not in repr(settings) + str(settings.shown())
    assert settings.database("shop").endswith("/shop")
    assert pickle.loads(pickle.dumps(settings)) == settings  # as it goes to workers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worker = 2", "did you mean workers"),
        ("port = 70000", "from 0 to 65535"),
        ("workers = true", "wanted a whole number"),
        ('[roots]\nlanding = "absent"', "wanted a folder that exists"),
        ('[roots]\n"a b" = "."', "is no name"),
        ("[databases]\nshop = 3", "no URL"),
        ('worker_memory = "lots"', "wanted a size"),
        ('address = "outlearn"', "wanted a URL"),
    ],
)
def test_settings_that_cannot_be_name_the_file(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "serve.toml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=words) as error:
        Settings.read(path)
    assert str(path) in str(error.value)


def test_a_job_of_a_folder_that_nobody_named_is_refused(tmp_path: Path) -> None:
    settings = Settings(roots={"in": tmp_path})
    files = JobSpec.from_document({"name": "a", "source": {"files": "*.csv", "root": "out"}})
    with pytest.raises(ParameterError, match="no root 'out': there are in"):
        files.check(settings)
    query = {"query": "select 1", "database": "shop", "watermark": "id"}
    with pytest.raises(ParameterError, match="the settings name none"):
        JobSpec.from_document({"name": "a", "source": query}).check(settings)


def test_a_schema_is_below_a_root(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out.toml").symlink_to("/etc/hostname")
    settings = Settings(roots={"in": tmp_path / "in"})
    named = JobSpec.from_document({**PUSH, "table": {"schema": "in/s.toml"}})
    assert named.settled_table(settings).schema == (tmp_path / "in" / "s.toml").resolve()
    with pytest.raises(ParameterError, match="not below the root"):
        JobSpec.from_document({**PUSH, "table": {"schema": "in/out.toml"}}).check(settings)


@pytest.mark.parametrize("value", ["", "1", "-1h", "1 fortnight", "1e9d", None, True, float("nan"), 0])
def test_what_is_no_span_is_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="wanted a span"):
        parse_seconds(value, "gap")


def test_sizes() -> None:
    assert (parse_bytes("1.5 KiB", "x"), parse_bytes("2MB", "x")) == (1536, 2_000_000)
