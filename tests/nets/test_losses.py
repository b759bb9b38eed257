"""Losses against their formulas in torch and by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from outlearn.nets.losses import LabelLoss, binary_cross_entropy, cross_entropy, one_class, squared_error

LOGITS = torch.tensor([-50.0, -1.0, 0.0, 2.0, 50.0])


@pytest.mark.parametrize("shape", [(4, 1), (4, 3), (4, 2, 2), (4,)])
def test_squared_error_is_averaged_over_a_target(shape):
    out, y = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    expected = [nn.MSELoss()(a, b).item() for a, b in zip(out, y, strict=True)]
    assert squared_error(out, y).tolist() == pytest.approx(expected)


def test_a_target_without_columns_goes_with_one_output():
    out, y = torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 1.0])
    assert squared_error(out, y).tolist() == [1.0, 4.0]
    with pytest.raises(RuntimeError):
        squared_error(out, torch.zeros(3))


def test_cross_entropy_is_that_of_torch():
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 3, 1, 2, 2, 0])
    torch.testing.assert_close(
        cross_entropy(logits, y), functional.cross_entropy(logits, y, reduction="none")
    )
    assert torch.isfinite(cross_entropy(logits * 1e4, y)).all()


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("label", [-1, 0, 1])
def test_unlabelled_rows_count_as_usual(label, column):
    y = torch.full((5,), label)
    expected = functional.binary_cross_entropy_with_logits(LOGITS, (y == 1).float(), reduction="none")
    found = binary_cross_entropy(LOGITS[:, None] if column else LOGITS, y)
    torch.testing.assert_close(found, expected)
    assert torch.isfinite(found).all()


def test_one_class_draws_usual_rows_in_and_pushes_anomalies_out():
    out = torch.tensor([[3.0, 4.0], [3.0, 4.0], [3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    losses = one_class(out, torch.tensor([-1, 0, 1, 1]))
    assert losses.tolist() == pytest.approx([25, 25, 1 / 25.001, 1000], rel=1e-5)
    (grad,) = torch.autograd.grad(losses.sum(), out)
    assert torch.isfinite(grad).all()
    assert (grad[:2] > 0).all()
    assert (grad[2] < 0).all()
    torch.testing.assert_close(one_class(torch.tensor([2.0]), torch.tensor([0])), torch.tensor([4.0]))


def test_the_label_loss_weighs_each_state_and_learns_its_weights():
    loss, y = LabelLoss(), torch.tensor([-1, 0, 1, 1, -1])
    plain = binary_cross_entropy(LOGITS, y)
    torch.testing.assert_close(loss(LOGITS, y), plain)
    with torch.no_grad():
        loss.log_weight.copy_(torch.tensor([0.25, 1.0, 3.0]).log())
    torch.testing.assert_close(loss(LOGITS, y), plain * torch.tensor([0.25, 1.0, 3.0, 3.0, 0.25]))
    loss(LOGITS, y).sum().backward()
    states = [plain[[0, 4]].sum() * 0.25, plain[1], plain[[2, 3]].sum() * 3]
    torch.testing.assert_close(loss.log_weight.grad, torch.stack(states).detach())
