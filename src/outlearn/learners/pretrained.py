"""Trained learners to and from checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from outlearn.errors import ParameterError, WeightsError
from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.learners.incontext.learner import ARCHITECTURE, InContextLearned
from outlearn.learners.profiles.evidence import EVIDENCE
from outlearn.learners.profiles.lean import LEAN_FEATURES
from outlearn.learners.profiles.learner import ARCHITECTURE as PROFILES
from outlearn.learners.profiles.learner import ProfilesLearned
from outlearn.learners.profiles.profile import BASIC_FEATURES, FEATURES
from outlearn.learners.profiles.summary import SUMMARY
from outlearn.learners.tabular import TableLearned
from outlearn.weights.checkpoint import (
    Header,
    fill_network,
    once_a_file,
    read_checkpoint,
    read_network,
    shipped,
    write_checkpoint,
)

if TYPE_CHECKING:
    from outlearn.learners.gradient.inner import Params

__all__ = [
    "TABLE_ARCHITECTURE",
    "load_incontext",
    "load_learner",
    "load_table_learner",
    "save_incontext",
    "save_profiles",
    "save_table_learner",
]

Trained = InContextLearned | ProfilesLearned | TableLearned
PROFILE_INPUTS = (*LEAN_FEATURES, *EVIDENCE, *SUMMARY)
TABLE_ARCHITECTURE = "table-learner-1"  # of the gradient and metric learners in `learners.catalogue`


def save_incontext(
    path: Path, learned: InContextLearned, *, corpus: str, seed: int, command: str, notes: dict[str, object]
) -> None:
    """Write a trained in-context learner with its provenance."""
    header = Header(ARCHITECTURE, asdict(learned.net.config), corpus, seed, command, FEATURES, dict(notes))
    write_checkpoint(path, learned.net.state_dict(), header)


def save_table_learner(
    path: Path, recipe: Recipe, meta: Params, *, corpus: str, command: str, notes: dict[str, object]
) -> None:
    """Write meta-trained parameters of a learner on tables with its recipe and provenance."""
    # All settings, so that other defaults in a later version change no trained learner.
    config = asdict(replace(recipe, options=recipe.settings))
    features = BASIC_FEATURES if recipe.columns is None else tuple(f"x{i}" for i in range(recipe.columns))
    header = Header(TABLE_ARCHITECTURE, config, corpus, recipe.seed, command, features, dict(notes))
    write_checkpoint(path, meta, header)


def load_incontext(path: Path | None = None) -> InContextLearned:
    """Load an in-context learner; the shipped one by default. A file is read once and shared.

    Raises
    ------
    WeightsError
        When the checkpoint cannot be used; see `weights.read_checkpoint`.
    """
    return cast("InContextLearned", load_learner("incontext", path))


def save_profiles(
    path: Path, learned: ProfilesLearned, *, corpus: str, seed: int, command: str, notes: dict[str, object]
) -> None:
    """Write a trained learner on row profiles with its provenance."""
    config = asdict(learned.net.config)
    header = Header(PROFILES, config, corpus, seed, command, PROFILE_INPUTS, dict(notes))
    write_checkpoint(path, learned.net.state_dict(), header)


def load_learner(name: str, path: Path | None = None) -> Trained:
    """Load a trained learner by its name in `learners.catalogue`; the shipped weights by default.

    Raises
    ------
    WeightsError
        When the checkpoint cannot be used, or holds another learner.
    ParameterError
        When no path came, and the learner ships no weights.
    """
    if name not in CATALOGUE:
        raise ParameterError(f"learner is {name!r}; wanted one of {', '.join(CATALOGUE)}")
    if path is None and not shipped(name).is_file():
        raise ParameterError(
            f"the learner {name!r} ships no weights; train it, `outlearn metatrain --learner {name} --corpus "
            f"FOLDER --out FILE`, and give them in Python, Detector({name!r}, weights=FILE), or take a "
            "learner that `outlearn learners` lists with weights"
        )
    return _load(shipped(name) if path is None else path, name)


def load_table_learner(name: str, path: Path) -> TableLearned:
    """Load a gradient or metric learner; see `load_learner`."""
    return cast("TableLearned", load_learner(name, path))


@once_a_file
def _load(path: Path, name: str) -> Trained:
    return _READERS[CATALOGUE[name].family](name, path)


def _check_features(path: Path, header: Header, known: tuple[str, ...]) -> None:
    if header.features != known:
        raise WeightsError(
            f"{path} was trained on other row statistics than this version computes; train it anew"
        )


def _incontext(name: str, path: Path) -> InContextLearned:
    from outlearn.nets.incontext import InContextConfig, InContextNet

    tensors, header = read_checkpoint(path, ARCHITECTURE)
    _check_features(path, header, FEATURES)

    def made(config: dict[str, Any]) -> InContextNet:
        return InContextNet(InContextConfig(**config))

    return InContextLearned(fill_network(path, made, header.config, tensors))


def _profiles(name: str, path: Path) -> ProfilesLearned:
    from outlearn.nets.rows import RowNet, RowNetConfig

    def made(config: dict[str, Any]) -> RowNet:
        return RowNet(RowNetConfig(**{**config, "widths": tuple(config["widths"])}))

    return ProfilesLearned(read_network(path, PROFILES, PROFILE_INPUTS, made))


def _table(name: str, path: Path) -> TableLearned:
    tensors, header = read_checkpoint(path, TABLE_ARCHITECTURE)
    config: dict[str, Any] = dict(header.config)
    if config.get("learner") != name:
        raise WeightsError(f"{path} holds the learner {config.get('learner')!r}; wanted {name!r}")
    try:
        recipe = Recipe(**{**config, "widths": tuple(config["widths"])})
        learner = recipe.build()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise _unfit(path) from error
    if recipe.columns is None:
        _check_features(path, header, BASIC_FEATURES)
    if {n: v.shape for n, v in tensors.items()} != {n: v.shape for n, v in learner.start().items()}:
        raise _unfit(path)
    # In double precision a row scores the same alone or in a batch, also after many inner steps.
    meta = {name: value.double() for name, value in tensors.items()}
    return TableLearned(learner.learned(meta), recipe.columns, recipe.one_class)


def _unfit(path: Path) -> WeightsError:
    return WeightsError(f"{path} holds tensors that do not fit the network its header describes")


_READERS: Mapping[str, Callable[[str, Path], Trained]] = {
    "profile": _profiles,
    "in-context": _incontext,
    "gradient": _table,
    "metric": _table,
}
"""Family of learners → what reads a checkpoint of one by its name."""
