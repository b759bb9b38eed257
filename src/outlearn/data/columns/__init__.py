"""One encoder a kind of column: cells in, float32 columns out, nothing dropped."""

from __future__ import annotations

from outlearn.data.columns.base import ColumnEncoder, Repairs
from outlearn.data.columns.boolean import BooleanEncoder
from outlearn.data.columns.categorical import CategoricalEncoder
from outlearn.data.columns.constant import ConstantEncoder
from outlearn.data.columns.curve import CurveEncoder
from outlearn.data.columns.embedding import EmbeddingEncoder
from outlearn.data.columns.moment import MomentEncoder
from outlearn.data.columns.numeric import NumericEncoder
from outlearn.data.columns.sequence import SequenceEncoder
from outlearn.data.columns.text import TextEncoder

__all__ = [
    "BooleanEncoder",
    "CategoricalEncoder",
    "ColumnEncoder",
    "ConstantEncoder",
    "CurveEncoder",
    "EmbeddingEncoder",
    "MomentEncoder",
    "NumericEncoder",
    "Repairs",
    "SequenceEncoder",
    "TextEncoder",
]
