"""Processes that end with the one that started them, however that ends."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread

__all__ = ["end_with_parent", "end_with_parent_thread"]

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """End this process, one of `multiprocessing`, when its parent has ended; call it first of all.

    A thread waits for that, so that work which holds Python's lock for long delays it.
    """
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_after, args=(parent.sentinel,), name="end-with-parent", daemon=True).start()


def end_with_parent_thread() -> None:
    """Let Linux end this process when the thread that started it has ended, whatever the process does then.

    Elsewhere it does nothing.
    """
    if sys.platform != "linux":
        return
    with suppress(ImportError, OSError, AttributeError):  # a C library without it
        from ctypes import CDLL

        CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # there is nobody left to tell
