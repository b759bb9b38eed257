"""Modules that meta-learning cannot take, refused with the reason and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlearn.errors import ParameterError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["refuse_batch_norm"]


def refuse_batch_norm(module: nn.Module) -> None:
    """Raise ParameterError for a module with batch normalisation or without parameters."""
    from torch.nn.modules.batchnorm import _BatchNorm

    for name, part in module.named_modules():
        if isinstance(part, _BatchNorm):
            raise ParameterError(
                f"the module has batch normalisation ({name or 'itself'}: {type(part).__name__}): it mixes "
                "the rows of a support, changes state on every call and fails with supports of one class; "
                "take LayerNorm, GroupNorm or RMSNorm"
            )
    if not any(True for _ in module.parameters()):
        raise ParameterError(f"{type(module).__name__} has no parameters, so nothing can be learnt")
