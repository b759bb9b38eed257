import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlearn.data.overrides import apply_overrides, read_overrides
from outlearn.data.schema import Column, Kind, Role, Schema
from outlearn.errors import OutputError
from outlearn.pipeline.schema import read_schema, schema_toml, write_new

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.tuples(NAMES, st.sampled_from(Kind), NAMES), unique_by=lambda column: column[0], max_size=4)
)
def test_a_written_schema_reads_back(tmp_path_factory, columns):
    schema = Schema(tuple(Column(name, kind, Role.FEATURE, unit or None) for name, kind, unit in columns))
    path = tmp_path_factory.mktemp("schema") / "schema.toml"
    write_new(path, schema_toml(schema))
    plain = Schema(tuple(Column(column.name, Kind.NUMERIC) for column in schema.columns))
    again = apply_overrides(plain, read_overrides(path))
    assert [(c.kind, c.unit) for c in again.columns] == [(c.kind, c.unit) for c in schema.columns]


def test_an_edited_file_is_not_overwritten(tmp_path):
    path = tmp_path / "schema.toml"
    path.write_text("mine")
    with pytest.raises(OutputError, match="it exists"):
        write_new(path, "new")
    assert path.read_text() == "mine"


def test_roles_that_were_named_are_shown():
    frame = pl.DataFrame(
        {"y": [0, 1, 0], "when": ["2024-01-01", "2024-01-02", "2024-01-04"], "x": [1.5, 2, 4]}
    )
    schema, _ = read_schema(frame, label_column="y", time_column="when", ignore=["x"])
    assert [column.role for column in schema.columns] == [Role.LABEL, Role.TIME, Role.IGNORED]
