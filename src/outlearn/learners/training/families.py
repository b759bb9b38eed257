"""Which settings the training of a family of learners takes, and their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from outlearn.learners.catalogue import CATALOGUE

__all__ = ["Rules", "rules_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules for the settings of a run of a family of `learners.catalogue`.

    Parameters
    ----------
    steps, epochs, batch, patience : of training, where nothing is said; see `training.config.TrainingConfig`.
    synthetic : whether it learns from synthetic tasks too; else from a corpus alone.
    name : of the learner with a recipe of its own, which leaves the settings of networks unread; else empty.
    takes : the settings that such a recipe reads, in words. unread : those of training that it does not.
    options : that it takes; None leaves them to the learner.
    """

    steps: int | None = None
    epochs: int | None = None
    batch: int | None = None
    patience: int = 0
    synthetic: bool = True
    name: str = ""
    takes: str = ""
    unread: tuple[str, ...] = ()
    options: tuple[str, ...] | None = None


_NETWORK = Rules(steps=4000, batch=16, patience=10)
_RULES: Mapping[str, Rules] = MappingProxyType(
    {
        "profile": Rules(
            steps=1500,  # of each part
            synthetic=False,
            name="the learner 'profiles'",
            takes="tasks.corpus, pattern, licence and held_out, and training.steps, every and log",
            unread=("batch", "rate", "clip", "patience", "epochs"),
            options=(),
        ),
        "in-context": Rules(
            epochs=6,
            batch=8,
            name="the in-context learner",
            takes="training.epochs, batch, rate, every and patience, and options width, latents and blocks",
            unread=("steps", "clip"),
            options=("width", "latents", "blocks"),
        ),
        "gradient": _NETWORK,
        "metric": _NETWORK,
    }
)


def rules_of(learner: str) -> Rules:
    """Return the rules of a learner of the catalogue.

    >>> rules_of("maml").steps
    4000
    """
    return _RULES[CATALOGUE[learner].family]
