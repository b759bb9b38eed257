"""Supports that profiles of rows must come through."""

import numpy as np
import pytest


def _gaussian(n: int, d: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d))


EDGES = {
    "zeros": np.zeros((6, 3)),
    "copies": np.repeat(np.arange(4.0), 10)[:, None],
    "two": np.array([[0.0, 1.0], [2.0, 3.0]]),
    "one-twice": np.array([[0.0, 1.0], [0.0, 1.0]]),
    "one": np.array([[1.0, 2.0, 3.0]]),
    "wide": _gaussian(8, 50),
    "constant": np.hstack([_gaussian(30, 2), np.full((30, 1), 1e6)]),
    "huge": _gaussian(30, 2) * 1e30,
    "far": np.vstack([_gaussian(30, 2), [[1e20, -1e20]]]),
}


@pytest.fixture(params=EDGES)
def edge(request) -> np.ndarray:
    """A support at the edge of what there is: few rows, copies, constants, huge values."""
    return EDGES[request.param].astype(np.float32)
