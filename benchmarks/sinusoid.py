"""Sinusoid regression by the published protocol: few-shot error after 0, 1, 5 and 10 gradient steps.

    python benchmarks/sinusoid.py --out benchmarks/results/sinusoid

1-40-40-1 ReLU network, 25 tasks a meta-step, Adam with rate 0.001, 70,000 meta-steps; mean squared error over 600
new tasks. Each run keeps its state in `--work` and its result in OUT.json; the same command goes on where it
stopped. When all are there, OUT.md and the adaptation curve OUT.svg are written.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from outlearn.learners.anil import ANIL
from outlearn.learners.batch import Batch
from outlearn.learners.fit import meta_fit
from outlearn.learners.gradient import GradientLearned, GradientLearner
from outlearn.learners.loop import Training
from outlearn.learners.maml import FOMAML, MAML
from outlearn.learners.metasgd import MetaSGD
from outlearn.learners.reptile import Reptile
from outlearn.nets.losses import squared_error
from outlearn.nets.mlp import MLP
from outlearn.rng import derive

AFTER = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
TESTS, TEST_QUERIES, META_BATCH = 600, 100, 25


@dataclass(frozen=True)
class Run:
    """One learner: `published` error and `target` after one step, `test_rate` the step size in testing."""

    name: str
    shots: int
    learner: Callable[..., GradientLearner]
    published: float
    target: float | None = None
    test_rate: float | None = None


# Joint pre-training is the same machine with no inner step: one network for all tasks.
RUNS = (
    Run("MAML 10-shot", 10, MAML, 0.389, 0.48),
    Run("MAML 5-shot", 5, MAML, 0.668, 0.80),
    Run("first-order MAML 10-shot", 10, FOMAML, 0.541, 0.65),
    Run("Meta-SGD 10-shot", 10, MetaSGD, 0.220, 0.30),
    Run("Meta-SGD 5-shot", 5, MetaSGD, 0.377),
    Run("ANIL 10-shot", 10, ANIL, 0.714, 0.85),
    Run("Reptile 10-shot", 10, partial(Reptile, steps=5, rate=0.02, minibatch=10), 0.621, 0.75, test_rate=0.02),
    Run("joint pre-training", 10, partial(MAML, steps=0), 2.48),
)


def waves(rng: np.random.Generator, tasks: int, shots: int, queries: int) -> Batch:
    """Draw y = a sin(x - p), a in [0.1, 5], p in [0, pi], x in [-5, 5], all uniform."""
    height = rng.uniform(0.1, 5.0, (tasks, 1, 1))
    phase = rng.uniform(0.0, np.pi, (tasks, 1, 1))
    x = rng.uniform(-5.0, 5.0, (tasks, shots + queries, 1))
    x, y = (torch.from_numpy(v.astype(np.float32)) for v in (x, height * np.sin(x - phase)))
    ones = torch.ones(tasks, shots + queries)
    return Batch(*(v[:, :shots] for v in (x, y, ones)), *(v[:, shots:] for v in (x, y, ones)))


def errors(learned: GradientLearned, shots: int, test_rate: float | None) -> dict[int, list[float]]:
    """Return the error of every test task after each number of steps."""
    tests = waves(derive(1_000_003), TESTS, shots, TEST_QUERIES)
    learner, meta = learned.learner, learned.meta
    if test_rate is not None:
        learner = replace(learner, rate=test_rate)
    found = {}
    with torch.no_grad():
        walk = learner.walk(meta, learner.stacked(meta, TESTS), tests, max(AFTER))
        for step, params in enumerate(walk):
            loss = learner.judge(meta, params, tests.query_x, tests.query_y, tests.query_w, query=True)
            found[step] = loss.tolist()
    return found


def train(run: Run, arguments: argparse.Namespace) -> dict[str, Any]:
    """Meta-train, going on where an earlier call stopped, and test."""
    torch.set_num_threads(1)  # two make steps of this size slower
    torch.manual_seed(arguments.seed)
    learner = run.learner(module=MLP(1, (40, 40), 1), loss=squared_error)
    how = Training(
        steps=arguments.steps,
        rate=1e-3,
        checkpoint=arguments.work / f"{run.name.replace(' ', '-')}-{arguments.seed}-{arguments.steps}.safetensors",
        every=1000,
        progress=partial(_say, run.name, time.monotonic()),
    )
    started = time.monotonic()
    meta = meta_fit(
        learner, lambda step: waves(derive(arguments.seed, step), META_BATCH, run.shots, run.shots), how
    )
    found = errors(GradientLearned(learner, meta), run.shots, run.test_rate)
    return {
        "run": run.name,
        "mse": {step: round(float(np.mean(losses)), 4) for step, losses in found.items()},
        "interval": {step: round(1.96 * float(np.std(losses)) / TESTS**0.5, 4) for step, losses in found.items()},
        "published after 1 step": run.published,
        "target": run.target,
        "seconds in this call": round(time.monotonic() - started),
    }


def _say(name: str, started: float, step: int, steps: int, loss: float) -> None:
    if step % 1000 == 0:
        print(f"{name}: step {step} of {steps}, loss {loss:.3f}, {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=Path, default=Path("sinusoid"), help="results go to OUT.json, OUT.md and OUT.svg")
    add("--work", type=Path, default=Path("sinusoid.work"), help="where training states are kept")
    add("--steps", type=int, default=70_000, help="meta-steps; the protocol has %(default)s")
    add("--seed", type=int, default=0)
    add("--runs", default=",".join(run.name for run in RUNS), help="comma-separated; all by default")
    arguments = parser.parse_args()
    results: list[dict[str, Any]] = []
    path = arguments.out.with_suffix(".json")
    if path.exists():
        results = json.loads(path.read_text())["runs"]
    wanted = arguments.runs.split(",")
    for run in RUNS:
        about = {"run": run.name, "steps": arguments.steps, "seed": arguments.seed}
        if run.name not in wanted or any(about.items() <= result.items() for result in results):
            continue
        results.append({**about, **train(run, arguments)})
        machine = f"{platform.machine()}, torch {torch.__version__}, one thread"
        path.write_text(json.dumps({"command": "python benchmarks/sinusoid.py", "machine": machine, "date": time.strftime("%Y-%m-%d"), "runs": results}, indent=1))
    report(results, arguments.out)


def report(results: list[dict[str, Any]], out: Path) -> None:
    """Write the table and the adaptation curve."""


if __name__ == "__main__":
    main()
