"""Rows of files come once, whatever happens to the files and to whoever reads them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlearn.data.readers import ReadOptions
from outlearn.data.schema import Column, Kind, Schema
from outlearn.errors import ReadError
from outlearn.pipeline.learn import Reading
from outlearn.serving.definition import JobSpec
from outlearn.serving.settings import Settings
from outlearn.serving.sources.batch import SourceBatch
from outlearn.serving.sources.files import file_batches
from outlearn.serving.sources.folder import listed, opened
from outlearn.serving.sources.look import Look

HOUR = 3600.0


@dataclass
class Folder:
    """A root with files, who reads it, and what came so far: (file, row) and cells."""

    path: Path
    pattern: str = "*"
    batch_rows: int = 1000
    known: dict[str, object] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    later: float = 0.0
    reading: Reading = field(default_factory=Reading)
    schema: Schema | None = None

    def look(self) -> Iterator[SourceBatch]:
        source = {"files": self.pattern, "root": "in"}
        spec = JobSpec.from_document({"name": "job", "source": source})
        known = {part: state for part, state in json.loads(json.dumps(self.known)).items() if state}
        where = Settings(roots={"in": self.path}, batch_rows=self.batch_rows)
        now = max((file.stat().st_mtime for file in self.path.rglob("*") if file.is_file()), default=0.0)
        look = Look(spec, where, self.reading, self.schema, known, self.said.append, now + self.later)
        yield from file_batches(look, where.root("in"), self.pattern)

    def take(self, *, most: int | None = None, commit: bool = True) -> list[tuple[object, ...]]:
        """Read what is new; commit each batch, of at most so many."""
        rows: list[tuple[object, ...]] = []
        for number, batch in enumerate(self.look()):
            if number == most:
                break
            assert batch.source.rows == batch.rows
            rows += batch.source.read().rows()
            if commit:
                self.known |= batch.advance
        return rows

    def append(self, name: str, text: str) -> None:
        with (self.path / name).open("a") as stream:
            stream.write(text)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "in").mkdir()
    return Folder(tmp_path / "in")


def test_a_growing_file_is_read_on(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n1,x\n2,y\n")
    assert folder.take() == [(1, "x"), (2, "y")]
    assert folder.take() == []
    folder.append("a.csv", "3,z\n4,")
    batches = list(folder.look())
    assert [(batch.name, batch.start_row, batch.rows) for batch in batches] == [("a.csv", 2, 1)]
    assert folder.take() == [(3, "z")]
    folder.append("a.csv", "w\n")
    assert folder.take() == [(4, "w")]


def test_an_uncommitted_batch_comes_again(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n1,x\n2,y\n")
    first = folder.take(commit=False)
    assert folder.take() == first
    assert folder.take() == []


def test_large_files_come_in_batches(folder: Folder) -> None:
    folder.batch_rows = 7
    folder.append("a.csv", "id\n" + "".join(f"{i}\n" for i in range(20)))
    assert folder.take(most=2) == [(i,) for i in range(14)]
    folder.append("a.csv", "20\n")
    assert folder.take() == [(i,) for i in range(14, 21)]


def test_a_header_alone_is_no_row(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n")
    assert folder.take() == []
    folder.append("a.csv", "1,x\n")
    assert folder.take() == [(1, "x")]


@pytest.mark.parametrize("way", ["rename", "copy and truncate", "pack", "link"])
def test_a_rotated_file_is_read_on(folder: Folder, way: str) -> None:
    old, new = folder.path / "a.log", folder.path / "a.log.1"
    folder.append("a.log", "id,name\n1,x\n2,y\n")
    assert len(folder.take()) == 2
    folder.append("a.log", "3,z\n")
    if way == "rename":
        old.rename(new)
    elif way == "copy and truncate":
        shutil.copyfile(old, new)
        old.write_text("")
    elif way == "pack":
        (folder.path / "a.log.1.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()
    else:
        new.hardlink_to(old)
    assert folder.take() == [(3, "z")]
    if way != "link":
        folder.append("a.log", "id,name\n4,w\n")
        assert folder.take() == [(4, "w")]
    assert folder.take() == []


def test_rotation_through_several_names(folder: Folder) -> None:
    for number in range(6):
        for old in sorted(folder.path.iterdir(), reverse=True):
            kept = int(old.suffix[1:]) if old.suffix != ".log" else 0
            old.rename(folder.path / f"a.log.{kept + 1}")
        folder.append("a.log", f"id,name\n{number},x\n")
        assert folder.take() == [(number, "x")]
    assert folder.take() == []


def test_a_truncated_file_is_new(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n1,x\n2,y\n")
    folder.take()
    (folder.path / "a.csv").write_text("id,name\n9,q\n")
    assert folder.take() == [(9, "q")]
    assert any("truncated" in words for words in folder.said)


def test_a_file_written_anew_with_more_rows_is_read_on(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n1,x\n2,y\n")
    folder.take()
    (folder.path / "draft").write_text("id,name\n1,x\n2,y\n3,z\n")
    (folder.path / "draft").rename(folder.path / "a.csv")
    assert folder.take() == [(3, "z")]


def test_a_copy_is_not_read_again_until_it_differs(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n1,x\n2,y\n")
    folder.take()
    shutil.copyfile(folder.path / "a.csv", folder.path / "b.csv")
    assert folder.take() == []
    assert any("b.csv is a copy of a.csv" in words for words in folder.said)
    folder.append("b.csv", "7,q\n")
    folder.append("a.csv", "3,z\n")
    assert sorted(folder.take()) == [(1, "x"), (2, "y"), (3, "z"), (7, "q")]


def test_files_of_one_name_in_two_folders_are_two(folder: Folder) -> None:
    folder.pattern = "*/a.csv"
    for name in ("one", "two"):
        (folder.path / name).mkdir()
        folder.append(f"{name}/a.csv", f"id,name\n1,{name}\n")
    assert folder.take() == [(1, "one"), (1, "two")]


def test_a_line_without_an_end_waits_and_is_read_when_nothing_comes(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n1,x\n2,y")
    assert folder.take() == [(1, "x")]
    assert folder.take() == []
    folder.later = HOUR
    assert folder.take() == [(2, "y")]
    assert folder.take() == []
    folder.append("a.csv", "yy\n3,z\n")
    assert folder.take() == [(3, "z")]
    assert any("before its line had an end" in words for words in folder.said)


def test_the_end_of_a_line_alone_is_no_row(folder: Folder) -> None:
    folder.later = HOUR
    folder.append("a.csv", "id,name\n1,x")
    assert folder.take() == [(1, "x")]
    folder.append("a.csv", "\n2,y\n")
    assert folder.take() == [(2, "y")]
    assert not folder.said


def test_ends_of_lines_in_quotes_end_no_row(folder: Folder) -> None:
    folder.append("a.csv", 'id,name\n1,"two\nlines"\n2,"5"" pipe\n')
    assert folder.take() == [(1, "two\nlines")]
    folder.append("a.csv", 'more"\n3,5" pipe\n')
    assert folder.take() == [(2, '5" pipe\nmore'), (3, '5" pipe')]


def test_the_header_may_come_again(folder: Folder) -> None:
    rows = "".join(f"{i},x\n" for i in range(20))
    folder.append("a.csv", f"id,name\n{rows}id,name\n20,x\n")
    assert folder.take() == [(i, "x") for i in range(21)]
    folder.append("a.csv", "id,name\n")
    assert folder.take() == []
    assert sum("names the columns once more" in words for words in folder.said) == 2


def test_rows_that_cannot_be_read_are_left_out_and_told(folder: Folder) -> None:
    folder.append("a.csv", "id,name\n1,x\n2,y,z,w\n3,v\n")
    assert folder.take() == [(1, "x"), (3, "v")]
    assert any("2,y,z,w" in words for words in folder.said)
    folder.append("a.csv", "".join(f"{i},a,b\n" for i in range(200)))
    assert folder.take() == []
    assert any("more than 100 rows cannot be read" in words for words in folder.said)


def test_a_damaged_file_does_not_stop_the_others(folder: Folder) -> None:
    (folder.path / "a.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    folder.append("b.csv", "id,name\n1,x\n")
    folder.later = 10.0
    assert folder.take() == [(1, "x")]
    assert any(words.startswith("a.parquet: ") for words in folder.said)


def test_whole_files_are_read_once_and_anew_when_they_change(folder: Folder) -> None:
    folder.later, folder.batch_rows = 10.0, 3
    pl.DataFrame({"id": range(5)}).write_parquet(folder.path / "a.parquet")
    assert folder.take(most=1) == [(0,), (1,), (2,)]
    assert folder.take() == [(3,), (4,)]
    assert folder.take() == []
    os.utime(folder.path / "a.parquet", (1e9, 1e9))
    assert folder.take() == []
    pl.DataFrame({"id": [7]}).write_parquet(folder.path / "a.parquet")
    assert folder.take() == [(7,)]


def test_json_lines_may_leave_out_keys_that_are_known(folder: Folder) -> None:
    folder.schema = Schema((Column("a", Kind.NUMERIC), Column("b", Kind.CATEGORICAL)))
    folder.append("a.jsonl", '{"a": 1, "b": "x"}\n')
    assert folder.take() == [(1, "x")]
    folder.append("a.jsonl", '{"a": 2}\n')
    assert folder.take() == [(2, None)]
    folder.append("b.jsonl", '{"a": 3, "B": "x"}\n')
    assert folder.take() == []
    assert any("renamed? there is: B" in words for words in folder.said)


def test_lines_of_a_log(folder: Folder) -> None:
    folder.reading = Reading(options=ReadOptions(kind="logs"))
    folder.append("a.log", "Oct 11 10:00:00 host app[1]: started\nOct 11 10:00:01 host app[1]: stop")
    assert len(folder.take()) == 1
    folder.append("a.log", "ped\n\n")
    assert len(folder.take()) == 1
    assert folder.take() == []


def test_columns_that_the_model_knows_are_a_header(folder: Folder) -> None:
    folder.schema = Schema((Column("colour", Kind.CATEGORICAL), Column("shape", Kind.CATEGORICAL)))
    folder.append("a.csv", "colour,shape\nred,round\n")
    assert folder.take() == [("red", "round")]


def test_links_out_of_the_root_are_left_out(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("id,name\n1,x\n")
    (folder.path / "a.csv").symlink_to(tmp_path / "secret.csv")
    (folder.path / "out").symlink_to(tmp_path)
    folder.pattern = "**/*.csv"
    assert folder.take() == []
    assert any("leads out of the root" in words for words in folder.said)
    folder.pattern = "out/*.csv"
    assert folder.take() == []


def test_links_within_the_root_count_once(folder: Folder) -> None:
    folder.append("b.csv", "id,name\n1,x\n")
    (folder.path / "a.csv").symlink_to("b.csv")
    os.mkfifo(folder.path / "c.csv")
    assert folder.take() == [(1, "x")]
    assert any("c.csv is no ordinary file" in words for words in folder.said)


def test_a_file_swapped_for_a_link_while_it_is_opened_is_refused(folder: Folder, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("id\n1\n")
    (folder.path / "sub").mkdir()
    folder.append("sub/a.csv", "id\n1\n")
    (present,) = listed(folder.path, "sub/*.csv", folder.said.append)
    shutil.move(folder.path / "sub", tmp_path / "sub")
    (folder.path / "sub").symlink_to(tmp_path / "sub")
    with pytest.raises(ReadError, match="moved or replaced"), opened(folder.path, present):
        pass


def test_a_root_that_is_not_mounted_is_an_error(folder: Folder) -> None:
    look = folder.look()
    moved = folder.path.with_name("gone")
    folder.append("a.csv", "id\n1\n")
    spec_root = folder.path
    next(look)
    spec_root.rename(moved)
    where = Settings(roots={"in": moved})
    moved.rename(spec_root.with_name("away"))
    spec = JobSpec.from_document({"name": "job", "source": {"files": "*", "root": "in"}})
    with pytest.raises(ReadError, match="not there"):
        list(file_batches(Look(spec, where, Reading()), where.root("in"), "*"))


ACTIONS = st.lists(
    st.sampled_from(["append", "half", "rotate", "copy", "pack", "look", "crash", "one batch"]), max_size=16
)


@given(ACTIONS)
@settings(max_examples=10, deadline=None)
def test_every_complete_row_comes_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    folder = Folder(tmp_path_factory.mktemp("in"), pattern="a.csv*", batch_rows=4)
    written = 0
    came: list[int] = []
    rest = ""
    names = 0

    def append(rows: int, *, whole: bool) -> None:
        nonlocal written, rest
        live = folder.path / "a.csv"
        text = rest
        if not rest and (not live.exists() or not live.stat().st_size):
            text += "id,name\n"
        lines = [f"{number},row {number}\n" for number in range(written, written + rows)]
        written += rows
        text += "".join(lines)
        cut = len(text) if whole else len(text) - 4
        rest = text[cut:]
        folder.append("a.csv", text[:cut])

    def take(most: int | None) -> None:
        came.extend(row[0] for row in folder.take(most=most))

    for action in [*actions, "append", "look"]:
        live = folder.path / "a.csv"
        if action == "append":
            append(3, whole=True)
        elif action == "half":
            append(2, whole=False)
        elif action in ("rotate", "copy", "pack") and live.exists() and live.stat().st_size:
            if rest:
                append(0, whole=True)
            names += 1
            target = folder.path / f"a.csv.{names}"
            if action == "rotate":
                live.rename(target)
            elif action == "copy":
                shutil.copyfile(live, target)
                live.write_text("")
            else:
                target.with_name(f"a.csv.{names}.gz").write_bytes(gzip.compress(live.read_bytes()))
                live.unlink()
        elif action == "look":
            take(None)
        elif action == "crash":
            folder.take(commit=False)
        elif action == "one batch":
            take(1)
    assert sorted(came) == list(range(written))


def test_a_line_of_units_is_no_row_and_sums_stay(folder: Folder) -> None:
    rows = "".join(f"{i}.5,{i}\n" for i in range(1, 9))
    folder.append("a.csv", f"weight,height\nkg,cm\n{rows}")
    first = folder.take()
    assert first == [(i + 0.5, i) for i in range(1, 9)]
    folder.append("a.csv", "weight,height\nkg,cm\n9.5,9\nTotal,9\n")
    assert len(folder.take()) == 2


def test_a_list_with_upright_strokes_is_read_as_a_whole(folder: Folder) -> None:
    folder.later = 10.0
    folder.append("a.txt", "---------\n| a | b |\n---------\n| 1 | x |\n| 2 | y |\n---------\n")
    assert folder.take() == [(1, "x"), (2, "y")]
    assert folder.take() == []
