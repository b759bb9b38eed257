"""What a detector of rows was fitted to, kept beside it in its model file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn import plain
from outlearn.detectors.model_file import Arrays, Model, State, checked_array
from outlearn.masked import masked

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
        if model.state.get(_ENTRY) is None:
            return None
        values = plain.record(model.state[_ENTRY], f"{_ENTRY!r}")
        total = None if plain.entry(values, "total") is None else plain.whole(values, "total")
        rows, labels = None, model.arrays["support_y"]
        if _ROWS in model.arrays:
            rows = checked_array(model.arrays, _ROWS, np.int64, (None,))
            if rows.shape != labels.shape:
                raise ValueError(f"{len(rows)} row numbers for a support of {len(labels)} rows")
            if len(rows) and rows.min() < -1:
                raise ValueError(f"a row of the support has the number {rows.min()}")
        learnt_from = masked(plain.text(values, "learnt_from"))  # earlier versions left some passwords in
        return cls(learnt_from, total, plain.texts(values, "notes"), rows)
