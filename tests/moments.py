"""Processes that are ended at a chosen moment. Run as a program it answers a line of JSON by a line of JSON.

It imports what the work needs once and forks for each piece of it, which then takes a fraction of a second.
It starts no thread itself, for a forked process would wait for those of its parent for ever.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, NamedTuple

CHANGES = ("os.rename", "os.remove", "os.link", "os.mkdir", "fcntl.flock")
ELSEWHERE = ("/dev/", "/proc/", "/sys/")


class End(NamedTuple):
    """How a piece of work ended: its exit code (-9 when killed), its calls that change files, its session."""

    code: int
    calls: int
    session: int


def run_until(
    work: Callable[[], object], *, number: int = signal.SIGKILL, call: int = 0, after: float | None = None
) -> End:
    """Run `work` in a process of its own, and send it a signal.

    call : before which of its calls that change files, from 1; 0: never. after : how many seconds it has.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        code = 70
        try:
            os.setsid()
            _count(writer, number, call)
            if after is not None:
                threading.Thread(target=_send, args=(number, after), daemon=True).start()
            work()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            os._exit(code)
    os.close(writer)
    with open(reader, "rb") as stream:  # noqa: PTH123  (it is no path)
        calls = len(stream.read())
    return End(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), calls, child)


def _send(number: int, after: float) -> None:
    time.sleep(after)
    os.kill(os.getpid(), number)


def _count(writer: int, number: int, call: int) -> None:
    """Write a byte before each call that changes a file, and send the signal before one of them."""
    done = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        if event in CHANGES or (event == "open" and _writes(*arguments)):
            done += 1
            os.write(writer, b".")
            if done == call:
                os.kill(os.getpid(), number)

    sys.addaudithook(hook)


def _writes(path: object, _mode: object, flags: int) -> bool:
    return not str(path).startswith(ELSEWHERE) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def command(folder: str, words: list[str]) -> None:
    """Run the command line in a folder; what it says goes to a file beside it."""
    said = os.open(f"{folder}.said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.chdir(folder)
    sys.argv = ["outlearn", *words]
    from outlearn.cli import main

    main()


def files(folder: str, names: list[str]) -> None:
    """Write files together, and a line to a ledger, as a command does."""
    from outlearn.cli.signals import code_of, ended_by_signals
    from outlearn.files import together, whole
    from outlearn.ledger import appending

    with ended_by_signals():
        try:
            with together():
                for name in names:
                    with whole(Path(folder) / name) as draft:
                        draft.write_text("new" * 10_000)
            with appending(Path(folder) / "ledger") as ledger:
                ledger.append("a line")
        except KeyboardInterrupt as interrupt:
            sys.exit(code_of(interrupt))


class Server:
    """The program, as a value: `run` has it do work that is named as in this module."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process

    def run(self, work: str, *arguments: Any, **moment: Any) -> End:
        """Return how it ended. moment : as in `run_until`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([work, arguments, moment]) + "\n")
        self._process.stdin.flush()
        return End(*json.loads(self._process.stdout.readline()))


@contextmanager
def serving(*modules: str) -> Iterator[Server]:
    """Start the program, with modules that the work needs."""
    words = [sys.executable, str(Path(__file__)), *modules]
    with Popen(words, stdin=PIPE, stdout=PIPE, text=True) as process:
        yield Server(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Answer until nothing is asked any more."""
    for name in sys.argv[1:]:
        import_module(name)
    for line in sys.stdin:
        work, arguments, moment = json.loads(line)
        end = run_until(lambda work=work, given=arguments: globals()[work](*given), **moment)  # type: ignore[misc]
        sys.stdout.write(json.dumps(end) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
