"""Columns that look like the answer: what somebody said of each row, which is no feature of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

import polars as pl

from outlearn.data.label_words import UNLABELLED, fold, meanings_of, words_of
from outlearn.data.labels import label_words
from outlearn.data.schema import Role, Schema

__all__ = ["ASIDE", "answer_columns", "suspected_answers", "without_answers"]

#: Note of a column that was set aside, by which it is known again.
ASIDE = "looks like the answer"
FEW = 20  # different values that an answer has at most
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
