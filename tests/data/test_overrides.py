"""What the user says about columns."""

import pytest

from outlearn.data.overrides import ColumnOverride, apply_overrides, read_overrides
from outlearn.data.schema import Column, Kind, Role, Schema
from outlearn.errors import ReadError, SchemaError

SCHEMA = Schema((Column("amount", Kind.IDENTIFIER, note="distinct"), Column("note", Kind.TEXT)))


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "columns.toml"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def test_a_file_changes_kind_role_and_unit(written):
    amount = '[columns.amount]\nkind = "numeric"\nunit = "EUR"\n'
    path = written(amount + '[columns.note]\nrole = "ignored"\n[columns."a b"]\n')
    overrides = read_overrides(path)
    assert overrides["a b"] == ColumnOverride()
    del overrides["a b"]
    changed = apply_overrides(SCHEMA, overrides)
    note = "kind set by the user, read as identifier"
    assert changed["amount"] == Column("amount", Kind.NUMERIC, unit="EUR", note=note)
    assert changed["note"] == Column("note", Kind.TEXT, Role.IGNORED)
    assert [column.name for column in changed.used] == ["amount"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[columns.amount]\nkind = "number"', ["number", "numeric", "categorical"]),
        ('[columns.amount]\nrole = "target"', ["target", "feature", "label", "time", "ignored"]),
        ('[columns.amount]\ntype = "numeric"', ["type", "kind, role, unit"]),
        ("[columns.amount]\nkind = 3", ["unknown kind 3"]),
        ("[columns.amount]\nunit = 3", ["unit is 3"]),
        ("[columns]\namount = 3", ["wanted a table"]),
        ("columns = 3", ["only tables named [columns.NAME]"]),
        ("[column.amount]\n", ["holds column", "[columns.NAME]"]),
        ("[columns", ["not a TOML file"]),
    ],
)
def test_a_mistake_names_what_is_allowed(written, content, words):
    with pytest.raises(SchemaError) as caught:
        read_overrides(written(content))
    assert all(word in str(caught.value) for word in words)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ReadError, match="cannot read the overrides file"):
        read_overrides(tmp_path / "absent.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemaError, match="not a TOML file"):
        read_overrides(binary)


def test_unknown_columns_and_two_labels():
    with pytest.raises(SchemaError, match="did you mean amount"):
        apply_overrides(SCHEMA, {"amnount": ColumnOverride()})
    label = ColumnOverride(role=Role.LABEL)
    with pytest.raises(SchemaError, match="2 columns have the role label"):
        apply_overrides(SCHEMA, {"amount": label, "note": label})
