"""When it pays to adapt to many tasks side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["pays"]

WEIGHTS, ROWS = 100_000, 256
CONVOLVED = 50_000  # weights times rows, each row an image of 28 × 28


def pays(module: nn.Module, tasks: int, rows: int) -> bool:
    """Return whether `vmap` over tasks is the faster path for so many tasks of so many rows.

    It saves the overhead of many small operations. With weights of its own a task each, a product of
    matrices becomes a batch of small ones and a convolution a grouped one, which are slower once they are
    large: then the largest weight decides, for convolutions together with the rows. Measured on one core in
    `benchmarks/studies/metaspeed.py`, times as fast as one task after another with 2 to 32 tasks:

    =====================  =======  =========  =========  =========  ==========
    largest weight         5 rows   50 rows    250 rows   1000 rows  chosen
    =====================  =======  =========  =========  =========  ==========
    1,024 (32 × 32)        1.3-15   1.3-11     1.2-4.7    1.1-1.6    to 256 rows
    16,384 (128 × 128)     1.2-4.6  1.2-3.4    1.1-1.4               to 256 rows
    65,536 (256 × 256)     1.1-1.6  1.1-1.6    0.9-1.0    0.7-0.8    to 256 rows
    147,456 (384 × 384)    0.9-1.3                                   no
    262,144 (512 × 512)    0.6-0.8  0.7-0.9                          no
    1,048,576              0.3-0.5                                   no
    =====================  =======  =========  =========  =========  ==========

    Convolutions: 1.1 to 3.0 times with up to 32 channels and 5 images or 8 channels and 25 images, 0.8 to 1.0
    times with more. Where it is chosen it is never more than a tenth slower.
    """
    from torch.nn.modules.conv import _ConvNd

    weights = max(value.numel() for value in module.parameters())
    if any(isinstance(layer, _ConvNd) for layer in module.modules()):
        return tasks > 1 and weights * rows <= CONVOLVED
    return tasks > 1 and weights <= WEIGHTS and rows <= ROWS
