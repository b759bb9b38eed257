"""Rows in, Matrix out.

A dataframe gets a `Schema` (`infer_schema`, `read_overrides`, `apply_overrides`); an `Encoder` fitted to both
turns rows into a `Matrix` of finite float32. `rows` knows rows by content. Files are read in `readers`.
"""

from __future__ import annotations

from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.matrix import Matrix
from outlearn.data.overrides import ColumnOverride, apply_overrides, read_overrides
from outlearn.data.rows import canonical_order, has_copy, row_hash
from outlearn.data.schema import Column, Kind, Role, Schema, Table, check_columns

__all__ = [
    "Column",
    "ColumnOverride",
    "Encoder",
    "Kind",
    "Matrix",
    "Role",
    "Schema",
    "Table",
    "apply_overrides",
    "canonical_order",
    "check_columns",
    "has_copy",
    "infer_schema",
    "read_overrides",
    "row_hash",
]
