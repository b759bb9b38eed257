"""What a detector of rows was fitted to, kept beside it in its model file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.detectors.model_file import Arrays, Model, State

__all__ = ["Provenance"]

_ENTRY, _ROWS = "provenance", "support_rows"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the support of a detector comes from.

    learnt_from : what it was fitted to, in words. total : rows of that, if known. notes : sentences on what
    was set aside, repaired or sampled. support_rows : (s,) row numbers, in what it was fitted to, of the
    support; -1 for rows that were added later; None where nobody knows.
    """

    learnt_from: str
    total: int | None = None
    notes: tuple[str, ...] = ()
    support_rows: NDArray[np.int64] | None = None

    def to_state(self) -> tuple[State, Arrays]:
        """Return the values and arrays that stand beside those of the detector."""
        values = {"learnt_from": self.learnt_from, "total": self.total, "notes": list(self.notes)}
        return {_ENTRY: values}, {} if self.support_rows is None else {_ROWS: self.support_rows}

    @classmethod
    def from_model(cls, model: Model) -> Provenance | None:
        """Return what a model file says of its support; None where it says nothing.

        Raises
        ------
        KeyError, ValueError
            When a value is missing, or the row numbers are not as many as the rows.
        """
        values: dict[str, Any] | None = model.state.get(_ENTRY)
        if values is None:
            return None
        rows, labels = model.arrays.get(_ROWS), model.arrays["support_y"]
        if rows is not None and rows.shape != labels.shape:
            raise ValueError(f"{len(rows)} row numbers for a support of {len(labels)} rows")
        return cls(str(values["learnt_from"]), values["total"], tuple(values["notes"]), rows)
