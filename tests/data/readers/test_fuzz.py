"""Whatever the bytes are, there comes a Source or an error that says why not."""

import csv
import io

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outlearn.data.readers import open_source
from outlearn.data.readers.numbers import MISSING
from outlearn.errors import ReadError

_RELAXED = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)
_VALID = pl.DataFrame({"a": [1, 2, 3] * 30, "b": ["x", None, "é"] * 30})


def _check(path, content):
    path.write_bytes(content)
    try:
        source = open_source(path)
        frames = list(source.chunks(3))
    except ReadError as error:
        assert "\n" not in str(error)
        return
    assert {tuple(frame.columns) for frame in frames} == {source.columns}
    assert len({tuple(frame.dtypes) for frame in frames}) == 1


@_RELAXED
@given(st.binary(max_size=300))
@example(b'"\n')
@example(b"a,b\r\r\n1")
def test_any_bytes(tmp_path, content):
    _check(tmp_path / "x.csv", content)


@_RELAXED
@given(
    st.text(alphabet="ab1.,;\t|\"\r\n '{}[]:-é\ufeff\0", max_size=200),
    st.sampled_from(["utf-8", "utf-16", "cp1252"]),
)
def test_any_text(tmp_path, content, encoding):
    _check(tmp_path / "x.csv", content.encode(encoding, "replace"))


@_RELAXED
@given(st.lists(st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists), max_size=5))
def test_any_json(tmp_path, values):
    import json

    lines = [json.dumps({str(i % 3): v, "k": i}) for i, v in enumerate(values)] + ['{"k": 1}']
    _check(tmp_path / "x.jsonl", "\n".join(lines).encode())


@pytest.mark.parametrize("form", ["parquet", "ipc", "ipc_stream"])
@_RELAXED
@given(data=st.data())
def test_damaged_tables(tmp_path, form, data):
    buffer = io.BytesIO()
    getattr(_VALID, f"write_{form}")(buffer)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    _check(tmp_path / "x", bytes(content[: data.draw(st.integers(1, len(content)))]))


_WORD = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=8)
_CELL = _WORD.map(lambda text: f"x{text}") | st.none()
_NUMBER = st.integers(-(2**40), 2**40) | st.none()
_FLOAT = st.floats(allow_nan=False) | st.none()


@_RELAXED
@given(
    rows=st.lists(st.tuples(_CELL, _NUMBER, _FLOAT), min_size=1, max_size=12),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
    missing=st.sampled_from(MISSING),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_round_trip(tmp_path, rows, separator, quoting, end, missing, encoding):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerow(["text", "number", "float"])
    writer.writerows([[missing if value is None else value for value in row] for row in rows])
    path = tmp_path / "x.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    frame = open_source(path).read()
    assert frame.columns == ["text", "number", "float"]
    assert frame.rows() == rows
