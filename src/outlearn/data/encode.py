"""Tables to matrices: every used column through the encoder of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from narwhals.typing import IntoDataFrame
from numpy.typing import ArrayLike, NDArray

from outlearn.data.columns import (
    BooleanEncoder,
    CategoricalEncoder,
    ColumnEncoder,
    ConstantEncoder,
    CurveEncoder,
    EmbeddingEncoder,
    MomentEncoder,
    NumericEncoder,
    Repairs,
    SequenceEncoder,
    TextEncoder,
)
from outlearn.data.columns.cells import names_of
from outlearn.data.matrix import Matrix
from outlearn.data.missing import cells_by
from outlearn.data.schema import Column, Kind, Role, Schema, check_columns
from outlearn.errors import SchemaError
from outlearn.panics import without_panics

__all__ = ["Encoder", "Rows"]

_Blocks = Iterator[tuple[NDArray[np.float32], Repairs]]
Rows = IntoDataFrame | nw.DataFrame[Any] | NDArray[Any]

_ENCODERS: dict[Kind, type[ColumnEncoder]] = {
    Kind.NUMERIC: NumericEncoder,
    Kind.BOOLEAN: BooleanEncoder,
    Kind.CATEGORICAL: CategoricalEncoder,
    Kind.DATETIME: MomentEncoder,
    Kind.TEXT: TextEncoder,
    Kind.SERIES: CurveEncoder,
    Kind.EMBEDDING: EmbeddingEncoder,
    Kind.SEQUENCE: SequenceEncoder,
    Kind.CONSTANT: ConstantEncoder,
}


@dataclass(frozen=True, slots=True)
class Encoder:
    """A fitted table-to-matrix encoder; a value that never changes. Make one with `fit` or `fit_array`.

    A row encodes the same alone or in a batch. Columns are matched by name, in any order; columns that the
    schema does not use are not read. No row is ever dropped and every value is finite.

    >>> import polars as pl
    >>> schema = Schema((Column("amount", Kind.NUMERIC), Column("shop", Kind.CATEGORICAL)))
    >>> frame = pl.DataFrame({"amount": [1.0, 2.0, 6.0], "shop": ["A", "A", "B"]})
    >>> encoder = Encoder.fit(frame, schema)
    >>> encoder.columns
    ('amount', 'shop rarity', 'shop=A', 'shop=B')
    >>> encoder.transform(frame).values[:, 0]
    array([-1.,  0.,  4.], dtype=float32)
    >>> encoder.notes_of(pl.DataFrame({"amount": [float("inf")], "shop": ["C"]}))
    ('amount: 1 infinite value is read as missing', 'shop: 1 value is of a category not seen in the fit')
    """

    schema: Schema
    encoders: tuple[ColumnEncoder, ...]

    @classmethod
    @without_panics("the table")
    def fit(
        cls,
        frame: IntoDataFrame | nw.DataFrame[Any],
        schema: Schema,
        *,
        odd: NDArray[np.bool_] | None = None,
        constants: bool = False,
    ) -> Encoder:
        """Learn the encoding of the columns that `schema` uses.

        odd : (n,) rows that are known to be abnormal. Which steps of a sequence are rare is learnt from the
        others, where there are any: one confirmed case would make its own steps usual.
        constants : whether columns that hold one value in all these rows are encoded as `ConstantEncoder`
        does, whatever kind the schema gives them; else those of kind constant are left out.

        Raises
        ------
        SchemaError
            When a used column is missing, no column can be used, or there are no rows.
        """
        check_columns(schema, names_of(frame))
        read = (*schema.used, *(schema.constant if constants else ()))
        cells = cells_by(schema, frame, [column.name for column in read])
        if cells and not len(next(iter(cells.values()))):
            raise SchemaError("the table has no rows; wanted at least one to learn the encoding from")
        fixed = {name: ConstantEncoder.of(name, column) for name, column in cells.items() if constants}
        if odd is not None and odd.any() and not odd.all():
            usual = {c.name: cells[c.name].filter(~odd) for c in schema.used if c.kind is Kind.SEQUENCE}
            cells = {**cells, **usual}
        encoders = (fixed.get(c.name) or (_fit(c, cells[c.name]) if c.used else None) for c in read)
        encoder = cls(schema, tuple(e for e in encoders if e is not None))
        if not encoder.encoders:
            kinds = ", ".join(f"{column.name} ({_why_unused(column)})" for column in schema.columns[:10])
            raise SchemaError(
                f"no column can be used: every column is an identifier, constant, label or ignored: {kinds}; "
                "set the kind or role of a column in an overrides file"
            )
        return encoder

    @classmethod
    def fit_array(cls, X: ArrayLike, *, constants: bool = False) -> Encoder:
        """Learn from a plain array (n, d) of numbers; its columns are x0, x1, … and all are kept.

        constants : as in `fit`.

        Raises
        ------
        SchemaError
            When X is not two-dimensional, not of real numbers, or empty.
        """
        values = _as_array(X)
        if not values.size:
            raise SchemaError(f"got an array of shape {values.shape}; wanted at least one row and one column")
        names = [f"x{place}" for place in range(values.shape[1])]
        schema = Schema(tuple(Column(name, Kind.NUMERIC) for name in names))
        fixed = [
            ConstantEncoder.of_values(n, v) if constants else None
            for n, v in zip(names, values.T, strict=True)
        ]
        fit = NumericEncoder.fit_values
        return cls(
            schema, tuple(known or fit(n, v) for known, n, v in zip(fixed, names, values.T, strict=True))
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The d names of the encoded columns."""
        return tuple(name for encoder in self.encoders for name in encoder.names)

    @property
    def sources(self) -> tuple[str, ...]:
        """For each of the d encoded columns, the table column that it was made from."""
        return tuple(encoder.name for encoder in self.encoders for _ in encoder.names)

    def transform(self, rows: Rows) -> Matrix:
        """Return the matrix (n, d) of a dataframe, or of an array if every used column is numeric.

        Raises
        ------
        SchemaError
            When a used column is missing, or an array has another number of columns.
        """
        return self.encode(rows)[0]

    def notes_of(self, rows: Rows) -> tuple[str, ...]:
        """Return sentences on what these rows need repaired: missing, unseen, infinite, not a number."""
        return self.encode(rows)[1]

    def encode(self, rows: Rows) -> tuple[Matrix, tuple[str, ...]]:
        """Return `transform` and `notes_of` together, at the cost of one."""
        matrix, notes, repairs = self.repaired(rows)
        return matrix, (*notes, *self.sentences(repairs))

    @without_panics("the table")
    def repaired(self, rows: Rows) -> tuple[Matrix, tuple[str, ...], tuple[Repairs, ...]]:
        """Return the matrix, sentences on columns, and what was repaired in the cells of each encoder."""
        count, blocks, notes = self._of_array(rows) if isinstance(rows, np.ndarray) else self._of_frame(rows)
        columns = self.columns
        values = np.empty((count, len(columns)), dtype=np.float32)
        repairs = []
        start = 0
        for encoded, mended in blocks:
            values[:, start : start + encoded.shape[1]] = encoded
            start += encoded.shape[1]
            repairs.append(mended)
        return Matrix(values, columns, self.sources, np.arange(count, dtype=np.int64)), notes, tuple(repairs)

    def sentences(self, repairs: Sequence[Repairs], *, said: bool = False) -> tuple[str, ...]:
        """Say what was repaired, by encoder.

        said : whether the schema was read from these rows; then its notes have counted cells that did not
            fit.
        """
        lines: list[str] = []
        for encoder, mended in zip(self.encoders, repairs, strict=True):
            if said and mended.unparsed <= self.schema[encoder.name].unread:
                mended = replace(mended, unparsed=0)
            lines += mended.sentences(encoder.name)
        return tuple(lines)

    def _of_frame(self, frame: IntoDataFrame | nw.DataFrame[Any]) -> tuple[int, _Blocks, tuple[str, ...]]:
        given = names_of(frame)
        notes = check_columns(self.schema, given)
        # A column that held one value may be gone: that tells no more of a row than the value would.
        absent = {e.name for e in self.encoders if isinstance(e, ConstantEncoder) and e.name not in given}
        if len(absent) == len(self.encoders):
            raise SchemaError(f"none of the columns that the model reads is there: {', '.join(absent)}")
        if absent:
            notes = (*notes, f"not there, so taken to be as in the fit: {', '.join(sorted(absent))}")
        cells = cells_by(self.schema, frame, [e.name for e in self.encoders if e.name not in absent])
        count = len(next(iter(cells.values())))
        as_ever = np.zeros((count, 1), dtype=np.float32), Repairs()
        blocks = (as_ever if e.name in absent else e.encode(cells[e.name]) for e in self.encoders)
        return count, blocks, notes

    def _of_array(self, X: NDArray[Any]) -> tuple[int, _Blocks, tuple[str, ...]]:
        values = _as_array(X)
        numeric = [e for e in self.encoders if isinstance(e, NumericEncoder | ConstantEncoder)]
        if len(numeric) != len(self.encoders):
            raise SchemaError(
                "got an array; wanted a dataframe, for the fit saw columns that are not numbers"
            )
        if values.shape[1] != len(numeric):
            raise SchemaError(f"got {values.shape[1]} columns; wanted {len(numeric)}, as in the fit")
        blocks = (encoder.encode_values(values[:, place]) for place, encoder in enumerate(numeric))
        return len(values), blocks, ()

    def to_state(self) -> dict[str, Any]:
        """Return everything as JSON-able data, from which `from_state` rebuilds the encoder exactly."""
        kinds = {encoder: kind for kind, encoder in _ENCODERS.items()}
        encoders = [{"kind": str(kinds[type(encoder)]), **encoder.to_state()} for encoder in self.encoders]
        return {"schema": self.schema.to_dict(), "encoders": encoders}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Encoder:
        """Rebuild an encoder.

        Raises
        ------
        SchemaError
            When the state is not one that `to_state` gave.
        """
        try:
            schema = Schema.from_dict(state["schema"])
            encoders = tuple(_ENCODERS[Kind(entry["kind"])].from_state(entry) for entry in state["encoders"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            why = str(error) if isinstance(error, ValueError) else repr(error)
            raise SchemaError(f"the saved encoder is damaged or of another version ({why})") from error
        names = [encoder.name for encoder in encoders]
        if not names or len(set(names)) < len(names) or not set(names) <= set(schema.names):
            raise SchemaError(
                "the saved encoder is damaged: it does not read columns of its schema, each once"
            )
        return cls(schema, encoders)


def _fit(column: Column, cells: pl.Series) -> ColumnEncoder:
    if column.kind is Kind.NUMERIC:
        return NumericEncoder.fit(column.name, cells, column.notation)
    return _ENCODERS[column.kind].fit(column.name, cells)


def _as_array(X: ArrayLike) -> NDArray[np.float64]:
    """Return X as float64 (n, d), or say what it is instead."""
    array = np.asarray(X)
    if array.ndim != 2:
        raise SchemaError(f"got an array of shape {array.shape}; wanted two dimensions (rows, columns)")
    try:
        if np.iscomplexobj(array):
            raise TypeError("complex numbers")
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"got an array that does not hold real numbers ({error}); give a dataframe"
        ) from error


def _why_unused(column: Column) -> str:
    return str(column.role if column.role in (Role.IGNORED, Role.LABEL) else column.kind)
