"""The settings of a meta-training run, as a TOML file gives them; see `read_config`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from outlearn.errors import ParameterError, ReadError
from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.training.checked import Bounds, Choices, check, check_choice, made, table
from outlearn.learners.training.families import rules_of
from outlearn.paths import READ, WRITTEN_FOLDER, use
from outlearn.small_files import read_toml
from outlearn.tasks.situation import SITUATIONS

__all__ = ["MetatrainConfig", "TaskConfig", "TrainingConfig", "read_config"]

_BOUNDS: Bounds = {
    "seed": (0, math.inf),
    "embedding": (1, math.inf),
    "widths": (1, math.inf),
    "tasks.synthetic": (0, math.inf),
    "tasks.per_set": (1, math.inf),
    "tasks.held_out": (0.001, 0.9),
    "tasks.support": (2, math.inf),
    "tasks.query": (2, math.inf),
    "training.steps": (1, math.inf),
    "training.epochs": (1, math.inf),
    "training.batch": (1, math.inf),
    "training.rate": (1e-12, 1e3),
    "training.clip": (0, math.inf),
    "training.every": (1, math.inf),
    "training.patience": (0, math.inf),
}
_CHOICES: Choices = {
    "learner": tuple(CATALOGUE),
    "features": ("profile", "columns"),
    "tasks.situations": SITUATIONS,
    "options.rates": ("fixed", "one", "layer-step", "parameter"),
    "options.path": ("auto", "vmap", "loop"),
    "options.rows": ("support", "both"),
    "options.positives": ("hardest", "mean"),
}


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """Tasks to learn from.

    Parameters
    ----------
    synthetic : number of synthetic tasks; 0 for none.
    corpus : folder with a ``manifest.csv`` (see `tasks.corpus`); None for synthetic tasks alone.
    pattern, licence : which sets of the corpus, as shell patterns; None for all.
    situations : what the supports of a set are like, in turn; see `tasks.situation`.
    per_set : tasks made from each set.
    augment : let tasks of training sets have fewer columns, bent columns and noise; those held out never do.
    held_out : share of the synthetic tasks, and of the sets, that is kept out of training.
    support, query : rows of a task that a step sees, at most, drawn anew each time; the in-context learner
        sees all.
    """

    synthetic: int = 3000
    corpus: Path | None = field(default=None, metadata=use(READ))
    pattern: str | None = None
    licence: str | None = None
    situations: tuple[str, ...] = SITUATIONS
    per_set: int = 8
    augment: bool = True
    held_out: float = 0.05
    support: int = 128
    query: int = 128

    def __post_init__(self) -> None:
        check("tasks.", self, _BOUNDS, _CHOICES)
        if not self.situations:
            raise ParameterError(f"tasks.situations is empty; name one or more of {', '.join(SITUATIONS)}")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Settings of the training; `MetatrainConfig.settled` fills in what is None.

    Parameters
    ----------
    steps, epochs : length, as steps of the optimiser or as passes over the tasks; by default 6 epochs for the
        in-context learner, 1,500 steps of each part for `profiles`, and 4,000 steps for the others.
    batch : tasks a step; by default 8 for the in-context learner and 16 for the others.
    rate, clip : of the optimiser, and largest norm of a gradient (0: any).
    every : steps between two states on disk, and between two looks at the held-out tasks.
    patience : looks without a better loss after which training stops; the parameters with the best are the
        result. 0 never stops early and takes the last. By default 0 for the in-context learner, else 10.
    log : folder for a TensorBoard log; None for no log.
    """

    steps: int | None = None
    epochs: int | None = None
    batch: int | None = None
    rate: float = 1e-3
    clip: float = 1.0
    every: int = 100
    patience: int | None = None
    log: Path | None = field(default=None, metadata=use(WRITTEN_FOLDER))

    def __post_init__(self) -> None:
        check("training.", self, _BOUNDS, _CHOICES)
        if self.steps is not None and self.epochs is not None:
            raise ParameterError("training.steps and training.epochs both say how long; give one of them")


