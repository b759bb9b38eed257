"""What a named detector is: its parameters, what is done to the rows before it, and how it is fitted.

All that detectors have in common happens here once: checking rows, labels and parameters, leaving known
anomalies out of the support, and scaling. A detector itself is a function from clean rows to a `Scorer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.learners.base import Scorer

__all__ = ["Build", "Labels", "Parameter", "PoolEntry", "Rows", "Settings", "seed_of"]

Rows = NDArray[Any]
"""(n, d) floats: a scorer takes float32, as its contract says, and float64 once a scaler has been at them."""
Labels = NDArray[np.int8]
Settings = Mapping[str, Any]
Build = Callable[[Rows, Labels, np.random.Generator, Settings], Scorer]
"""(rows (n, d) float64, scaled as the entry says; labels (n,); generator; all parameters) → scorer."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of a detector: its default, its closed range and what it means.

    A whole-number default asks for whole numbers; `words` are strings allowed beside the range.
    """

    default: int | float | str
    low: float
    high: float
    meaning: str
    words: tuple[str, ...] = ()

    def check(self, name: str, value: Any) -> int | float | str:
        """Return `value` as a plain int, float or str, or raise `ParameterError`.

        >>> Parameter(5, 1, 100, "neighbours").check("k", 7)
        7
        """
        if isinstance(value, str) and value in self.words:
            return value
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        number = whole or (isinstance(value, (float, np.floating)) and not isinstance(self.default, int))
        if number and self.low <= value <= self.high:
            return int(value) if isinstance(self.default, int) else float(value)
        raise ParameterError(f"{name}={value!r} is not usable; wanted {self.wanted()} ({self.meaning})")

    def wanted(self) -> str:
        """Say in words what is allowed."""
        number = "a whole number" if isinstance(self.default, int) else "a number"
        words = "".join(f"{word!r} or " for word in self.words)
        return f"{words}{number} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class PoolEntry:
    """One named detector.

    summary : what it calls abnormal, in a few words.
    source : the paper it comes from.
    notes : how it judges rows it was not fitted on, what it costs, and its limits.
    build : fits it on clean rows.
    parameters : name → allowed values.
    standardise : whether columns are brought to mean 0 and deviation 1 of the support first (a constant
        column keeps scale 1). Distances and kernels need it; trees and ranks do not.
    needs_labels : whether it learns from labels. The others leave rows labelled 1 out of the support.
    min_rows : fewest rows that can be fitted.
    extra : the optional dependency it needs, or None.
    """

    summary: str
    source: str
    notes: str
    build: Build
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    standardise: bool = False
    needs_labels: bool = False
    min_rows: int = 2
    extra: str | None = None

    def settings(self, params: Mapping[str, Any]) -> dict[str, int | float | str]:
        """Return all parameters: those given, checked, and the defaults of the others.

        Raises
        ------
        ParameterError
            On an unknown name (the allowed ones are listed) or a value outside its range.
        """
        unknown = sorted(set(params) - set(self.parameters))
        if unknown:
            allowed = "; ".join(
                f"{name} (default {p.default!r}: {p.wanted()})" for name, p in self.parameters.items()
            )
            raise ParameterError(
                f"no parameter named {', '.join(map(repr, unknown))} here; allowed: {allowed or 'none'}"
            )
        return {name: p.check(name, params.get(name, p.default)) for name, p in self.parameters.items()}

    def fit(
        self,
        X: NDArray[np.float32],
        y: NDArray[np.int8] | None,
        rng: np.random.Generator,
        params: Mapping[str, Any],
    ) -> Scorer:
        """Fit on the support X (n, d) with labels y (n,) in {-1, 0, 1} (None: all unlabelled).

        Raises
        ------
        InputError
            When rows are not finite numbers of shape (n, d), d ≥ 1, or too few.
        LabelError
            When labels do not fit the rows, or the detector needs labels that are not there.
        ParameterError
            As `settings`.
        MissingExtraError
            When the optional dependency of the entry is not installed.
        """
        settings = self.settings(params)
        rows = _rows(X)
        labels = _labels(y, len(rows))
        if not self.needs_labels:
            rows, labels = rows[labels != 1], labels[labels != 1]
        if len(rows) < self.min_rows:
            raise InputError(
                f"{len(rows)} rows to compare with (rows labelled as anomalies do not count); "
                f"wanted at least {self.min_rows}; give more rows"
            )
        scaler = StandardScaler().fit(rows) if self.standardise else None
        scaled: Rows = scaler.transform(rows) if scaler is not None else rows
        with _near_overflow():
            return _Prepared(self.build(scaled, labels, rng, settings), scaler, rows.shape[1])


def seed_of(rng: np.random.Generator) -> int:
    """Draw a seed for a library that wants an int."""
    return int(rng.integers(2**31 - 1))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A scorer behind the checks and the scaling that its support went through."""

    scorer: Scorer
    scaler: StandardScaler | None
    columns: int

    def score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        rows = _rows(X)
        if rows.shape[1] != self.columns:
            raise InputError(
                f"{rows.shape[1]} columns came, the detector was fitted on {self.columns}; "
                "give rows with the same columns"
            )
        if not len(rows):
            return np.empty(0)
        scaled: Rows = self.scaler.transform(rows) if self.scaler is not None else rows
        with _near_overflow():
            return np.asarray(self.scorer.score(scaled), dtype=np.float64)


def _near_overflow() -> AbstractContextManager[None]:
    """Quieten scikit-learn's check for finite values, whose float32 sum of huge ones overflows harmlessly."""
    return np.errstate(over="ignore", invalid="ignore")


def _rows(X: Any) -> NDArray[np.float64]:
    """Return X as float64 by way of float32, so that a row means the same whatever type it comes in."""
    with np.errstate(over="ignore"):
        rows = np.asarray(X, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InputError(f"rows of shape {rows.shape} came; wanted (rows, columns) with at least one column")
    if not np.isfinite(rows).all():
        raise InputError("rows hold values that are not finite float32 numbers; encode or repair them first")
    return np.ascontiguousarray(rows, dtype=np.float64)


def _labels(y: Any, n: int) -> NDArray[np.int8]:
    if y is None:
        return np.full(n, -1, dtype=np.int8)
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise LabelError(f"labels of shape {labels.shape} came for {n} rows; wanted one label a row")
    if not np.isin(labels, (-1, 0, 1)).all():
        raise LabelError("labels must be 1 (anomaly), 0 (normal) or -1 (unlabelled)")
    return labels.astype(np.int8)
