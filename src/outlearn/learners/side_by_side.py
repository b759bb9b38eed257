"""When it pays to adapt to many tasks side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["pays"]


def pays(module: nn.Module, tasks: int) -> bool:
    """Say whether `vmap` over tasks is the faster path, by rules measured in `benchmarks/metaspeed.py`.

    It saves the overhead of many small operations. Networks with convolutions lose: with weights of its own a
    task each, a convolution becomes a grouped one, which is slow on a CPU.
    """
    from torch.nn.modules.conv import _ConvNd

    return tasks > 1 and not any(isinstance(part, _ConvNd) for part in module.modules())
