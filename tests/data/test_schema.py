"""Schemas as values: printed, saved, compared with a table."""

import json

import pytest

from outlearn.data.schema import Column, Kind, Role, Schema, check_columns, unknown_column
from outlearn.errors import SchemaError

SCHEMA = Schema(
    (
        Column("id", Kind.IDENTIFIER),
        Column("amount", Kind.NUMERIC, unit="EUR"),
        Column("country", Kind.CATEGORICAL, note="a note"),
        Column("verdict", Kind.CATEGORICAL, Role.LABEL),
    )
)


def test_survives_json():
    assert Schema.from_dict(json.loads(json.dumps(SCHEMA.to_dict()))) == SCHEMA


def test_prints_an_aligned_table():
    lines = str(SCHEMA).splitlines()
    assert lines[0].split() == ["name", "kind", "role", "note"]
    assert lines[2].endswith("in EUR")
    assert {line[:9].strip() for line in lines} == {"name", *SCHEMA.names}
    assert all(line == line.rstrip() for line in lines)


def test_columns_that_are_not_read_may_be_missing_and_others_may_come():
    assert check_columns(SCHEMA, ["country", "amount"]) == ()
    (note,) = check_columns(SCHEMA, ["amount", "country", "shop", "till"])
    assert note == "2 columns are not in the schema and not read: shop, till"


def test_a_missing_column_shows_the_difference():
    with pytest.raises(SchemaError) as caught:
        check_columns(SCHEMA, ["Amount", "shop"])
    message = str(caught.value)
    assert "2 of 2 columns that the model reads are missing" in message
    assert "- amount   (renamed? there is: Amount)" in message
    assert "+ shop" in message


def test_a_long_difference_is_cut():
    wide = Schema(tuple(Column(f"c{i}", Kind.NUMERIC) for i in range(500)))
    with pytest.raises(SchemaError) as caught:
        check_columns(wide, [f"d{i}" for i in range(500)])
    message = str(caught.value)
    assert message.count("\n") < 30
    assert "490 more missing" in message
    assert "490 more not in the schema" in message


def test_an_unknown_column_lists_the_close_names():
    assert "did you mean Amount?" in str(unknown_column("amonut", ["Amount", "x"], what="the time column"))
