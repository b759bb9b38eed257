from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from outlearn.data.columns import ConstantEncoder


@pytest.mark.parametrize(
    ("cells", "new", "differs"),
    [
        ([1, 1, 1], [1, 7, None], [0, 1, 0]),
        ([0.1, 0.1], [0.1, 0.1000000001, 0.2], [0, 0, 1]),
        ([0, 0], [0.0, 1e-9], [0, 1]),
        (["tcp", "tcp"], ["tcp", "icmp", ""], [0, 1, 0]),
        (["5", "5"], [5, 6], [0, 1]),  # text in one file, numbers in the other
        ([1, 1], ["1", "x"], [0, 1]),
        ([True, True], [True, False], [0, 1]),
        ([None, None], ["root", None], [1, 0]),
        ([float("nan")] * 2, [3.0, float("nan")], [1, 0]),
    ],
)
def test_another_value_is_one_and_a_missing_cell_none(cells, new, differs):
    encoder = ConstantEncoder.fit("c", pl.Series(cells))
    values, _ = encoder.encode(pl.Series(new))
    assert values[:, 0].tolist() == differs and encoder.rows == len(cells)
    again = ConstantEncoder.from_state(encoder.to_state())
    assert again == encoder and np.array_equal(again.encode(pl.Series(new))[0], values)


def test_what_varies_passes_or_is_a_list_has_no_one_value():
    columns = ([1, 2], [1, None], ["a", None], [date(2024, 1, 1)] * 2, ["2024-01-01"] * 2, [[1.0], [1.0]], [])
    assert all(ConstantEncoder.of("c", pl.Series(cells)) is None for cells in columns)
    with pytest.raises(ValueError, match="'c' does not hold one value"):
        ConstantEncoder.fit("c", pl.Series([1, 2]))


def test_a_missing_cell_is_counted_where_none_was():
    assert ConstantEncoder.fit("c", pl.Series([1, 1])).encode(pl.Series([None, 1]))[1].missing == 1
    assert ConstantEncoder.fit("c", pl.Series([None, None])).encode(pl.Series([None, 1]))[1].missing == 0


def test_a_version_is_no_date_of_the_year_0_and_a_new_one_is_seen() -> None:
    encoder = ConstantEncoder.of("firmware", pl.Series(["2.1.0"] * 5))
    assert encoder is not None
    assert encoder.encode(pl.Series(["2.1.0", "2.2.0", None]))[0].ravel().tolist() == [0.0, 1.0, 0.0]
