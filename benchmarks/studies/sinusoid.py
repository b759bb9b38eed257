"""Sinusoid regression by the published protocol: few-shot error against the number of gradient steps.

    python -m benchmarks run sinusoid --out benchmarks/results/sinusoid

1-40-40-1 ReLU network, 25 tasks a meta-step, Adam with rate 0.001, 70,000 meta-steps; mean squared error on
100 new points of each of 600 new tasks. A run takes 5 to 10 minutes on one core; it keeps its state in
`--work` and its result in OUT.json, and the same command goes on where it stopped. At the end OUT.md and the
figures OUT.svg are written.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness import machine
from benchmarks.harness.study import Call, Study, listed
from benchmarks.studies.sinusoid_report import EXAMPLES, report, table
from outlearn.files import whole
from outlearn.learners.gradient.anil import ANIL
from outlearn.learners.gradient.learner import GradientLearned, GradientLearner
from outlearn.learners.gradient.maml import FOMAML, MAML
from outlearn.learners.gradient.metasgd import MetaSGD
from outlearn.learners.gradient.reptile import Reptile
from outlearn.learners.training.batch import Batch
from outlearn.learners.training.fit import meta_fit
from outlearn.learners.training.loop import Training
from outlearn.nets.losses import squared_error
from outlearn.nets.mlp import MLP
from outlearn.rng import derive

MOST_STEPS = 10  # of the inner loop in testing
TESTS, TEST_QUERIES, META_BATCH = 600, 100, 25
TEST_SEED = 1_000_003
EXAMPLE = (4.0, 1.0)  # height and phase of the wave that the figures show


def to_zero(step: int, steps: int) -> float:
    """Share of the outer rate at a step: a straight line down to nothing."""
    return 1 - step / steps


@dataclass(frozen=True)
class Run:
    """One learner and what is known of it.

    published : mean squared error after so many inner steps; target : the most it may be after one.
    schedule : of the outer rate, see `Training`; published : (inner steps, error).
    """

    name: str
    shots: int
    learner: Callable[..., GradientLearner]
    published: tuple[tuple[int, float], ...]
    target: float | None = None
    schedule: Callable[[int, int], float] | None = None


# Joint pre-training is the same machine with no inner step: one network for all tasks. Reptile's inner steps,
# rows a step and falling outer rate were chosen by short runs on tasks of another seed than the tests.
RUNS = (
    Run("MAML 10-shot", 10, MAML, ((1, 0.389), (5, 0.161), (10, 0.125)), 0.48),
    Run("MAML 5-shot", 5, MAML, ((1, 0.668), (5, 0.476), (10, 0.386)), 0.80),
    Run("first-order MAML 10-shot", 10, FOMAML, ((1, 0.541), (5, 0.171), (10, 0.139)), 0.65),
    Run("Meta-SGD 10-shot", 10, MetaSGD, ((1, 0.220),), 0.30),
    Run("Meta-SGD 5-shot", 5, MetaSGD, ((1, 0.377),)),
    Run("ANIL 10-shot", 10, ANIL, ((1, 0.714), (5, 0.225)), 0.85),
    Run(
        "Reptile 10-shot",
        10,
        partial(Reptile, steps=5, rate=0.01, minibatch=10),
        ((1, 0.621), (5, 0.210), (10, 0.162)),
        0.75,
        to_zero,
    ),
    Run("joint pre-training", 10, partial(MAML, steps=0), ((1, 2.48), (5, 1.96), (10, 1.78))),
)


def wave(x: NDArray[np.float64], height: Any, phase: Any) -> NDArray[np.float64]:
    """Return a sin(x - p), by the rules of broadcasting."""
    values: NDArray[np.float64] = height * np.sin(x - phase)
    return values


def waves(rng: np.random.Generator, tasks: int, shots: int, queries: int) -> Batch:
    """Draw tasks with height in [0.1, 5], phase in [0, π] and points in [-5, 5], all uniform."""
    height = rng.uniform(0.1, 5.0, (tasks, 1, 1))
    phase = rng.uniform(0.0, np.pi, (tasks, 1, 1))
    at = rng.uniform(-5.0, 5.0, (tasks, shots + queries, 1))
    x, y = (torch.from_numpy(v.astype(np.float32)) for v in (at, wave(at, height, phase)))
    ones = torch.ones(tasks, shots + queries)
    return Batch(*(v[:, :shots] for v in (x, y, ones)), *(v[:, shots:] for v in (x, y, ones)))


def errors(learned: GradientLearned, shots: int) -> NDArray[np.float64]:
    """Return the error of every test task after each number of inner steps: (steps + 1, tasks)."""
    tests = waves(derive(TEST_SEED), TESTS, shots, TEST_QUERIES)
    learner, meta = learned.learner, learned.meta
    with torch.no_grad():
        walk = learner.walk(meta, learner.stacked(meta, TESTS), tests, MOST_STEPS)
        judged = [
            learner.judge(meta, params, tests.query_x, tests.query_y, tests.query_w, query=True)
            for params in walk
        ]
    return torch.stack(judged).double().numpy()


def example(learned: GradientLearned, shots: int) -> dict[str, Any]:
    """Return one wave, its support and the network on it before and after adapting."""
    support = derive(TEST_SEED, 1).uniform(-5.0, 5.0, (shots, 1))
    grid = np.linspace(-5.0, 5.0, 81)[:, None]
    curves = {"x": grid, "truth": wave(grid, *EXAMPLE), "support": support, "given": wave(support, *EXAMPLE)}
    for steps in (0, 1, MOST_STEPS):
        curves[str(steps)] = learned.adapt(support, curves["given"], steps=steps).predict(grid)
    return {name: values[:, 0].round(3).tolist() for name, values in curves.items()}


def train(run: Run, options: argparse.Namespace) -> dict[str, Any]:
    """Meta-train, going on where an earlier call stopped, and test."""
    torch.manual_seed(options.seed)
    learner = run.learner(module=MLP(1, (40, 40), 1), loss=squared_error)
    name = run.name.replace(" ", "-")
    how = Training(
        steps=options.steps,
        rate=1e-3,
        schedule=run.schedule,
        checkpoint=options.work / f"{name}-{options.seed}-{options.steps}.safetensors",
        every=1000,
        progress=partial(_say, run.name, time.monotonic()),
    )

    def tasks(step: int) -> Batch:
        return waves(derive(options.seed, step), META_BATCH, run.shots, run.shots)

    learned = GradientLearned(learner, meta_fit(learner, tasks, how))
    squared = errors(learned, run.shots)
    return {
        "run": run.name,
        "steps": options.steps,
        "seed": options.seed,
        "inner_steps": learner.steps,
        "inner_rate": "learnt" if learner.rates != "fixed" else f"{learner.rate}",
        "outer_rate": "0.001 to 0" if run.schedule else "0.001",
        "target": run.target,
        "published": run.published,
        "mse": _rounded(squared.mean(axis=1)),
        "interval": _rounded(1.96 * squared.std(axis=1) / TESTS**0.5),
        "example": example(learned, run.shots) if run.name in EXAMPLES else None,
    }


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    """Return numbers for JSON; what is not finite is None."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def _say(name: str, started: float, step: int, steps: int, loss: float) -> None:
    if step % 1000 == 0:
        print(
            f"{name}: step {step} of {steps}, loss {loss:.3f}, {time.monotonic() - started:.0f} s", flush=True
        )


