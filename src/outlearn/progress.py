"""How far work is, reported while it goes on."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Called again and again with how far a stage of the work is.

    It gets the name of the stage, the items done (rows, tasks, steps, …), the items in all (None while
    unknown) and, from networks in training only, the loss of the last step.
    """

    def __call__(self, stage: str, done: int, total: int | None, loss: float | None = None, /) -> None: ...


def silent(stage: str, done: int, total: int | None, loss: float | None = None, /) -> None:
    """Show nothing.

    >>> silent("scoring", 3, 10)
    """
