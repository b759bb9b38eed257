"""The rows that an inner step leaves out, by hand."""

import pytest
import torch

from outlearn.learners.gradient.trimming import kept

LOSSES = torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0, 0.0])
ONES, FLOATS = torch.ones(6), torch.zeros(6)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.1, [1] * 6), (0.17, [0, 1, 1, 1, 1, 1]), (1 / 3, [0, 1, 0, 1, 1, 1])]
)
def test_the_largest_losses_go(share, expected):
    assert kept(LOSSES, FLOATS, ONES, share).tolist() == expected


def test_each_class_gives_its_share():
    y = torch.tensor([0, 1, 0, 1, 0, 1])
    assert kept(LOSSES, y, ONES, 0.4).tolist() == [0, 1, 1, 0, 1, 1]
    assert kept(LOSSES, torch.stack([y, y], 1), ONES, 0.2).tolist() == [0, 1, 1, 1, 1, 1]  # no class numbers


def test_rows_without_weight_count_for_nothing():
    w = torch.tensor([0.0, 1, 1, 1, 0, 1])
    assert (kept(LOSSES, FLOATS, w, 0.25) * w).tolist() == [0, 1, 0, 1, 0, 1]
    assert (kept(LOSSES, FLOATS, w, 0.2) * w).tolist() == w.tolist()  # a fifth of four is none, of six one


def test_equal_losses_are_told_apart_by_their_place():
    assert kept(torch.zeros(4), torch.zeros(4), torch.ones(4), 0.25).sum() == 3


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_a_tenth_is_a_tenth(n):
    for tenths in range(1, 5):
        left = kept(torch.arange(float(n)), torch.zeros(n), torch.ones(n), tenths / 10)
        assert left.sum() == n - tenths * n // 10
