"""Any supervised few-shot task as arrays: what the meta-learning engine learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError

__all__ = ["Task"]

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Task:
    """A support to adapt on and a query to be judged by, of any modality.

    An `Episode` is a table with label states; a `Task` is what a network is fed: rows of any shape with
    targets of any shape.

    support_x : (n, …) float; support_y : (n, …) targets.
    query_x : (m, …) float; query_y : (m, …) targets.
    support_weight (n,), query_weight (m,) : of each row in a loss; None for 1 everywhere.

    Raises
    ------
    InputError
        When the support or query is empty, shapes disagree, or a value is no finite number.

    >>> x = np.zeros((5, 1), dtype=np.float32)
    >>> Task(x, x, x, x[:3])
    Traceback (most recent call last):
        ...
    outlearn.errors.InputError: a task has 5 query rows with 3 targets; wanted one target a row
    """

    support_x: Array
    support_y: Array
    query_x: Array
    query_y: Array
    support_weight: NDArray[np.float32] | None = None
    query_weight: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for side, x, y in (
            ("support", self.support_x, self.support_y),
            ("query", self.query_x, self.query_y),
        ):
            for values in (x, y):
                if not (isinstance(values, np.ndarray) and values.ndim and values.dtype.kind in "fiub"):
                    raise InputError(
                        f"the {side} of a task holds {_kind(values)}; wanted arrays of numbers, one row each"
                    )
            if len(x) == 0:
                raise InputError(f"a task has no {side} rows; give at least one")
            if len(x) != len(y):
                raise InputError(
                    f"a task has {len(x)} {side} rows with {len(y)} targets; wanted one target a row"
                )
            if not (np.isfinite(x).all() and np.isfinite(y).all()):
                raise InputError(f"the {side} of a task holds values that are not finite; fill them first")
        if self.support_x.shape[1:] != self.query_x.shape[1:]:
            raise InputError(
                f"a task has support rows of shape {self.support_x.shape[1:]} and query rows of shape "
                f"{self.query_x.shape[1:]}; wanted the same"
            )
        for side, weight, rows in (
            ("support", self.support_weight, len(self.support_x)),
            ("query", self.query_weight, len(self.query_x)),
        ):
            if weight is not None and (weight.shape != (rows,) or not self._weighs(weight)):
                raise InputError(
                    f"{side}_weight has shape {weight.shape}; wanted ({rows},) of finite values, 0 or more"
                )

    @staticmethod
    def _weighs(weight: NDArray[np.float32]) -> bool:
        return bool((np.isfinite(weight) & (weight >= 0)).all())


def _kind(values: object) -> str:
    if isinstance(values, np.ndarray):
        return f"an array of shape {values.shape} and type {values.dtype}"
    return f"a {type(values).__name__}"
