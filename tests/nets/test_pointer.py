"""A policy over a set: no order counts, nor what is not there."""

import torch

from outlearn.nets.pointer import Pointer


def test_an_order_of_rows_changes_nothing_else():
    torch.manual_seed(0)
    net, rows, order = Pointer(5, 2), torch.randn(3, 6, 5), torch.randperm(6)
    there = torch.ones(3, 6, dtype=torch.bool)
    logits, values = net(rows, there)
    again, same = net(rows[:, order], there)
    torch.testing.assert_close(again, logits[:, order])
    torch.testing.assert_close(same, values)


def test_absent_rows_change_nothing():
    torch.manual_seed(0)
    net, rows = Pointer(5), torch.randn(2, 4, 5)
    there = torch.tensor([[True] * 4, [True, True, False, False]])
    logits, values = net(rows, there)
    alone, value = net(rows[1:, :2], there[1:, :2])
    torch.testing.assert_close(logits[1:, :2], alone)
    torch.testing.assert_close(values[1:], value)


def test_it_starts_from_the_order_it_is_given():
    torch.manual_seed(0)
    rows = torch.randn(1, 8, 5)
    net = Pointer(5, base=2, sure=100.0)
    logits, _ = net(rows, torch.ones(1, 8, dtype=torch.bool))
    assert logits[0, :, 0].argsort().tolist() == rows[0, :, 2].argsort().tolist()
