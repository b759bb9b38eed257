"""How much a file may ask for. Whoever writes it may want the memory or the hours of whoever reads it.

Each limit lies well above what tables, logs and captures have, and an error that meets one names it.
"""

from __future__ import annotations

from outlearn.errors import ReadError

__all__ = [
    "BLOCK_CELLS",
    "BLOCK_CHARACTERS",
    "DENSEST",
    "FREE_CELLS",
    "FREE_UNPACKED",
    "HELD_CELLS",
    "LONGEST_CELL",
    "LONGEST_LINE",
    "MOST_BATCH",
    "MOST_BLANK",
    "MOST_CELLS",
    "MOST_COLUMNS",
    "MOST_UNPACKED",
    "SPARSE_COLUMNS",
    "TOO_DEEP",
    "check_batch",
    "check_cells",
    "check_columns_of_rows",
    "check_unpacked",
]

LONGEST_LINE = 16 << 20
"""Characters of a line that is read as a whole: an event with what it carries has kilobytes, a row of 100,000
columns two megabytes. A row of CSV ends at the block of 8 MB that Arrow splits at a time."""

LONGEST_CELL = 16 << 20
"""Bytes of a cell of text or bytes in Parquet and Arrow files: as much as a line has elsewhere."""

MOST_COLUMNS = 100_000
"""Columns of a table: expression of all human genes has 20,000, and each costs what a whole column costs."""

SPARSE_COLUMNS, DENSEST = 5_000, 100
"""From so many columns on, cells of a table of JSON rows for each that is filled: rows whose keys are names
fill most of them; keys that are values, each in a row of its own, make a table of the square of the file."""

TOO_DEEP = "values are nested more than some hundred levels deep; flatten them"
"""What is said where Python follows them no further: JSON of logs has under ten levels."""

MOST_BLANK = 1 << 20
"""Blank lines on end that are passed over: files of fixed size end in some thousands."""

BLOCK_CHARACTERS, BLOCK_CELLS = 64 << 20, 16 << 20
"""Characters of the lines, and cells of the rows, that are held at once: 16,384 lines of 4 KB, or rows of
1,000 columns."""

HELD_CELLS = 256 << 20
"""Cells of a table that is held as a whole, of 4 GB: a JSON value of the largest size has 60 million."""

FREE_CELLS, MOST_CELLS = 100_000_000, 10_000
"""Cells that a Parquet file may have in any case, and beyond these how many for each byte of it: a value that
comes a billion times takes some bytes, whatever its rows cost those who walk them."""

FREE_UNPACKED, MOST_UNPACKED = 64 << 20, 250
"""Bytes that a packed file may become in any case, and beyond these how many for each byte of it: logs pack
by 10 to 100, seldom by 200; gzip can do 1,000, bzip2 and zstd 10,000, of one letter again and again."""

MOST_BATCH = 4 << 30
"""Bytes of a packed batch of an Arrow file, which is unpacked as a whole: writers make batches of megabytes,
and what is not packed is no larger in memory than it is on disk."""


def check_batch(name: object, unpacked: int) -> None:
    """Refuse a batch that is unpacked as a whole and becomes larger than `MOST_BATCH`.

    Raises
    ------
    ReadError
        With what to do.
    """
    if unpacked > MOST_BATCH:
        raise ReadError(
            f"{name}: a batch of its rows unpacks to {unpacked:,} bytes; at most {MOST_BATCH >> 30} GB are "
            "unpacked at once: write it in batches of fewer rows"
        )


def check_unpacked(name: object, unpacked: int, packed: int) -> None:
    """Refuse a file that unpacks to far more than tables do.

    Raises
    ------
    ReadError
        When it has more bytes than `FREE_UNPACKED`, and `MOST_UNPACKED` times as many as it is packed to.

    >>> check_unpacked("log.gz", unpacked=100 << 20, packed=1 << 20)
    >>> check_unpacked("bomb.gz", unpacked=100 << 20, packed=1 << 10)
    Traceback (most recent call last):
    outlearn.errors.ReadError: bomb.gz: 1,024 bytes unpack to more than 104,857,600; ...
    """
    if unpacked > max(FREE_UNPACKED, MOST_UNPACKED * packed):
        raise ReadError(
            f"{name}: {packed:,} bytes unpack to more than {unpacked:,}; at most {MOST_UNPACKED} times as "
            f"many, or {FREE_UNPACKED >> 20} MB, are read: unpack it first if you trust who wrote it"
        )


def check_cells(name: object, cells: int, size: int) -> None:
    """Refuse a file of `size` bytes that claims far more cells than it can mean.

    Raises
    ------
    ReadError
        See `MOST_CELLS`.
    """
    if cells > max(FREE_CELLS, MOST_CELLS * size):
        raise ReadError(
            f"{name}: {cells:,} cells in {size:,} bytes; at most {MOST_CELLS:,} a byte are read, or "
            f"{FREE_CELLS:,} in all: give fewer rows"
        )


def check_columns_of_rows(name: object, columns: int, rows: int = 0, filled: int | None = None) -> None:
    """Refuse a table of more columns than any has, or of keys that are values.

    filled : cells of the first `rows` rows that hold something; None where rows cannot be sparse.

    Raises
    ------
    ReadError
        See `MOST_COLUMNS` and `DENSEST`.
    """
    if columns > MOST_COLUMNS:
        raise ReadError(
            f"{name}: {columns:,} columns; at most {MOST_COLUMNS:,} are read: leave some out, or turn the "
            "table by a right angle"
        )
    if filled is not None and columns > SPARSE_COLUMNS and columns * rows > DENSEST * filled:
        raise ReadError(
            f"{name}: {columns:,} different keys in the first {rows:,} rows, of which a row has "
            f"{filled // max(rows, 1):,}; wanted keys that name columns, and these are values: write each in "
            'a row of its own, such as {"key": …, "value": …}'
        )
