"""The loss of the in-context network over a batch of ragged episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outlearn.learners.profiles.bank import EpisodeProfiles

if TYPE_CHECKING:
    from torch import Tensor

    from outlearn.nets.incontext import InContextNet

__all__ = ["collate", "episode_loss"]

SHARP = 2.0  # of the step that counts rows above a row


def collate(batch: list[EpisodeProfiles]) -> tuple[Tensor, ...]:
    """Pad ragged supports and queries: support, y, mask, situation, query, query_y (-1 = padding), share."""
    import torch

    def pad(rows: list[np.ndarray], value: float) -> Tensor:
        return torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(r) for r in rows], batch_first=True, padding_value=value
        )

    sizes = torch.tensor([len(e.support) for e in batch])
    support = pad([e.support.astype(np.float32) for e in batch], 0.0)
    return (
        support,
        pad([e.support_y.astype(np.int64) for e in batch], -1),
        torch.arange(support.shape[1]) < sizes[:, None],
        torch.from_numpy(np.stack([e.situation for e in batch])),
        pad([e.query.astype(np.float32) for e in batch], 0.0),
        pad([e.query_y.astype(np.int64) for e in batch], -1),
        torch.from_numpy(np.stack([e.share for e in batch])),
    )


def episode_loss(net: InContextNet, batch: list[EpisodeProfiles]) -> Tensor:
    """Mean over episodes of calibration and ranking losses, and of those of the judge.

    Calibration: cross-entropy, query rows weighted so that their anomaly share equals that of the support,
    so the output is the probability at that share. Ranking: logistic loss over (anomaly, normal) pairs, which
    does not care about the share, and a smooth average precision, which cares about the top. The judge is
    told the share of the support and the AUROC on the query. The mixtures of statistics are held near their
    start (`InContextNet.drift`): synthetic tasks should not move far what was found to serve real tables.
    """
    import torch
    from torch.nn import functional

    support, y, mask, about, query, truth, share = collate(batch)
    logits, guess, reach = net(support, y, mask, about, query)  # (B, M), (B,), (B,)
    anomaly, normal = (truth == 1).float(), (truth == 0).float()  # (B, M)
    anomalies = anomaly.sum(1).clamp(min=1)
    losses = functional.binary_cross_entropy_with_logits(logits, anomaly, reduction="none")
    per_anomaly = (losses * anomaly).sum(1) / anomalies
    per_normal = (losses * normal).sum(1) / normal.sum(1).clamp(min=1)
    calibration = share * per_anomaly + (1 - share) * per_normal  # (B,)
    margins = logits[:, None, :] - logits[:, :, None]  # (B, M, M): how far the second row is above the first
    pairs = anomaly[:, :, None] * normal[:, None, :]
    ranking = (functional.softplus(margins) * pairs).sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)
    above = torch.sigmoid(SHARP * margins) * (1 - torch.eye(logits.shape[1]))
    hits = 1 + (above * anomaly[:, None, :]).sum(2)  # (B, M): anomalies at or above each row, smoothly
    precision = hits / (hits + (above * normal[:, None, :]).sum(2))
    missed = 1 - (precision * anomaly).sum(1) / anomalies
    reached = (((margins < 0) + 0.5 * (margins == 0)) * pairs).sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)
    judged = functional.binary_cross_entropy_with_logits(
        torch.stack([guess, reach]), torch.stack([share, reached]).detach(), reduction="none"
    ).sum(0)
    total: Tensor = (calibration + 0.5 * ranking + 0.5 * missed + judged).mean() + net.drift()
    return total
