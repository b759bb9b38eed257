"""What is left when a process is ended at any moment: whole files, and nobody who works on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from outlearn.ledger import read_lines
from tests.moments import Server, serving

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the tests fork")
NAMES = ["a.txt", "b.html", "c.jsonl"]
NEW = "new" * 10_000


@pytest.fixture(scope="module")
def server() -> Server:
    with serving("outlearn.files", "outlearn.ledger", "outlearn.cli.signals") as server:
        yield server


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_files_are_whole_whenever_their_writer_ends_and_the_next_one_clears_up(server, tmp_path, number):
    calls = server.run("files", str(tmp_path), NAMES).calls
    assert calls > 15
    for call in range(1, calls + 1):
        folder = tmp_path / str(call)
        folder.mkdir()
        (folder / "a.txt").write_text("old")
        end = server.run("files", str(folder), NAMES, number=number, call=call)
        there = {name: (folder / name).read_text() for name in NAMES if (folder / name).exists()}
        assert {text for name, text in there.items() if name != "a.txt"} <= {NEW}
        assert there["a.txt"] in ("old", NEW)
        if number == signal.SIGKILL:
            assert end.code == -9
        else:
            assert end.code in (128 + number, 0)
            assert there in ({"a.txt": "old"}, dict.fromkeys(NAMES, NEW))  # together or not at all
            assert not list(folder.glob(".*"))
        assert server.run("files", str(folder), NAMES).code == 0
        assert {
            path.name: path.read_text() for path in folder.iterdir() if path.name in NAMES
        } == dict.fromkeys(NAMES, NEW)
        assert {path.name for path in folder.iterdir()} == {*NAMES, "ledger"}
        lines = read_lines(folder / "ledger", "the lines")
        assert {line for _, line in lines.whole} == {"a line"} and len(lines.whole) + len(lines.torn) <= 2


POOL = """
import sys, time
from outlearn.execute import Processes

if __name__ == "__main__":
    with Processes(2) as pool:
        results = pool.map(time.sleep, [0, 0, 0, 0, 600, 600, 600])
        for _ in range(4):
            next(results)
        print(*pool._pool._processes, flush=True)
        next(results)
"""
HUNG = """
import subprocess, sys
child = "import time; from outlearn.parent import end_with_parent_thread as end; end(); print(flush=True); "
words = [sys.executable, "-c", child + "time.sleep(600)"]
process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid, flush=True)
process.wait()
"""


@pytest.mark.parametrize(
    "program", [POOL, pytest.param(HUNG, marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux"))]
)
def test_no_process_outlives_a_parent_that_is_killed(program, tmp_path):
    script = tmp_path / "program.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert workers and all(map(_lives, workers))
        parent.kill()
    _wait_until(lambda: not any(map(_lives, workers)))


def _lives(process: int) -> bool:
    """Return whether a process is there that has not ended; one that nobody waited for has."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # no /proc here
        return True


def _wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
