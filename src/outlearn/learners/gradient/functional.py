"""Calling what users bring, a module and a loss, so that a misfit is told in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import TYPE_CHECKING

from outlearn.errors import InputError, OutlearnError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from outlearn.nets.losses import RowLoss

__all__ = ["output", "row_losses", "ties"]

MISFIT = (RuntimeError, ValueError, IndexError, TypeError)
_ONE = RLock()  # torch puts parameters into the module while it runs: threads that share it must take turns


def ties(module: nn.Module) -> bool:
    """Say whether some of the module's parameters go by two names."""
    every = module.named_parameters(remove_duplicate=False)
    return sum(1 for _ in every) > sum(1 for _ in module.parameters())


def output(module: nn.Module, params: Mapping[str, Tensor], x: Tensor, *, tied: bool = True) -> Tensor:
    """Return the module's output (n, …) for rows x (n, …), with `params` in place of its own.

    `tied` is what `ties` says of the module: False saves looking for parameters of two names each time.

    Raises
    ------
    InputError
        When the module does not take such rows.
    """
    from torch.func import functional_call

    try:
        with _ONE:
            result: Tensor = functional_call(module, dict(params), (x,), tie_weights=tied)
    except OutlearnError:
        raise
    except MISFIT as error:
        name, shape = type(module).__name__, tuple(x.shape[1:])
        raise InputError(f"{name} fails on rows of shape {shape}: {error}") from error
    return result


def row_losses(loss: RowLoss, params: Mapping[str, Tensor], out: Tensor, y: Tensor) -> Tensor:
    """Return the loss (n,) of each row.

    Raises
    ------
    InputError
        When the loss does not take such outputs and targets, or does not give one value a row.
    """
    from torch import nn
    from torch.func import functional_call

    try:
        rows: Tensor = (
            functional_call(loss, dict(params), (out, y)) if isinstance(loss, nn.Module) else loss(out, y)
        )
    except OutlearnError:
        raise
    except MISFIT as error:
        raise InputError(f"{_about(loss, out, y)} fails: {error}") from error
    if rows.shape != (len(out),):
        raise InputError(
            f"{_about(loss, out, y)} gave values of shape {tuple(rows.shape)}; wanted one a row, neither "
            "averaged nor summed over rows (see outlearn.nets.losses)"
        )
    return rows


def _about(loss: RowLoss, out: Tensor, y: Tensor) -> str:
    name = getattr(loss, "__name__", type(loss).__name__)
    return f"the loss {name} on outputs of shape {tuple(out.shape)} and targets of shape {tuple(y.shape)}"
