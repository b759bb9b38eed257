"""What was learnt, as named arrays: several states in one, each under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

__all__ = ["State", "part", "under"]

State = dict[str, NDArray[Any]]


def under(first: str, state: Mapping[str, NDArray[Any]]) -> State:
    """Return a state with names that begin with `first`."""
    return {first + name: value for name, value in state.items()}


def part(first: str, state: Mapping[str, NDArray[Any]]) -> State:
    """Return what `under` put below `first`."""
    return {name.removeprefix(first): value for name, value in state.items() if name.startswith(first)}
