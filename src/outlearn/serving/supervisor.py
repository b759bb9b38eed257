"""The workers of a server: as many processes as it is to have, a new one for each that ends."""

from __future__ import annotations

import logging
import multiprocessing
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Event, Thread

from outlearn.errors import StoreError
from outlearn.serving import worker
from outlearn.serving.runs import RunQueue
from outlearn.serving.settings import Settings

__all__ = ["Supervisor"]

PATIENCE = 10.0  # seconds in which a worker may give back what it has
STEADY = 60.0  # seconds after which a worker that ends is no sign of a fault that will end the next one too
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Started:
    """A worker: its name, its process, and when it began."""

    name: str
    process: BaseProcess
    began: float


class Supervisor:
    """Keeps workers going from `start` to `stop`; a thread of its own watches them.

    Parameters
    ----------
    runs : of the same store; what a worker that died had is free at once.
    target : what a worker process does, with the settings and its name; importable from elsewhere.
    """

    def __init__(
        self, settings: Settings, runs: RunQueue, target: Callable[[Settings, str], None] = worker.run
    ) -> None:
        self._settings, self._runs, self._target = settings, runs, target
        self._context = multiprocessing.get_context("spawn")  # a forked one has locks of other threads
        self._server = secrets.token_hex(4)
        self._count = self._early = 0
        self._workers: list[_Started] = []
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name="supervisor")

    @property
    def alive(self) -> int:
        """How many workers there are now."""
        return sum(one.process.is_alive() for one in self._workers)

    def start(self) -> None:
        """Start the workers."""
        self._thread.start()

    def stop(self) -> None:
        """End the workers, once they have given back what they have, and wait for it."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        # Workers end with the thread that started them, so it is this one that lives as long as they do.
        with _kept_from_terminal():
            while not self._stopping.is_set():
                while len(self._workers) < self._settings.workers:
                    self._workers.append(self._started())
                wait([one.process.sentinel for one in self._workers], timeout=0.2)
                for one in [one for one in self._workers if not one.process.is_alive()]:
                    self._bury(one)
            self._end()

    def _started(self) -> _Started:
        self._count += 1
        name = f"{self._server}-{self._count}"
        process = self._context.Process(target=self._target, args=(self._settings, name), name=name)
        process.start()
        return _Started(name, process, time.monotonic())

    def _bury(self, one: _Started) -> None:
        """Free what a worker had, and wait before the next one if they end again and again."""
        one.process.join()
        self._workers.remove(one)
        code = one.process.exitcode or 0
        why = f"it ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with code {code}"
        self._release(one, why)
        if code in (0, worker.LEFT):
            return
        steady = time.monotonic() - one.began > STEADY
        self._early = 0 if steady else self._early + 1
        pause = 0.0 if self._early < 3 else min(2.0 ** (self._early - 3), 30.0)
        _LOG.warning("worker %s: %s; another begins in %g s", one.name, why, pause)
        self._stopping.wait(pause)

    def _release(self, one: _Started, why: str) -> None:
        try:
            if self._runs.release(one.name, why):
                _LOG.warning("worker %s had a run, which another one takes on", one.name)
        except StoreError as error:
            _LOG.warning("what worker %s had is free when its lease ends: %s", one.name, error)

    def _end(self) -> None:
        for one in self._workers:
            one.process.terminate()
        end = time.monotonic() + PATIENCE
        for one in self._workers:
            one.process.join(max(0.0, end - time.monotonic()))
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
            self._release(one, "its server ended")
        self._workers.clear()


@contextmanager
def _kept_from_terminal() -> Iterator[None]:
    """Keep Ctrl-C and the end of a terminal, which reach all of its processes, from those started here."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
