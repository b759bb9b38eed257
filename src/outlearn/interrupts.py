"""Work that a signal may not cut in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

__all__ = ["uninterrupted"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # not each is on every system


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let signals that end a program by an exception, as Ctrl-C does, wait until the block has ended.

    Python raises them in the main thread alone; in others there is nothing to do.

    >>> try:
    ...     with uninterrupted():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("to the end")
    ... except KeyboardInterrupt:
    ...     print("then interrupted")
    to the end
    then interrupted
    """
    came: list[int] = []

    def wait(number: int, _: FrameType | None) -> None:
        came.append(number)

    try:
        with ExitStack() as handlers:
            if threading.current_thread() is threading.main_thread():
                for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
                    before = signal.getsignal(number)
                    if callable(before):
                        handlers.callback(signal.signal, number, before)
                        signal.signal(number, wait)
            yield
    finally:
        for number in dict.fromkeys(came):
            signal.raise_signal(number)
