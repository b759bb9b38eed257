"""Plain multi-layer perceptrons, whose parts have names: `body` and `head`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["MLP"]


class MLP(nn.Module):
    """Linear layers with ReLU between: (…, inputs) → (…, outputs). The last layer is `head`.

    Parameters
    ----------
    widths : of the hidden layers.
    normalise : put a layer normalisation behind each hidden layer. Batch normalisation would let the rows of
        a batch, and so of a support, tell on one another.

    >>> import torch
    >>> MLP(1, (40, 40), 1)(torch.zeros(5, 1)).shape
    torch.Size([5, 1])
    """

    def __init__(self, inputs: int, widths: Sequence[int], outputs: int, *, normalise: bool = False) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, after) in enumerate(zip((inputs, *widths), widths, strict=False)):
            layers[f"linear{number}"] = nn.Linear(before, after)
            if normalise:
                layers[f"norm{number}"] = nn.LayerNorm(after)
            layers[f"relu{number}"] = nn.ReLU()
        self.body = nn.Sequential(layers)
        self.head = nn.Linear((inputs, *widths)[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.body(x))
        return out
