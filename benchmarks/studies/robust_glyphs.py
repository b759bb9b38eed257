"""Guards measured on five-way tasks of generated characters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.studies.answers import Answers, predict
from benchmarks.studies.harms import delete_rows, mislabel, shuffle_labels, tied_task
from outlearn.learners.gradient.learner import GradientLearned
from outlearn.learners.gradient.maml import MAML
from outlearn.learners.metric.learner import MetricLearned
from outlearn.learners.metric.protonet import ProtoNet
from outlearn.learners.training.batch import Batch, stack
from outlearn.learners.training.fit import meta_fit
from outlearn.learners.training.loop import Training, warm_cosine
from outlearn.nets.losses import cross_entropy
from outlearn.nets.mlp import MLP
from outlearn.rng import derive
from outlearn.tasks.glyphs import glyphs
from outlearn.tasks.images import ImageClasses, split_classes, way_shot_task
from outlearn.tasks.task import Task
from outlearn.tasks.vary import shuffle_ways

SIZE, PER_CLASS = 14, 20
SHAPE: dict[str, Any] = {"ways": 5, "shots": 5, "queries": 5}
SHARE = 0.2  # of the support that is harmed
ATTACK = 0.05  # of a range of ink from 0 to 1
FEW = 20  # classes to train on, where they are learnt by heart
TEST_STREAM = 7919
Change = Callable[[Task, np.random.Generator], Task]


class _Flat(nn.Module):
    """Images (n, 1, s, s) → (n, outputs)."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.net = MLP(SIZE * SIZE, (64, 64), outputs, normalise=True)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.net(images.flatten(1))
        return logits


@dataclass(frozen=True, eq=False)
class Glyphs:
    """Characters to train on and others to test on, and how long to do so."""

    train: ImageClasses
    test: ImageClasses
    steps: int
    tests: int
    seed: int

    @classmethod
    def drawn(cls, classes: int, steps: int, tests: int, seed: int) -> Glyphs:
        images = glyphs(classes, PER_CLASS, seed, SIZE)
        return cls(*split_classes(images, 0.8, derive(seed, 1)), steps, tests, seed)

    @cache  # noqa: B019 - one lives as long as the program
    def maml(
        self, draw: Callable[..., Task] = way_shot_task, change: Change | None = None, **options: Any
    ) -> GradientLearned:
        """Meta-train on tasks that are drawn and then changed."""
        torch.manual_seed(self.seed)
        learner = MAML(module=_Flat(SHAPE["ways"]), loss=cross_entropy, steps=2, rate=0.5, **options)
        return learner.learned(meta_fit(learner, partial(self._batch, draw, change), self._how()))

    @cache  # noqa: B019
    def protonet(self, change: Change | None = None) -> MetricLearned:
        torch.manual_seed(self.seed)
        learner = ProtoNet(module=_Flat(64), ways=SHAPE["ways"])
        return learner.learned(meta_fit(learner, partial(self._batch, way_shot_task, change), self._how()))

    def _how(self) -> Training:
        return Training(steps=self.steps, rate=3e-3, schedule=warm_cosine, clip=10.0)

    def _batch(self, draw: Callable[..., Task], change: Change | None, step: int) -> Batch:
        rngs = [derive(self.seed, 2, step, t) for t in range(8)]
        tasks = [draw(self.train, rng, **SHAPE) for rng in rngs]
        return stack(
            [task if change is None else change(task, rng) for task, rng in zip(tasks, rngs, strict=True)]
        )

    def accuracy(
        self, learned: Any, change: Change | None = None, *, attack: float = 0.0
    ) -> NDArray[np.float64]:
        """Return the accuracy on each test task (T,), of characters that were not trained on."""
        correct = []
        for number in range(self.tests):
            rng = derive(TEST_STREAM, number)
            task = way_shot_task(self.test, rng, **SHAPE)
            task = task if change is None else change(task, rng)
            correct.append((predict(learned, task, attack).argmax(axis=1) == task.query_y).mean())
        return np.array(correct)


def _mislabelled(task: Task, rng: np.random.Generator) -> Task:
    return mislabel(task, rng, SHARE)


def _thinned(task: Task, rng: np.random.Generator) -> Task:
    return delete_rows(task, rng, SHARE)


def _trimmed(learned: GradientLearned) -> GradientLearned:
    return replace(learned, learner=replace(learned.learner, trim=SHARE))


def _answers(
    lab: Glyphs, without: Any, guarded: Any, change: Change | None = None, *, attack: float = 0.0
) -> Answers:
    """Judge two learners unharmed and harmed."""
    return Answers(
        *(lab.accuracy(learned) for learned in (without, guarded)),
        *(lab.accuracy(learned, change, attack=attack) for learned in (without, guarded)),
    )


def trim_in_use(lab: Glyphs) -> Answers:
    return _answers(lab, lab.maml(), _trimmed(lab.maml()), _mislabelled)


def trim_throughout(lab: Glyphs) -> Answers:
    return _answers(lab, lab.maml(), lab.maml(trim=SHARE), _mislabelled)


def noisy_training(lab: Glyphs) -> Answers:
    return _answers(lab, lab.maml(), lab.maml(change=_mislabelled), _mislabelled)


def noisy_trimmed(lab: Glyphs) -> Answers:
    return _answers(lab, lab.maml(), lab.maml(change=_mislabelled, trim=SHARE), _mislabelled)


def adversary(lab: Glyphs) -> Answers:
    return _answers(lab, lab.maml(), lab.maml(adversary=ATTACK), attack=ATTACK)


def memorisation(lab: Glyphs) -> Answers:
    """Few classes, which can be learnt by heart. Unharmed: their numbers are at random from the start."""
    few, _ = split_classes(lab.train, FEW / len(lab.train.names), derive(lab.seed, 4))
    lab = replace(lab, train=few)
    free = lab.accuracy(lab.maml())
    tied, untied = (lab.accuracy(lab.maml(tied_task, change)) for change in (None, shuffle_ways))
    return Answers(free, free, tied, untied)


def shuffled(lab: Glyphs) -> Answers:
    """No guard, but a check: nothing but the support's labels can tell the classes."""
    honest, dealt = (lab.accuracy(lab.maml(), change) for change in (None, shuffle_labels))
    return Answers(honest, None, dealt, None, expected=1 / SHAPE["ways"])


def deletion_maml(lab: Glyphs) -> Answers:
    return _answers(lab, lab.maml(), lab.maml(change=_thinned), _thinned)


def deletion_protonet(lab: Glyphs) -> Answers:
    return _answers(lab, lab.protonet(), lab.protonet(change=_thinned), _thinned)


#: (threat, guard) → how it is measured.
QUESTIONS: dict[tuple[str, str], Callable[[Glyphs], Answers]] = {
    ("20 % wrong support labels", "trim=0.2 in use"): trim_in_use,
    ("20 % wrong support labels", "trim=0.2 in training and use"): trim_throughout,
    ("20 % wrong support labels", "wrong labels in training too"): noisy_training,
    ("20 % wrong support labels", "wrong labels in training, trim=0.2"): noisy_trimmed,
    ("support labels shuffled", "none: a check"): shuffled,
    (f"query attacked, step {ATTACK}", f"adversary={ATTACK}"): adversary,
    (f"{FEW} classes whose numbers are fixed in training", "shuffle_ways"): memorisation,
    ("20 % of the support deleted, MAML", "deletion in training too"): deletion_maml,
    ("20 % of the support deleted, ProtoNet", "deletion in training too"): deletion_protonet,
}
