"""Rows as they are needed here, or a clear word on why they are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from outlearn.errors import InputError

__all__ = ["FEWEST_ROWS", "usable_rows"]

FEWEST_ROWS = 10  # to tell anything of a table


def usable_rows(X: ArrayLike) -> NDArray[np.float32]:
    """Return rows (n, d) as finite float32.

    Raises
    ------
    InputError
        When they are no such numbers, or too few.
    """
    try:
        with np.errstate(over="ignore"):  # what is beyond float32 is then found to be infinite
            rows: NDArray[np.float32] = check_array(X, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise InputError(f"the rows cannot be used ({error}); give finite numbers of shape (n, d)") from error
    if len(rows) < FEWEST_ROWS:
        raise InputError(
            f"{len(rows)} rows came; wanted at least {FEWEST_ROWS} to tell anything of the table"
        )
    return rows
