"""Where independent pieces of work run: here, or on a pool of processes."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from multiprocessing import get_context
from types import TracebackType
from typing import Protocol, TypeVar

from threadpoolctl import threadpool_limits

from outlearn.parent import end_with_parent

__all__ = ["Executor", "Processes", "Serial", "Threads", "cores"]

T = TypeVar("T")
R = TypeVar("R")


MOST_THREADS = 4  # each holds a piece of the work in memory


def cores() -> int:
    """Return how many threads at a time are worth having here: one a core, at most four."""
    available = getattr(os, "sched_getaffinity", None)  # not on every system
    return min(len(available(0)) if available is not None else os.cpu_count() or 1, MOST_THREADS)


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


class Threads:
    """Runs items on threads of this process: for work that numpy, polars and torch do outside Python's lock.

    At most one item a thread is in flight, so that memory stays bounded. An item that fails ends the walk.
    Libraries of linear algebra are kept to one thread meanwhile: more would wait for those that are here.

    workers : threads; as many as `cores` says by default.

    >>> list(Threads(2).map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = cores() if workers is None else workers

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        if self._workers == 1:
            yield from map(function, items)
            return
        # Each thread limits OpenMP for itself; any thread limits BLAS for all.
        with threadpool_limits(1), ThreadPoolExecutor(self._workers, initializer=_alone) as pool:
            pending: deque[Future[R]] = deque()
            for item in items:
                if len(pending) == self._workers:
                    yield pending.popleft().result()
                pending.append(pool.submit(function, item))
            while pending:
                yield pending.popleft().result()


def _alone() -> None:
    threadpool_limits(1)


def _start() -> None:
    end_with_parent()
    # Ctrl-C reaches every process of a terminal, SIGTERM every one of a service; what to do then is for the
    # one that started the others.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    # The processes are the parallelism: threads within each would mostly wait for one another.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def _result(future: Future[R]) -> R:
    # The signal of Ctrl-C may reach another thread; then this one sees it only when it wakes up.
    while not future.done():
        wait([future], timeout=0.5)
    return future.result()


class Processes(AbstractContextManager["Processes"]):
    """Runs items on `workers` processes, at most `ahead` items in flight a worker (memory stays bounded).

    Each process starts afresh and imports what it needs, so a script that makes one keeps its work under
    ``if __name__ == "__main__":``. When the block ends with an error, Ctrl-C included, unfinished work is
    dropped at once; so it is when this process is killed.

    keep : whether the processes stay for the next `map`; else they end with each, and hold no memory while
    other work goes on.
    """

    def __init__(self, workers: int, *, ahead: int = 4, keep: bool = True) -> None:
        self._workers, self._window, self._keep = workers, workers * ahead, keep
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        # Fresh processes: in a forked one, OpenMP (scikit-learn's neighbours) waits for ever for threads that
        # only the parent had. Each is there from the first item on that needs it.
        return ProcessPoolExecutor(self._workers, get_context("spawn"), _start)

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        pending: deque[Future[R]] = deque()
        for item in items:
            pending.append(self._pool.submit(function, item))
            if len(pending) >= self._window:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())
        if not self._keep:
            self._pool.shutdown()
            self._pool = self._started()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        processes = [] if kind is None else list(self._pool._processes.values())
        self._pool.shutdown(wait=not processes, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
