"""A start and, for each parameter, how far and in which direction to step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from outlearn.learners.gradient.maml import MAML

__all__ = ["MetaSGD"]


@dataclass(frozen=True, kw_only=True)
class MetaSGD(MAML):
    """MAML with a learnt rate a parameter (Li et al. 2017). `rate` is where the rates start; they may turn
    negative."""

    rates: Literal["fixed", "one", "layer-step", "parameter"] = "parameter"
