import pytest
from polars.testing import assert_frame_equal

from outlearn.data.datasets import datasets, load_dataset
from outlearn.errors import ReadError


@pytest.mark.parametrize("info", datasets(), ids=lambda info: info.name)
def test_what_is_said_is_so(info):
    frame = load_dataset(info.name)
    assert frame.shape == (info.rows, info.columns + 1)
    assert set(frame["label"].unique()) == {0, 1}
    assert frame["label"].mean() == pytest.approx(info.share)
    assert info.anomaly in info.note
    assert_frame_equal(frame, load_dataset(info.name))


def test_an_unknown_name_lists_the_known():
    with pytest.raises(ReadError, match="'irs'; there are breast_cancer, wine"):
        load_dataset("irs")
