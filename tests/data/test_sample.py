import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import chisquare

from outlearn.data.readers import open_source
from outlearn.data.sample import sample_source
from outlearn.errors import LabelError, ParameterError, SchemaError


def source(n=1_000, **columns):
    return open_source(pl.DataFrame({"row": np.arange(n), **columns}))


@pytest.mark.parametrize("chunk_rows", [1, 13, 100, 5_000])
def test_chunk_size_does_not_matter(chunk_rows):
    labels = [1 if i % 97 == 0 else None for i in range(1_000)]
    whole = sample_source(source(y=labels), 50, seed=3, label_column="y", max_labelled=5)
    part = sample_source(
        source(y=labels), 50, seed=3, label_column="y", max_labelled=5, chunk_rows=chunk_rows
    )
    assert_frame_equal(whole.frame, part.frame)
    assert whole.rows.tolist() == part.rows.tolist() == part.frame["row"].to_list()


def test_seeds():
    first, again, other = (sample_source(source(), 50, seed=s).rows.tolist() for s in (1, 1, 2))
    assert first == again != other
    assert first == sorted(set(first))


def test_every_labelled_row_is_kept_and_the_rest_is_uniform():
    labels = ["anomaly" if i == 700 else "normal" if i == 3 else "" for i in range(1_000)]
    sample = sample_source(source(y=labels), 20, seed=0, label_column="y")
    assert {3, 700} <= set(sample.rows.tolist())
    assert 20 <= len(sample.rows) <= 22
    assert sample.notes == (f"{len(sample.rows)} of 1,000 rows were drawn at random",)


def test_labelled_rows_are_capped_and_said():
    sample = sample_source(source(y=[1] * 1_000), 0, seed=0, label_column="y", max_labelled=10)
    assert len(sample.rows) == 10
    assert sample.notes[1] == "of 1,000 labelled rows 10 were kept besides those drawn"


def test_all_rows_when_there_are_few():
    sample = sample_source(source(), 1_000, seed=0, chunk_rows=300)
    assert_frame_equal(sample.frame, source().read())
    assert (sample.total, sample.notes) == (1_000, ())
    assert sample.rows.dtype == np.int64


def test_draws_are_uniform():
    drawn = np.concatenate([sample_source(source(200), 20, seed=s, chunk_rows=30).rows for s in range(200)])
    assert chisquare(np.bincount(drawn, minlength=200)).pvalue > 1e-3


def test_progress():
    seen = []
    sample_source(source(), 10, seed=0, chunk_rows=400, progress=seen.append)
    assert seen == [400, 800, 1_000]


def test_bad_requests():
    with pytest.raises(SchemaError, match=r"no column 'y' .* row"):
        sample_source(source(), 5, seed=0, label_column="y")
    with pytest.raises(LabelError, match=r"row 999"):
        sample_source(source(y=[0] * 999 + [7]), 5, seed=0, label_column="y", chunk_rows=10)
    with pytest.raises(ParameterError):
        sample_source(source(), -1, seed=0)
