"""Modules and losses that meta-learning cannot take, refused with the reason and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlearn.errors import ParameterError

if TYPE_CHECKING:
    from torch import nn

    from outlearn.nets.losses import RowLoss

__all__ = ["has_parameters", "refuse_batch_norm", "refuse_loss"]


def refuse_batch_norm(module: nn.Module) -> None:
    """Raise ParameterError for a module with batch normalisation or without parameters."""
    from torch.nn.modules.batchnorm import _BatchNorm

    for name, part in module.named_modules():
        if isinstance(part, _BatchNorm) or getattr(part, "track_running_stats", False):
            raise ParameterError(
                f"the module has batch normalisation ({name or 'itself'}: {type(part).__name__}): it mixes "
                "the rows of a support, changes state on every call and fails with supports of one class; "
                "take LayerNorm, GroupNorm or RMSNorm"
            )
    if not any(True for _ in module.parameters()):
        raise ParameterError(f"{type(module).__name__} has no parameters, so nothing can be learnt")


def has_parameters(loss: RowLoss | None) -> bool:
    """Say whether a loss is a module with something to learn."""
    from torch import nn

    return isinstance(loss, nn.Module) and any(True for _ in loss.parameters())


def refuse_loss(loss: RowLoss, query_loss: RowLoss | None) -> None:
    """Raise ParameterError for losses with parameters that would judge themselves."""
    if has_parameters(query_loss) or (query_loss is None and has_parameters(loss)):
        raise ParameterError(
            "the loss that judges the query has parameters: training would shrink the loss itself instead of "
            "learning; give a query_loss without parameters, such as binary_cross_entropy"
        )
