"""How long each stage takes, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from outlearn.progress import Progress, silent

__all__ = ["Stages"]


class Stages:
    """Times stages and passes on how far they are.

    >>> stages = Stages(lambda stage, done, total: print(stage, done, total))
    >>> with stages.stage("scoring", total=2) as tick:
    ...     tick(2)
    scoring 0 2
    scoring 2 2
    >>> list(stages.seconds)
    ['scoring']
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress or silent

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Give a function that takes the number of rows done so far."""
        start = time.perf_counter()

        def tick(done: int) -> None:
            self._progress(name, done, total)

        tick(0)
        try:
            yield tick
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
