"""Trying configurations in another process: one that hangs or crashes costs its own result only."""

from __future__ import annotations

from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from outlearn.parent import end_with_parent, end_with_parent_thread
from outlearn.tuning.space import Config
from outlearn.tuning.trials.observe import Observation, Observer, TableSample

__all__ = ["IsolatedObserver"]

START = 120.0  # seconds that a process may take until it is ready


class IsolatedObserver:
    """An `Observer` in another process, which is ended when a configuration takes over `limit` seconds.

    Use it as a context manager: the process ends with the block.
    """

    def __init__(
        self, sample: TableSample, *, limit: float, seed: int = 0, like: Mapping[str, Any] | None = None
    ) -> None:
        self._table = (sample, seed, like)
        self._limit = limit
        self._context = get_context("spawn")
        self._process: Any = None
        self._pipe: Connection | None = None

    def look(self, config: Config) -> Observation:
        """Try a configuration as `Observer.look` does.

        Raises
        ------
        TimeoutError
            When it takes longer than the limit.
        RuntimeError
            When it fails, or its process dies.
        """
        if self._pipe is None:
            self._begin()
        assert self._pipe is not None
        self._pipe.send(dict(config))
        if not self._pipe.poll(self._limit):
            self.close()
            raise TimeoutError(f"no result after {self._limit:g} s")
        observation: Observation = self._answer()
        return observation

    def _begin(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, *self._table), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(START):
            self.close()
            raise RuntimeError("the process that tries configurations did not start")
        self._answer()

    def _answer(self) -> Any:
        assert self._pipe is not None
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise RuntimeError("the process that tried it died") from error
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def __enter__(self) -> IsolatedObserver:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _serve(pipe: Connection, sample: TableSample, seed: int, like: Mapping[str, Any] | None) -> None:
    end_with_parent()
    end_with_parent_thread()  # what hangs may hold Python's lock
    try:
        observer = Observer(sample, seed=seed, like=like)
        pipe.send(None)
        while True:
            config = pipe.recv()
            try:
                pipe.send(observer.look(config))
            except Exception as error:
                pipe.send(f"{type(error).__name__}: {error}")
    except (EOFError, OSError, KeyboardInterrupt):
        return
