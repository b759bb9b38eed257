"""JSON of several shapes: objects within objects, lists of objects within an object, columns of values."""

import gzip
import json

import pandas as pd
import pytest

from outlearn.data.readers import ReadOptions, open_source
from outlearn.errors import ReadError

ROWS = [
    {"a": 1, "b": {"c": {"d": 2.5, "e": {"f": 1}}}, "tags": ["x"], "items": [{"q": 1}, {"q": 2}]},
    {"a": 2, "b": None, "tags": ["y", "z"], "items": []},
    {"b": {"c": {"d": 5}}, "late": "é"},
]
READ = {
    "a": [1, 2, None],
    "b.c.d": [2.5, None, 5],
    "b.c.e": ['{"f": 1}', None, None],
    "tags": ['["x"]', '["y", "z"]', None],
    "items.count": [2, 0, None],
    "late": [None, None, "é"],
}
FRAME = pd.DataFrame({"x": [1.5, 2.5, 3.5], "n": ["u", "v", "w"]})


@pytest.fixture
def read(tmp_path):
    def read(text, name="x.json", **options):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return open_source(tmp_path / name, options=ReadOptions(**options))

    return read


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(map(json.dumps, ROWS)),
        "\n".join(json.dumps(row, indent=2) for row in ROWS),
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        json.dumps({"data": ROWS}),
        json.dumps({"meta": {"page": 1, "links": []}, "results": ROWS}, indent=1),
        json.dumps({"took": 3, "hits": {"total": 3, "hits": ROWS}}),
        json.dumps({"data": ROWS, "included": [{"id": 1}]}),
    ],
)
def test_objects_unfold_wherever_their_rows_stand(read, text):
    for name in ("x.json", "x.txt"):
        source = read(text, name)
        assert source.read().to_dict(as_series=False) == READ
    assert source.rows == 3
    assert source.notes[-3:] == (
        "objects within objects became columns: 'b.c.d', 'b.c.e'",
        "lists of objects were counted, and what is in them was left out: 'items'",
        "nested values became JSON text: 'b.c.e', 'tags'",
    )


def test_what_was_left_out_is_said(read):
    notes = read(json.dumps({"meta": 1, "results": ROWS})).notes
    assert notes[0] == "rows were read from 'results'; left out: 'meta'"


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "table", "values"])
def test_shapes_that_pandas_writes(read, orient):
    frame = read(FRAME.to_json(orient=orient)).read()
    assert frame[:, -2:].rows() == list(FRAME.itertuples(index=False, name=None))
    if orient != "values":
        assert frame.columns[-2:] == ["x", "n"]


def test_columns_of_values_and_rows_with_names(read):
    assert read('{"x": [1, 2], "y": ["a", null]}').read().to_dict(as_series=False) == {
        "x": [1, 2],
        "y": ["a", None],
    }
    assert read('[["x", "y"], [1, "a"], [2, "b"]]').columns == ("x", "y")
    hosts = read('{"web": {"cpu": 1}, "db": {"cpu": 2, "mem": 3}}')
    assert hosts.read().rows() == [("web", 1, None), ("db", 2, 3)]


def test_packed_in_another_encoding(read):
    source = read(gzip.compress(json.dumps(ROWS, ensure_ascii=False).encode("utf-16")), "x.json.gz")
    assert source.read()["late"][2] == "é"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "an empty list"),
        ('[{"a": 1}, 3]', "entry 1 of the list is int, no object"),
        ("[1, 2]", "entry 0 of the list is int"),
        ("[[1], [2, 3]]", "lists of 1 to 2 cells"),
        ('[{"a": 1},', "looks like JSON, but is none"),
        ('{"a": [{"x": 1}], "b": [{"x": 1}]}', r"several lists of objects \(a, b\); keep one"),
        ('{"a": {"x": 1}, "b": 2}\n[', "line 2"),
    ],
)
def test_what_is_no_table_is_refused_by_name(read, text, told):
    with pytest.raises(ReadError, match=told) as caught:
        read(text)
    assert "x.json: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_too_large_to_hold_is_refused(read, monkeypatch):
    monkeypatch.setattr("outlearn.data.readers.jsondocument.MOST_BYTES", 1 << 20)
    with pytest.raises(ReadError, match="more than 1 MB; write one object a line"):
        read(json.dumps([{"a": "x" * 100}] * 20_000))


def test_one_line_is_a_row_where_the_name_says_lines(read):
    line = '{"a": 1, "items": [{"q": 1}, {"q": 2}]}'
    assert read(line, "x.jsonl").read().rows() == [(1, 2)]
    assert read(line).columns == ("q",)


def test_objects_of_many_keys_stay_text_and_no_key_hides_another(read):
    lines = [{"i": i, "c": {f"k{7 * i + j}": 1 for j in range(3)}} for i in range(100)]
    assert read("\n".join(map(json.dumps, lines)), "x.jsonl").columns == ("i", "c")
    assert read('{"a.b": 1, "a": {"b": 2}}\n{"a.b": 3}', "x.jsonl").read().rows() == [(1, 2), (3, None)]
