"""Meta-training as one thing for all learners: scores before and after, training, and the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.learners.incontext.learner import InContext, InContextLearned
from outlearn.learners.incontext.loss import collate, episode_loss
from outlearn.learners.pretrained import save_incontext, save_table_learner
from outlearn.learners.profiles.bank import EpisodeProfiles
from outlearn.learners.tabular import label_weights, profile_task
from outlearn.learners.training.batch import stack
from outlearn.learners.training.fit import meta_fit
from outlearn.learners.training.judge import Score
from outlearn.learners.training.log import TrainingLog
from outlearn.learners.training.loop import Training, warm_cosine
from outlearn.learners.training.supply import Supply, task_source
from outlearn.rng import derive

__all__ = ["TrainingRun", "run_of", "training_of"]

Episodes = Sequence[EpisodeProfiles]
Passed = Callable[[int, float], None]


class TrainingRun(Protocol):
    """A learner in training."""

    def scores(self) -> Mapping[str, Score[EpisodeProfiles]]:
        """Return ways to score tasks as things stand: ``""`` as in use, ``unadapted`` without inner steps."""

    def train(self, train: list[EpisodeProfiles], watched: Episodes, how: Training) -> None:
        """Train on tasks, by `how` and what the recipe itself prescribes, stopping by those `watched`."""

    def save(self, out: Path, *, corpus: str, command: str, notes: dict[str, object]) -> None:
        """Write the checkpoint."""


def run_of(supply: Supply) -> TrainingRun:
    """Return the run that a configuration asks for.

    Raises
    ------
    ParameterError
        When the learner does not take its options.
    """
    return _RUNS[CATALOGUE[supply.config.learner].family](supply)


def training_of(
    supply: Supply, state: Path, log: TrainingLog, tell: Callable[[int, int, float], None], passed: Passed
) -> Training:
    """Return how a configuration trains; it goes on from the file `state` if it is there."""

    def told(step: int, total: int, loss: float) -> None:
        log.step(step, total, loss)
        tell(step, total, loss)

    training = supply.config.training
    return Training(
        rate=training.rate,
        schedule=warm_cosine,
        clip=training.clip or None,
        checkpoint=state,
        every=training.every,
        patience=training.patience or 0,
        progress=told,
        validated=log.held_out,
        passed=passed,
    )


class _InContextRun:
    def __init__(self, supply: Supply) -> None:
        config = supply.config
        training = config.training
        self._supply = supply
        self._learner = InContext(
            seed=config.seed,
            epochs=training.epochs or 1,
            batch=training.batch or 1,
            rate=training.rate,
            **config.options,
        )
        self._net = self._learner.network().eval()

    def scores(self) -> Mapping[str, Score[EpisodeProfiles]]:
        import torch

        def score(episode: EpisodeProfiles) -> np.ndarray:
            support, y, mask, about, query, _, _ = collate([episode])
            with torch.inference_mode():
                logits, _, _ = self._net(support, y, mask, about, query)
            return np.asarray(logits[0].numpy())

        return {"": score}

    def train(self, train: list[EpisodeProfiles], watched: Episodes, how: Training) -> None:
        if self._supply.config.training.patience:
            how = replace(how, validate=lambda: self._loss(watched))
        self._learner.train(self._net, train, how)

    def _loss(self, episodes: Episodes) -> float:
        import torch

        parts = [list(episodes[i : i + 8]) for i in range(0, len(episodes), 8)]
        with torch.inference_mode():
            total = sum(float(episode_loss(self._net, part)) * len(part) for part in parts)
        return total / len(episodes)

    def save(self, out: Path, *, corpus: str, command: str, notes: dict[str, object]) -> None:
        learned, seed = InContextLearned(self._net), self._supply.config.seed
        save_incontext(out, learned, corpus=corpus, seed=seed, command=command, notes=notes)


class _TableRun:
    def __init__(self, supply: Supply) -> None:
        config = supply.config
        self._supply = supply
        self._recipe = Recipe(
            learner=config.learner,
            columns=supply.width,
            widths=config.widths,
            embedding=config.embedding,
            options=config.options,
            seed=config.seed,
        )
        self._learner = self._recipe.build()
        self._meta = self._learner.start()

    def scores(self) -> Mapping[str, Score[EpisodeProfiles]]:
        learned = self._learner.learned(self._meta)

        def score(episode: EpisodeProfiles, **steps: int) -> np.ndarray:
            y = episode.support_y
            weight = label_weights(y, one_class=self._recipe.one_class)
            scorer = learned.adapt(episode.support.astype(np.float32), y, weight, **steps)
            return scorer.score(episode.query.astype(np.float32))

        if CATALOGUE[self._recipe.learner].family == "gradient":
            return {"": score, "unadapted": lambda episode: score(episode, steps=0)}
        return {"": score}

    def train(self, train: list[EpisodeProfiles], watched: Episodes, how: Training) -> None:
        training, tasks = self._supply.config.training, self._supply.config.tasks
        size = min(training.batch or 1, len(train))
        steps = training.steps or (training.epochs or 1) * (len(train) // size)
        held_out = None
        if training.patience:
            rng = derive(self._supply.config.seed, 4)
            cut = partial(
                profile_task,
                support=tasks.support,
                query=tasks.query,
                one_class=self._recipe.one_class,
            )
            held_out = stack([cut(task, rng) for task in watched])
        how = replace(how, steps=steps)
        source = task_source(train, self._supply.config, one_class=self._recipe.one_class)
        self._meta = meta_fit(self._learner, source, how, held_out=held_out)

    def save(self, out: Path, *, corpus: str, command: str, notes: dict[str, object]) -> None:
        save_table_learner(out, self._recipe, self._meta, corpus=corpus, command=command, notes=notes)


_RUNS: Mapping[str, Callable[[Supply], TrainingRun]] = {
    "in-context": _InContextRun,
    "gradient": _TableRun,
    "metric": _TableRun,
}
"""Family of learners → their run; learners on lean profiles train by `training.profiles`."""
