"""Count the bytes of all tensors alive at once on the CPU: the same for every run, unlike resident memory."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Peak(TorchDispatchMode):
    """A context that counts every storage an operation makes in it, forward, backward or computed again."""

    def __init__(self) -> None:
        super().__init__()
        self.alive, self.peak = 0, 0
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {leaf.untyped_storage() for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)}
        out = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if not torch.is_tensor(leaf):
                continue
            storage = leaf.untyped_storage()
            if storage not in before and storage not in self._seen:
                self._seen.add(storage)
                self.alive += storage.nbytes()
                weakref.finalize(storage, self._freed, storage.nbytes())
        self.peak = max(self.peak, self.alive)
        return out

    def _freed(self, size: int) -> None:
        self.alive -= size
