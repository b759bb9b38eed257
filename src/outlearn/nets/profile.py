"""Small networks on row profiles, for learners that adapt by gradients or compare by distances.

Letters: N rows, F statistics, P = 2F + L profile width (see `learners.profiles.profile`), E width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from outlearn.nets.mlp import MLP

__all__ = ["ProfileNet"]


class ProfileNet(nn.Module):
    """Profiles (N, P) → (N, outputs): one linear head on the tails (N, F) and on features of a body (N, E).

    Without training it is the mean of the tails that `gate` names (outputs = 1) or a random projection of
    them: the body's part of the head starts at nil. What adapts by gradients so starts from a decent
    detector, and an adapted head is a logistic regression on classical statistics beside learnt features.
    """

    def __init__(
        self,
        statistics: int,
        labels: int,
        widths: Sequence[int] = (64, 64),
        outputs: int = 1,
        gate: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.statistics = statistics
        self.body = MLP(2 * statistics + labels, widths[:-1], widths[-1], normalise=True)
        self.head = nn.Linear(statistics + widths[-1], outputs)
        with torch.no_grad():
            self.head.weight[:, statistics:].zero_()
            if gate is not None:
                self.head.weight[:, :statistics] = gate
                self.head.bias.fill_(-3.0)

    def forward(self, profile: Tensor) -> Tensor:
        # Tails of far outliers are unbounded; the network needs to know "very far", not how far.
        soft = profile.clamp(-8.0, 12.0) * 0.4
        features = torch.relu(self.body(soft))  # (N, E)
        out: Tensor = self.head(torch.cat([profile[..., : self.statistics].clamp(max=30.0), features], -1))
        return out
