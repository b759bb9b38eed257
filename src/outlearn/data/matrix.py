"""The numeric form of a table, which still knows where each number came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Matrix"]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Finite float32 values `(n, d)`.

    columns : the d names of the encoded columns, e.g. ``"country=DE"``.
    sources : for each of the d columns, the name of the table column that it was made from, so that an
        explanation can name a column the user knows.
    row_ids : (n,) positions of the rows in the source, int64.
    """

    values: NDArray[np.float32]
    columns: tuple[str, ...]
    sources: tuple[str, ...]
    row_ids: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.values.shape[0])
