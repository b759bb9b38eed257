"""Few-way, few-shot images: how well each learner tells characters apart that it never met.

    python -m benchmarks run images --out benchmarks/results/images.json

Learners are meta-trained on generated characters and tested on others of these and, without further training,
on the handwritten digits that come with scikit-learn; `--omniglot FOLDER` adds a local Omniglot, by whose
characters they are then trained and tested too. The network has four blocks of convolutions, as in the
literature but with fewer channels, and training is short, so that all of it takes minutes on one core:
figures compare learners here with one another, not with published ones. A finished learner stays in the JSON
file, and the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.harness import machine, rowfile
from benchmarks.harness.study import Call, Study, integers, listed
from outlearn.evaluate.compare import markdown
from outlearn.learners.gradient.anil import ANIL
from outlearn.learners.gradient.maml import FOMAML, MAML
from outlearn.learners.metric.protonet import ProtoNet
from outlearn.learners.training.batch import Batch, stack
from outlearn.learners.training.fit import meta_fit
from outlearn.learners.training.loop import Training
from outlearn.nets.conv import ConvEmbedding, ConvNet
from outlearn.nets.losses import cross_entropy
from outlearn.rng import derive
from outlearn.tasks.digits import digits
from outlearn.tasks.glyphs import glyphs
from outlearn.tasks.images import ImageClasses, split_classes, way_shot_task
from outlearn.tasks.omniglot import omniglot_folder
from outlearn.tasks.task import Array, Task

WAYS, QUERIES = 5, 5  # query images a class, in training and in testing
PER_CLASS = 20  # images of a character, as in Omniglot
TEST_STREAM = 1_000_003
Predict = Callable[[Task], Array]  # task → (m,) classes of its query


@dataclass(frozen=True)
class Domain:
    """Characters to train and test on; `turns` as in `way_shot_task`."""

    name: str
    train: ImageClasses | None
    test: ImageClasses
    turns: bool


@dataclass(frozen=True)
class Run:
    """A learner by name. `steps` are meta-steps at 1 and 5 shots, of like duration; 0 for no training."""

    name: str
    make: Callable[[int], Any]
    steps: tuple[int, int]
    rate: float = 3e-3


def _net(channels: int) -> ConvNet:
    return ConvNet(WAYS, channels=channels)


def _gradient(learner: Callable[..., Any], **options: Any) -> Callable[[int], Any]:
    return lambda channels: learner(module=_net(channels), loss=cross_entropy, **options)


def _prototypes(channels: int) -> ProtoNet:
    return ProtoNet(module=ConvEmbedding(channels=channels), ways=WAYS)


RUNS = (
    Run("MAML", _gradient(MAML, steps=3, rate=0.1), (400, 250)),
    Run("first-order MAML", _gradient(FOMAML, steps=3, rate=0.1), (800, 500)),
    Run("ANIL", _gradient(ANIL, steps=3, rate=0.4), (800, 500)),
    Run("ProtoNet", _prototypes, (1000, 600)),
    Run("untrained, adapted", _gradient(MAML, steps=10, rate=0.1), (0, 0)),
    Run("untrained, prototypes", _prototypes, (0, 0)),
)
PIXELS = "pixels, nearest neighbour"


def nearest_pixels(task: Task) -> Array:
    """Return the class of the support image at the least Euclidean distance."""
    query, support = (x.reshape(len(x), -1) for x in (task.query_x, task.support_x))
    apart = ((query[:, None] - support[None]) ** 2).sum(axis=-1)
    labels: Array = task.support_y[apart.argmin(axis=1)]
    return labels


def adapted(learned: Any) -> Predict:
    """Return how a meta-trained learner answers: adapt to the support, take the largest output."""
    return lambda task: learned.adapt(task.support_x, task.support_y).predict(task.query_x).argmax(axis=1)


def tests(domain: Domain, shots: int, count: int) -> Iterator[Task]:
    """Yield the test tasks of a domain, the same for every learner."""
    for number in range(count):
        rng = derive(TEST_STREAM, shots, number)
        yield way_shot_task(domain.test, rng, ways=WAYS, shots=shots, queries=QUERIES, turns=domain.turns)


def judge(predict: Predict, domain: Domain, shots: int, count: int) -> dict[str, float]:
    """Return the mean accuracy over test tasks and the half width of its 95 % interval."""
    accuracies = [float((predict(task) == task.query_y).mean()) for task in tests(domain, shots, count)]
    half = (
        1.96 * float(np.std(accuracies, ddof=1)) / len(accuracies) ** 0.5
        if len(accuracies) > 1
        else float("nan")
    )
    return {"accuracy": round(float(np.mean(accuracies)), 4), "interval": round(half, 4)}


def train(run: Run, shots: int, domain: Domain, options: argparse.Namespace) -> Any:
    """Meta-train on the characters of a domain; with no steps, return the learner as it starts."""
    torch.manual_seed(options.seed)
    learner = run.make(options.channels)
    steps = round(run.steps[shots > 1] * options.scale)
    if steps == 0:
        return learner.learned(learner.start())

    classes = domain.train
    assert classes is not None

    def batch(step: int) -> Batch:
        rngs = (derive(options.seed, shots, step, t) for t in range(options.tasks))
        draw = partial(way_shot_task, classes, ways=WAYS, shots=shots, queries=QUERIES)
        return stack([draw(rng, turns=domain.turns) for rng in rngs])

    how = Training(steps=steps, rate=run.rate, schedule=lambda s, n: min(1.0, 2 * (1 - s / n)), clip=10.0)
    return learner.learned(meta_fit(learner, batch, how))


def measure(
    name: str, shots: int, home: Domain, tested: Sequence[Domain], options: argparse.Namespace
) -> dict[str, Any]:
    """Train one learner on `home` and test it everywhere; seconds are of processor time."""
    began = time.process_time()
    row: dict[str, Any] = {"learner": name, "shots": shots, "trained on": home.name}
    if name == PIXELS:
        predict: Predict = nearest_pixels
    else:
        run = next(run for run in RUNS if run.name == name)
        predict = adapted(train(run, shots, home, options))
        row["tasks"] = round(run.steps[shots > 1] * options.scale) * options.tasks
    row["train_s"] = round(time.process_time() - began, 1)
    for domain in tested:
        row[domain.name] = judge(predict, domain, shots, options.tests)
    row["seconds"] = round(time.process_time() - began, 1)
    return row


def domains(options: argparse.Namespace) -> list[list[Domain]]:
    """Return groups of domains: the first of each is trained on, all are tested on."""
    drawn = glyphs(options.classes, PER_CLASS, options.seed)
    home = Domain("glyphs", *split_classes(drawn, 0.8, derive(options.seed, 1)), turns=True)
    groups = [[home, Domain("digits", None, digits(), turns=False)]]
    if options.omniglot is not None:
        sides = split_classes(omniglot_folder(options.omniglot), 0.75, derive(options.seed, 2))
        groups.append([Domain("omniglot", *sides, turns=True)])
    return groups


def report(rows: Sequence[dict[str, Any]], about: Mapping[str, Any]) -> str:
    """Return the accuracies as Markdown, one table for what was trained on."""
    facts = [f"* {name}: {about[name]}" for name in machine.FACTS]
    parts = ["# Few-shot images", f"    {about['command']}", "\n".join(facts)]
    parts.append(
        "Five-way accuracy on classes that were not trained on, with the half width of its 95 % interval."
    )
    for home in dict.fromkeys(row["trained on"] for row in rows):
        mine = [row for row in rows if row["trained on"] == home]
        tested = [key for key, value in mine[0].items() if isinstance(value, dict)]
        columns = [(domain, shots) for domain in tested for shots in dict.fromkeys(r["shots"] for r in mine)]
        body = []
        for name in dict.fromkeys(row["learner"] for row in mine):
            figures = {(d, r["shots"]): r[d] for r in mine if r["learner"] == name for d in tested}
            body.append([name, *(_cell(figures.get(column)) for column in columns)])
        head = ["learner", *(f"{domain}, {shots}-shot" for domain, shots in columns)]
        parts.append(f"Trained on {home}:\n\n{markdown(head, body)}")
    return "\n\n".join(parts) + "\n"


def _cell(figure: dict[str, float] | None) -> str:
    return "–" if figure is None else f"{figure['accuracy']:.3f} ± {figure['interval']:.3f}"


def arguments(parser: argparse.ArgumentParser) -> None:
    names = [PIXELS, *(run.name for run in RUNS)]
    add = parser.add_argument
    add("--out", type=Path, default=Path("images.json"))
    add("--omniglot", type=Path, help="folder in the layout of Omniglot")
    add("--learners", type=listed(names, "learner"), default=names, help="comma-separated; all by default")
    add("--shots", type=integers, default=[1, 5])
    add("--channels", type=int, default=16, help="of each block")
    add("--classes", type=int, default=300, help="generated characters, a fifth of them for testing")
    add("--tasks", type=int, default=4, help="a meta-step")
    add("--scale", type=float, default=1.0, help="of the meta-steps of every learner")
    add("--tests", type=int, default=600, help="test tasks")
    add("--seed", type=int, default=0)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {k: getattr(options, k) for k in ("seed", "channels", "classes", "tasks", "scale", "tests")}


def conduct(call: Call) -> None:
    options = call.options
    torch.set_num_threads(1)
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["learner"], row["shots"], row["trained on"]) for row in rows}
    for group in domains(options):
        for shots in options.shots:
            for name in options.learners:
                if (name, shots, group[0].name) in done:
                    continue
                rows.append(measure(name, shots, group[0], group, options))
                print(json.dumps(rows[-1]), flush=True)
                rowfile.write(options.out, call.settings, rows, command=call.command)
    text = report(rows, {"command": call.command, **machine.describe()})
    print(text)
    options.out.with_suffix(".md").write_text(text)


STUDY = Study(
    "images",
    __doc__,
    arguments,
    conduct,
    settings=settings,
    report=lambda stored: report(stored["rows"], stored),
)
