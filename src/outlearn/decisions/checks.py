"""Checks of scores that every stage of a decision makes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.errors import InputError, ParameterError

__all__ = ["as_scores", "as_share", "percent"]


def as_scores(values: ArrayLike, name: str, *, at_least: int = 0) -> NDArray[np.float64]:
    """Return `values` as (n,) float64 scores.

    Raises
    ------
    InputError
        When the scores are not numbers in one dimension, hold NaN, or are fewer than `at_least`.

    >>> as_scores([1, 2], "scores")
    array([1., 2.])
    """
    try:
        scores = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers, one a row: {error}") from error
    if scores.ndim != 1:
        raise InputError(f"{name} has shape {scores.shape}, wanted one score a row: (n,)")
    if len(scores) < at_least:
        raise InputError(f"{name} holds {len(scores)} scores, wanted at least {at_least}")
    if np.isnan(scores).any():
        raise InputError(f"{name} holds {int(np.isnan(scores).sum())} scores that are not a number (NaN)")
    return scores


def as_share(value: float, name: str) -> float:
    """Return `value` if it lies strictly between 0 and 1.

    Raises
    ------
    ParameterError
        When it does not.

    >>> as_share(0.05, "rate")
    0.05
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < 1:
        raise ParameterError(f"{name} is {value!r}, wanted a share between 0 and 1, e.g. 0.05")
    return float(value)


def percent(share: float) -> str:
    """Return a share in words.

    >>> percent(0.015), percent(0.0004)
    ('1.5 %', '0.04 %')
    """
    return f"{100 * share:.3g} %"
