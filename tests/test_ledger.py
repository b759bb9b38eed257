"""Files that are only added to: by several processes at once, and after one was cut off."""

import subprocess
import sys

import pytest

from outlearn.errors import OutputError, ReadError
from outlearn.ledger import Lines, appending, read_lines

WRITER = """
import sys
from pathlib import Path
from outlearn.ledger import appending
for number in range(60):
    with appending(Path(sys.argv[1])) as ledger:
        ledger.append(sys.argv[2] * 3000 + str(number))
"""


def write(path, *lines):
    with appending(path) as ledger:
        for line in lines:
            ledger.append(line)


def test_two_processes_append_at_once(tmp_path):
    path = tmp_path / "a.jsonl"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, name]) for name in "ab"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    lines = read_lines(path, "the lines")
    assert lines.torn == ()
    whole = [text for _, text in lines.whole]
    for name in "ab":
        assert [line for line in whole if line[0] == name] == [name * 3000 + str(n) for n in range(60)]


def test_what_was_there_is_never_changed(tmp_path):
    path = tmp_path / "a.jsonl"
    write(path, "one")
    before = path.read_bytes()
    write(path, "two")
    assert path.read_bytes() == before + b"two\n"


@pytest.mark.parametrize("torn", [b'{"b": ', '{"ü'.encode()[:-1]])
def test_a_line_that_was_cut_off_is_told_of_and_the_next_one_stands_alone(tmp_path, torn):
    path = tmp_path / "a.jsonl"
    write(path, "one")
    path.write_bytes(path.read_bytes() + torn)
    assert read_lines(path, "the lines") == Lines(((1, "one"),), (2,))
    write(path, "three")
    assert read_lines(path, "the lines") == Lines(((1, "one"), (3, "three")), (2,))
    assert path.read_bytes().startswith(b"one\n" + torn)


def test_a_block_that_fails_adds_what_it_had_appended_and_lets_its_error_pass(tmp_path):
    with pytest.raises(ReadError, match="mine"), appending(tmp_path / "a.jsonl") as ledger:
        ledger.append("one")
        raise ReadError("mine")
    assert read_lines(tmp_path / "a.jsonl", "the lines").whole == ((1, "one"),)


def test_a_line_holds_no_line_end(tmp_path):
    with pytest.raises(ValueError, match="no line end"):
        write(tmp_path / "a.jsonl", "one\ntwo")


def test_what_is_no_file_of_text_is_refused_in_one_line(tmp_path):
    with pytest.raises(OutputError, match="folder"):
        write(tmp_path, "one")
    with pytest.raises(OutputError, match="cannot write"):
        write(tmp_path / "no" / "a.jsonl", "one")
    with pytest.raises(ReadError, match=r"the lines cannot be read \(No such file.*\); make it"):
        read_lines(tmp_path / "a.jsonl", "the lines", "make it")
    (tmp_path / "b").write_bytes(b"\xff\xfe\n")
    with pytest.raises(ReadError, match="line 1: it is no text"):
        read_lines(tmp_path / "b", "the lines")
