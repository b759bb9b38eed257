"""The sequence network: shapes, the order of channels, and a start that is a plain mixture."""

import pytest
import torch

from outlearn.nets.sequence import SequenceConfig, SequenceNet

CONFIG = SequenceConfig(6, 2, 4, (0.5, 0.25), 2.0, (3.0, -1.0), width=16, heads=2, blocks=2)


def shaken(seed=0):
    net = SequenceNet(CONFIG)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.1 * torch.randn(value.shape, generator=draw))
    return net.eval()


def inputs(tokens=5, channels=3, memory=4):
    draw = torch.Generator().manual_seed(1)
    return (
        torch.randn(tokens, channels, 6, generator=draw),
        torch.randn(tokens * 4 - 1, channels, 2, generator=draw),
        torch.randn(memory, channels, 6, generator=draw),
    )


def test_untrained_it_is_a_soft_maximum_of_a_plain_mixture():
    tokens, points, memory = inputs()
    odd = points @ torch.tensor([0.5, 0.25])
    wanted = 3.0 * (torch.logsumexp(2 * odd, 1) - torch.log(torch.tensor(3.0))) / 2.0 - 1.0
    with torch.no_grad():
        assert SequenceNet(CONFIG)(tokens, points, memory).numpy() == pytest.approx(wanted.numpy(), abs=1e-5)


def test_the_order_of_channels_and_of_the_memory_makes_no_difference():
    net, (tokens, points, memory) = shaken(), inputs()
    with torch.no_grad():
        once = net(tokens, points, memory)
        order = [2, 0, 1]
        again = net(tokens[:, order], points[:, order], memory[[3, 1, 0, 2]][:, order])
    assert once.numpy() == pytest.approx(again.numpy(), abs=1e-5)


def test_time_and_the_memory_count():
    net, (tokens, points, memory) = shaken(), inputs()
    with torch.no_grad():
        once = net(tokens, points, memory)
        assert (once - net(tokens, points)).abs().max() > 1e-4
        assert (once - net(tokens.flip(0), points, memory)).abs().max() > 1e-4


def test_every_parameter_is_reached_by_the_loss():
    net = shaken()
    net(*inputs()).square().mean().backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in net.parameters())
