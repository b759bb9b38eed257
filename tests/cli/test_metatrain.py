"""`outlearn metatrain`: what it says and how it refuses; the training itself is tested with the learners."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.execute import Processes
from outlearn.learners.training import metatrain as module
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig
from outlearn.learners.training.judge import Figure


def run(*words: str):
    return CliRunner().invoke(app, ["metatrain", *words])


@pytest.fixture
def seen(monkeypatch):
    """What the recipe is asked for, which then ends at once."""
    calls = []

    def recipe(config, out, *, progress, **options):
        progress("profiling episodes", 1, 2)
        progress("training", 1, 2, 0.5)
        calls.append((config, out, options))
        figures = {
            f"{when} training": (Figure("all", 1500, auroc, 0.5),)
            for when, auroc in (("before", 0.7), ("after", 0.8))
        }
        return module.Outcome(out, out.with_suffix(".md"), figures)

    monkeypatch.setattr(module, "metatrain", recipe)
    return calls


def test_options_reach_the_recipe_and_its_figures_the_user(tmp_path, seen):
    out = tmp_path / "w.safetensors"
    words = ("--episodes", "20", "--epochs", "3", "--seed", "4", "--workers", "2")
    result = run("--out", str(out), *words, "--folder", str(tmp_path / "state"))
    assert result.exit_code == 0, result.output
    config = MetatrainConfig(seed=4, tasks=TaskConfig(synthetic=20), training=TrainingConfig(epochs=3))
    ((asked, path, options),) = seen
    assert (asked, path, options["folder"]) == (config, out, tmp_path / "state")
    assert isinstance(options["executor"], Processes)
    assert "mean AUROC on 1,500 held-out tasks 0.700 before training, 0.800 after" in result.output
    assert "w.md" in result.output


def test_options_override_the_file(tmp_path, seen):
    file = tmp_path / "run.toml"
    file.write_text(
        'learner = "maml"\nseed = 5\n[tasks]\nsynthetic = 50\ncorpus = "sets"\n'
        "[training]\nsteps = 9\nrate = 0.1"
    )
    words = ("--out", "w.safetensors", "--config", str(file))
    assert run(*words).exit_code == 0
    changed = (
        "--learner",
        "anil",
        "--epochs",
        "2",
        "--corpus",
        "mine",
        "--log",
        "log",
        "--seed",
        "0",
        "--episodes",
        "0",
    )
    assert run(*words, *changed).exit_code == 0
    first, second = (config for config, _, _ in seen)
    training = TrainingConfig(steps=9, rate=0.1)
    tasks = TaskConfig(synthetic=50, corpus=tmp_path / "sets")
    assert first == MetatrainConfig(learner="maml", seed=5, tasks=tasks, training=training)
    training = TrainingConfig(epochs=2, rate=0.1, log=Path("log"))
    tasks = TaskConfig(synthetic=0, corpus=Path("mine"))
    assert second == MetatrainConfig(learner="anil", tasks=tasks, training=training)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--learner", "mamma"), "error: learner is 'mamma'; wanted one of profiles"),
        (("--learner", "maml", "--steps", "3", "--epochs", "3"), "both say how long"),
        (("--steps", "3"), "training.steps: not for the in-context learner"),
        (("--episodes", "0"), "give something to learn"),
        (("--episodes", "5"), "5 episodes are too few"),
        (("--config", "nowhere.toml"), "error: nowhere.toml cannot be read as TOML"),
        (("--corpus", "nowhere"), "manifest.csv cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, words, told):
    result = run("--out", str(tmp_path / "w.safetensors"), *words)
    assert result.exit_code == 2
    assert told in result.output
    assert result.output.count("\n") == 1


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--out", str(tmp_path / "file" / "w.safetensors"))
    assert result.exit_code == 2
    assert result.output.startswith("error: cannot write to")
    assert result.output.count("\n") == 1


def test_an_interrupted_run_says_how_to_go_on(tmp_path, monkeypatch):
    def recipe(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "metatrain", recipe)
    result = run("--out", str(tmp_path / "w.safetensors"))
    assert result.exit_code == 130
    assert (
        result.output == f"interrupted: the same command goes on from what is kept in {tmp_path / 'w.work'}\n"
    )
