"""Settings of torch that hold for a whole process, set for a block and put back after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread", "seeded"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread within the block: a second makes steps of a small network slower."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw within the block by a seed, and leave the draws after it as they would have been."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
