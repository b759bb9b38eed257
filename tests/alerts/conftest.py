"""Flagged rows whose fields a test may replace, and ordinary traffic."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from outlearn.alerts import FlaggedRows, Run
from outlearn.data.kinds.kind import FACTS
from outlearn.explain import Contribution, Explanation


def reason(row: int, *columns: str) -> Explanation:
    """Return why a row is odd: these columns are high, the first one most."""
    parts = tuple(Contribution(name, 9.0, "1 to 2", "high", 1.0 - 0.1 * i) for i, name in enumerate(columns))
    return Explanation(row, 0.9, parts, (), f"{' and '.join(columns)} odd.")


@pytest.fixture
def make_rows() -> Callable[..., FlaggedRows]:
    def make(count: int = 4, facts: dict[str, Any] | None = None, **other: Any) -> FlaggedRows:
        given = facts or {}
        frame = pl.DataFrame(
            {name: given.get(name, [None] * count) for name in FACTS}, schema=FACTS, strict=False
        )
        fields: dict[str, Any] = {
            "kind": "flows",
            "rows": np.arange(count),
            "scores": np.linspace(0.6, 0.9, count),
            "p_values": None,
            "times": np.arange(count, dtype=float),
            "entities": ("10.0.0.7",) * count,
            "facts": frame,
            "masks": np.zeros(count, np.uint32),
            "reasons": (reason(0, "bytes"),),
            "reason_of": np.zeros(count, np.int64),
        }
        return FlaggedRows(**{**fields, **other})

    return make


@pytest.fixture
def run() -> Run:
    return Run("a.pcap", "budget 5", "never more than 5", "0.1", datetime(2026, 1, 1, tzinfo=UTC))
