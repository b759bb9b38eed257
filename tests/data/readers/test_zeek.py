"""Logs of Zeek: what the head says holds, what is cut short is counted, what is none is refused."""

import gzip

import polars as pl
import pytest

from outlearn.data.readers import open_source
from outlearn.errors import ReadError

HEAD = """#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
#open\t2026-01-01-00-00-00
#fields\tts\tuid\tid.orig_h\tid.resp_p\tservice\tduration\ttunnel_parents
#types\ttime\tstring\taddr\tport\tstring\tinterval\tset[string]
"""
ROWS = """1767225600.25\tCabc\t10.0.0.1\t53\tdns\t0.5\t(empty)
1767225601.50\tCdef\t10.0.0.2\t443\t-\t-\t(empty)
"""


def read(tmp_path, text, name="conn.log"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_source(path)


def test_fields_are_named_and_typed_and_what_is_unset_is_missing(tmp_path):
    source = read(tmp_path, HEAD + ROWS + "#close\t2026-01-01-01-00-00\n")
    frame = source.read()
    assert frame.columns == ["ts", "uid", "id.orig_h", "id.resp_p", "service", "duration", "tunnel_parents"]
    assert frame["ts"].to_list() == [1767225600.25, 1767225601.5]
    assert frame["id.resp_p"].to_list() == [53, 443]
    assert frame["service"].to_list() == ["dns", None]
    assert frame["duration"].to_list() == [0.5, None]
    assert frame["tunnel_parents"].null_count() == 2
    assert source.rows == 2 and source.notes == ()


def test_a_quote_is_a_sign_like_any_other(tmp_path):
    assert read(tmp_path, HEAD + ROWS.replace("dns", '"d"n')).read()["service"][0] == '"d"n'


def test_lines_that_are_cut_short_are_skipped_and_counted(tmp_path):
    source = read(tmp_path, HEAD + ROWS + "1767225602.0\tCghi\t10.0")
    assert source.rows == 2
    assert source.notes == ("1 line has not the 7 fields of the head and was skipped",)


def test_logs_one_after_the_other_are_one_if_their_fields_are(tmp_path):
    both = HEAD + ROWS + "#close\t2026\n" + HEAD + ROWS
    assert read(tmp_path, both).rows == 4
    with pytest.raises(ReadError, match="two logs with different fields"):
        read(tmp_path, both + HEAD.replace("service", "other") + ROWS)


def test_columns_behind_the_last_tab_are_parted_by_spaces(tmp_path):
    head = HEAD.replace("tunnel_parents", "tunnel_parents   label   detailed-label")
    rows = ROWS.replace("(empty)", "(empty)   Malicious   C&C", 1).replace("(empty)\n", "-   Benign   -\n")
    frame = read(tmp_path, head + rows).read()
    assert frame["label"].to_list() == ["Malicious", "Benign"]
    assert frame["detailed-label"].to_list() == ["C&C", None]
    assert frame["tunnel_parents"].null_count() == 2


def test_other_separators_bytes_and_packed_files_are_read(tmp_path):
    spaced = (HEAD + ROWS).replace("\\x09", "\\x7c").replace("\t", "|")
    assert read(tmp_path, spaced).read()["id.resp_p"].to_list() == [53, 443]
    odd = (HEAD + ROWS).encode().replace(b"dns", b"d\xffs")
    assert read(tmp_path, odd).read()["service"][0] == "d\xffs"
    packed = read(tmp_path, gzip.compress((HEAD + ROWS).encode()), "conn.log.gz")
    assert packed.rows == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#separator \\x09\n#path\tconn\n1\t2\n", "no #fields"),
        (HEAD.replace("\\x09", "ab") + ROWS, "tells 'ab' as the separator"),
        (HEAD, "no rows of data"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path, text, words):
    with pytest.raises(ReadError, match=words):
        read(tmp_path, text)


def test_a_long_log_has_the_types_of_all_its_rows(tmp_path):
    lines = "".join(f"{i}.5\tC{i}\t10.0.0.1\t{i % 9}\tdns\t-\t-\n" for i in range(200_000))
    source = read(tmp_path, HEAD + lines + "200000.5\tC\t10.0.0.1\t7\tdns\t0.25\t-\n")
    assert source.rows == 200_001
    chunks = list(source.chunks(70_000))
    assert [chunk.height for chunk in chunks] == [70_000, 70_000, 60_001]
    assert {chunk["duration"].dtype for chunk in chunks} == {pl.Float64}
