"""Measure meta-training: speed against a plain loop and TorchOpt, where `vmap` pays, and memory.

    python -m benchmarks run metaspeed --out benchmarks/results/metaspeed.json

(a) 32 tasks, 5-shot sinusoid regression, 1-40-40-1 ReLU network, second order, 1 and 5 inner steps; (b) tasks
side by side against one after another, over tasks, widths, rows and convolutional nets; (c) live bytes of a
meta-step over inner steps. One thread, processor time. Contenders take turns within each repetition, so that
whatever else the machine does meets all alike, and their gradients are compared before they are timed.
TorchOpt is measured where it is installed (`pip install torchopt`); it is no dependency.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.harness.live_bytes import Peak
from benchmarks.harness.study import Call, Study
from outlearn.learners.gradient.maml import MAML
from outlearn.learners.gradient.vmap import pays
from outlearn.learners.training.batch import Batch
from outlearn.nets.conv import ConvNet
from outlearn.nets.losses import RowLoss, cross_entropy, squared_error
from outlearn.nets.mlp import MLP

RATE, META_RATE = 0.01, 1e-3
TARGET = 5.0  # times the plain loop


@dataclass(frozen=True)
class Contender:
    """Parameters whose `.grad` each call of `gradient` sets to the meta-gradient of one batch."""

    parameters: list[Tensor]
    gradient: Callable[[], None]


def ours(path: str) -> Callable[[nn.Module, Batch, int], Contender]:
    def make(net: nn.Module, batch: Batch, steps: int) -> Contender:
        learner = MAML(module=net, loss=squared_error, steps=steps, rate=RATE, path=path)  # type: ignore[arg-type]
        meta = {name: value.requires_grad_() for name, value in learner.start().items()}

        def gradient() -> None:
            _, grads = learner.meta_gradient(meta, batch)
            for name, value in meta.items():
                value.grad = grads[name]

        return Contender(list(meta.values()), gradient)

    return make


def plain_loop(net: nn.Module, batch: Batch, steps: int) -> Contender:
    """What one writes by hand: a network as a function of a list of weights, and a loop over tasks."""
    theta = [value.detach().clone().requires_grad_() for value in net.parameters()]

    def forward(w: list[Tensor], x: Tensor) -> Tensor:
        for layer in range(0, len(w) - 2, 2):
            x = functional.relu(functional.linear(x, w[layer], w[layer + 1]))
        return functional.linear(x, w[-2], w[-1])

    def gradient() -> None:
        losses = []
        for t in range(len(batch)):
            phi = theta
            for _ in range(steps):
                loss = functional.mse_loss(forward(phi, batch.support_x[t]), batch.support_y[t])
                grads = torch.autograd.grad(loss, phi, create_graph=True)
                phi = [w - RATE * g for w, g in zip(phi, grads, strict=True)]
            losses.append(functional.mse_loss(forward(phi, batch.query_x[t]), batch.query_y[t]))
        for value in theta:
            value.grad = None
        torch.stack(losses).mean().backward()

    return Contender(theta, gradient)


def torchopt_loop(net: nn.Module, batch: Batch, steps: int) -> Contender:
    """The differentiable optimiser that wraps a module; states are taken and put back around each task."""
    import torchopt

    net = deepcopy(net)
    inner = torchopt.MetaSGD(net, lr=RATE)
    parameters = list(net.parameters())

    def gradient() -> None:
        losses = []
        start = torchopt.extract_state_dict(net, by="reference")
        fresh = torchopt.extract_state_dict(inner, by="reference")
        for t in range(len(batch)):
            for _ in range(steps):
                inner.step(functional.mse_loss(net(batch.support_x[t]), batch.support_y[t]))
            losses.append(functional.mse_loss(net(batch.query_x[t]), batch.query_y[t]))
            torchopt.recover_state_dict(net, start)
            torchopt.recover_state_dict(inner, fresh)
        for value in parameters:
            value.grad = None
        torch.stack(losses).mean().backward()

    return Contender(parameters, gradient)


def torchopt_vmap(net: nn.Module, batch: Batch, steps: int) -> Contender:
    """The functional optimiser inside `torch.func.grad` and `torch.func.vmap`, put together by hand."""
    import torchopt
    from torch.func import functional_call, grad, vmap

    inner = torchopt.sgd(lr=RATE)
    theta = {name: value.detach().clone().requires_grad_() for name, value in net.named_parameters()}

    def loss_of(params: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return functional.mse_loss(functional_call(net, params, (x,)), y)

    def task(params: dict[str, Tensor], xs: Tensor, ys: Tensor, xq: Tensor, yq: Tensor) -> Tensor:
        state = inner.init(params)
        for _ in range(steps):
            updates, state = inner.update(grad(loss_of)(params, xs, ys), state, inplace=False)
            params = torchopt.apply_updates(params, updates, inplace=False)
        return loss_of(params, xq, yq)

    def meta_loss(params: dict[str, Tensor]) -> Tensor:
        tasks = vmap(task, in_dims=(None, 0, 0, 0, 0))
        return tasks(params, batch.support_x, batch.support_y, batch.query_x, batch.query_y).mean()

    def gradient() -> None:
        for value in theta.values():
            value.grad = None
        meta_loss(theta).backward()

    return Contender(list(theta.values()), gradient)


CONTENDERS = {
    "outlearn, side by side": ours("vmap"),
    "outlearn, one after another": ours("loop"),
    "plain loop": plain_loop,
    "TorchOpt, its loop": torchopt_loop,
    "TorchOpt, vmap by hand": torchopt_vmap,
}


def waves(tasks: int, rows: int, columns: int = 1) -> Batch:
    x, w = torch.rand(2, tasks, rows, columns) * 10 - 5, torch.ones(tasks, rows)
    y = 3 * torch.sin(x[..., :1] + torch.rand(tasks, 1, 1))
    return Batch(x[0], y[0], w, x[1], y[1], w)


def images(tasks: int, rows: int) -> Batch:
    x, w = torch.rand(2, tasks, rows, 1, 28, 28), torch.ones(tasks, rows)
    y = torch.arange(rows).remainder(5).expand(tasks, rows)
    return Batch(x[0], y, w, x[1], y, w)


def race(calls: dict[str, Callable[[], object]], seconds: float, least: int = 5) -> dict[str, float]:
    """Return the median processor seconds of a call of each, called in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():  # to warm up
        call()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < least:
        for name, call in calls.items():
            start = time.process_time()
            call()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def meta_steps(seconds: float) -> list[dict[str, Any]]:
    """(a) Meta-steps a second, an Adam step included."""
    rows, net, batch = [], MLP(1, (40, 40), 1), waves(32, 5)
    for steps in (1, 5):
        made, absent = {}, {}
        for name, make in CONTENDERS.items():
            try:
                made[name] = make(net, batch, steps)
            except ImportError as error:
                absent[name] = f"not installed: {error}"
        _compare(made)
        outer = {name: torch.optim.Adam(one.parameters, lr=META_RATE) for name, one in made.items()}

        def call(name: str, made: Any = made, outer: Any = outer) -> None:
            made[name].gradient()
            outer[name].step()

        medians = race({name: lambda name=name: call(name) for name in made}, seconds)  # type: ignore[misc]
        for name, median in medians.items():
            rows.append(
                {
                    "inner steps": steps,
                    "contender": name,
                    "meta-steps a second": round(1 / median, 1),
                    "times the plain loop": round(medians["plain loop"] / median, 2),
                }
            )
        rows += [{"inner steps": steps, "contender": name, "error": error} for name, error in absent.items()]
    return rows


