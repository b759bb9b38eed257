"""A process that does the work on runs: it looks for one, does it under a lease, and looks again."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from outlearn.errors import OutlearnError, StoreError
from outlearn.masked import masked, secrets_of
from outlearn.parent import end_with_parent, end_with_parent_thread
from outlearn.serving import logs
from outlearn.serving.heartbeat import Heartbeat
from outlearn.serving.runs import Claim, LostError
from outlearn.serving.schedule import Schedule
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.store.database import Database

__all__ = ["LEFT", "Perform", "Stopped", "Worker", "limit_memory", "run", "secrets_in"]

LEFT = 75  # exit code of a worker that ended work which took too long, or that was not its own any more
TIDY_AFTER, TIDY_EVERY = 60.0, 3600.0  # seconds from one look for what need not be kept any more to the next
LONGEST_PAUSE = 30.0  # seconds between two looks while the database does not answer
_LOG = logging.getLogger(__name__)

#: Does the work on a run, whose `Runs.complete` it calls in the transaction with the last of it.
Perform = Callable[[Service, Claim, Heartbeat], None]


class Stopped(KeyboardInterrupt):
    """The worker is to end; what it has is given back."""


@dataclass(slots=True)
class Worker:
    """Does runs one after another.

    name : at most 15 characters, of this worker alone. perform : the work itself.
    own_process : whether there is nothing else in the process, so that work beyond its time ends with it.
    """

    service: Service
    name: str
    perform: Perform
    own_process: bool = False
    schedule: Schedule = field(init=False)
    _next_tidy: float = field(init=False)

    def __post_init__(self) -> None:
        self._next_tidy = time.monotonic() + TIDY_AFTER
        self.schedule = Schedule(self.service.database, self.service.runs)

    def forever(self) -> None:
        """Do what there is to do, until an exception such as `Stopped` ends it."""
        pause = poll = self.service.settings.poll_seconds
        while True:
            try:
                worked = self.once() is not None
                pause = poll
                if not worked and time.monotonic() >= self._next_tidy:
                    self.tidy()
            except StoreError as error:
                worked, pause = False, min(2 * pause, LONGEST_PAUSE)
                _LOG.warning("%s; looked for again in %.1f s", error, pause)
            if not worked:
                time.sleep(pause)

    def once(self, *, job_id: int | None = None) -> int | None:
        """Do the next run, of all jobs or of one, and return its id; None where there was none.

        Raises
        ------
        StoreError
            When the database does not answer.
        """
        self.schedule.look(job_id=job_id)
        claim = self.service.runs.claim(self.name, job_id=job_id)
        if claim is None:
            return None
        self._work_on(claim)
        return claim.run.id

    def tidy(self) -> None:
        """Remove what jobs, and the store as a whole, need not keep any more."""
        from outlearn.serving.store import retention  # which takes seconds to import

        self._next_tidy = time.monotonic() + TIDY_EVERY
        for job in self.service.jobs.list():
            retention.sweep(self.service.database, job.id, job.spec.keep)
        retention.tidy(self.service.database)

    def _work_on(self, claim: Claim) -> None:
        settings, runs = self.service.settings, self.service.runs
        leave = (lambda: os._exit(LEFT)) if self.own_process else None
        beat = Heartbeat(runs, claim, settings.lease_seconds, limit=settings.run_seconds, leave=leave)
        run = claim.run
        _LOG.info("job %s: run %d (%s) begins", run.job, run.id, run.kind)
        try:
            with beat:
                self.perform(self.service, claim, beat)
        except LostError as error:
            _LOG.warning("job %s: %s; nothing of the step is kept", run.job, error)
        except StoreError as error:
            _LOG.warning("job %s: run %d stops where it is: %s", run.job, run.id, error)
            runs.give_back(claim)  # if it answers again; else the lease ends
        except KeyboardInterrupt:
            with suppress(StoreError):
                runs.give_back(claim)
            raise
        except Exception as error:
            why = self._why(error)
            _LOG.warning("job %s: run %d failed: %s", run.job, run.id, why)
            runs.fail(claim, why)

    def _why(self, error: Exception) -> str:
        if isinstance(error, OutlearnError):
            return masked(str(error), secrets_in(self.service.settings))
        if isinstance(error, MemoryError):
            mebibytes = self.service.settings.worker_memory >> 20
            return f"it takes more memory than worker_memory = {mebibytes:,} MiB; let it do less at a time"
        _LOG.error("a fault of outlearn", exc_info=error)
        text = " ".join(masked(str(error), secrets_in(self.service.settings)).split())
        return f"internal error: {type(error).__name__}: {text[:500]}"


def run(settings: Settings, name: str, perform: Perform | None = None) -> None:
    """Be a worker until SIGTERM comes or the process that started this one has ended."""
    end_with_parent()
    end_with_parent_thread()
    signal.signal(signal.SIGTERM, _stop)
    logs.configure(secrets_in(settings))
    try:
        _share_cores(settings.workers)
        work = perform or _work()
        limit_memory(settings.worker_memory)
        service = Service(Database.open(settings.store), settings)  # which the server has made ready
        Worker(service, name, work, own_process=True).forever()
    except Stopped:
        _LOG.info("worker %s ends", name)


def _work() -> Perform:
    """Return what is done on runs; it imports all that takes long to import."""
    from outlearn.serving import work

    return work.perform


def limit_memory(size: int) -> None:
    """Let this process have `size` bytes of memory beside what it has now; only where the system can."""
    if sys.platform != "linux":
        _LOG.warning("this system sets no limit on the memory of workers")
        return
    import resource
    from pathlib import Path

    # Libraries map far more addresses than they have memory; what they hold as data is what counts.
    lines = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:"))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = held + size
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _stop(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # nothing disturbs the giving back
    raise Stopped(number)


def _share_cores(workers: int) -> None:
    """Keep numeric libraries, which are not loaded yet, to this worker's part of the cores."""
    part = str(max(1, (os.cpu_count() or 1) // max(1, workers)))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, part)


def secrets_in(settings: Settings) -> frozenset[str]:
    """Return the passwords of the databases that settings name."""
    urls = [settings.store, *settings.databases.values()]
    return frozenset(secret for url in urls for secret in secrets_of(url))
