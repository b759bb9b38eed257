"""Columns that look like the answer: what somebody said of each row, which is no feature of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.label_words import UNLABELLED, fold, meanings_of, words_of
from outlearn.data.labels import label_words
from outlearn.data.schema import Role, Schema

__all__ = ["ASIDE", "answer_columns", "suspected_answers", "telling_columns", "without_answers"]

#: Note of a column that was set aside, by which it is known again.
ASIDE = "looks like the answer"
FEW = 20  # different values that an answer has at most
# Labelled anomalies and other rows from which on a column of few values, or one of ranges that do not meet,
# tells all of them apart by chance, or by being a good feature, in few tables.
_FEWEST_OF_VALUES, _FEWEST_OF_RANGES = (5, 20), (10, 50)
_NAMES = words_of(
    """
    abnormal anomalia anomalie anomalies anomalous anomaly answer attack betrug clase class classe etiqueta
    fraud fraude fraudulent groundtruth intrusion klasse label labels malicious malware outcome outlier
    outliers target truth verdict y
    """
)
# A sensor may report one of these as well, so a column of that name is used and warned of.
_MAYBE = words_of(
    """
    bad benign defect defective failed failure failures fault faulty good healthy inlier legit legitimate
    normal ok okay pass passed result spam
    """
)
_BESIDE = words_of(
    """
    attack binary cat category col column flag flagged ground gt has is known machine name row the true type
    """
)
_SIGNS = frozenset(("-1", "0", "1"))


def answer_columns(frame: pl.DataFrame, spare: Collection[str] = ()) -> tuple[str, ...]:
    """Return the columns whose name and values are those of labels: is_fraud with 0 and 1, say.

    spare : columns of which the user said what they are.

    >>> frame = pl.DataFrame({"is_fraud": [0, 1], "class": ["economy", "business"], "y": [0.5, 2.0]})
    >>> answer_columns(frame)
    ('is_fraud',)
    """
    return tuple(name for name, words in _named(frame, spare, _NAMES).items() if _are_labels(words))


def suspected_answers(frame: pl.DataFrame, spare: Collection[str] = ()) -> tuple[str, ...]:
    """Return columns named like an answer with few values, where name or values leave a doubt.

    >>> suspected_answers(pl.DataFrame({"is_fraud": [0, 1], "class": ["economy", "business"]}))
    ('class',)
    """
    apart = answer_columns(frame, spare)
    named = _named(frame, spare, _NAMES | _MAYBE)
    return tuple(name for name, words in named.items() if len(words) > 1 and name not in apart)


def telling_columns(frame: pl.DataFrame, labels: NDArray[np.int8]) -> tuple[str, ...]:
    """Return the columns that alone tell all labelled anomalies from the normal rows.

    No value of such a column, or no range of its numbers, is shared by the two.

    Parameters
    ----------
    labels : (n,) 1 anomaly, 0 normal, -1 unlabelled; where no row is labelled normal, the unlabelled ones
        stand in.

    >>> frame = pl.DataFrame({"code": [2, 2, 2, 2, 2] + [0, 1] * 15, "size": [1, 2, 3, 4, 5] * 7})
    >>> telling_columns(frame, np.repeat([1, 0], [5, 30]))
    ('code',)
    """
    other = labels == 0 if (labels == 0).any() else labels == -1
    anomalies, normals = frame.filter(labels == 1), frame.filter(other)
    return tuple(
        name
        for name in frame.columns
        if _tells(anomalies.get_column(name).drop_nulls(), normals.get_column(name).drop_nulls())
        and anomalies.get_column(name).null_count() == 0
    )


def _tells(odd: pl.Series, usual: pl.Series) -> bool:
    def enough(fewest: tuple[int, int]) -> bool:
        return len(odd) >= fewest[0] and len(usual) >= fewest[1]

    if not enough(_FEWEST_OF_VALUES) or odd.dtype.is_nested():
        return False
    if odd.n_unique() + usual.n_unique() <= FEW:
        return not odd.is_in(usual.unique().implode()).any()
    if not odd.dtype.is_numeric() or not enough(_FEWEST_OF_RANGES):
        return False
    values, others = odd.to_numpy(), usual.to_numpy()
    return bool(values.min() > others.max() or values.max() < others.min())


def without_answers(schema: Schema, frame: pl.DataFrame, spare: Collection[str] = ()) -> Schema:
    """Return the schema with the columns of `answer_columns` ignored, if any other column can be used."""
    aside = set(answer_columns(frame, {*spare, *_not_features(schema)}))
    if aside.issuperset(column.name for column in (*schema.used, *schema.constant)):
        return schema
    return schema.with_columns(
        replace(column, role=Role.IGNORED, note=ASIDE) for column in schema.columns if column.name in aside
    )


def _not_features(schema: Schema) -> list[str]:
    return [column.name for column in schema.columns if column.role is not Role.FEATURE]


def _named(frame: pl.DataFrame, spare: Collection[str], words: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the columns named like an answer, by some words, that hold few values, with these values."""
    names = [name for name in frame.columns if name not in spare and _is_answer(name, words)]
    if {"x", "X"} & set(frame.columns):
        names = [name for name in names if name.lower() != "y"]  # a place, no answer
    values = {name: _values(frame[name]) for name in names}
    return {name: known for name, known in values.items() if known is not None and len(known) <= FEW}


def _is_answer(name: str, words: frozenset[str]) -> bool:
    """Tell whether a name is that of an answer, such as label, Class, isFraud, is_attack or attack_cat."""
    parts = fold(re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)).split()
    parts = [part[2:] if part.startswith("is") and part[2:] in words else part for part in parts]
    return not words.isdisjoint(parts) and words.union(_BESIDE).issuperset(parts)


def _values(cells: pl.Series) -> frozenset[str] | None:
    """Return the words of a column but those that say nothing; None where there are too many."""
    if cells.dtype.is_nested() or cells.head(1000).n_unique() > 2 * FEW:
        return None
    return frozenset(label_words(cells.unique()).to_list()) - UNLABELLED


def _are_labels(words: frozenset[str]) -> bool:
    return words <= _SIGNS or not meanings_of(words)[1]
