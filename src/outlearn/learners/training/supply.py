"""The tasks of a meta-training run: synthetic ones and those of a corpus, profiled once and kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from outlearn import __version__
from outlearn.errors import ParameterError
from outlearn.execute import Executor
from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.profiles.bank import (
    EpisodeProfiles,
    build_bank,
    claim,
    profile_episode,
    situation,
    usual_share,
)
from outlearn.learners.profiles.profile import BASIC_FEATURES, FEATURES
from outlearn.learners.tabular import column_task, profile_task
from outlearn.learners.training.batch import Batch, stack
from outlearn.learners.training.config import MetatrainConfig
from outlearn.learners.training.fit import Source
from outlearn.learners.training.sets import SetEpisodes, Sets, read_sets
from outlearn.progress import Progress
from outlearn.rng import derive
from outlearn.tasks.episode import Episode
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler

__all__ = ["Supply", "plan", "task_source"]

_ORDER, _ROWS = 1, 2  # streams of random numbers below the seed
_FEWEST = 8  # tasks to train on
WIDEST = 300  # columns of a synthetic task: embeddings ask for other statistics than tables do


@dataclass(frozen=True)
class Supply:
    """Where the tasks of a run come from; `profiles` makes them.

    sets : of the corpus; None without one. width : of the tables, when columns are read; else None.
    """

    config: MetatrainConfig
    sets: Sets | None
    width: int | None

    @property
    def synthetic_held_out(self) -> int:
        tasks = self.config.tasks
        return max(int(tasks.held_out * tasks.synthetic), 1) if tasks.synthetic else 0

    @property
    def digest(self) -> str:
        """Name of all that decides the result, but for the version of the code."""
        defaults = dict(CATALOGUE[self.config.learner].options)
        about = [self.config.to_toml(), defaults, self._about_synthetic(), self._about_sets()]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]

    def _about_synthetic(self) -> dict[str, Any]:
        sampler = self._sampler()
        values = {each.name: getattr(sampler, each.name) for each in fields(sampler)}
        return self._about() | {
            f"sampler.{name}": dict(value) if isinstance(value, Mapping) else value
            for name, value in values.items()
        }

    def _about_sets(self) -> dict[str, Any]:
        if self.sets is None:
            return {}
        tasks = self.config.tasks
        return self._about() | {
            "seed": self.config.seed,
            "sets": self.sets.digests,
            "sets held out": [entry.name for entry in self.sets.held_out],
            "situations": tasks.situations,
            "per_set": tasks.per_set,
            "augment": tasks.augment,
        }

    def _about(self) -> dict[str, Any]:
        features: tuple[str, ...] | str = f"{self.width} columns"
        if self.width is None:
            features = FEATURES if self._rich else BASIC_FEATURES
        return {"version of outlearn": __version__, "features": features}

    @property
    def _rich(self) -> bool:
        """Whether profiles hold all features; the other learners read the basic ones."""
        return CATALOGUE[self.config.learner].rich

    def _sampler(self) -> SamplerConfig:
        return _sampler(self.config.seed, self.width, self._rich)

    def profiles(
        self, folder: Path, executor: Executor, tell: Progress
    ) -> tuple[list[EpisodeProfiles], dict[str, list[EpisodeProfiles]]]:
        """Return the tasks to train on, and those held out by source, going on with what `folder` has.

        Raises
        ------
        InputError
            When the folder holds tasks that were made otherwise.
        """
        seed, tasks = self.config.seed, self.config.tasks
        train: list[EpisodeProfiles] = []
        held_out = {}
        kind = "-rich" if self._rich else "" if self.width is None else f"-{self.width}"
        if tasks.synthetic:
            place, episode = (
                folder / f"episodes{kind}-{seed}",
                partial(_synthetic, seed=seed, width=self.width, rich=self._rich),
            )
            claim(place, self._about_synthetic())
            bank = self._bank(place, episode, tasks.synthetic, executor, partial(tell, "profiling episodes"))
            train += bank[: -self.synthetic_held_out]
            held_out["synthetic"] = bank[-self.synthetic_held_out :]
        if self.sets is not None:
            paths = [entry.path for entry in (*self.sets.train, *self.sets.held_out)]
            size = len(self.sets.train)
            episodes = SetEpisodes(tuple(paths), size, tasks, seed, self.width is not None)
            place = folder / f"sets{kind}-{seed}"
            claim(place, self._about_sets())
            bank = self._bank(place, episodes, len(episodes), executor, partial(tell, "profiling sets"))
            train += bank[: size * tasks.per_set]
            held_out["corpus"] = bank[size * tasks.per_set :]
        return train, held_out

    def _bank(
        self,
        folder: Path,
        episode: Callable[[int], Episode],
        count: int,
        executor: Executor,
        tell: Callable[[int, int], None],
    ) -> list[EpisodeProfiles]:
        return build_bank(
            folder,
            episode,
            count,
            kind=EpisodeProfiles,
            read=column_episode if self.width is not None else partial(profile_episode, rich=self._rich),
            executor=executor,
            progress=tell,
        )


def plan(config: MetatrainConfig, tell: Progress) -> Supply:
    """Read the corpus, if there is one, and see that there are enough tasks.

    Raises
    ------
    ReadError, ParameterError, InputError
        See `read_sets`; also when there are too few tasks.
    """
    tasks, columns = config.tasks, config.features == "columns"
    sets = None
    if tasks.corpus is not None:
        sets = read_sets(
            tasks,
            config.seed,
            one_width=columns,
            progress=partial(tell, "reading sets"),
        )
    supply = Supply(config, sets, sets.width if columns and sets is not None else None)
    real = 0 if sets is None else len(sets.train) * tasks.per_set
    if tasks.synthetic - supply.synthetic_held_out + real < _FEWEST:
        of_sets = f" and {real} of sets" if sets is not None else ""
        raise ParameterError(
            f"{tasks.synthetic} episodes{of_sets} are too few to train on; give at least 10, better thousands"
        )
    return supply


def task_source(
    episodes: list[EpisodeProfiles], config: MetatrainConfig, *, one_class: bool = True
) -> Source:
    """Return batches that show all tasks once an epoch, each time with other rows.

    one_class : as in `learners.tabular.label_weights`.

    Order and rows are a pure function of the seed and the step, so a resumed run sees the same.
    """
    tasks, size = config.tasks, min(config.training.batch or 1, len(episodes))
    per_epoch = len(episodes) // size

    def batch(step: int) -> Batch:
        epoch, turn = divmod(step, per_epoch)
        order = derive(config.seed, _ORDER, epoch).permutation(len(episodes))
        return stack(
            [
                profile_task(
                    episodes[i],
                    derive(config.seed, _ROWS, step, place),
                    support=tasks.support,
                    query=tasks.query,
                    one_class=one_class,
                )
                for place, i in enumerate(order[turn * size : (turn + 1) * size])
            ]
        )

    return batch


def column_episode(episode: Episode) -> EpisodeProfiles:
    """Return an episode with standardised columns in the place of profiles."""
    rows = max(len(episode.support_y), 2 * len(episode.query_y))
    task = column_task(episode, derive(0), support=rows, query=rows)
    return EpisodeProfiles(
        task.support_x.astype(np.float16),
        task.support_y,
        task.query_x.astype(np.float16),
        task.query_y,
        situation(episode.support_x, episode.support_y),
        usual_share(episode),
    )


def _synthetic(index: int, seed: int, width: int | None, rich: bool) -> Episode:
    return SyntheticSampler(_sampler(seed, width, rich)).episode(index)


def _sampler(seed: int, width: int | None, rich: bool) -> SamplerConfig:
    if rich:
        return SamplerConfig(seed=seed, columns=(2, WIDEST), hidden=0.5)
    return SamplerConfig(seed=seed) if width is None else SamplerConfig(seed=seed, columns=(width, width))
