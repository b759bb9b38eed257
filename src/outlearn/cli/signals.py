"""Signals that end a command as Ctrl-C does: what it began is cleared away, and the exit code tells of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Ended", "code_of", "ended_by_signals", "words_of"]

_NAMES = ("SIGTERM", "SIGHUP")  # of a service that is stopped, and of a terminal that is closed


class Ended(KeyboardInterrupt):
    """A signal came that ends the process; whoever clears up after Ctrl-C does so after it as well."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise `Ended` in the block when such a signal comes, once: nothing disturbs the clearing away after it.

    A signal that is ignored, as under ``nohup``, stays so, and one that somebody handles is left to them.
    """
    numbers = [number for name in _NAMES if (number := getattr(signal, name, None)) is not None]
    if threading.current_thread() is not threading.main_thread():  # where no handler can be set
        numbers = []
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, _: FrameType | None) -> None:
        for other in ours:
            signal.signal(other, signal.SIG_IGN)
        raise Ended(number)

    try:
        for number in ours:
            signal.signal(number, end)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def code_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code that shells know: 130 after Ctrl-C, 143 after SIGTERM.

    >>> code_of(KeyboardInterrupt()), code_of(Ended(15))
    (130, 143)
    """
    return 128 + (interrupt.number if isinstance(interrupt, Ended) else signal.SIGINT)


def words_of(interrupt: KeyboardInterrupt) -> str:
    """Return what came, in words.

    >>> words_of(Ended(15))
    'ended by SIGTERM'
    """
    if isinstance(interrupt, Ended):
        return f"ended by {signal.Signals(interrupt.number).name}"
    return "interrupted"
