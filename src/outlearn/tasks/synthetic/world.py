"""The values that priors hand on: a world to draw from, the shape wanted, the table that came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Draw", "Rows", "SyntheticTable", "TaskShape", "Variant", "World"]

Rows = NDArray[np.float64]
"""(rows, columns) float64 in the latent space of a world, before columns are recorded in units."""

Draw = Callable[[np.random.Generator, int], Rows]
"""``(rng, rows) → (rows, columns)``."""

Variant = Callable[[np.random.Generator, int, float], Rows]
"""``(rng, rows, strength in (0, 1]) → (rows, columns)``: the stronger, the less like the normals."""


@dataclass(frozen=True, slots=True)
class TaskShape:
    """The counts of normal rows, anomalous rows and columns of a table.

    Nothing is checked here: `SyntheticSampler` checks its ranges once.
    """

    normals: int
    anomalies: int
    columns: int


@dataclass(frozen=True, slots=True)
class World:
    """What a prior draws: one way of making normal rows, and its relatives.

    normal : draws normal rows.
    other : draws rows of another class that the same kind of mechanism makes.
    intervene : draws rows whose mechanism was disturbed from outside; None where the world has no mechanism.
    """

    normal: Draw
    other: Variant
    intervene: Variant | None = None


@dataclass(frozen=True, slots=True)
class SyntheticTable:
    """Rows as a user would meet them, normals first, in no order within.

    normals : (n, d) float32.
    anomalies : (a, d) float32, kinds mixed and shuffled.
    kinds : the kinds of anomaly in it, e.g. ``("local", "subspace")``.
    noise_columns : how many of the d columns carry nothing.
    """

    normals: NDArray[np.float32]
    anomalies: NDArray[np.float32]
    kinds: tuple[str, ...]
    noise_columns: int
