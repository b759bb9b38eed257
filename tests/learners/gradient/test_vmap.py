"""Which path is chosen, and that the choice changes nothing but time."""

import pytest
import torch

from outlearn.learners.gradient.maml import MAML
from outlearn.learners.gradient.vmap import pays
from outlearn.learners.training.batch import Batch
from outlearn.nets.conv import ConvNet
from outlearn.nets.losses import squared_error
from outlearn.nets.mlp import MLP


@pytest.mark.parametrize(
    ("net", "tasks", "rows", "expected"),
    [
        (MLP(1, (40, 40), 1), 32, 5, True),
        (MLP(1, (40, 40), 1), 1, 5, False),
        (MLP(1, (40, 40), 1), 32, 1000, False),
        (MLP(8, (256, 256), 1), 2, 250, True),
        (MLP(8, (512, 512), 1), 32, 5, False),
        (ConvNet(5, channels=8), 8, 25, True),
        (ConvNet(5, channels=64), 8, 5, False),
    ],
)
def test_small_nets_of_few_rows_go_side_by_side(net, tasks, rows, expected):
    assert pays(net, tasks, rows) is expected


@pytest.mark.parametrize(
    ("path", "width", "portions"), [("auto", 4, 1), ("auto", 400, 3), ("vmap", 400, 1), ("loop", 4, 3)]
)
def test_the_path_may_be_given_or_chosen(path, width, portions):
    x = torch.randn(3, 5, 1)
    batch = Batch(*(x, x, torch.ones(3, 5)) * 2)
    learner = MAML(module=MLP(1, (width, width), 1), loss=squared_error, path=path)
    parts = learner.portions(batch)
    assert [len(part) for part in parts] == [3 // portions] * portions
    assert torch.equal(torch.cat([part.support_x for part in parts]), batch.support_x)
