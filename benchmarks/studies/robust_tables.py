"""Guards measured on detection: row profiles of synthetic tables that were not trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.answers import Answers, predict
from benchmarks.studies.harms import delete_rows, planted, wrong_labels
from outlearn.evaluate import average_precision
from outlearn.learners.catalogue import Recipe
from outlearn.learners.gradient.learner import GradientLearned
from outlearn.learners.metric.learner import MetricLearned
from outlearn.learners.profiles.bank import EpisodeProfiles, build_bank, profile_episode
from outlearn.learners.tabular import label_weights, profile_task
from outlearn.learners.training.batch import Batch, stack
from outlearn.learners.training.fit import meta_fit
from outlearn.learners.training.loop import Training, warm_cosine
from outlearn.rng import derive
from outlearn.tasks.episode import Episode
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.tasks.task import Task
from outlearn.tasks.vary import drop_features, jitter

SHARE = 0.2  # of the support that is harmed
ATTACK = 0.3  # of statistics whose middle half is about 1 wide
FEW = 16  # tasks, where they are few
TEST_STREAM = 104729
Learned = GradientLearned | MetricLearned
Change = Callable[[Task, np.random.Generator], Task]

SAMPLER = SamplerConfig(
    support_rows=(60, 300),
    query_rows=128,
    columns=(2, 30),
    contamination=(0.03, 0.25),
    labels=(3, 12),
)
TESTED = {"labelled": 1.0}
TRAINED = {"labelled": 2.0, "contaminated": 1.0}  # without any label too: that is to be learnt like the rest


def _as_drawn(episode: Episode, rng: np.random.Generator) -> Episode:
    return episode


def _wrong(episode: Episode, rng: np.random.Generator) -> Episode:
    return wrong_labels(episode, rng, SHARE)


def _planted(episode: Episode, rng: np.random.Generator) -> Episode:
    return planted(episode, rng, SHARE)


def _dealt(episode: Episode, rng: np.random.Generator) -> Episode:
    return replace(episode, support_y=rng.permutation(episode.support_y))


def _untold(episode: Episode, rng: np.random.Generator) -> Episode:
    return replace(episode, support_y=np.full_like(episode.support_y, -1))


#: What is done to the episodes of a bank before they are profiled, by its name.
VARIANTS = {"as-drawn": _as_drawn, "wrong": _wrong, "planted": _planted, "dealt": _dealt, "untold": _untold}


@dataclass(frozen=True, eq=False)
class Tables:
    """Synthetic episodes to train on and others to test on; `work` keeps their profiles."""

    work: Path
    tasks: int
    steps: int
    tests: int
    seed: int

    def _tested(self, index: int, variant: str) -> Episode:
        sampler = SyntheticSampler(replace(SAMPLER, seed=self.seed + TEST_STREAM, situations=TESTED))
        return VARIANTS[variant](sampler.episode(index), derive(TEST_STREAM, index))

    @cache  # noqa: B019 - one lives as long as the program
    def _bank(self, variant: str) -> list[EpisodeProfiles]:
        """Return the profiles of the test episodes."""
        folder = self.work / f"{variant}-{self.seed}-{self.tests}"
        return build_bank(
            folder,
            partial(self._tested, variant=variant),
            self.tests,
            kind=EpisodeProfiles,
            read=profile_episode,
        )

    @cache  # noqa: B019
    def _training(self) -> list[EpisodeProfiles]:
        sampler = SyntheticSampler(replace(SAMPLER, seed=self.seed, situations=TRAINED))
        return build_bank(
            self.work / f"training-{self.seed}-{self.tasks}",
            sampler.episode,
            self.tasks,
            kind=EpisodeProfiles,
            read=profile_episode,
        )

    @cache  # noqa: B019
    def trained(
        self, name: str = "maml", tasks: int | None = None, change: Change | None = None, **options: Any
    ) -> Learned:
        """Meta-train a learner of the catalogue on the first `tasks` episodes; `change` varies tasks."""
        learner = Recipe(learner=name, options=options, seed=self.seed).build()
        bank = self._training()[:tasks]

        def batch(step: int) -> Batch:
            drawn = []
            for t in range(8):
                rng = derive(self.seed, 3, step, t)
                task = profile_task(bank[int(rng.integers(len(bank)))], rng, support=96, query=96)
                drawn.append(task if change is None else change(task, rng))
            return stack(drawn)

        how = Training(steps=self.steps, rate=1e-3, schedule=warm_cosine, clip=1.0)
        return learner.learned(meta_fit(learner, batch, how))

    def precision(
        self,
        learned: Learned,
        variant: str = "as-drawn",
        change: Change | None = None,
        *,
        attack: float = 0.0,
        one_class: bool = True,
    ) -> NDArray[np.float64]:
        """Return the average precision on each test episode (T,); `one_class` as in `label_weights`."""
        precisions = []
        for number, profiles in enumerate(self._bank(variant)):
            task = _whole(profiles, one_class)
            task = task if change is None else change(task, derive(TEST_STREAM, number))
            precisions.append(average_precision(task.query_y, predict(learned, task, attack).ravel()))
        return np.array(precisions)


def _whole(profiles: EpisodeProfiles, one_class: bool) -> Task:
    """Return all rows of an episode as a task, as in use."""
    x, query = (rows.astype(np.float32) for rows in (profiles.support, profiles.query))
    y, query_y = profiles.support_y, profiles.query_y
    weights = label_weights(y, one_class=one_class), label_weights(query_y)
    return Task(x, y, query, query_y, *weights)


def _thinned(task: Task, rng: np.random.Generator) -> Task:
    return delete_rows(task, rng, SHARE)


def _varied(task: Task, rng: np.random.Generator) -> Task:
    return drop_features(jitter(task, rng, 0.1), rng, 0.2)


def _trimmed(learned: Learned) -> GradientLearned:
    assert isinstance(learned, GradientLearned)
    return replace(learned, learner=replace(learned.learner, trim=SHARE))


def _answers(
    lab: Tables, without: Learned, guarded: Learned, variant: str = "as-drawn", **harm: Any
) -> Answers:
    """Judge two learners unharmed and harmed."""
    return Answers(
        *(lab.precision(learned) for learned in (without, guarded)),
        *(lab.precision(learned, variant, **harm) for learned in (without, guarded)),
    )


def trim_against_wrong(lab: Tables) -> Answers:
    return _answers(lab, lab.trained(), _trimmed(lab.trained()), "wrong")


def trim_against_planted(lab: Tables) -> Answers:
    return _answers(lab, lab.trained(), _trimmed(lab.trained()), "planted")


def trim_throughout(lab: Tables) -> Answers:
    return _answers(lab, lab.trained(), lab.trained(trim=SHARE), "wrong")


def shuffled(lab: Tables) -> Answers:
    """No guard, but a check: with labels at random a learner is to be no better than without any.

    Without any it is as it starts, since steps on usual rows alone can do harm; see `no_labels`.
    """
    learned = lab.trained()
    honest, dealt = (lab.precision(learned, variant) for variant in ("as-drawn", "dealt"))
    untold = lab.precision(learned, "untold", one_class=False)
    return Answers(honest, None, dealt, None, expected=untold)


def no_labels(lab: Tables) -> Answers:
    """Unharmed: with labels."""
    learned = lab.trained()
    reached = lab.precision(learned)
    steps, none = (lab.precision(learned, "untold", one_class=one_class) for one_class in (True, False))
    return Answers(reached, reached, steps, none)


def adversary(lab: Tables) -> Answers:
    return _answers(lab, lab.trained(), lab.trained(adversary=ATTACK), attack=ATTACK)


def few_tasks(lab: Tables) -> Answers:
    """Unharmed: training on all tasks."""
    many = lab.precision(lab.trained())
    few, varied = (lab.precision(lab.trained(tasks=FEW, change=change)) for change in (None, _varied))
    return Answers(many, many, few, varied)


def _deletion(lab: Tables, name: str) -> Answers:
    return _answers(lab, lab.trained(name), lab.trained(name, change=_thinned), change=_thinned)


#: (threat, guard) → how it is measured.
QUESTIONS: dict[tuple[str, str], Callable[[Tables], Answers]] = {
    ("20 % of the support told wrongly", "trim=0.2 in use"): trim_against_wrong,
    ("20 % of the support told wrongly", "trim=0.2 in training and use"): trim_throughout,
    ("20 % planted anomalies told normal", "trim=0.2 in use"): trim_against_planted,
    ("support labels shuffled", "none: a check"): shuffled,
    ("no labels in the support", "one_class=False, no steps then"): no_labels,
    (f"query attacked, step {ATTACK}", f"adversary={ATTACK}"): adversary,
    (f"{FEW} tasks to learn from", "jitter and drop_features"): few_tasks,
    ("20 % of the support deleted, MAML", "deletion in training too"): partial(_deletion, name="maml"),
    ("20 % of the support deleted, ProtoNet", "deletion in training too"): partial(
        _deletion, name="protonet"
    ),
}