def arguments(parser: argparse.ArgumentParser) -> None:
    names = [run.name for run in RUNS]
    add = parser.add_argument
    add("--out", type=Path, default=Path("sinusoid"), help="results go to OUT.json, OUT.md and OUT.svg")
    add("--work", type=Path, default=Path("sinusoid.work"), help="where training states are kept")
    add("--steps", type=int, default=70_000, help="meta-steps; the protocol has %(default)s")
    add("--seed", type=int, default=0)
    add("--runs", type=listed(names, "run"), default=names, help="names, comma-separated; all by default")


def conduct(call: Call) -> None:
    options = call.options
    torch.set_num_threads(1)  # two make steps of this size slower
    path = options.out.with_suffix(".json")
    results = json.loads(path.read_text())["runs"] if path.exists() else []
    for run in (run for run in RUNS if run.name in options.runs):
        key = {"run": run.name, "steps": options.steps, "seed": options.seed}
        if not any(key.items() <= result.items() for result in results):
            results.append(train(run, options))
            _write(path, results, call.command)
    order = [run.name for run in RUNS]
    chosen = [r for r in results if (r["steps"], r["seed"]) == (options.steps, options.seed)]
    ordered = sorted(chosen, key=lambda result: order.index(result["run"]))
    report(ordered, options.out, call.command)


def _write(path: Path, results: Sequence[dict[str, Any]], command: str) -> None:
    """Write what there is, one line a run."""
    lines = ",\n".join(json.dumps(result, ensure_ascii=False) for result in results)
    about = json.dumps({"command": command, **machine.describe()})[1:-1]
    with whole(path, parents=True) as file:
        file.write_text(f'{{{about}, "runs": [\n{lines}\n]}}\n')


STUDY = Study(
    "sinusoid",
    __doc__,
    arguments,
    conduct,
    report=lambda stored: table(stored["runs"], Path("sinusoid"), stored["command"]),
)
