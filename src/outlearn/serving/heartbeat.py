"""A thread beside the work on a run: it renews the lease, and ends work that takes too long."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread, current_thread, main_thread
from types import TracebackType

from outlearn.errors import StoreError
from outlearn.serving.runs import Claim, LostError, RunQueue

__all__ = ["Heartbeat"]

_LOG = logging.getLogger(__name__)
GRACE = 30.0  # seconds beyond the limit after which the system ends a process that no thread of it can


class Heartbeat(AbstractContextManager["Heartbeat"]):
    """Keeps a run with its worker while the block goes on.

    Parameters
    ----------
    lease_seconds : that a lease lasts; it is renewed four times in that.
    limit : seconds that a step of the run may take; None: any number.
    leave : ends the process, where it has nothing else to do; None: it lives on, without limits.
    """

    def __init__(
        self,
        runs: RunQueue,
        claim: Claim,
        lease_seconds: float,
        *,
        limit: float | None = None,
        leave: Callable[[], None] | None = None,
    ) -> None:
        self._runs, self._claim, self._limit, self._leave = runs, claim, limit, leave
        self._pause = lease_seconds / 4
        self._ended = Event()
        self._thread = Thread(target=self._beat, name=f"lease of run {claim.run.id}", daemon=True)
        self._began = self._step = time.monotonic()

    @property
    def held(self) -> float:
        """Seconds since the worker has the run."""
        return time.monotonic() - self._began

    def step_done(self) -> None:
        """Count the time of the next step from now on."""
        self._step = time.monotonic()
        self._arm(self._limit)

    def stop(self) -> None:
        """Renew the lease no more, once the run is at its end."""
        self._ended.set()
        self._thread.join()

    def __enter__(self) -> Heartbeat:
        self._began = self._step = time.monotonic()
        self._arm(self._limit)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._arm(None)

    def _arm(self, limit: float | None) -> None:
        """Have the system end the process, should its code keep Python's lock beyond the limit."""
        own = self._leave is not None and self._limit is not None
        if own and hasattr(signal, "setitimer") and current_thread() is main_thread():
            signal.setitimer(signal.ITIMER_REAL, 0.0 if limit is None else limit + GRACE)

    def _beat(self) -> None:
        while not self._ended.wait(self._until_next()):
            try:
                if self._left() <= 0.0:
                    self._give_up()
                self._runs.renew(self._claim)
            except LostError as error:
                # A run that was completed a moment ago is no longer the worker's either.
                if not self._ended.wait(2.0) and self._leave is not None:
                    _LOG.warning("%s; the worker ends, and another begins", error)
                    self._leave()
                return
            except StoreError as error:
                _LOG.warning("the lease of run %d is not renewed: %s", self._claim.run.id, error)

    def _left(self) -> float:
        if self._limit is None or self._leave is None:
            return float("inf")
        return self._step + self._limit - time.monotonic()

    def _until_next(self) -> float:
        return max(0.0, min(self._pause, self._left()))

    def _give_up(self) -> None:
        assert self._leave is not None
        why = f"it took longer than run_seconds = {self._limit:g} allow for one step; give it less to do"
        if self._runs.fail(self._claim, why):
            _LOG.warning("run %d: %s", self._claim.run.id, why)
        self._leave()
