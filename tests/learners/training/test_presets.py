"""Recipes by name."""

import pytest

from outlearn.errors import ParameterError
from outlearn.learners.training.config import MetatrainConfig
from outlearn.learners.training.presets import PRESETS, base_config
from outlearn.weights import read_checkpoint, shipped


def test_a_preset_a_file_or_nothing(tmp_path):
    assert base_config(None, None) == MetatrainConfig()
    assert base_config(None, "default") == PRESETS["default"]
    path = tmp_path / "run.toml"
    path.write_text('learner = "maml"')
    assert base_config(path, None).learner == "maml"
    with pytest.raises(ParameterError, match="both give settings"):
        base_config(path, "default")
    with pytest.raises(ParameterError, match="wanted one of default"):
        base_config(None, "best")


def test_the_presets_are_what_the_shipped_weights_name():
    _, header = read_checkpoint(shipped("incontext"), "incontext-4")
    recipe = PRESETS["incontext"]
    for option in (f"--episodes {recipe.tasks.synthetic}", f"--epochs {recipe.training.epochs}", "--seed 0"):
        assert f"{option} " in header.command
    _, header = read_checkpoint(shipped("profiles"), "profiles-3")
    recipe = PRESETS["default"].settled()
    for option in ("--learner profiles", f"--steps {recipe.training.steps}", f"--seed {recipe.seed}"):
        assert f"{option} " in header.command
