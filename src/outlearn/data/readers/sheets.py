"""The process that reads a sheet of a workbook: whatever a hostile file does to its parser ends here.

A cell in the last corner of an otherwise empty sheet makes the parser ask for hundreds of gigabytes, and a
failed allocation ends the process that asked. This file is run by its path, for that is twice as fast as to
import the package around it.
"""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import sys
from typing import Any

import fastexcel
import pyarrow as pa

__all__: list[str] = []

MEMORY = 4 << 30  # bytes; a full sheet of a million rows and 20 columns takes about half of it
SECONDS = 300
PR_SET_PDEATHSIG = 1
HEAD = 100  # rows that tell where the table begins


def main() -> None:
    """Answer a line of standard input, JSON with `path` and `sheet` (or null), and then another one.

    The first answer is a line of JSON: `error`, or the `sheet`, the `others`, and the `head`, its first rows
    as text. The second line says how many rows to skip, and the answer is the rest as an Arrow stream.
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
        _answer(_head(book, sheet))
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


if __name__ == "__main__":
    main()