def _compare(made: dict[str, Contender]) -> None:
    gradients = []
    for one in made.values():
        one.gradient()
        gradients.append(
            torch.cat([value.grad.flatten() for value in one.parameters if value.grad is not None])
        )
    for name, other in zip(made, gradients, strict=True):
        if not torch.allclose(other, gradients[0], rtol=1e-3, atol=1e-4 * float(gradients[0].abs().max())):
            raise AssertionError(f"{name} has another meta-gradient")


@dataclass(frozen=True)
class Case:
    """A net on batches of some numbers of tasks, with as many rows in each support and query."""

    name: str
    net: nn.Module
    rows: int
    tasks: tuple[int, ...]

    def batch(self, tasks: int) -> Batch:
        return (images if isinstance(self.net, ConvNet) else partial(waves, columns=8))(tasks, self.rows)


def cases() -> Iterator[Case]:
    few, many = (2, 8, 32), (1, 2, 4, 8, 32)
    for rows, widths, tasks in (
        (5, (8, 32, 64, 128, 256, 320, 384, 512, 1024), many),
        (50, (32, 128, 256, 512), few),
        (250, (32, 128, 256), few),
        (1000, (32, 256), (2, 8)),
    ):
        for width in widths:
            yield Case(f"MLP 8-{width}-{width}-1", MLP(8, (width, width), 1), rows, tasks)
    for rows, channels, tasks in ((5, (8, 16, 32, 64), (1, 2, 8)), (25, (8, 16, 32, 64), (2, 4))):
        for width in channels:
            yield Case(f"ConvNet, {width} channels", ConvNet(5, channels=width), rows, tasks)


