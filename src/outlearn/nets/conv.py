"""The four-block convolutional net of few-shot image tasks, with and without a head.

Letters: n images, c channels, s pixels a side.

Each block is a 3 × 3 convolution, a normalisation, a rectifier and a 2 × 2 max-pool (Vinyals et al., 2016;
Finn et al., 2017). Those papers normalise by batch; here it is by groups of channels of one image. Batch
normalisation ties the rows of a batch together and keeps running statistics: under `torch.func.vmap` these
cannot be updated for each task, and in one-class adaptation the statistics of the support are those of one
class, so that normalising takes away what sets it apart.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from outlearn.errors import InputError, ParameterError

__all__ = ["ConvEmbedding", "ConvNet"]

_GROUPS = 8
"""Groups of a normalisation, where the channels divide by it."""


class ConvEmbedding(nn.Module):
    """Images → vectors, for metric learners.

    Works under `torch.func.functional_call` and `torch.func.vmap`; a row does not depend on the others.

    Parameters
    ----------
    blocks, channels : how many blocks, and how many channels each gives.
    in_channels, size : channels and side in pixels of an image.

    Attributes
    ----------
    width : length of a vector, ``channels · (size // 2**blocks)²``.

    Raises
    ------
    ParameterError
        When an argument is below 1, or pooling in every block leaves no pixel.

    >>> import torch
    >>> embedding = ConvEmbedding(channels=16)
    >>> embedding(torch.zeros(2, 1, 28, 28)).shape, embedding.width
    (torch.Size([2, 16]), 16)
    """

    def __init__(self, blocks: int = 4, channels: int = 64, in_channels: int = 1, size: int = 28) -> None:
        super().__init__()
        if min(blocks, channels, in_channels) < 1:
            raise ParameterError(
                f"blocks={blocks}, channels={channels}, in_channels={in_channels}; give 1 or more of each"
            )
        if size < 2**blocks:
            raise ParameterError(
                f"size={size} with blocks={blocks}: each block halves the image and no pixel is left; give "
                f"a size of {2**blocks} or more, or fewer blocks"
            )
        self.shape = (in_channels, size, size)
        self.width = channels * (size // 2**blocks) ** 2
        self.blocks = nn.Sequential(
            *(_block(channels if number else in_channels, channels) for number in range(blocks))
        )

    def forward(self, images: Tensor) -> Tensor:
        """images (n, c, s, s) → (n, width)."""
        if images.ndim != 4 or images.shape[1:] != self.shape:
            c, s, _ = self.shape
            raise InputError(f"images have shape {tuple(images.shape)}; wanted (n, {c}, {s}, {s})")
        vectors: Tensor = self.blocks(images).flatten(1)
        return vectors


class ConvNet(nn.Module):
    """Images → logits of `ways` classes: `ConvEmbedding` as ``body`` and a linear ``head``.

    Parameters
    ----------
    ways : how many logits an image.
    blocks, channels, in_channels, size : as in `ConvEmbedding`.

    Raises
    ------
    ParameterError
        When `ways` is below 1, and as `ConvEmbedding` does.

    >>> import torch
    >>> net = ConvNet(ways=5)
    >>> net(torch.zeros(2, 1, 28, 28)).shape, sum(p.numel() for p in net.parameters())
    (torch.Size([2, 5]), 112261)
    """

    def __init__(
        self, ways: int, blocks: int = 4, channels: int = 64, in_channels: int = 1, size: int = 28
    ) -> None:
        super().__init__()
        if ways < 1:
            raise ParameterError(f"ways={ways}; give 1 or more")
        self.body = ConvEmbedding(blocks, channels, in_channels, size)
        self.head = nn.Linear(self.body.width, ways)

    def forward(self, images: Tensor) -> Tensor:
        """images (n, c, s, s) → (n, ways)."""
        logits: Tensor = self.head(self.body(images))
        return logits


def _block(source: int, target: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(source, target, 3, padding=1),
        nn.GroupNorm(math.gcd(_GROUPS, target), target),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )
