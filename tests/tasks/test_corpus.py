"""A folder of sets: what is read, what is refused, and what stays together."""

import numpy as np
import polars as pl
import pytest

from outlearn.errors import ParameterError, ReadError
from outlearn.tasks.corpus import Corpus


@pytest.fixture
def folder(tmp_path):
    """Return six sets, of which `wide` and `copy` share half of their rows."""
    rng = np.random.default_rng(0)
    lines = ["file,licence,family,rows"]
    X = rng.normal(size=(80, 3))
    for name, licence, family, values in [
        ("wide", "MIT", "", X[:60]),
        ("copy", "none stated", "", X[30:]),
        ("glass1", "BSD-2-Clause (repo)", "glass", rng.normal(size=(50, 4))),
        ("glass2", "BSD-2-Clause (repo)", "glass", rng.normal(size=(50, 4))),
        ("alone", "MIT", "", rng.normal(size=(50, 3))),
    ]:
        np.savez(tmp_path / f"{name}.npz", X=values, y=np.arange(len(values)) % 2)
        lines.append(f"{name}.npz,{licence},{family},{len(values)}")
    (tmp_path / "sub").mkdir()
    frame = pl.DataFrame(
        {
            "a": [1.0, None, 3.0, float("inf")],
            "word": ["x", "x", None, "y"],
            "flag": [True, False, None, True],
            "family": ["one", "", "", "two"],
            "label": [1, 0, 0, 1],
        }
    )
    frame.write_parquet(tmp_path / "sub" / "mixed.parquet")
    lines += ["sub/mixed.parquet,MIT,,4", "sub/log.txt,MIT,,9"]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def _names(corpus):
    return [entry.name for entry in corpus]


def test_read_and_filter(folder):
    corpus = Corpus.read(folder)
    assert _names(corpus) == ["wide", "copy", "glass1", "glass2", "alone", "sub/mixed"] and len(corpus) == 6
    assert _names(Corpus.read(folder, pattern="sub/*")) == ["sub/mixed"]
    assert _names(Corpus.read(folder, licence="bsd*")) == ["glass1", "glass2"]
    assert corpus.entries[0].about["rows"] == "60"


def test_families_come_from_the_mapping_then_the_manifest_then_the_name(folder):
    given = Corpus.read(folder, families={"glass1*": "mine", "sub/*": "other"})
    assert [e.family for e in given] == ["wide", "copy", "mine", "glass", "alone", "other"]


def test_load_makes_every_value_a_finite_number(folder):
    corpus = Corpus.read(folder, pattern="sub/*")
    X, y = corpus.load(corpus.entries[0])
    assert X.dtype == np.float32 and y.dtype == np.int8 and y.tolist() == [1, 0, 0, 1]
    assert X.tolist() == [[1, 0.5, 1], [2, 0.5, 0], [3, 0.25, 1], [2, 0.25, 1]]


def test_load_can_drop_duplicates(folder):
    np.savez(folder / "alone.npz", X=np.array([[1.0], [1.0], [2.0]]), y=np.array([0, 0, 1]))
    corpus = Corpus.read(folder, pattern="alone*")
    assert len(corpus.load(corpus.entries[0])[0]) == 3
    assert len(corpus.load(corpus.entries[0], drop_duplicates=True)[0]) == 2


def test_shared_rows_join_families(folder):
    joined = Corpus.read(folder).joined()
    assert [e.family for e in joined] == ["wide", "wide", "glass", "glass", "alone", "sub/mixed"]


@pytest.mark.parametrize("seed", range(6))
def test_a_split_keeps_families_together(folder, seed):
    corpus = Corpus.read(folder).joined()
    first, rest = corpus.split(0.5, seed=seed)
    assert not {e.family for e in first} & {e.family for e in rest}
    assert sorted(_names(first) + _names(rest)) == sorted(_names(corpus)) and 2 <= len(first) <= 4
    assert _names(corpus.split(0.5, seed=seed)[0]) == _names(first)


def test_a_split_by_entry_may_part_families(folder):
    corpus = Corpus.read(folder).joined()
    parted = [corpus.split(0.5, seed=s, by="entry") for s in range(8)]
    assert any({e.family for e in a} & {e.family for e in b} for a, b in parted)


def test_refusals(folder, tmp_path_factory):
    corpus = Corpus.read(folder)
    for bad in ({"fraction": 1.0}, {"fraction": 0.5, "by": "size"}):
        with pytest.raises(ParameterError, match="fraction"):
            corpus.split(seed=0, **bad)
    with pytest.raises(ReadError, match="manifest"):
        Corpus.read(tmp_path_factory.mktemp("empty"))
    (folder / "wide.npz").write_bytes(b"not a zip")
    with pytest.raises(ReadError, match="holds no array that can be read"):
        corpus.load(corpus.entries[0])
    np.savez(folder / "copy.npz", X=np.zeros((3, 2)), y=np.array([0, 1, 7]))
    with pytest.raises(ReadError, match="labels 0 or 1"):
        corpus.load(corpus.entries[1])
    (folder / "alone.npz").unlink()
    with pytest.raises(ReadError, match="not there"):
        Corpus.read(folder)
