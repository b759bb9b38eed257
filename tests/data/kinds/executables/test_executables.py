"""Executables are read and never run; none is lost: one whose head is damaged is a row of its bytes."""

import os
import random
import struct
import sys
from pathlib import Path

import pytest

from outlearn.data.kinds.executables import open_executables, source
from outlearn.data.kinds.executables.features import FEATURES, UNPARSABLE, entropy, features_of
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


def save(path, data):
    path.write_bytes(data)
    return path


def elf(name=b".text"):
    """Return a small ELF of three sections, the first of them by this name."""
    names = [name, b".data", b".shstrtab"]
    texts = b"\0" + b"\0".join(names) + b"\0"
    parts = [random.Random(1).randbytes(256), random.Random(2).randbytes(128), texts]
    body, place = b"".join(parts), 64 + 56
    table = (place + len(body) + 7) // 8 * 8
    head = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, table, 0, 64, 56, 1, 64, 4, 3)
    head += struct.pack("<IIQQQQQQ", 1, 7, 0, 0x400000, 0x400000, table, table, 0x1000)
    sections = bytes(64)
    for part, short, kind, flags in zip(parts, names, (1, 1, 3), (6, 3, 0), strict=True):
        start = 0x400000 + place if flags else 0
        sections += struct.pack("<IIQQQQ", texts.index(short), kind, flags, start, place, len(part))
        sections += struct.pack("<IIQQ", 0, 0, 1, 0)
        place += len(part)
    return (head + body).ljust(table, b"\0") + sections


def mutants(count):
    """Yield PE and ELF files of which bytes were changed and ends were cut off."""
    for i in range(count):
        rng = random.Random(i)
        data = bytearray(pe(2, behind=54) if i % 2 else elf())
        if rng.random() < 0.25:
            del data[rng.randint(64, len(data) - 1) :]
        for _ in range(rng.randint(1, 12)):
            end = min(len(data), 700) if rng.random() < 0.8 else len(data)
            data[rng.randrange(4, end)] = rng.choice([0xFF, 0, rng.randrange(256)])
        yield f"{i:03d}.bin", bytes(data)


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
    (tmp_path / "sub" / "again").symlink_to(".")
    found = open_executables(
        folder(tmp_path, **{"a.exe": pe(), "x.zip": b"PK\x03\x04" + b"x" * 9, "r.txt": b"hello"})
    )
    frame = found.read()
    assert frame["file"].to_list() == ["a.exe", "sub/b.exe"]
    assert frame["sections"].to_list() == [1.0, 3.0]
    assert "none of which was run" in found.notes[0]
    assert "1 archives were not unpacked and left out" in found.notes
    assert "2 links were not followed and left out" in found.notes
    assert open_executables(str(tmp_path / "a.exe")).rows == 1


def test_what_cannot_be_parsed_is_a_row_of_its_bytes_and_named(tmp_path):
    found = open_executables(folder(tmp_path, a=pe(), b=b"MZ" + b"\xff" * 300, c=b"\x7fELF" + b"\0" * 4))
    frame = found.read()
    assert frame["file"].to_list() == ["a", "b", "c"]
    assert frame["format"].to_list() == ["PE", f"PE, {UNPARSABLE}", f"ELF, {UNPARSABLE}"]
    assert frame["sections"].to_list() == [1.0, 0.0, 0.0] and frame["size"][1] == 302
    (said,) = (note for note in found.notes if "unparsable" in note)
    assert said.startswith("2 executables are unparsable, which is suspicious") and ": b, c (" in said


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_no_change_of_bytes_loses_a_file(tmp_path, count):
    for name, data in mutants(count):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "whole.exe").write_bytes(pe(2))
    found = open_executables(str(tmp_path))
    frame = found.read()
    assert frame["file"].to_list() == [*(name for name, _ in mutants(count)), "whole.exe"]
    assert 0 < frame["format"].str.ends_with(UNPARSABLE).sum() < count / 2
    assert frame["format"][-1] == "PE"


def test_a_section_may_be_called_anything(tmp_path):
    strange = elf().replace(b".data", b".\xff\xfeta"), pe().replace(b".s0\0\0\0", b"\xff\xfes0\0\0")
    found = [features_of(str(save(tmp_path / str(i), data))) for i, data in enumerate((elf(), *strange))]
    assert [one["format"] for one in found] == ["ELF", "ELF", "PE"]
    assert [one["sections"] for one in found] == [3.0, 3.0, 1.0]
    assert [one["sections of unusual name"] for one in found] == [0.0, 1.0, 1.0]


def test_what_cannot_be_opened_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.exe").write_bytes(pe())
    (tmp_path / "b.exe").write_bytes(pe())
    os.mkfifo(tmp_path / "pipe")
    opened = Path.open

    def refuse(self, *args, **options):
        if self.name == "b.exe":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(source._Parser, "_ask", lambda *_, **__: {"found": {"size": 1.0}})
    notes = open_executables(str(tmp_path)).notes
    assert "1 executables could not be read and were left out: b.exe (Permission denied)" in notes
    assert any("pipes, sockets or devices" in note for note in notes)


def test_a_process_that_dies_of_a_head_reads_the_bytes_again(tmp_path, monkeypatch):
    answers = {True: {"unanswered": "it died"}, False: {"found": {"size": 1.0}}}
    monkeypatch.setattr(source._Parser, "_ask", lambda self, path, parse: answers[parse])
    found = open_executables(folder(tmp_path, a=pe()))
    assert found.rows == 1 and any("unparsable" in n and "a (it died)" in n for n in found.notes)


def test_links_in_a_circle_are_told(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ReadError, match="leads back to itself"):
        open_executables(str(tmp_path / "loop"))


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
