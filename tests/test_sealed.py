"""Files with a digest over all of them: what was written is read, and no bit of it turns unnoticed."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from outlearn.errors import OutputError
from outlearn.sealed import entries_of, read_sealed, write_sealed

ARRAYS = {"b": np.arange(6.0).reshape(2, 3), "a": np.array(7, dtype=np.int8), "empty": np.empty((0, 3))}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    write_sealed(path, ARRAYS, {"mine": 'é "quoted" \\'})
    return path


def test_what_was_written_is_read_in_order_of_names_and_sealed(path):
    contents = read_sealed(path, ("mine", "other"))
    assert contents.sealed and contents.entries["mine"] == 'é "quoted" \\'
    assert list(contents.arrays) == sorted(ARRAYS)
    for name, values in contents.arrays.items():
        assert values.dtype == ARRAYS[name].dtype and values.shape == ARRAYS[name].shape
        assert np.array_equal(values, ARRAYS[name])


def test_equal_contents_give_equal_bytes_that_any_reader_of_the_format_reads(path, tmp_path):
    again = tmp_path / "again"
    write_sealed(again, dict(reversed(ARRAYS.items())), {"mine": 'é "quoted" \\'})
    assert again.read_bytes() == path.read_bytes()
    with safe_open(path, framework="np") as file:
        assert file.metadata()["mine"] == 'é "quoted" \\' and set(file.keys()) == set(ARRAYS)


@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.long)])
def test_every_bit_of_a_file_is_covered(step, path):
    content = path.read_bytes()
    for bit in range(0, 8 * len(content), step):
        turned = bytearray(content)
        turned[bit // 8] ^= 1 << bit % 8
        path.write_bytes(turned)
        with pytest.raises(ValueError):
            read_sealed(path, ("mine",))


@pytest.mark.parametrize("end", [None, -1, 40, 3, 0])
def test_another_length_is_noticed(end, path):
    path.write_bytes(path.read_bytes() + b"\0" if end is None else path.read_bytes()[:end])
    with pytest.raises(ValueError):
        read_sealed(path, ("mine",))


def test_a_file_without_a_digest_is_read_and_says_so(tmp_path):
    save_file({"x": np.ones(2)}, tmp_path / "old", metadata={"mine": "1"})
    assert not read_sealed(tmp_path / "old", ("mine",)).sealed


@pytest.mark.parametrize(
    ("head", "wrong"),
    [
        (b"[" * 100_000, "not in the format"),
        (b'{"__metadata__": 3}', "not one of safetensors"),
        (b'{"__metadata__": {"mine": 3}}', "not one of safetensors"),
        (b"[]", "not one of safetensors"),
        (b'{"__metadata__": {}}', "no entry mine"),
        (b'{"__metadata__": {"mine": "", "sha512": ""}}', "an entry 'sha512'"),
        (b'{"__metadata__": {"mine": "", "sha256": "\\ud800"}}', "does not match"),
        (b'{"__metadata__":{"sha256":"' + b"0" * 64 + b'","mine":""}}', "does not match"),
        (b'{"__metadata__":{"mine":""},"x":{"dtype":"F64","shape":[9],"data_offsets":[0,72]}}', "be read"),
        (b'{"__metadata__":{"mine":""},"x":{"dtype":"F9","shape":[0],"data_offsets":[0,0]}}', "be read"),
        (
            b'{"__metadata__":{"mine":""},"x":{"dtype":"F64","shape":[0,99999999],"data_offsets":[0,0]}}',
            "no value",
        ),
    ],
)
def test_a_made_up_header_is_refused_with_what_is_wrong(head, wrong, tmp_path):
    (tmp_path / "file").write_bytes(len(head).to_bytes(8, "little") + head)
    with pytest.raises(ValueError, match=wrong):
        read_sealed(tmp_path / "file", ("mine",))


def test_a_length_that_the_file_does_not_have_takes_no_memory(tmp_path):
    (tmp_path / "file").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(ValueError, match="cut short"):
        entries_of(tmp_path / "file")


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="cannot write to"):
        write_sealed(tmp_path / "absent" / "file", ARRAYS, {"mine": json.dumps({})})
    assert not list(tmp_path.iterdir())
