"""The convolutional net: its shape, and that tasks stacked by vmap do not meet."""

import pytest
import torch
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional

from outlearn.errors import InputError, ParameterError
from outlearn.nets.conv import ConvEmbedding, ConvNet

WAYS, TASKS, ROWS = 3, 4, 6


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ConvNet(WAYS, blocks=3, channels=8, size=12)


@pytest.fixture
def images():
    return torch.rand(TASKS, ROWS, 1, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("blocks", "size", "side"), [(4, 28, 1), (1, 9, 4), (3, 8, 1), (2, 30, 7)])
def test_the_width_is_what_pooling_leaves(blocks, size, side):
    embedding = ConvEmbedding(blocks, 6, 2, size)
    assert embedding.width == 6 * side**2
    assert embedding(torch.rand(5, 2, size, size)).shape == (5, embedding.width)


def test_the_head_is_named_and_is_the_last_linear_layer(images):
    net = network()
    assert {name.split(".")[0] for name, _ in net.named_parameters()} == {"body", "head"}
    logits = net(images[0])
    assert logits.shape == (ROWS, WAYS)
    torch.testing.assert_close(logits, net.head(net.body(images[0])))


def test_a_row_does_not_depend_on_the_others_and_nothing_is_kept(images):
    net = network()
    assert list(net.buffers()) == []
    alone = torch.cat([net(image[None]) for image in images[0]])
    torch.testing.assert_close(net(images[0]), alone, atol=1e-6, rtol=0)
    torch.testing.assert_close(net.train()(images[0]), net.eval()(images[0]), atol=0, rtol=0)


def test_vmap_over_stacked_parameters_equals_a_loop(images):
    nets = [network(seed) for seed in range(TASKS)]
    stacked, _ = stack_module_state(nets)
    together = vmap(lambda parameters, x: functional_call(nets[0], parameters, (x,)))(stacked, images)
    looped = torch.stack([net(x) for net, x in zip(nets, images, strict=True)])
    assert looped.std(dim=0).min() > 1e-3  # else all tasks would look alike
    torch.testing.assert_close(together, looped, atol=1e-6, rtol=0)


def test_second_order_gradients_through_vmap_equal_a_loop(images):
    net = network().double()
    x, y = images.double(), torch.arange(ROWS) % WAYS
    parameters = dict(net.named_parameters())

    def loss(weights, rows):
        return functional.cross_entropy(functional_call(net, weights, (rows,)), y)

    def adapted(weights, rows):
        slopes = grad(loss)(weights, rows)
        return loss({name: value - 0.4 * slopes[name] for name, value in weights.items()}, rows.flip(0))

    together = vmap(grad(adapted), in_dims=(None, 0))(parameters, x)
    for task, rows in enumerate(x):
        for name, slope in grad(adapted)(parameters, rows).items():
            torch.testing.assert_close(together[name][task], slope, atol=1e-9, rtol=0)


def test_it_learns_where_a_stroke_is():
    net, y = network(), torch.arange(ROWS) % WAYS
    x = torch.zeros(ROWS, 1, 12, 12)
    x[torch.arange(ROWS), 0, 4 * y + 1] = 1
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        optimiser.step()
    assert net(x).argmax(dim=1).tolist() == y.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ways": 0}, r"ways=0; give 1"),
        ({"ways": 5, "channels": 0}, r"channels=0.*1 or more"),
        ({"ways": 5, "blocks": 4, "size": 15}, r"size=15 with blocks=4.*16 or more"),
    ],
)
def test_shapes_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        ConvNet(**arguments)


@pytest.mark.parametrize("shape", [(12, 12), (1, 12, 12), (2, 3, 12, 12), (2, 1, 13, 12)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match=r"wanted \(n, 1, 12, 12\)"):
        network()(torch.zeros(shape))
