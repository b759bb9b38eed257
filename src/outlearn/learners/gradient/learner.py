"""The base of gradient-based meta-learners: meta-parameters, tasks side by side, adapting for use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.learners.gradient.checks import refuse_batch_norm, refuse_loss
from outlearn.learners.gradient.functional import output, row_losses, ties
from outlearn.learners.gradient.inner import SGD, InnerOptimiser, Params, descend, last
from outlearn.learners.gradient.trimming import kept
from outlearn.learners.training.batch import Batch, stack, tensor
from outlearn.learners.training.fit import draw, meta_fit
from outlearn.learners.training.loop import Training
from outlearn.learners.training.settings import one_thread
from outlearn.tasks.task import Array, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from outlearn.nets.losses import RowLoss

__all__ = ["GradientLearned", "GradientLearner", "GradientScorer"]

Path = Literal["auto", "vmap", "loop"]


@dataclass(frozen=True, kw_only=True)
class GradientLearner:
    """Learns a start from which a few gradient steps suffice.

    Parameters
    ----------
    module : any module (n, …) → (n, …) without batch normalisation. It is a template: its parameters are
        where meta-training starts, and it is never changed.
    loss : of a row, see `nets.losses`. `query_loss` judges the query; the same when None. A module's
        parameters are learnt across tasks, which wants a `query_loss` without any: one that judges itself
        would learn to find everything good.
    steps, rate : of the inner loop in meta-training and by default in use.
    optimiser : of the inner loop; adapting starts it afresh for each task.
    rates : ``fixed``; or learnt: ``one`` for all, one a ``layer-step``, one a ``parameter``.
    adapts : shell pattern of the parameters that the inner loop changes, such as ``head.*``.
    penalty : weight λ of ½λ|φ-θ|² in the inner loss, which keeps adapted parameters φ near their start θ;
        `learn_penalty` makes it a meta-parameter.
    trim : share of support rows with the largest loss, within each class, that each inner step leaves out: a
        guard against wrong labels and poisoned rows.
    adversary : size of the worst step that each value of a query row may take before it is judged in
        meta-training (Goodfellow et al. 2015, one step); 0 for none.
    path : how tasks share the machine; ``vmap`` side by side, ``loop`` one after another, ``auto`` the
        faster of both, see `learners.gradient.vmap`.
    """

    module: nn.Module
    loss: RowLoss
    query_loss: RowLoss | None = None
    steps: int = 1
    rate: float = 0.01
    optimiser: InnerOptimiser = field(default_factory=SGD)
    rates: Literal["fixed", "one", "layer-step", "parameter"] = "fixed"
    adapts: str = "*"
    penalty: float = 0.0
    learn_penalty: bool = False
    trim: float = 0.0
    adversary: float = 0.0
    path: Path = "auto"

    transductive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        refuse_batch_norm(self.module)
        refuse_loss(self.loss, self.query_loss)
        if not self._adapted:
            names = [name for name, _ in self.module.named_parameters()]
            raise ParameterError(f"adapts={self.adapts!r} matches none of the parameters {names}")
        for name, low, high in (
            ("steps", 0, np.inf),
            ("rate", 0, np.inf),
            ("penalty", 0, np.inf),
            ("trim", 0, 0.5),
            ("adversary", 0, np.inf),
        ):
            value = getattr(self, name)
            if not low <= value < high + (high == np.inf):
                raise ParameterError(f"{name}={value}; wanted {low} or more and less than {high}")
        if self.steps != int(self.steps):
            raise ParameterError(f"steps={self.steps}; wanted a whole number")
        if self.rates != "fixed" and self.steps == 0:
            raise ParameterError(f"rates={self.rates!r} with steps=0: there is no step whose rate to learn")
        if self.learn_penalty and self.penalty == 0:
            raise ParameterError("learn_penalty needs a penalty above 0 to start from")

    @cached_property
    def _adapted(self) -> list[str]:
        return [name for name, _ in self.module.named_parameters() if fnmatch(name, self.adapts)]

    @cached_property
    def _tied(self) -> bool:
        return ties(self.module)

    def start(self) -> Params:
        """Return the meta-parameters before any training."""
        import torch
        from torch import nn

        def copies(prefix: str, module: nn.Module) -> Params:
            return {f"{prefix}.{n}": p.detach().clone() for n, p in module.named_parameters()}

        meta = copies("net", self.module)
        if isinstance(self.loss, nn.Module):
            meta |= copies("loss", self.loss)
        dtype = next(iter(meta.values())).dtype
        if self.rates == "one":
            meta["rate"] = torch.tensor(self.rate, dtype=dtype)
        elif self.rates == "layer-step":
            layers = dict.fromkeys(name.rpartition(".")[0] for name in self._adapted)
            meta |= {f"rate.{layer}": torch.full((self.steps,), self.rate, dtype=dtype) for layer in layers}
        elif self.rates == "parameter":
            meta |= {f"rate.{n}": torch.full_like(meta[f"net.{n}"], self.rate) for n in self._adapted}
        if self.learn_penalty:
            meta["log_penalty"] = torch.tensor(self.penalty, dtype=dtype).log()
        return meta

    @abstractmethod
    def meta_loss(self, meta: Params, batch: Batch, step: int) -> Tensor:
        """Return the loss (T,) of each task after adapting; its mean's gradient is the meta-gradient.

        step : of meta-training, for learners that change as it goes on.
        """

    def meta_gradient(self, meta: Params, batch: Batch, step: int = 0) -> tuple[Tensor, Params]:
        """Return the losses (T,) and the gradient of their mean with respect to each meta-parameter."""
        import torch

        meta = {name: value.detach().requires_grad_() for name, value in meta.items()}
        leaves, losses = list(meta.values()), []
        total: list[Tensor] = []
        for portion in self.portions(batch):  # a loop over tasks holds the graph of one at a time
            loss = self.meta_loss(meta, portion, step)
            share = torch.full_like(loss, 1 / len(batch))
            grads = torch.autograd.grad(loss, leaves, share, materialize_grads=True)
            total = [a + b for a, b in zip(total, grads, strict=True)] if total else list(grads)
            losses.append(loss.detach())
        return torch.cat(losses), dict(zip(meta, total, strict=True))

    def held_out_losses(self, meta: Params, batch: Batch) -> Tensor:
        """Return the query loss (T,) of each task after adapting to its support alone; no graph is kept."""
        import torch

        with torch.no_grad():
            return torch.cat(
                [
                    self.query_losses(
                        meta,
                        last(self.walk(meta, self.stacked(meta, len(portion)), portion, self.steps)),
                        portion,
                    )
                    for portion in self.portions(batch)
                ]
            )

    def portions(self, batch: Batch) -> list[Batch]:
        """Return what goes side by side through `vmap`: all tasks, or each alone."""
        from outlearn.learners.gradient.vmap import pays

        rows = max(batch.support_w.shape[1], batch.query_w.shape[1])
        together = self.path == "vmap" or (self.path == "auto" and pays(self.module, len(batch), rows))
        return [batch] if together else [batch.task(t) for t in range(len(batch))]

    def parts(self, meta: Params) -> tuple[Params, Params]:
        """Split the network's meta-parameters into those that adapt and those that stay."""
        names = set(self._adapted)
        net = {n.removeprefix("net."): v for n, v in meta.items() if n.startswith("net.")}
        return {n: v for n, v in net.items() if n in names}, {n: v for n, v in net.items() if n not in names}

    def rates_of(self, meta: Params) -> Callable[[int], Mapping[str, Tensor | float]]:
        """Return the rate of each adapted parameter as a function of the inner step."""
        names = self._adapted
        if self.rates == "fixed":
            return lambda step: dict.fromkeys(names, self.rate)
        if self.rates == "one":
            return lambda step: dict.fromkeys(names, meta["rate"])
        if self.rates == "parameter":
            return lambda step: {n: meta[f"rate.{n}"] for n in names}
        # Beyond the steps of meta-training the last rate goes on.
        return lambda step: {
            n: meta[f"rate.{n.rpartition('.')[0]}"][min(step, self.steps - 1)] for n in names
        }

    def judge(self, meta: Params, adapted: Params, x: Tensor, y: Tensor, w: Tensor, *, query: bool) -> Tensor:
        """Return the weighted mean loss (T,) of rows x (T, N, …), y (T, N, …), w (T, N), each task with its
        own adapted parameters (T, …)."""
        from torch.func import vmap

        _, frozen = self.parts(meta)
        loss = self.query_loss if query and self.query_loss is not None else self.loss
        of_loss = {n.removeprefix("loss."): v for n, v in meta.items() if n.startswith("loss.")}
        trim = 0.0 if query else self.trim

        def one(params: Params, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
            out = output(self.module, {**frozen, **params}, x, tied=self._tied)
            rows = row_losses(loss, {} if query and self.query_loss is not None else of_loss, out, y)
            if trim > 0:
                w = w * kept(rows.detach(), y, w, trim)
            return (rows * (w / w.sum().clamp(min=1e-12))).sum()

        if len(x) == 1:
            return one({n: v[0] for n, v in adapted.items()}, x[0], y[0], w[0])[None]
        return vmap(one, randomness="different")(adapted, x, y, w)

    def support_losses(self, meta: Params, batch: Batch) -> Callable[[Params], Tensor]:
        """Return the inner loss as a function of the adapted parameters."""
        theta, _ = self.parts(meta)
        weight = meta["log_penalty"].exp() if self.learn_penalty else self.penalty

        def losses(params: Params) -> Tensor:
            value = self.judge(meta, params, batch.support_x, batch.support_y, batch.support_w, query=False)
            if self.penalty > 0:
                away = [(params[n] - theta[n]).square().reshape(len(batch), -1).sum(1) for n in params]
                value = value + 0.5 * weight * sum(away)
            return value

        return losses

    def walk(
        self, meta: Params, params: Params, batch: Batch, steps: int, *, second_order: bool = False
    ) -> Iterator[Params]:
        """Yield stacked parameters before the first inner step and after each, on the supports of `batch`."""
        return descend(
            params,
            self.support_losses(meta, batch),
            steps,
            rates=self.rates_of(meta),
            optimiser=self.optimiser,
            second_order=second_order,
        )

    def query_losses(self, meta: Params, params: Params, batch: Batch) -> Tensor:
        """Return the outer loss (T,), with the adversary's step if there is one."""
        import torch

        x = batch.query_x
        if self.adversary > 0:
            fixed = {n: v.detach() for n, v in params.items()}
            with torch.enable_grad():
                x = x.detach().requires_grad_()
                loss = self.judge(meta, fixed, x, batch.query_y, batch.query_w, query=True)
            (uphill,) = torch.autograd.grad(loss.sum(), x)
            x = (x + self.adversary * uphill.sign()).detach()
        return self.judge(meta, params, x, batch.query_y, batch.query_w, query=True)

    def stacked(self, meta: Params, tasks: int) -> Params:
        """Return one copy of the adapted parameters a task: (T, …)."""
        return {n: v.expand(tasks, *v.shape) for n, v in self.parts(meta)[0].items()}

    def meta_fit(
        self, tasks: Iterable[Task], how: Training | None = None, *, batch: int = 16, seed: int = 0
    ) -> GradientLearned:
        """Learn across tasks, held in memory; `learners.training.fit.meta_fit` takes endless ones.

        Parameters
        ----------
        batch : tasks a meta-step; seed : of their order.
        """
        dtype = next(self.module.parameters()).dtype
        return self.learned(meta_fit(self, draw(list(tasks), batch, seed, dtype), how))

    def learned(self, meta: Params) -> GradientLearned:
        """Return what adapts from meta-trained parameters."""
        return GradientLearned(self, meta)


@dataclass(frozen=True)
class GradientLearned:
    """Meta-trained parameters; `adapt` changes none of them."""

    learner: GradientLearner
    meta: Params

    @cached_property
    def _calm(self) -> GradientLearner:
        """Return the learner without dropout: in use the same input has the same output."""
        return replace(self.learner, module=deepcopy(self.learner.module).eval())

    def adapt(
        self,
        X: Array,
        y: Array,
        weight: NDArray[np.float32] | None = None,
        *,
        steps: int | None = None,
    ) -> GradientScorer:
        """Take the inner steps on one support: X (n, …), y (n, …), weight (n,).

        Parameters
        ----------
        steps : of the inner loop; those of meta-training when None.

        Raises
        ------
        InputError
            When the support is empty or not finite or does not fit the module, or adapting runs off to
            values that are not finite.
        """
        import torch

        learner = self._calm
        if steps is not None and (steps < 0 or steps != int(steps)):
            raise ParameterError(f"steps={steps}; wanted a whole number of 0 or more")
        dtype = next(iter(self.meta.values())).dtype
        batch = stack([Task(X, y, X[:1], y[:1], weight)], dtype)
        count = learner.steps if steps is None else steps
        with torch.no_grad(), one_thread():  # the same bytes at any number of threads
            walk = learner.walk(self.meta, learner.stacked(self.meta, 1), batch, count)
            for step, params in enumerate(walk):
                if not all(bool(torch.isfinite(v).all()) for v in params.values()):
                    raise InputError(
                        f"adapting ran off to values that are not finite at inner step {step}; scale the "
                        "rows or take a lower rate"
                    )
        _, frozen = learner.parts(self.meta)
        return GradientScorer(learner.module, {**frozen, **{n: v[0] for n, v in params.items()}})


@dataclass(frozen=True)
class GradientScorer:
    """A module with the parameters of one task."""

    module: nn.Module
    params: Params

    def predict(self, X: Array) -> NDArray[Any]:
        """Return the module's output (m, …) for rows X (m, …)."""
        import torch

        dtype = next(iter(self.params.values())).dtype
        with torch.inference_mode():
            return output(self.module, self.params, tensor(X, dtype)).numpy()

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (m,) scores of a module with one output, high = abnormal."""
        return self.predict(X).reshape(len(X)).astype(np.float64)
