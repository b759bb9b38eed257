"""Almost no inner loop: only the head adapts."""

from __future__ import annotations

from dataclasses import dataclass

from outlearn.learners.gradient.maml import MAML

__all__ = ["ANIL"]


@dataclass(frozen=True, kw_only=True)
class ANIL(MAML):
    """MAML whose inner loop changes the head alone (Raghu et al. 2020): cheaper, with a body that serves any
    head. The module's last layer must be named `head`, or `adapts` say what it is called."""

    adapts: str = "head.*"
