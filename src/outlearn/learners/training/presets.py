"""Recipes by name.

>>> PRESETS["default"].learner
'profiles'
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from outlearn.errors import ParameterError
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig, read_config

__all__ = ["PRESETS", "base_config"]

PRESETS = MappingProxyType(
    {
        "default": MetatrainConfig(learner="profiles", seed=11),
        "incontext": MetatrainConfig(tasks=TaskConfig(synthetic=4000), training=TrainingConfig(epochs=6)),
    }
)
"""``default`` made the shipped weights of the default learner, from a folder of real tables; ``incontext``
those of the in-context one. Other numbers of tasks, epochs or steps make a smaller or larger run of it."""


def base_config(path: Path | None, preset: str | None) -> MetatrainConfig:
    """Return the settings of a TOML file, or of a preset, or the plain ones.

    Raises
    ------
    ReadError, ParameterError
        See `read_config`; also when both are given, or there is no such preset.
    """
    if path is not None and preset is not None:
        raise ParameterError("--config and --preset both give settings; take one of them")
    if path is not None:
        return read_config(path)
    if preset is not None and preset not in PRESETS:
        raise ParameterError(f"--preset is {preset!r}; wanted one of {', '.join(PRESETS)}")
    return MetatrainConfig() if preset is None else PRESETS[preset]