@dataclass(frozen=True, kw_only=True)
class MetatrainConfig:
    """A meta-training run.

    Parameters
    ----------
    learner : a name in `learners.catalogue`.
    seed : of tasks, their order and the initialisation.
    features : ``profile`` reads row profiles and so takes tables of any width; ``columns`` reads the columns
        of sets that share them.
    widths, embedding : of the network, see `Recipe`.
    options : arguments of the learner.

    Raises
    ------
    ParameterError
        When a value is unknown, of another type or out of range, or does not go with the learner.

    >>> MetatrainConfig(learner="maml", features="rows")
    Traceback (most recent call last):
        ...
    outlearn.errors.ParameterError: features is 'rows'; wanted one of profile, columns
    """

    learner: str = "incontext"
    seed: int = 0
    features: str = "profile"
    widths: tuple[int, ...] = (64, 64)
    embedding: int = 32
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: TaskConfig = field(default_factory=TaskConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        check("", self, _BOUNDS, _CHOICES)
        for name, value in self.options.items():
            if not isinstance(value, bool | int | float | str):
                raise ParameterError(f"options.{name} is {value!r}; wanted a number, a text, true or false")
            check_choice(f"options.{name}", value, _CHOICES)
        self._check_own_recipe()
        synthetic = rules_of(self.learner).synthetic
        if synthetic and self.tasks.synthetic == 0 and self.tasks.corpus is None:
            raise ParameterError("tasks.synthetic is 0 and there is no tasks.corpus: give something to learn")
        if self.features == "columns" and self.tasks.corpus is None:
            raise ParameterError(
                "features is 'columns', and there is no tasks.corpus whose columns to read; give one, or "
                "take 'profile'"
            )

    def _network_settings(self) -> list[str]:
        """Return which settings of a network for rows or columns are not as they are by default."""
        given = {"features": self.features, "widths": self.widths, "embedding": self.embedding}
        own = {setting.name: setting.default for setting in fields(self)}
        return [name for name, value in given.items() if value != own[name]]

    def _check_own_recipe(self) -> None:
        """Refuse what a learner with a recipe of its own would leave unread."""
        rules, plain = rules_of(self.learner), TrainingConfig()
        if rules.options is None:
            return
        unread = self._network_settings()
        for name in rules.unread:
            # `settled` fills in a patience of 0.
            usual = (getattr(plain, name), 0) if name == "patience" else (getattr(plain, name),)
            if getattr(self.training, name) not in usual:
                unread.append(f"training.{name}")
        unread += [f"options.{name}" for name in self.options if name not in rules.options]
        if unread:
            raise ParameterError(
                f"{', '.join(unread)}: not for {rules.name}, which has its own recipe; it takes {rules.takes}"
            )
        sizes = self.options.values()
        if any(type(size) is not int or size < 1 for size in sizes) or self.options.get("width", 0) % 4:
            raise ParameterError(
                f"options are {dict(self.options)}; wanted whole numbers above 0, and a width that 4 divides"
            )

    def settled(self) -> MetatrainConfig:
        """Return the same with what the learner decides filled in.

        >>> MetatrainConfig(learner="maml").settled().training.steps
        4000
        """
        rules, training = rules_of(self.learner), self.training
        steps, epochs = training.steps, training.epochs
        if steps is None and epochs is None:
            steps, epochs = rules.steps, rules.epochs
        batch = training.batch or rules.batch
        patience = rules.patience if training.patience is None else training.patience
        filled = replace(training, steps=steps, epochs=epochs, batch=batch, patience=patience)
        return replace(self, training=filled)

    def to_toml(self) -> str:
        """Return the settings, without paths, as a file that gives them again.

        >>> print(MetatrainConfig().to_toml().splitlines()[0])
        learner = "incontext"
        """
        lines = _lines(self, ("tasks", "training", "options"))
        for name, section in (("tasks", self.tasks), ("training", self.training)):
            lines += ["", f"[{name}]", *_lines(section, ())]
        if self.options:
            lines += ["", "[options]", *(f"{name} = {json.dumps(v)}" for name, v in self.options.items())]
        return "\n".join(lines) + "\n"


def read_config(path: Path) -> MetatrainConfig:
    """Read a TOML file with the keys of `MetatrainConfig`; tasks, training and options are tables.

    Paths in it are relative to the file.

    Raises
    ------
    ReadError
        When the file cannot be read or is no TOML.
    ParameterError
        When a key is unknown, or its value of another type or out of range.
    """
    try:
        entries = read_toml(path, "the settings")
    except ReadError as error:
        raise ReadError(f"{path} cannot be read as TOML: {error}; correct it") from error
    tasks, training = entries.pop("tasks", {}), entries.pop("training", {})
    try:
        return made(
            MetatrainConfig,
            entries,
            "",
            path.parent,
            tasks=made(TaskConfig, table("tasks", tasks), "tasks.", path.parent),
            training=made(TrainingConfig, table("training", training), "training.", path.parent),
        )
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error


def _lines(section: Any, besides: tuple[str, ...]) -> list[str]:
    names = [setting.name for setting in fields(section) if setting.name not in besides]
    values = {name: getattr(section, name) for name in names}
    return [
        f"{name} = {json.dumps(value)}"
        for name, value in values.items()
        if not (value is None or isinstance(value, Path))
    ]