def sweep(seconds: float) -> Iterator[dict[str, Any]]:
    """(b) Processor time of a meta-gradient of one inner step, side by side and one after another."""
    for case, tasks in ((one, tasks) for one in cases() for tasks in one.tasks):
        batch = case.batch(tasks)
        loss: RowLoss = cross_entropy if isinstance(case.net, ConvNet) else squared_error
        calls = {}
        for path in ("vmap", "loop"):
            learner = MAML(module=case.net, loss=loss, rate=RATE, path=path)  # type: ignore[arg-type]
            calls[path] = partial(learner.meta_gradient, learner.start(), batch)
        medians = race(calls, seconds, least=3)
        yield {
            "net": case.name,
            "largest weight": max(value.numel() for value in case.net.parameters()),
            "rows": case.rows,
            "tasks": tasks,
            "side by side, ms": round(1e3 * medians["vmap"], 1),
            "one after another, ms": round(1e3 * medians["loop"], 1),
            "gain": round(medians["loop"] / medians["vmap"], 2),
            "chosen": "side by side" if pays(case.net, tasks, case.rows) else "one after another",
        }


def memory() -> list[dict[str, Any]]:
    """(c) Live bytes at the peak of a meta-gradient, and what each inner step adds."""
    rows, batch, net = [], waves(32, 5), MLP(1, (40, 40), 1)
    for checkpointing in (False, True):
        peaks = {}
        for steps in (4, 16, 64):
            options = {"steps": steps, "checkpointing": checkpointing, "path": "vmap"}
            learner = MAML(module=net, loss=squared_error, rate=1e-4, **options)  # type: ignore[arg-type]
            meta = learner.start()
            started = time.process_time()
            learner.meta_gradient(meta, batch)
            seconds = time.process_time() - started
            with Peak() as counted:
                learner.meta_gradient(meta, batch)
            peaks[steps] = counted.peak
            rows.append(
                {
                    "checkpointing": checkpointing,
                    "inner steps": steps,
                    "peak, MB": round(counted.peak / 1e6, 2),
                    "a step, kB": round(counted.peak / steps / 1e3, 1),
                    "ms": round(1e3 * seconds, 1),
                }
            )
    return rows


def _line(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("metaspeed.json"))
    parser.add_argument("--seconds", type=float, default=20.0, help="for each race; the sweep takes a tenth")


def conduct(call: Call) -> None:
    options = call.options
    torch.set_num_threads(1)
    torch.manual_seed(0)
    speed, bytes_alive = meta_steps(options.seconds), memory()
    for row in (*speed, *bytes_alive):
        print(_line(row))
    paths = []
    for row in sweep(options.seconds / 10):
        paths.append(row)
        print(_line(row), flush=True)
    worst = min((row["gain"] for row in paths if row["chosen"] == "side by side"), default=1.0)
    gains = [r["times the plain loop"] for r in speed if r["contender"] == "outlearn, side by side"]
    summary = {
        "times the plain loop, at least": min(gains),
        "target": TARGET,
        "met": min(gains) >= TARGET,
        "least gain where side by side is chosen": worst,
    }
    print(_line(summary))
    processor = f"{os.cpu_count()}-core {platform.machine().replace('_', '-')}"
    about = {
        "command": call.command,
        "machine": f"{processor}, one thread, torch {torch.__version__}",
        "date": time.strftime("%Y-%m-%d"),
        "summary": summary,
    }
    result = {**about, "meta-steps": speed, "memory": bytes_alive, "paths": paths}
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def report(stored: dict[str, Any]) -> str:
    """Return a line a measurement, and the summary."""
    rows = (*stored["meta-steps"], *stored["memory"], *stored["paths"], stored["summary"])
    return "\n".join(map(_line, rows))


STUDY = Study("metaspeed", __doc__, arguments, conduct, report=report)
