"""Workbooks of Excel and OpenDocument: one sheet, read in a process of its own and kept in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from threading import Timer
from typing import IO, Any

import polars as pl
import pyarrow as pa

from outlearn.data.readers.detect import FileBytes
from outlearn.data.readers.dialect import named
from outlearn.data.readers.source import ReadOptions, Source, unique_names
from outlearn.data.readers.split import SplitRows
from outlearn.data.readers.text import from_text
from outlearn.data.readers.text_dates import with_text_dates
from outlearn.data.readers.totals import first_word, holds_sums, looks_like_total, on_total
from outlearn.data.readers.typed import plain_types
from outlearn.errors import ReadError
from outlearn.extras import require

__all__ = ["open_workbook"]

SECONDS = 300.0
_READER = Path(__file__).with_name("sheets.py")
_EXACT = 2.0**53  # up to which whole numbers are exact in a workbook, which knows no others than floats
_FIRST_DAY = date(1900, 1, 1)  # times of day are dates before it


@dataclass(frozen=True, slots=True)
class _Table:
    """The cells of a table below its header, and how it lies in its sheet."""

    cells: pl.DataFrame
    names: Sequence[str]
    notes: tuple[str, ...]


def open_workbook(name: str, content: FileBytes, options: ReadOptions, notes: tuple[str, ...]) -> Source:
    """Open a sheet of an .xlsx, .xlsm, .xlsb, .xls or .ods file, the one that `options.sheet` names.

    What stands above the table is passed over; cells are numbers, dates or times as their format says, and
    columns of text are judged as those of a text file.

    Raises
    ------
    ReadError
        For a sheet that there is not, one without rows, a file that is damaged or has a password.
    MissingExtraError
        When fastexcel is not installed.
    """
    require("fastexcel", extra="excel")
    table = _read(name, content.path, options)
    table.cells.columns, renamed = unique_names(table.names)
    table = _without_total(table)
    whole, said = _settled(name, table.cells, options)

    def batches(rows: int) -> Iterator[pl.DataFrame]:
        return whole.iter_slices(rows)

    return Source(name, tuple(whole.columns), batches, (*notes, *table.notes, *renamed, *said), whole.height)


def _read(name: str, path: Path, options: ReadOptions) -> _Table:
    """Return the table of a sheet, as the process reads it that may break on a hostile file."""
    command = [sys.executable, "-P", str(_READER)]  # no module may come from the folder of either file
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        timer = Timer(SECONDS, process.kill)
        timer.start()
        try:
            return _converse(process, name, path, options)
        except (BrokenPipeError, pa.ArrowInvalid) as error:
            raise ReadError(
                f"{name}: the process that reads the workbook ended: the file is damaged, a cell far outside "
                f"of the table makes the sheet too large, or it takes more than {SECONDS:g} seconds; save "
                "the sheet as CSV"
            ) from error
        finally:
            timer.cancel()
            process.kill()


def _converse(process: subprocess.Popen[bytes], name: str, path: Path, options: ReadOptions) -> _Table:
    assert process.stdin is not None and process.stdout is not None
    _ask(process.stdin, {"path": str(path.resolve()), "sheet": options.sheet})
    line = process.stdout.readline()
    if not line:
        raise BrokenPipeError
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise ReadError(f"{name}: the workbook cannot be read: {answer['error']}")
    rows = [["" if cell is None else cell for cell in row] for row in answer["head"]]
    if not rows:
        raise _no_rows(name, answer["sheet"])
    above = _above(rows)
    naming = named(SplitRows("", rows[above:]), options.header)
    _ask(process.stdin, above + naming.rows)
    cells = pl.DataFrame(pl.from_arrow(pa.ipc.open_stream(process.stdout).read_all()))
    others = ", ".join(map(repr, answer["others"]))
    notes = [
        f"the sheet {answer['sheet']!r} was read" + (f", not {others} (--sheet)" if others else ""),
        _passed_over(above, "line", "above the table"),
        _on_errors(answer["errors"]),
        naming.note,
    ]
    table = _without_margins(_Table(cells, naming.names, tuple(filter(None, notes))))
    if not table.cells.height:
        raise _no_rows(name, answer["sheet"])
    return table


def _ask(stream: IO[bytes], what: Any) -> None:
    stream.write(json.dumps(what).encode() + b"\n")
    stream.flush()


def _no_rows(name: str, sheet: str) -> ReadError:
    return ReadError(f"{name}: the sheet {sheet!r} has no rows of data; wanted at least one below the header")


def _above(rows: Sequence[Sequence[str]]) -> int:
    """Return how many rows stand above the table: titles, which fill less than half of its width."""
    filled = [sum(map(bool, row)) for row in rows]
    usual = sorted(filled)[len(filled) // 2]
    return next((i for i, count in enumerate(filled) if 2 * count >= max(usual, 1)), 0)


def _without_margins(table: _Table) -> _Table:
    """Return the table without what is empty below and beside it."""
    columns = table.cells.get_columns()
    kept = [i for i, c in enumerate(columns) if table.names[i].strip() or c.null_count() < len(c)]
    filled = table.cells.select(row=pl.any_horizontal(pl.all().is_not_null()).arg_true())["row"]
    height = filled[-1] + 1 if len(filled) else 0
    beside, below = len(columns) - len(kept), table.cells.height - height
    notes = [
        _passed_over(beside, "empty column", "without a name"),
        _passed_over(below, "empty row", "below the table"),
    ]
    return _Table(
        pl.DataFrame([columns[i].head(height) for i in kept]),
        [table.names[i] for i in kept],
        (*table.notes, *filter(None, notes)),
    )


def _on_errors(errors: Mapping[str, Mapping[str, int]] | None) -> str:
    """Say how many cells of a sheet hold errors, by error and the letters of their columns."""
    if errors is None:
        return "cells of errors, if there are any, are missing and could not be counted"
    kinds = [
        f"{word} in {', '.join(f'{letters} ({count:,})' for letters, count in columns.items())}"
        for word, columns in errors.items()
    ]
    total = sum(sum(columns.values()) for columns in errors.values())
    verb = (
        "cell of the sheet holds an error and is" if total == 1 else "cells of the sheet hold errors and are"
    )
    return f"{total:,} {verb} missing: {'; '.join(kinds)}" if total else ""


def _without_total(table: _Table) -> _Table:
    """Return the table without a last row that holds the sums of its columns."""
    rows = table.cells.height
    last = table.cells.row(-1, named=True)
    if not looks_like_total(last, rows) or not holds_sums([table.cells], rows):
        return table
    return replace(table, cells=table.cells.head(rows - 1), notes=(*table.notes, on_total(first_word(last))))


def _passed_over(count: int, what: str, where: str) -> str:
    if not count:
        return ""
    return (
        f"1 {what} {where} was passed over" if count == 1 else f"{count:,} {what}s {where} were passed over"
    )


def _settled(name: str, frame: pl.DataFrame, options: ReadOptions) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the columns in types that stages downstream want, and notes on what was text."""
    notes: list[str] = []
    columns: dict[str, pl.Series] = {}
    for column in frame.iter_columns():
        dated, note = with_text_dates(column) if column.dtype == pl.String else (column, "")
        columns[column.name] = _typed(dated)
        notes += [note] if note else []
    texts = {name: column for name, column in columns.items() if column.dtype == pl.String}
    if not texts:
        return plain_types(pl.DataFrame(list(columns.values()))), tuple(notes)
    text = from_text(name, lambda: [pl.DataFrame(list(texts.values()))], options=options)
    read = dict(zip(texts, text.read().get_columns(), strict=True))
    whole = pl.DataFrame([read.get(name, column) for name, column in columns.items()])
    return plain_types(whole), (*notes, *text.notes)


def _typed(column: pl.Series) -> pl.Series:
    """Return whole numbers as such, dates without a time as dates, and times without a date as times."""
    if column.dtype.is_float() and column.count():
        whole = (column == column.round()) & (column.abs() < _EXACT)
        return column.cast(pl.Int64) if whole.all() else column
    if isinstance(column.dtype, pl.Datetime) and column.count():
        if (column.dt.date() < _FIRST_DAY).all():
            return column.dt.time()
        if not (column.dt.time().cast(pl.Int64) != 0).any():
            return column.dt.date()
    return column
