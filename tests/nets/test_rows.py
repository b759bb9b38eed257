"""The network on row profiles: what it may not depend on, and where it starts."""

import torch

from outlearn.nets.rows import RowNet, RowNetConfig, Skip


def network(guard: torch.Tensor | None = None) -> RowNet:
    """Return one whose parts that order rows have learnt something, whatever it is."""
    net = untrained(guard)
    torch.manual_seed(0)
    for part in (net.unlabelled, net.reference, net.verdicts):
        for value in part.parameters():
            torch.nn.init.normal_(value, std=0.3)
    return net


def untrained(guard: torch.Tensor | None = None) -> RowNet:
    config = RowNetConfig(profile=6, evidence=5, summary=4, judged=2, widths=(8,), kinds=2)
    return RowNet(config, guard).eval()


def test_before_training_the_guard_orders_rows_and_labels_add_nothing():
    net, rows = untrained(torch.eye(6)[[2, 0]]), torch.randn(9, 6) * 20
    assert torch.equal(net.order(rows, 0.0), rows[:, 2])
    assert torch.equal(net.order(rows, 1.0), rows[:, 0])
    assert torch.equal(net.labelled(rows[:, 2], torch.randn(9, 5)), rows[:, 2])


def test_a_row_is_scored_alone_as_in_a_batch_and_in_any_order():
    net, rows = network(), torch.randn(9, 6) * 5
    for normal in (0.0, 0.3, 1.0):
        whole = net.order(rows, normal)
        alone = torch.cat([net.order(row[None], normal) for row in rows])
        assert torch.allclose(whole, alone, atol=1e-5)


def test_the_share_of_known_normals_blends_two_orders():
    net, rows = network(), torch.randn(9, 6)
    one, other = net.order(rows, 0.0), net.order(rows, 1.0)
    assert not torch.allclose(one, other)
    assert torch.allclose(net.order(rows, 0.25), 0.75 * one + 0.25 * other, atol=1e-5)


def test_the_guard_adds_a_statistic_to_what_is_learnt():
    plain, held = network(), network(torch.eye(6)[[2, 0]] * torch.tensor([[0.5], [0.0]]))
    rows = torch.randn(9, 6) * 20
    assert torch.allclose(held.order(rows, 0.0), plain.order(rows, 0.0) + 0.5 * rows[:, 2], atol=1e-4)
    assert torch.equal(held.order(rows, 1.0), plain.order(rows, 1.0))


def test_the_level_keeps_the_order_and_starts_as_next_to_nothing():
    net, order = network(), torch.tensor([-3.0, 0.0, 2.0])
    summary = torch.tensor([10.0, 1.0, 0.3, -0.2])
    assert torch.allclose(net.odds(order, summary), order, atol=0.02)
    net.level.head.bias.data = torch.tensor([9.0, -1.0, 0.0])
    odds = net.odds(order, summary)
    assert (odds.diff() > 0).all() and torch.isclose(odds[1], torch.tensor(-1.0))


def test_what_lies_beyond_the_gap_is_lifted():
    net, summary = network(), torch.tensor([1.0, 0.5, 0.3, -0.2])
    net.level.head.bias.data = torch.tensor([0.0, 0.0, 7.0])
    lifted = net.odds(torch.tensor([0.5, 1.0, 1.5]), summary) - torch.tensor([0.5, 1.0, 1.5])
    step = torch.nn.functional.softplus(torch.tensor(3.0))
    assert torch.allclose(lifted / step, torch.tensor([0.018, 0.5, 0.982]), atol=1e-3)


def test_strangeness_is_one_at_the_farthest_hundredth_and_is_kept_by_kind():
    net = network()
    summaries = list(torch.randn(300, 4))
    assert net.strangeness(summaries[0], 0) == 0
    net.remember(summaries, [0] * 300)
    away = torch.stack([net.strangeness(each, 0) for each in summaries])
    assert 0.98 <= (away <= 1.0001).float().mean() <= 0.995
    assert net.strangeness(torch.full((4,), 30.0), 0) > 3
    assert net.strangeness(torch.full((4,), 30.0), 1) == 0


def test_inputs_that_were_never_told_have_no_say():
    part = Skip(4, (8,))
    with torch.no_grad():
        for values in part.parameters():
            values.fill_(0.5)
    part.ignore(torch.tensor([False, True, False, True]))
    rows = torch.randn(6, 4)
    other = rows.clone()
    other[:, [1, 3]] = 9.0
    assert torch.equal(part(rows), part(other))
    other[:, 0] += 1.0
    assert not torch.equal(part(rows), part(other))
