"""Learnt strategies as named arrays: several states in one, each under a prefix of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

__all__ = ["State", "sub_state", "under"]

State = dict[str, NDArray[Any]]


def under(first: str, state: Mapping[str, NDArray[Any]]) -> State:
    """Return a state with names that begin with `first`."""
    return {first + name: value for name, value in state.items()}


def sub_state(first: str, state: Mapping[str, NDArray[Any]]) -> State:
    """Return the state that `under` put below `first`."""
    return {name.removeprefix(first): value for name, value in state.items() if name.startswith(first)}
