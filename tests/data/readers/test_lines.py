"""Lines of text: none is lost but blank ones, none harms a terminal or a memory; what was mended is told."""

import gzip

import pytest

from outlearn.data.readers import ReadOptions, open_source
from outlearn.data.readers.lines import BLOCK, LONGEST
from outlearn.errors import ReadError


def read(tmp_path, data, name="a.log"):
    path = tmp_path / name
    path.write_bytes(data)
    return open_source(path, options=ReadOptions(kind="logs"))


def test_lines_are_rows_whatever_they_hold(tmp_path):
    source = read(tmp_path, b'a,b;c\t"d\r\n  e  \n\n{"f": 1}')
    assert source.columns == ("line",)
    assert source.read()["line"].to_list() == ['a,b;c\t"d', "e", '{"f": 1}']
    assert source.rows == 3 and source.notes == ("1 blank lines were left out",)


def test_what_would_steer_a_terminal_is_taken_out(tmp_path):
    source = read(tmp_path, b"ok \x1b[31mred\x1b[0m \x1b]0;title\x07end\x00\x08\nplain\n")
    assert source.read()["line"].to_list() == ["ok red end", "plain"]
    assert source.notes == ("control characters were taken out of 1 lines",)


def test_what_is_no_utf_8_is_shown_as_such(tmp_path):
    source = read(tmp_path, b"caf\xe9 closed\nfine\n")
    assert source.read()["line"].to_list() == ["caf\ufffd closed", "fine"]
    assert "1 lines are in another encoding" in source.notes[0]


def test_a_line_without_an_end_is_cut_and_never_held(tmp_path):
    data = b"x" * (3 * BLOCK) + b"\nshort\n" + b"y" * (LONGEST + 5)
    source = read(tmp_path, data)
    assert [len(line) for line in source.read()["line"]] == [LONGEST, 5, LONGEST]
    assert source.notes[0].startswith("2 lines are longer than")


def test_pieces_are_as_large_as_asked_for_and_packed_logs_are_read(tmp_path):
    data = "".join(f"line {i}\n" for i in range(1000)).encode()
    source = read(tmp_path, gzip.compress(data), "a.log.gz")
    assert [chunk.height for chunk in source.chunks(300)] == [300, 300, 300, 100]
    assert source.read()["line"][999] == "line 999"


def test_long_lines_are_handed_out_in_small_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("outlearn.data.readers.lines.HEAVIEST", 1000)
    source = read(tmp_path, b"\n".join(b"x" * 300 for _ in range(20)))
    assert [batch.height for batch in source.batches(100_000)] == [4] * 5


@pytest.mark.parametrize(
    ("data", "words"), [(b"\n \n", "empty|blank"), (b"\x00\x01" * 90, "binary"), (b"", "empty")]
)
def test_what_holds_no_lines_is_refused(tmp_path, data, words):
    with pytest.raises(ReadError, match=words):
        read(tmp_path, data)
