"""Checks of parameters that estimators share."""

from __future__ import annotations

from numbers import Real
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from outlearn.data.schema import Schema
from outlearn.errors import ParameterError
from outlearn.rng import Seed, generator

__all__ = ["check_contamination", "check_false_alarm_rate", "check_max_support", "check_schema", "drawn_seed"]


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"


def check_contamination(share: Any) -> None:
    """Refuse what is no share of anomalies.

    >>> check_contamination(0.7)
    Traceback (most recent call last):
        ...
    outlearn.errors.ParameterError: contamination is 0.7; wanted 'auto' or a share in (0, 0.5], e.g. 0.02
    """
    if not _is_auto(share) and not (_is_number(share) and 0 < share <= 0.5):
        raise ParameterError(f"contamination is {share!r}; wanted 'auto' or a share in (0, 0.5], e.g. 0.02")


def check_false_alarm_rate(rate: Any) -> None:
    """Refuse what is neither None nor a rate of false alarms."""
    if rate is not None and not (_is_number(rate) and 0 < rate < 1):
        raise ParameterError(f"false_alarm_rate is {rate!r}; wanted None or a rate in (0, 1), e.g. 0.01")


def check_max_support(limit: Any) -> None:
    """Refuse what is no number of rows to compare with."""
    if not _is_auto(limit) and (not isinstance(limit, int | np.integer) or limit < 2):
        raise ParameterError(f"max_support is {limit!r}; wanted 'auto' or a whole number of at least 2")


def check_schema(schema: Any) -> None:
    """Refuse what says nothing of columns."""
    if not isinstance(schema, Schema | str | Path | None):
        raise ParameterError(f"schema is {schema!r}; wanted None, a Schema or the path of a TOML file")


def drawn_seed(random_state: Seed) -> int:
    """Return the seed of a fit.

    Raises
    ------
    ParameterError
        When `random_state` is no seed.
    """
    try:
        return int(generator(random_state).integers(2**31 - 1))
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"random_state is {random_state!r}; wanted None, a whole number from 0 or a generator"
        ) from error
