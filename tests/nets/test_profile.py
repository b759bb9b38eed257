"""The network on row profiles: where it starts, what bounds it, what it keeps apart."""

import torch

from outlearn.learners.profiles.profile import BASIC_LABELS, BASIC_STATISTICS, PRIOR_GATE
from outlearn.nets.profile import ProfileNet

F, L = len(BASIC_STATISTICS), len(BASIC_LABELS)


def profiles(rows: int) -> torch.Tensor:
    return torch.randn(rows, 2 * F + L, generator=torch.Generator().manual_seed(0)) * 3


def net(outputs: int = 1, gate: torch.Tensor | None = None) -> ProfileNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ProfileNet(F, L, (8, 6), outputs, gate)


def test_untrained_it_is_the_weighted_sum_of_the_tails():
    gate = torch.tensor([PRIOR_GATE.get(name, 0.0) for name in BASIC_STATISTICS])
    assert gate.abs().sum() > 0
    x = profiles(5)
    torch.testing.assert_close(net(gate=gate)(x)[:, 0], x[:, :F] @ gate - 3)


def test_untrained_an_embedding_is_a_projection_of_the_tails():
    x = profiles(4)
    other = torch.cat([x[:, :F], profiles(4)[:, F:] + 1], 1)
    torch.testing.assert_close(net(7)(x), net(7)(other))
    assert net(7)(x).shape == (4, 7)


def test_once_trained_labels_and_deviations_tell():
    trained = net()
    with torch.no_grad():
        trained.head.weight.fill_(0.3)
    x = profiles(4)
    for place in (F, 2 * F):
        moved = x.clone()
        moved[:, place:] += 1
        assert not torch.allclose(trained(x), trained(moved))


def test_far_is_far_however_far():
    x = profiles(3)
    far, farther = x.clone(), x.clone()
    far[:, 0], farther[:, 0] = 40.0, 4000.0
    trained = net()
    with torch.no_grad():
        trained.head.weight.fill_(0.3)
    assert torch.equal(trained(far), trained(farther))
    assert not torch.allclose(trained(x), trained(far))


def test_rows_do_not_see_one_another():
    x, trained = profiles(6), net(3)
    torch.testing.assert_close(trained(x)[2:3], trained(x[2:3]))
