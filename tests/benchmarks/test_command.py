"""The command of the benchmarks: every study can be run, is listed, and is what the documents call it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import listing, main, stored_report
from benchmarks.catalogue import NAMED_OTHERWISE, RESULTS, STUDIES, load, purpose, study_of
from benchmarks.harness import machine, rowfile
from benchmarks.harness.study import listed

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "benchmarks" / "studies").glob("*.py")),
]
COMMAND = re.compile(r"python -m benchmarks run (\w+)")


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_has_its_name_and_help(name, capsys):
    study = load(name)
    assert study.name == name
    assert study.purpose == purpose(name) and study.purpose.endswith((".", "?"))
    with pytest.raises(SystemExit) as left:
        main(["run", name, "--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert f"python -m benchmarks run {name} " in said and "--out" in said


def test_every_study_is_listed_once():
    modules = [
        path.stem
        for path in (ROOT / "benchmarks" / "studies").glob("*.py")
        if re.search(r"^STUDY = ", path.read_text(), re.MULTILINE)
    ]
    assert sorted(modules) == list(STUDIES)
    assert [line for line in listing().splitlines() if not line.startswith(" ")] == list(STUDIES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_documents_name_studies(page):
    text = page.read_text(encoding="utf-8")
    assert [name for name in COMMAND.findall(text) if name not in STUDIES and name != "NAME"] == []
    assert "python benchmarks/" not in text.replace("`python benchmarks/NAME.py` is no more", "")


def test_every_json_result_is_of_a_study():
    assert [path.name for path in RESULTS.glob("*.json") if study_of(path.stem) is None] == []
    assert all((RESULTS / f"{name}.json").exists() for name in NAMED_OTHERWISE)


@pytest.mark.parametrize("name", ["zero_day-nsl", "learning_curve", "hunting", "speed", "tuning_speed"])
def test_a_committed_result_is_shown_of_its_rows(name):
    assert stored_report(name).strip()


@pytest.mark.parametrize("name", ["real_tables", "images", "robustness", "sinusoid", "verdicts"])
def test_a_report_made_anew_is_the_one_that_was_written(name):
    assert stored_report(name).strip() in (RESULTS / f"{name}.md").read_text()


def test_a_result_without_rows_is_shown_as_written():
    assert stored_report("adbench") == (RESULTS / "adbench.md").read_text()
    with pytest.raises(SystemExit, match="no result is called 'nothing'"):
        stored_report("nothing")


def test_a_recorded_command_names_no_place_of_this_machine(tmp_path):
    words = [str(tmp_path / "sets"), "--work", "a b", "--out", "x.json"]
    wanted = "python -m benchmarks run zero_day sets --work 'a b' --out x.json"
    assert machine.command("zero_day", words) == wanted


def test_a_file_of_the_same_settings_is_gone_on_with_whatever_its_command(tmp_path):
    path = tmp_path / "rows.json"
    rowfile.write(path, {"seeds": 1}, [{"set": "a"}], command="python benchmarks/labels.py SETS --seeds 1")
    assert rowfile.resume(path, {"seeds": 1}) == [{"set": "a"}]
    with pytest.raises(SystemExit, match="take another --out"):
        rowfile.resume(path, {"seeds": 2})


def test_unknown_names_are_refused_with_those_that_there_are(capsys):
    assert listed(("a", "b"), "learner")("b,a") == ["b", "a"]
    with pytest.raises(SystemExit):
        main(["run", "robustness", "--on", "tables,nothing"])
    assert "no kind of task is called nothing; there are glyphs, tables" in capsys.readouterr().err


def test_a_study_runs_as_a_process(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "run", "episodes", "--episodes", "1", "--rows", "60"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "episodes.csv")], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "episodes.csv").read_text().splitlines()) > 2
