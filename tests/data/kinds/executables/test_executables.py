"""Executables are read and never run; what is damaged, hangs or dies is left out and counted."""

import os
import random
import struct
import sys
from pathlib import Path

import pytest

from outlearn.data.kinds.executables import open_executables, source
from outlearn.data.kinds.executables.features import FEATURES, entropy, features_of
from outlearn.errors import ReadError


def pe(sections=1, behind=0, flags=0x60000020):
    """Return a small PE of sections full of random bytes, and bytes behind the last."""
    rng = random.Random(sections)
    dos = b"MZ" + b"\0" * 58 + struct.pack("<I", 64)
    head = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, sections, 1_500_000_000, 0, 0, 224, 0x102)
    optional = struct.pack("<HBBIIIIII", 0x10B, 14, 0, 512, 0, 0, 0x1000, 0x1000, 0x2000)
    optional += struct.pack("<IIIHHHHHHI", 0x400000, 0x1000, 512, 6, 0, 0, 0, 6, 0, 0)
    optional += struct.pack("<IIIHHIIIIII", 0x9000, 1024, 0, 3, 0, 1 << 20, 4096, 1 << 20, 4096, 0, 16)
    optional += b"\0" * 128
    table, body = b"", b""
    for i in range(sections):
        place = 1024 + 512 * i
        table += f".s{i}".encode().ljust(8, b"\0")
        table += struct.pack("<IIIIIIHHI", 512, 0x1000 * (i + 1), 512, place, 0, 0, 0, 0, flags)
        body += rng.randbytes(512)
    whole = (dos + head + optional + table).ljust(1024, b"\0") + body
    return whole + b"http://example.org cmd.exe " * (behind // 27)


def folder(tmp_path, **files):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return str(tmp_path)


def test_what_the_head_of_a_pe_says_is_read(tmp_path):
    place = tmp_path / "a.exe"
    place.write_bytes(pe(2, behind=270, flags=0xE0000020))
    found = features_of(str(place))
    assert set(found) == set(FEATURES)
    assert (found["format"], found["machine"], found["sections"]) == ("PE", "I386", 2.0)
    assert found["sections to write and run"] == 2 and found["sections of unusual name"] == 2
    assert found["bytes behind the last section"] == 270 and found["size"] == 2318
    assert found["web addresses"] == 10 and found["commands"] == 10
    assert int(found["year of the head"]) == 2017
    assert found["highest entropy of a section"] > 7


def test_the_program_that_runs_this_is_an_elf():
    found = features_of(str(Path(sys.executable).resolve()))
    assert found["format"] == "ELF" and found["sections"] > 10 and found["libraries"] >= 1
    assert sum(
        value for name, value in found.items() if name.startswith("bytes ") and " to " in name
    ) == pytest.approx(1)


def test_entropy_is_that_of_shares():
    assert entropy(bytes(range(256)) * 4) == 8 and entropy(b"") == 0 == entropy(b"aaaa")


def test_a_folder_is_rows_by_path_and_the_rest_is_counted(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.exe").write_bytes(pe(3))
    (tmp_path / "link.exe").symlink_to(tmp_path / "a.exe")
    found = open_executables(
        folder(tmp_path, **{"a.exe": pe(), "x.zip": b"PK\x03\x04" + b"x" * 9, "r.txt": b"hello"})
    )
    frame = found.read()
    assert frame["file"].to_list() == ["a.exe", "sub/b.exe"]
    assert frame["sections"].to_list() == [1.0, 3.0]
    assert "none of which was run" in found.notes[0]
    assert "1 archives were not unpacked and left out" in found.notes
    assert open_executables(str(tmp_path / "a.exe")).rows == 1


def test_what_is_damaged_is_left_out_and_told(tmp_path):
    found = open_executables(folder(tmp_path, a=pe(), b=b"MZ" + b"\xff" * 300, c=b"\x7fELF" + b"\0" * 4))
    assert found.read()["file"].to_list() == ["a"]
    assert sum(int(note.split()[0]) for note in found.notes if "could not be read" in note) == 2


def test_no_change_of_bytes_ends_the_reading(tmp_path):
    whole, rng = pe(2, behind=54), random.Random(0)
    for i in range(60):
        data = bytearray(whole[: rng.randint(200, len(whole))])
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(2, len(data))] = rng.randrange(256)
        (tmp_path / f"{i:02d}.exe").write_bytes(data)
    (tmp_path / "whole.exe").write_bytes(whole)
    found = open_executables(str(tmp_path))
    left = sum(int(note.split()[0]) for note in found.notes if "could not be read" in note)
    assert found.rows + left == 61 and found.rows > 1
    assert found.read()["file"][-1] == "whole.exe"


@pytest.mark.parametrize(
    ("script", "words"),
    [("exec sleep 60", "took more than 0.3 seconds"), ("exit 3", "the process that reads it ended")],
)
def test_a_process_that_hangs_or_dies_is_ended(tmp_path, monkeypatch, script, words):
    stub = tmp_path / "stub.sh"
    stub.write_text(f"#!/bin/sh\n{script}\n")
    stub.chmod(0o700)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.exe").write_bytes(pe())
    monkeypatch.setattr(source.sys, "executable", str(stub))
    monkeypatch.setattr(source, "SECONDS", 0.3)
    with pytest.raises(ReadError, match=words):
        open_executables(str(tmp_path / "files"))


def test_what_holds_none_is_refused(tmp_path):
    with pytest.raises(ReadError, match="no such file or folder"):
        open_executables(str(tmp_path / "none"))
    with pytest.raises(ReadError, match="1 files are neither PE nor ELF"):
        open_executables(folder(tmp_path, a=b"text"))


def test_no_module_comes_from_the_folder_that_is_read(tmp_path, monkeypatch):
    for name in ("lief", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "a.exe").write_bytes(pe())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ".")
    assert open_executables(".").rows == 1
    assert not (tmp_path / "ran").exists()


def test_a_name_that_is_no_text_is_spelt_out(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.exe")).write_bytes(pe())
    assert open_executables(str(tmp_path)).read()["file"].to_list() == ["bad\\xff.exe"]
