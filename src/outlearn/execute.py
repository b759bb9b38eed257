"""Where independent pieces of work run: here, or on a pool of processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import get_context
from types import TracebackType
from typing import Protocol, TypeVar

__all__ = ["Executor", "Processes", "Serial"]

T = TypeVar("T")
R = TypeVar("R")


class Executor(Protocol):
    """Maps a picklable function over work items and yields results in the order of the items."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]: ...


class Serial:
    """Runs each item in this process.

    >>> list(Serial().map(abs, [-1, 2]))
    [1, 2]
    """

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        return map(function, items)


def _one_thread() -> None:
    # The processes are the parallelism: threads within each would mostly wait for one another.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


class Processes(AbstractContextManager["Processes"]):
    """Runs items on `workers` processes, at most `ahead` items in flight a worker (memory stays bounded).

    Each process starts afresh and imports what it needs, so a script that makes one keeps its work under
    ``if __name__ == "__main__":``.
    """

    def __init__(self, workers: int, *, ahead: int = 4) -> None:
        # Fresh processes: in a forked one, OpenMP (scikit-learn's neighbours) waits for ever for threads that
        # only the parent had.
        self._pool = ProcessPoolExecutor(workers, get_context("spawn"), _one_thread)
        self._window = workers * ahead

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        pending: deque[Future[R]] = deque()
        for item in items:
            pending.append(self._pool.submit(function, item))
            if len(pending) >= self._window:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
