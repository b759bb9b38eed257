"""The process that reads a sheet of a workbook: whatever a hostile file does to its parser ends here.

A cell in the last corner of an otherwise empty sheet makes the parser ask for hundreds of gigabytes, and a
failed allocation ends the process that asked. This file is run by its path, for that is twice as fast as to
import the package around it.
"""

from __future__ import annotations

import ctypes
import json
import posixpath
import re
import resource
import signal
import sys
import zipfile
import zlib
from typing import Any
from xml.etree import ElementTree

import fastexcel
import pyarrow as pa

__all__: list[str] = []

MEMORY = 4 << 30  # bytes; a full sheet of a million rows and 20 columns takes about half of it
SECONDS = 300
PR_SET_PDEATHSIG = 1
PIECE = 4 << 20  # bytes of a sheet that are searched at a time
ERROR = re.compile(rb'<c ([^>]*\bt="e"[^>]*)>(.*?)</c>', re.DOTALL)  # a cell with an error
CELL, VALUE = re.compile(rb'\br="([A-Z]+)'), re.compile(rb"<v>([^<]{1,20})</v>")
HEAD = 100  # rows that tell where the table begins


def main() -> None:
    """Answer a line of standard input, JSON with `path` and `sheet` (or null), and then another one.

    The first answer is a line of JSON: `error`, or the `sheet`, the `others`, the `head`, its first rows as
    text, and `errors`, how many cells of which columns hold which error (null: they could not be counted).
    The second line says how many rows to skip, and the answer is the rest as an Arrow stream.
    """
    if sys.platform == "linux":  # as `outlearn.parent` does, which is not to be imported here
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))  # also where nobody is left to end it
    asked = json.loads(sys.stdin.readline())
    try:
        book = fastexcel.read_excel(asked["path"])
        sheet = _sheet_of(book, asked["sheet"])
        _answer({**_head(book, sheet), "errors": _errors(asked["path"], sheet)})
    except BaseException as error:  # a parser that meets a hostile file panics too, which is no Exception
        _answer({"error": " ".join(str(error).split())[:300] or type(error).__name__})
        return
    skip = sys.stdin.readline()
    if skip:
        batch = book.load_sheet(
            sheet, header_row=None, skip_rows=int(skip), schema_sample_rows=None
        ).to_arrow()
        with pa.ipc.new_stream(sys.stdout.buffer, batch.schema) as stream:
            stream.write_batch(batch)


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


def _sheet_of(book: fastexcel.ExcelReader, wanted: str | None) -> str:
    """Return the name of the sheet to read.

    If none is wanted, that is the first one that is shown and has a row below another; a cover sheet that
    holds a title alone only where no sheet has.
    """
    names = book.sheet_names
    if wanted is None:
        covers = []
        for name in names:  # one by one, for each is parsed whole
            head = book.load_sheet(name, header_row=None, n_rows=2, dtypes="string")
            if head.visible == "visible" and head.height > 1:
                return name
            covers += [name] if head.visible == "visible" and head.width else []
        return (covers or names)[0]
    if wanted not in names:
        raise ValueError(f"there is no sheet {wanted!r}; wanted one of {', '.join(map(repr, names))}")
    return wanted


def _head(book: fastexcel.ExcelReader, sheet: str) -> dict[str, Any]:
    head = book.load_sheet(sheet, header_row=None, n_rows=HEAD, dtypes="string", whitespace_as_null=True)
    columns = [column.to_pylist() for column in head.to_arrow().columns] if head.width else []
    others = [name for name in book.sheet_names if name != sheet]
    return {"sheet": sheet, "others": others, "head": list(zip(*columns, strict=True))}


def _errors(path: str, sheet: str) -> dict[str, dict[str, int]] | None:
    """Count the cells with an error, such as #DIV/0!, by error and letter of the column; in .xlsx alone.

    The parser of sheets gives such cells as empty ones.
    """
    if not zipfile.is_zipfile(path):
        return {}
    try:
        return _counted(path, sheet)
    except (
        zipfile.BadZipFile,
        zlib.error,
        ElementTree.ParseError,
        KeyError,
        NotImplementedError,
        ValueError,
    ):
        return None  # what is damaged here need not be what the parser reads


def _counted(path: str, sheet: str) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        if part is None:
            return {}
        with archive.open(part) as stream:
            rest = b""
            while block := stream.read(PIECE):
                text = rest + block
                end = text.rfind(b"<c ") if len(block) == PIECE else len(text)
                for match in ERROR.finditer(text, 0, end):
                    cell, word = CELL.search(match[1]), VALUE.search(match[2])
                    column = cell[1].decode() if cell else "?"
                    columns = counts.setdefault(word[1].decode() if word else "?", {})
                    columns[column] = columns.get(column, 0) + 1
                rest = text[end:] if len(text) - end < PIECE else b""
    return counts


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the file in an archive of .xlsx that holds the cells of a sheet; None where there is none."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    ids = {
        entry.get("name"): next((value for key, value in entry.items() if key.endswith("}id")), None)
        for entry in book.iter()
        if entry.tag.endswith("}sheet")
    }
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    target = targets.get(ids.get(sheet), "")
    part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
    return part if part in names and part.endswith(".xml") else None


if __name__ == "__main__":
    main()
