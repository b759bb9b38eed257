"""Checkpoints: whole or refused, and never unpickled."""

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from outlearn.errors import WeightsError
from outlearn.weights import Header, read_checkpoint, shipped, write_checkpoint

HEADER = Header(
    "toy-1", {"width": 2}, "made up", 3, "outlearn metatrain --seed 3", ("a", "b"), {"AUROC": 0.5}
)
TENSORS = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}


@pytest.fixture
def path(tmp_path) -> Path:
    path = tmp_path / "new" / "toy.safetensors"
    write_checkpoint(path, TENSORS, HEADER)
    return path


def test_what_was_written_is_read(path):
    tensors, header = read_checkpoint(path, "toy-1")
    assert {name: value.tolist() for name, value in tensors.items()} == {
        name: value.tolist() for name, value in TENSORS.items()
    }
    assert len(header.sha256) == 64
    assert header == replace(HEADER, sha256=header.sha256)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_same_tensors_give_the_same_bytes(path, tmp_path):
    again = tmp_path / "again.safetensors"
    write_checkpoint(again, dict(reversed(TENSORS.items())), HEADER)
    assert again.read_bytes() == path.read_bytes()


def test_any_reader_of_safetensors_sees_the_provenance(path):
    with safe_open(path, framework="np") as file:
        header = json.loads(file.metadata()["outlearn"])
    assert (header["corpus"], header["seed"], header["command"]) == ("made up", 3, HEADER.command)
    assert header["sha256"] and header["features"] == ["a", "b"]


def test_an_absent_file_and_a_folder_are_no_checkpoints(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(WeightsError, match="no checkpoint at"):
            read_checkpoint(path, "toy-1")


def test_another_architecture_is_refused_by_name(path):
    with pytest.raises(WeightsError, match="'toy-1'; this version reads 'toy-2'"):
        read_checkpoint(path, "toy-2")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "is damaged"),
        (lambda data: data[:-4], "not a readable safetensors file"),
        (lambda data: data[:5], "not a readable safetensors file"),
        (lambda data: b"", "not a readable safetensors file"),
        (lambda data: b"\xff" * 400, "not a readable safetensors file"),
    ],
    ids=["one-bit", "cut", "stump", "empty", "noise"],
)
def test_a_damaged_file_is_refused(path, spoil, told):
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WeightsError, match=told):
        read_checkpoint(path, "toy-1")


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        (None, "no outlearn header"),
        ({"format": "pt"}, "no outlearn header"),
        ({"outlearn": "{"}, "a header that this version cannot read"),
        ({"outlearn": "[]"}, "a header that this version cannot read"),
        ({"outlearn": '{"features": []}'}, "a header that this version cannot read"),
        ({"outlearn": '{"features": [], "later": 1}'}, "a header that this version cannot read"),
    ],
)
def test_a_header_of_another_making_is_refused(tmp_path, metadata, told):
    path = tmp_path / "other.safetensors"
    save_file(TENSORS, path, metadata=metadata)
    with pytest.raises(WeightsError, match=told):
        read_checkpoint(path, "toy-1")


class Harmful:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_nothing_is_unpickled(tmp_path, save):
    path, trace = tmp_path / "harmful.safetensors", tmp_path / "trace"
    save(Harmful(trace), path)
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        read_checkpoint(path, "toy-1")
    assert not trace.exists()


def test_the_shipped_checkpoint_is_small_and_tells_its_provenance():
    path = shipped("incontext")
    _, header = read_checkpoint(path, "incontext-4")
    assert path.stat().st_size < 20e6
    assert header.command.startswith("outlearn metatrain")
    assert header.corpus and header.features
