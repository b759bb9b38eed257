"""The inner loop: parameters in, parameters out; no module is changed and no state outlives a task.

Letters: T tasks, N rows. `Params` maps names to tensors; adapted ones carry a leading dimension T, one copy a
task. Tasks are independent, so the gradient of the *sum* of their losses with respect to the stacked
parameters is the stack of their gradients: one backward pass serves all tasks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "SGD",
    "Adam",
    "InnerOptimiser",
    "Losses",
    "Momentum",
    "Params",
    "Rates",
    "descend",
    "gradients",
    "last",
]

Params = dict[str, "Tensor"]
Losses = Callable[[Params], "Tensor"]  # adapted parameters → (T,) losses
Rates = Callable[[int], Mapping[str, "Tensor | float"]]  # step → rate of each parameter


class InnerOptimiser(Protocol):
    """A differentiable optimiser as two pure functions; states and parameters are never changed in place."""

    def start(self, params: Params) -> Params: ...

    def step(
        self, params: Params, grads: Params, state: Params, rates: Mapping[str, Tensor | float]
    ) -> tuple[Params, Params]: ...


@dataclass(frozen=True, slots=True)
class SGD:
    """Plain gradient descent."""

    def start(self, params: Params) -> Params:
        return {}

    def step(
        self, params: Params, grads: Params, state: Params, rates: Mapping[str, Tensor | float]
    ) -> tuple[Params, Params]:
        return {name: _move(value, grads[name], rates[name]) for name, value in params.items()}, state


@dataclass(frozen=True, slots=True)
class Momentum:
    """Heavy-ball momentum, as in torch.optim.SGD."""

    decay: float = 0.9

    def start(self, params: Params) -> Params:
        import torch

        return {name: torch.zeros_like(value) for name, value in params.items()}

    def step(
        self, params: Params, grads: Params, state: Params, rates: Mapping[str, Tensor | float]
    ) -> tuple[Params, Params]:
        state = {name: self.decay * state[name] + grads[name] for name in params}
        return {name: _move(value, state[name], rates[name]) for name, value in params.items()}, state


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam (Kingma and Ba 2015); `epsilon` stands under the root too, whose derivative at 0 is infinite.

    Steps are those of torch.optim.Adam wherever gradients are much larger than `epsilon`.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8

    def start(self, params: Params) -> Params:
        import torch

        zeros = {name: torch.zeros_like(value) for name, value in params.items()}
        first, second = ({f"{n}:{name}": zero for name, zero in zeros.items()} for n in (1, 2))
        # A float32 count would spoil 1 - beta2**count, which starts at 0.001.
        return {**first, **second, "count": torch.zeros((), dtype=torch.float64)}

    def step(
        self, params: Params, grads: Params, state: Params, rates: Mapping[str, Tensor | float]
    ) -> tuple[Params, Params]:
        beta1, beta2 = self.betas
        count = state["count"] + 1
        result: Params = {}
        after: Params = {"count": count}
        for name, value in params.items():
            first = beta1 * state[f"1:{name}"] + (1 - beta1) * grads[name]
            second = beta2 * state[f"2:{name}"] + (1 - beta2) * grads[name].square()
            size = (second / (1 - beta2**count) + self.epsilon**2).sqrt() + self.epsilon
            result[name] = _move(value, first / (1 - beta1**count) / size, rates[name])
            after |= {f"1:{name}": first, f"2:{name}": second}
        return result, after


def _move(value: Tensor, direction: Tensor, rate: Tensor | float) -> Tensor:
    """Return value - rate · direction in one operation; second order doubles each."""
    if isinstance(rate, float | int):
        return value.add(direction, alpha=-rate)
    return value.addcmul(direction, rate, value=-1)


def gradients(losses: Losses, params: Params, *, second_order: bool) -> Params:
    """Return the gradient of each task's loss with respect to its own copy of the parameters."""
    import torch

    inside = torch.is_grad_enabled()  # else: adapting for use, with a graph that ends here
    params = {
        name: value if inside and value.requires_grad else value.detach().requires_grad_()
        for name, value in params.items()
    }
    with torch.enable_grad():
        each = losses(params)
        found = torch.autograd.grad(
            each,
            list(params.values()),
            torch.ones_like(each),
            create_graph=second_order and inside,
            materialize_grads=True,
        )
    return dict(zip(params, found, strict=True))


def descend(
    params: Params,
    losses: Losses,
    steps: int,
    *,
    rates: Rates,
    optimiser: InnerOptimiser,
    second_order: bool,
) -> Iterator[Params]:
    """Yield the parameters before the first and after each of the steps."""
    state = optimiser.start(params)
    yield params
    for step in range(steps):
        grads = gradients(losses, params, second_order=second_order)
        params, state = optimiser.step(params, grads, state, rates(step))
        yield params


def last(walk: Iterator[Params]) -> Params:
    """Return where a walk ends, and let go of what lies before: unpacking would hold every step at once."""
    return deque(walk, maxlen=1).pop()
