"""`outlearn metatrain`: what it says and how it refuses; the training itself is tested with the learners."""

from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.learners import metatrain as module


def run(*words: str):
    return CliRunner().invoke(app, ["metatrain", *words])


def test_options_reach_the_recipe_and_its_figures_the_user(tmp_path, monkeypatch):
    seen = []

    def recipe(out, *, progress, **options):
        progress("profiling episodes", 1, 2, float("nan"))
        progress("training", 1, 2, 0.5)
        seen.append((out, options))
        return {"held-out AUROC before": 0.7, "held-out AUROC": 0.8}

    monkeypatch.setattr(module, "metatrain", recipe)
    out = tmp_path / "w.safetensors"
    words = ("--episodes", "20", "--epochs", "3", "--seed", "4", "--workers", "2")
    result = run("--out", str(out), *words, "--folder", str(tmp_path / "state"))
    assert result.exit_code == 0, result.output
    options = {"episodes": 20, "epochs": 3, "seed": 4, "workers": 2, "folder": tmp_path / "state"}
    assert seen == [(out, options)]
    assert "0.700 before training, 0.800 after" in result.output


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--out", str(tmp_path / "file" / "w.safetensors"))
    assert result.exit_code == 2
    assert result.output.startswith("error: cannot keep the training state in")
    assert result.output.count("\n") == 1
