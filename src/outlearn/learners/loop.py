"""The training loop: batches in, a trained network out; interrupted and resumed at any step."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from outlearn.errors import WeightsError
from outlearn.files import whole
from outlearn.learners.bank import EpisodeProfiles

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

__all__ = ["episode_loss", "train"]

WARM_UP = 50  # steps


def train(
    net: nn.Module,
    batch_at: Callable[[int], list[EpisodeProfiles]],
    *,
    steps: int,
    rate: float,
    checkpoint: Path | None = None,
    every: int = 200,
    progress: Callable[[int, int, float], None] | None = None,
) -> None:
    """Train `net` in place with AdamW and a cosine schedule.

    The batch, the rate and so the result depend on the step alone: a run resumed from `checkpoint` ends with
    the same weights as one that was never stopped.

    Raises
    ------
    WeightsError
        When the loss is no longer finite (the last good checkpoint is kept), or the checkpoint is damaged or
        of another architecture.
    OutputError
        When the checkpoint cannot be written.
    """
    import torch

    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2)
    step = _resume(checkpoint, net, optimiser) if checkpoint is not None and checkpoint.exists() else 0
    net.train()
    while step < steps:
        for group in optimiser.param_groups:
            group["lr"] = rate * _schedule(step, steps)
        loss = episode_loss(net, batch_at(step))
        if not torch.isfinite(loss):
            raise WeightsError(
                f"the loss is {loss.item()} at step {step}; lower the rate, or look at its episodes"
            )
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        if progress is not None:
            progress(step, steps, float(loss.detach()))
        if checkpoint is not None and (step % every == 0 or step == steps):
            _save(checkpoint, net, optimiser, step)
    net.eval()


def _schedule(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


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


def episode_loss(net: nn.Module, batch: list[EpisodeProfiles]) -> Tensor:
    """Mean over episodes of calibration, ranking and contamination losses.

    Calibration: cross-entropy, query rows weighted so that their anomaly share equals that of the support,
    so the output is the probability at that share. Ranking: logistic loss over (anomaly, normal) pairs, which
    does not care about the share.
    """
    from torch.nn import functional

    support, y, mask, about, query, truth, share = collate(batch)
    logits, contamination = net(support, y, mask, about, query)  # (B, M), (B,)
    anomaly, normal = (truth == 1).float(), (truth == 0).float()  # (B, M)
    losses = functional.binary_cross_entropy_with_logits(logits, anomaly, reduction="none")
    per_anomaly = (losses * anomaly).sum(1) / anomaly.sum(1).clamp(min=1)
    per_normal = (losses * normal).sum(1) / normal.sum(1).clamp(min=1)
    calibration = share * per_anomaly + (1 - share) * per_normal  # (B,)
    pairs = anomaly[:, :, None] * normal[:, None, :]  # (B, M, M)
    margins = functional.softplus(logits[:, None, :] - logits[:, :, None])
    ranking = (margins * pairs).sum((1, 2)) / pairs.sum((1, 2)).clamp(min=1)
    guess = functional.binary_cross_entropy_with_logits(contamination, share, reduction="none")
    total: Tensor = (calibration + 0.5 * ranking + 0.1 * guess).mean()
    return total


def _save(path: Path, net: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {f"net.{name}": value.contiguous() for name, value in net.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value.contiguous() for name, value in state.items()}
    with whole(path, errors=(OSError, SafetensorError), parents=True) as part:
        save_file(tensors, part, metadata={"training": json.dumps({"step": step})})


def _resume(path: Path, net: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            step = int(json.loads((file.metadata() or {})["training"])["step"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise WeightsError(f"{path} is no training state that can be resumed; move it away") from error
    try:
        net.load_state_dict({n.removeprefix("net."): t for n, t in tensors.items() if n.startswith("net.")})
    except RuntimeError as error:
        raise WeightsError(
            f"{path} is a checkpoint of another architecture; start afresh or move it away"
        ) from error
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return step
