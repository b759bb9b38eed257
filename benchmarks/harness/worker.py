"""A child process that runs one detector on job after job, and can be killed when it takes too long.

The child imports its libraries and runs a tiny warm-up before its first job, so that timings hold neither
imports nor one-off compilation. Memory is the peak of the child's resident set during fit and score, less
what it held before: on Linux the kernel's high-water mark is set back before each job; elsewhere the mark of
the whole life of the child is used, which understates a job that follows a larger one.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import re
import resource
import sys
import time
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.peers import DETECTORS

START_LIMIT_S = 180.0


@dataclass(frozen=True)
class Job:
    train_x: Any
    train_y: np.ndarray | None
    test_x: Any
    seed: int


@dataclass(frozen=True)
class Outcome:
    """`status` is "ok", "timeout", "killed: …" or "failed: …"; figures are None unless it is "ok"."""

    status: str
    scores: np.ndarray | None = None
    fit_s: float | None = None
    score_s: float | None = None
    peak_mb: float | None = None


class Worker:
    """Runs jobs of one detector in a child process, and starts a new child after a kill."""

    def __init__(self, detector: str) -> None:
        self._detector = detector
        self._process: Any = None
        self._pipe: Connection | None = None

    def run(self, job: Job, limit_s: float) -> Outcome:
        try:
            pipe = self._started()
            pipe.send(job)
            if not pipe.poll(limit_s):
                self.close()
                return Outcome("timeout")
            outcome: Outcome = pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            self.close()
            return Outcome(f"killed: exit code {code}")
        return outcome

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None

    def _started(self) -> Connection:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, far_end = context.Pipe()
            self._process = context.Process(target=_serve, args=(far_end, self._detector), daemon=True)
            self._process.start()
            far_end.close()
            if not self._pipe.poll(START_LIMIT_S):
                raise EOFError
            self._pipe.recv()
        assert self._pipe is not None
        return self._pipe


def _serve(pipe: Connection, detector: str) -> None:
    warnings.simplefilter("ignore")  # peers warn on nearly every set; a failure is told by its row
    rng = np.random.default_rng(0)
    few = np.where(np.arange(120) < 10, 1, -1).astype(np.int8)
    _run(detector, Job(rng.normal(size=(120, 4)), few, rng.normal(size=(20, 4)), 0))
    pipe.send("ready")
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(_run(detector, job))


def _run(detector: str, job: Job) -> Outcome:
    try:
        _release_memory()
        before = _memory_mb("VmRSS")
        peer = DETECTORS[detector](job.seed)
        start = time.perf_counter()
        peer.fit(job.train_x, job.train_y)
        fitted = time.perf_counter()
        scores = np.asarray(peer.score(job.test_x), dtype=np.float64)
        scored = time.perf_counter()
        peak = max(_memory_mb("VmHWM") - before, 0.0)
    except Exception as error:  # any failure of any detector is a row of the table
        words = re.sub(r"/\S+/", "", " ".join(str(error).split()))[:200]  # no paths of this machine
        return Outcome(f"failed: {type(error).__name__}: {words}")
    if not np.isfinite(scores).all():
        return Outcome(f"failed: {int((~np.isfinite(scores)).sum())} of {scores.size} scores are not finite")
    return Outcome("ok", scores, fitted - start, scored - fitted, peak)


def _release_memory() -> None:
    """Hand freed memory back to the system, where that can be asked for, and set the high-water mark back."""
    gc.collect()
    marker = Path("/proc/self/clear_refs")
    if marker.exists():
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        marker.write_text("5")


def _memory_mb(field: str) -> float:
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
