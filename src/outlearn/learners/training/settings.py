"""Settings of torch that hold for a whole process, set for a block and put back after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["one_thread", "seeded"]


_LOCK = Lock()
_ASKED = [0, 0]  # blocks that are within, and the threads that torch had before the first of them


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread within the block: a second makes steps of a small network slower.

    It also makes sums the same on every machine: several threads add in another order, which moves the last
    digits. Several threads of Python may be within at once; the last one to leave puts the number back.
    """
    import torch

    with _LOCK:
        if not _ASKED[0]:
            _ASKED[1] = torch.get_num_threads()
        _ASKED[0] += 1
        torch.set_num_threads(1)  # for each of Python's threads, since OpenMP keeps a number for each
    try:
        yield
    finally:
        with _LOCK:
            _ASKED[0] -= 1
            torch.set_num_threads(1 if _ASKED[0] else _ASKED[1])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw within the block by a seed, and leave the draws after it as they would have been."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
