"""Every command that writes, ended at random moments: what is left, who is left, and how it goes on."""

import json
import os
import random
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.moments import Server, serving

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the tests look for processes in /proc"),
]
MOMENTS = int(os.environ.get("OUTLEARN_MOMENTS", "100"))
MODULES = (
    *("outlearn.cli.app", "outlearn.data.kinds.registry", "outlearn.feedback.train", "outlearn.tuning.table"),
    *(f"outlearn.pipeline.{name}" for name in ("engine", "hunt", "label", "tune", "evaluate")),
    *(f"outlearn.report.{name}" for name in ("page", "text", "tuning", "series")),
    *("outlearn.learners.training.metatrain", "outlearn.tuning.experience", "rich.progress", "pydantic"),
    *("torch", "altair", "jinja2", "vl_convert", "sklearn.neighbors", "sklearn.ensemble"),
)
WRITTEN = "--out out.csv --report page.html --alerts alerts.jsonl"
COMMANDS = {
    "detect": f"detect t.csv --detector knn --suppress good.jsonl {WRITTEN}",
    "detect, series": "detect s.csv --time-column when --kind series --out out.arrow --report page.html",
    "fit": "fit t.csv --detector knn --out out.outlearn",
    "score": f"score m.outlearn t.csv {WRITTEN}",
    "hunt": f"hunt t.csv --like cases.csv --learner protonet {WRITTEN}",
    "tune": "tune t.csv --strategy default --detector lof --budget 1 --out out.csv --report page.html",
    "schema": "schema t.csv --out out.toml",
    "suppress": "suppress good.jsonl --where a>=9 --reason tests",
    "label": "label m.outlearn scored.csv --out out.outlearn --verdicts v.jsonl",
    "embed": "embed t.csv --column v --array v.npy --out out.parquet",
    "performance": "performance --out out --synthetic 4 --candidates 1 --detector lof --workers 2",
    "metatrain": "metatrain --learner protonet --episodes 24 --steps 4 --workers 2 --out out.safetensors",
    "learn-series": "learn-series --tasks 2 --steps 2 --workers 2 --out out.safetensors",
}
"""Words by what they are for; `good.jsonl` and `v.jsonl` are only ever added to."""


@pytest.fixture(scope="module")
def server() -> Server:
    with serving(*MODULES) as server:
        yield server


@pytest.fixture(scope="module")
def given(server, tmp_path_factory) -> Path:
    """Make a folder with all that the commands read, and outputs of yesterday."""
    folder = tmp_path_factory.mktemp("given")
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 2))
    values[7] = 9, -9
    frame = pl.DataFrame(values, schema=["a", "b"]).with_columns(
        pl.Series("when", [f"2026-01-01T00:{i:02d}:00" for i in range(60)])
    )
    frame.write_csv(folder / "t.csv")
    frame[[7, 8]].write_csv(folder / "cases.csv")
    wave = np.sin(np.arange(600) / 5) + (np.arange(600) == 400) * 4
    times = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 1, 9, 59), "1m", eager=True)
    pl.DataFrame({"when": times.cast(pl.String), "v": wave}).write_csv(folder / "s.csv")
    np.save(folder / "v.npy", rng.normal(size=(60, 3)))
    marks = ["anomaly" if row == 7 else "normal" if row == 8 else "" for row in range(60)]
    frame.with_columns(pl.Series("verdict", marks)).write_csv(folder / "scored.csv")
    assert _run(server, folder, "suppress good.jsonl --where a>=99 --reason tests").code == 0
    assert _run(server, folder, "fit t.csv --detector knn --out m.outlearn").code == 0
    (folder / "out.csv").write_text("of yesterday")
    return folder


def _run(server: Server, folder: Path, words: str, **moment):
    return server.run("command", str(folder), words.split(), **moment)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_ended_leaves_nothing_half_done_and_goes_on(server, given, tmp_path, name, number):
    words = COMMANDS[name]
    whole = shutil.copytree(given, tmp_path / "whole")
    begun = time.monotonic()
    calls = _run(server, whole, words)
    took = time.monotonic() - begun
    assert calls.code == 0, Path(f"{whole}.said").read_text()
    draw = random.Random(f"{name} {number}")
    for moment in range(MOMENTS // 2):
        folder = shutil.copytree(given, tmp_path / str(moment))
        when = {"call": draw.randint(1, calls.calls)} if moment % 2 else {"after": draw.uniform(0, took)}
        end = _run(server, folder, words, number=int(number), **when)
        assert end.code in ({-number} if number == signal.SIGKILL else {128 + number, -number}) | {0}, (
            when,
            Path(f"{folder}.said").read_text(),
        )
        _nobody_of(end.session)
        for path in _outputs(folder):
            _assert_whole(path, given, whole)
        if number == signal.SIGTERM and end.code == 128 + number:
            assert not list(folder.rglob(".*-part-*")), when
        if name == "schema" and (folder / "out.toml").exists():
            continue  # it is whole, and never written over
        again = _run(server, folder, words)
        assert again.code == 0, (when, Path(f"{folder}.said").read_text())
        assert sorted(p.name for p in _outputs(folder)) == sorted(p.name for p in _outputs(whole)), when
        for path in _outputs(folder):
            _assert_same(path, whole / path.relative_to(folder))
        shutil.rmtree(folder)


def _outputs(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and ".work" not in str(path)]


def _assert_whole(path: Path, given: Path, whole: Path) -> None:
    """Hold a file to be as before, as after an undisturbed run, or whole by what it says."""
    if "-part-" in path.name:
        return  # which the next run sweeps
    if path.suffix == ".jsonl":
        for line in path.read_text().splitlines():
            json.loads(line)
    elif path.suffix == ".html":
        assert path.read_text().rstrip().endswith("</html>")
    elif path.suffix == ".parquet":
        pl.read_parquet(path)
    elif path.suffix in (".csv", ".arrow", ".outlearn", ".safetensors", ".toml"):
        known = [folder / path.name for folder in (given, whole)]
        assert path.read_bytes() in [other.read_bytes() for other in known if other.exists()], path


def _assert_same(path: Path, other: Path) -> None:
    """Hold a result to be the one of an undisturbed run, but for the times in it."""
    if path.suffix in (".csv", ".arrow", ".outlearn", ".safetensors", ".toml", ".md"):
        assert path.read_bytes() == other.read_bytes(), path
    if path.suffix == ".parquet":
        frames = [pl.read_parquet(file).drop("seconds", strict=False) for file in (path, other)]
        assert frames[0].equals(frames[1]), path


def _nobody_of(session: int, seconds: float = 20) -> None:
    """Wait until no process of a session works on."""
    end = time.monotonic() + seconds
    while living := [words for words in _processes() if words[3] == str(session) and words[0] != "Z"]:
        assert time.monotonic() < end, living
        time.sleep(0.05)


def _processes():
    """Yield state, parent, group and session of processes."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended meanwhile
            continue
