"""When it pays to adapt to many tasks side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["pays"]

WEIGHT = 100_000
ROWS = 256
CONVOLVED = 50_000


def pays(module: nn.Module, tasks: int, rows: int) -> bool:
    """Say whether `vmap` over tasks is the faster path, for `rows` a support.

    """
    from torch.nn.modules.conv import _ConvNd

    weight = max(value.numel() for value in module.parameters())
    if any(isinstance(part, _ConvNd) for part in module.modules()):
        return tasks > 1 and weight * rows <= CONVOLVED
    return tasks > 1 and weight <= WEIGHT and rows <= ROWS
