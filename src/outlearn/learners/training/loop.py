"""The training loop of every learner: an objective in, trained parameters out; resumed at any step."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlearn.errors import WeightsError
from outlearn.progress import Progress
from outlearn.sealed import read_sealed, write_sealed

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["Training", "adamw", "train", "warm_cosine"]

WARM_UP = 50  # steps
_ENTRY = "training"  # of the header of a file


def warm_cosine(step: int, steps: int) -> float:
    """Return the share of the rate at a step: a linear rise, then a cosine down to 2 %."""
    return min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


@dataclass(frozen=True, kw_only=True)
class Training:
    """Settings of the training loop.

    Parameters
    ----------
    steps : of the optimiser.
    rate : its learning rate; `schedule` (step, steps) → share of it, constant when None.
    optimiser : makes one from (parameters, rate); Adam when None.
    clip : largest norm of a gradient; None for any.
    checkpoint : file for the state, written each `every` steps; training goes on from it if it exists.
    validate : loss on held-out tasks, asked each `every` steps; the parameters with the lowest are the
        result, and training stops when `patience` answers in a row were no better.
    progress : called with (step, steps, loss); `validated` with (step, held-out loss).
    passed : called each `every` steps with (step, mean loss of the steps since the last call); a run
        that goes on after an interruption first reports those before it.
    """

    steps: int = 1000
    rate: float = 1e-3
    schedule: Callable[[int, int], float] | None = None
    optimiser: Callable[[Iterable[Tensor], float], torch.optim.Optimizer] | None = None
    clip: float | None = None
    checkpoint: Path | None = None
    every: int = 200
    validate: Callable[[], float] | None = None
    patience: int = 10
    progress: Callable[[int, int, float], None] | None = None
    validated: Callable[[int, float], None] | None = None
    passed: Callable[[int, float], None] | None = None


def adamw(
    steps: int,
    rate: float,
    *,
    every: int,
    checkpoint: Path,
    tell: Progress,
    decay: float = 1e-2,
) -> Training:
    """Return how networks are trained from one command: AdamW, warm-up and cosine, gradients clipped at 1."""
    import torch

    return Training(
        steps=steps,
        rate=rate,
        schedule=warm_cosine,
        clip=1.0,
        every=every,
        optimiser=lambda leaves, share: torch.optim.AdamW(leaves, lr=share, weight_decay=decay),
        checkpoint=checkpoint,
        progress=partial(tell, "training"),
    )


@dataclass
class _State:
    step: int = 0
    best: float = math.inf
    misses: int = 0
    kept: dict[str, Tensor] = field(default_factory=dict)
    curve: list[tuple[int, float]] = field(default_factory=list)


def train(
    parameters: dict[str, Tensor],
    objective: Callable[[int], float],
    how: Training,
    *,
    blame: Callable[[int], str] = lambda step: "look at its tasks",
) -> None:
    """Train `parameters` in place.

    `objective(step)` sets the gradient of each and returns the loss; it must depend on the parameters and
    the step alone. Then a run resumed from its checkpoint ends with the same values as one never stopped.
    `blame(step)` ends the message when a step does not compute.

    Raises
    ------
    WeightsError
        When the loss or a gradient is no longer finite (the last checkpoint is kept), or the checkpoint is
        damaged or of another architecture.
    OutputError
        When the checkpoint cannot be written.
    """
    import torch

    leaves = list(parameters.values())
    optimiser = (
        torch.optim.Adam(leaves, lr=how.rate) if how.optimiser is None else how.optimiser(leaves, how.rate)
    )
    state = _State()
    if how.checkpoint is not None and how.checkpoint.exists():
        state = _resume(how.checkpoint, parameters, optimiser)
    tell = how.passed or (lambda step, loss: None)
    for step, loss in state.curve:
        tell(step, loss)
    losses: list[float] = []
    while state.step < how.steps and not (how.validate and state.misses >= how.patience):
        if how.schedule is not None:
            for group in optimiser.param_groups:
                group["lr"] = how.rate * how.schedule(state.step, how.steps)
        loss = objective(state.step)
        if not (math.isfinite(loss) and _finite(parameters)):
            kept = "" if how.checkpoint is None else "; the last checkpoint is kept"
            raise WeightsError(
                f"the loss ({loss}) or its gradient is not finite at step {state.step}: lower the rate, or "
                f"{blame(state.step)}{kept}"
            )
        if how.clip is not None:
            torch.nn.utils.clip_grad_norm_(leaves, how.clip)
        optimiser.step()
        state.step += 1
        losses.append(loss)
        if how.progress is not None:
            how.progress(state.step, how.steps, loss)
        if state.step % how.every == 0 or state.step == how.steps:
            _validate(state, parameters, how)
            state.curve.append((state.step, sum(losses) / len(losses)))
            tell(*state.curve[-1])
            losses.clear()
            if how.checkpoint is not None:
                _save(how.checkpoint, parameters, optimiser, state)
    with torch.no_grad():
        for name, value in state.kept.items():
            parameters[name].copy_(value)


def _finite(parameters: dict[str, Tensor]) -> bool:
    import torch

    norms = torch._foreach_norm([value.grad for value in parameters.values() if value.grad is not None])
    return bool(torch.isfinite(torch.stack(norms)).all())


def _validate(state: _State, parameters: dict[str, Tensor], how: Training) -> None:
    if how.validate is None:
        return
    value = how.validate()
    if how.validated is not None:
        how.validated(state.step, value)
    if value < state.best:
        state.best, state.misses = value, 0
        state.kept = {name: tensor.detach().clone() for name, tensor in parameters.items()}
    else:
        state.misses += 1


def _save(path: Path, parameters: dict[str, Tensor], optimiser: torch.optim.Optimizer, state: _State) -> None:
    tensors = {f"net.{name}": value for name, value in parameters.items()}
    tensors |= {f"best.{name}": value for name, value in state.kept.items()}
    for index, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in values.items() if value is not None}
    about: dict[str, Any] = {
        "step": state.step,
        "misses": state.misses,
        "optimiser": type(optimiser).__name__,
        "curve": state.curve,
    }
    if math.isfinite(state.best):
        about["best"] = state.best
    arrays = {name: value.detach().cpu().numpy() for name, value in tensors.items()}
    write_sealed(path, arrays, {_ENTRY: json.dumps(about)}, parents=True)


def _resume(path: Path, parameters: dict[str, Tensor], optimiser: torch.optim.Optimizer) -> _State:
    import torch

    try:
        contents = read_sealed(path, (_ENTRY,))
        tensors = {name: torch.from_numpy(values) for name, values in contents.arrays.items()}
        about = json.loads(contents.entries[_ENTRY])
        state = _State(int(about["step"]), float(about.get("best", math.inf)), int(about.get("misses", 0)))
        state.curve = [(int(step), float(loss)) for step, loss in about.get("curve", [])]
    except (OSError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise WeightsError(f"{path} is no training state that can be resumed; move it away") from error
    there = _under("net.", tensors)
    if {n: v.shape for n, v in there.items()} != {n: v.shape for n, v in parameters.items()}:
        raise WeightsError(f"{path} is a checkpoint of another architecture; start afresh or move it away")
    ours = type(optimiser).__name__
    if about.get("optimiser", ours) != ours:
        raise WeightsError(
            f"{path} is a checkpoint of another optimiser ({about['optimiser']}, now {ours}); go on with "
            "that one or move it away"
        )
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(there[name])
    state.kept = _under("best.", tensors)
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimiser.", tensors).items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    return state


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}
