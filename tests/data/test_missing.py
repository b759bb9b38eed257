"""Values that stand for missing: which look like such, and which cells hold one."""

import numpy as np
import polars as pl
import pytest

from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.missing import suspected_codes, with_missing
from outlearn.data.overrides import apply_overrides, missing_values_of, read_missing, read_overrides
from outlearn.data.schema import Kind, Role, Schema
from outlearn.errors import SchemaError

USUAL = np.random.default_rng(0).normal(20, 5, 200).round(1)


def suspects(values):
    return {suspect.value: suspect.columns for suspect in suspected_codes({"x": np.asarray(values, float)})}


@pytest.mark.parametrize(
    "code", [-200, -1000, 999, -999, 9999, 99999, 999.9, 777, -32768, 2**31 - 1, -(2.0**63)]
)
def test_a_typical_value_that_comes_again_far_outside_looks_like_a_code(code):
    assert suspects([*USUAL, *[code] * 3]) == {code: {"x": 3}}
    assert not suspects([*USUAL, code, code])


@pytest.mark.parametrize("value", [-250, 500, 1234.5, -1, 90, 9])
def test_other_values_do_not(value):
    assert not suspects([*USUAL, *[value] * 5])


def test_a_value_of_typical_shape_among_or_near_the_others_is_no_code():
    assert not suspects([*range(0, 1200, 7), *[999] * 5])
    assert not suspects([*np.linspace(-120, 100, 50), *[-200] * 5])


def test_minus_one_is_a_code_only_where_no_other_value_is_below_zero():
    shares = np.linspace(0.1, 0.3, 50)
    assert suspects([*shares, *[-1] * 4]) == {-1: {"x": 4}}
    assert not suspects([*shares, -0.5, *[-1] * 4])


def test_what_is_a_code_in_one_column_is_one_in_any_other_that_it_lies_outside_of():
    wide = np.linspace(40, 200, 60)
    codes = [-200.0] * 3
    [found] = suspected_codes(
        {"a": np.r_[USUAL, codes], "b": np.r_[wide, codes], "c": np.r_[-300, wide, codes]}
    )
    assert (found.value, found.columns) == (-200, {"a": 3, "b": 3})


@pytest.mark.parametrize(
    ("cells", "codes", "left"),
    [
        ([1, -200, 3], ["-200"], [1, None, 3]),
        ([1.5, -200.0, None], ["-200.0", "7"], [1.5, None, None]),
        (["1.5", " -200,", "-200.0", "n.d."], ["-200", "n.d."], ["1.5", " -200,", None, None]),
        (pl.Series([0.5, -99.9], dtype=pl.Float32), ["-99.9"], [0.5, None]),
        ([True, False], ["1"], [True, False]),
    ],
)
def test_cells_that_hold_a_code_are_missing(cells, codes, left):
    assert with_missing(pl.Series(cells), codes).to_list() == left


def test_a_file_of_overrides_names_codes_of_a_column_and_of_the_table(tmp_path):
    path = tmp_path / "columns.toml"
    path.write_text('missing = [-999]\n[columns.a]\nmissing = [-200, "n.d."]\n[columns.y]\nrole = "label"\n')
    codes = missing_values_of(["a", "b", "y"], read_overrides(path), read_missing(path))
    assert codes == {"a": ("-999", "-200", "n.d."), "b": ("-999",)}
    path.write_text("[columns.a]\nmissing = [true]\n")
    with pytest.raises(SchemaError, match="wanted numbers or texts"):
        read_overrides(path)


def test_a_schema_keeps_its_codes_and_an_encoder_reads_by_them():
    frame = pl.DataFrame({"a": [*map(str, USUAL), "-200", "lost"], "y": [0] * 202})
    schema = infer_schema(frame, missing={"a": ("-200", "lost"), "y": ("0",)}, label_column="y")
    schema = Schema.from_dict(schema.to_dict())
    assert schema["a"].kind is Kind.NUMERIC and "2 cells are -200 or lost" in schema["a"].note
    assert schema["y"].role is Role.LABEL and not schema["y"].missing
    encoder = Encoder.from_state(Encoder.fit(frame, schema).to_state())
    encoded = encoder.transform(pl.DataFrame({"a": ["-200", "20.0"]})).values
    assert encoded[:, 1].tolist() == [1, 0]
    assert "missing" not in Schema.from_dict(infer_schema(frame).to_dict()).to_dict()["columns"][0]


def test_overrides_without_the_inference_are_kept_too(tmp_path):
    path = tmp_path / "columns.toml"
    path.write_text("[columns.a]\nmissing = [-200]\n")
    frame = pl.DataFrame({"a": [*USUAL, -200.0]})
    schema = apply_overrides(infer_schema(frame), read_overrides(path), frame)
    assert schema["a"].missing == ("-200",)
