"""The perceptron: its shape, its parts, and that rows do not tell on one another."""

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from outlearn.nets.mlp import MLP


def test_layers_are_those_of_a_plain_stack():
    net = MLP(2, (5, 3), 1)
    x = torch.randn(7, 2)
    body = net.body
    by_hand = torch.relu(body.linear1(torch.relu(body.linear0(x))))
    torch.testing.assert_close(net(x), net.head(by_hand))
    assert [p.shape for p in net.parameters()] == [(5, 2), (5,), (3, 5), (3,), (1, 3), (1,)]
    assert {name.split(".")[0] for name, _ in net.named_parameters()} == {"body", "head"}


def test_without_hidden_layers_it_is_linear():
    net = MLP(3, (), 2)
    x = torch.randn(4, 3)
    torch.testing.assert_close(net(x), net.head(x))
    assert [name for name, _ in net.named_parameters()] == ["head.weight", "head.bias"]


@pytest.mark.parametrize("normalise", [False, True])
def test_a_row_does_not_depend_on_the_others(normalise):
    net, x = MLP(3, (8, 8), 2, normalise=normalise), torch.randn(6, 3)
    assert sum(isinstance(part, nn.LayerNorm) for part in net.modules()) == 2 * normalise
    torch.testing.assert_close(net(x), torch.cat([net(row[None]) for row in x]))


def test_leading_dimensions_are_kept():
    assert MLP(3, (8,), 2)(torch.zeros(5, 4, 3)).shape == (5, 4, 2)


def test_many_nets_go_side_by_side():
    nets, x = [MLP(3, (4,), 1, normalise=True) for _ in range(3)], torch.randn(3, 5, 3)
    params, _ = stack_module_state(nets)
    together = vmap(lambda p, x: functional_call(nets[0], p, (x,)))(params, x)
    torch.testing.assert_close(together, torch.stack([net(row) for net, row in zip(nets, x, strict=True)]))
