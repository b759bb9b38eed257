"""Arrays of NumPy in files; never mapped, for a mapped file that is cut short ends the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from outlearn.data.readers.limits import check_unpacked
from outlearn.data.readers.source import one_line
from outlearn.errors import OutlearnError, ReadError

__all__ = ["ArrayFile", "read_arrays", "reading_arrays"]


@contextmanager
def reading_arrays(path: Path, wanted: str) -> Iterator[None]:
    """Turn whatever a damaged file makes NumPy raise into a `ReadError`.

    wanted : what to give instead, for the message.
    """
    try:
        yield
    except OutlearnError:
        raise
    except Exception as error:  # heads are parsed as Python, and zip is unpacked: it may be any
        raise ReadError(
            f"{path} holds no array that can be read ({one_line(error)}); wanted {wanted}"
        ) from error


def read_arrays(path: Path, names: Sequence[str], wanted: str) -> list[NDArray[Any]]:
    """Return arrays of an .npz file by their names.

    Raises
    ------
    ReadError
        When one is not there or cannot be read, or they unpack to far more than tables do.
    """
    with reading_arrays(path, wanted):
        with ZipFile(path) as archive:
            check_unpacked(path, sum(part.file_size for part in archive.infolist()), path.stat().st_size)
        with np.load(path, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """A table of numbers in an .npy file, (rows, columns), read a piece at a time.

    start : bytes before the first number. by_columns : whether columns follow one another rather than rows.
    """

    path: Path
    rows: int
    columns: int
    dtype: np.dtype[Any]
    start: int
    by_columns: bool

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read the head of a file.

        Raises
        ------
        ReadError
            When it holds no numbers in rows and columns.
        """
        wanted = ".npy of numbers in rows and columns, a vector a row"
        with reading_arrays(path, wanted):
            if not path.is_file():
                raise FileNotFoundError("no such file")
            there = np.load(path, mmap_mode="r", allow_pickle=False)  # of which only the head is looked at
        if not isinstance(there, np.memmap) or there.ndim != 2 or there.dtype.kind not in "fiu":
            shape = f"an array {there.shape}" if isinstance(there, np.ndarray) else "several arrays"
            raise ReadError(f"{path} holds {shape}; wanted {wanted}")
        by_columns = bool(there.flags.f_contiguous and not there.flags.c_contiguous)
        rows, columns = there.shape
        return cls(path, rows, columns, there.dtype, there.offset, by_columns)

    def read(self, first: int, count: int) -> NDArray[np.float64]:
        """Return rows from `first` on, (up to `count`, columns).

        Raises
        ------
        ReadError
            When the file was cut short since its head was read.
        """
        count = max(0, min(count, self.rows - first))
        with reading_arrays(self.path, "the file as it was"), self.path.open("rb") as file:
            if not self.by_columns:
                return self._numbers(file, first * self.columns, count * self.columns).reshape(
                    count, self.columns
                )
            columns = [self._numbers(file, place * self.rows + first, count) for place in range(self.columns)]
        return np.stack(columns, axis=1)

    def _numbers(self, file: Any, first: int, count: int) -> NDArray[np.float64]:
        file.seek(self.start + first * self.dtype.itemsize)
        numbers = np.frombuffer(file.read(count * self.dtype.itemsize), dtype=self.dtype)
        if len(numbers) < count:
            raise ReadError(f"{self.path} was cut short while it was read; give a copy that nobody writes to")
        with np.errstate(over="ignore"):
            return numbers.astype(np.float64)
