"""Dataframes with columns of kinds that one library alone knows, given to an estimator."""

import numpy as np
import pandas as pd
import pytest

from outlearn import ClassicalDetector
from outlearn.errors import SchemaError

ROWS = 30


def frame(cells):
    return pd.DataFrame({"v": np.random.default_rng(0).normal(size=ROWS), "c": cells})


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (pd.period_range("2024-01", periods=ROWS, freq="D"), "datetime"),
        (pd.cut(np.arange(ROWS), 3), "categorical"),
        (pd.Categorical([1, 2, 3] * 10), "categorical"),
        (pd.Categorical(list(pd.period_range("2024", periods=3, freq="Y")) * 10), "categorical"),
        (np.linspace(0, 1, ROWS, dtype=np.longdouble), "numeric"),
    ],
)
def test_they_are_read(cells, kind):
    table = frame(cells)
    before = table.copy()
    detector = ClassicalDetector("knn").fit(table)
    assert detector.schema_["c"].kind == kind
    assert np.isfinite(detector.anomaly_score(table)).all()
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (pd.interval_range(0, ROWS), "'c' holds intervals"),
        ([pd.Interval(0, 1), None] * 15, "'c' holds intervals"),
        (np.arange(ROWS) * 1j, "'c' holds complex numbers"),
        ([1j, None] * 15, "'c' holds complex numbers"),
    ],
)
def test_they_are_refused_by_name(cells, told):
    with pytest.raises(SchemaError, match=told):
        ClassicalDetector("knn").fit(frame(cells))
