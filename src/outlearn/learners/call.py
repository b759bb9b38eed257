"""Calling what users bring, a module and a loss, so that a misfit is told in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from outlearn.errors import InputError, OutlearnError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from outlearn.nets.losses import RowLoss

__all__ = ["output", "row_losses"]


def output(module: nn.Module, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Return the module's output (n, …) for rows x (n, …), with `params` in place of its own.

    Raises
    ------
    InputError
        When the module does not take such rows.
    """
    from torch.func import functional_call

    with _told(f"{type(module).__name__} fails on rows of shape {tuple(x.shape[1:])}"):
        result: Tensor = functional_call(module, dict(params), (x,))
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

    name = getattr(loss, "__name__", type(loss).__name__)
    shapes = f"outputs of shape {tuple(out.shape)} and targets of shape {tuple(y.shape)}"
    with _told(f"the loss {name} fails on {shapes}"):
        rows: Tensor = (
            functional_call(loss, dict(params), (out, y)) if isinstance(loss, nn.Module) else loss(out, y)
        )
    if rows.shape != (len(out),):
        raise InputError(
            f"the loss {name} gave a value of shape {tuple(rows.shape)} for {shapes}; wanted one value a "
            "row, neither averaged nor summed over rows (see outlearn.nets.losses)"
        )
    return rows


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OutlearnError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise InputError(f"{what}: {error}") from error
