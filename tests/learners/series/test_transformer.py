"""The sequence learner: untrained it ranks by plain distances, training helps and can be resumed."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from outlearn.data.series import Series
from outlearn.errors import WeightsError
from outlearn.learners.series.transformer import (
    LONGEST,
    SequenceLearned,
    _windows,
    load_sequence,
    new_network,
    save_sequence,
    show,
    train_sequence,
)
from outlearn.learners.training.loop import Training
from outlearn.series.basis import Basis
from outlearn.series.mixture import Mixture
from outlearn.series.point_features import PointFeatures
from outlearn.tasks.series import draw_series


@pytest.fixture(autouse=True)
def two_tasks_a_step(monkeypatch):
    monkeypatch.setattr("outlearn.learners.series.transformer.BATCH", 2)


@pytest.fixture(scope="module")
def bank():
    return [show(draw_series(0, i), 0, i) for i in range(6)]


def small(seed=0):
    return new_network(seed, width=16, blocks=1)


def test_an_untrained_network_scores_as_the_plain_mixture_does():
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(900)[:, None] / 6) + 0.05 * rng.normal(size=(900, 1))
    values[500:540] = 0.0
    series = Series.of_array(values)
    point_features = PointFeatures.fit(Basis.of([series]))
    scorer = SequenceLearned(small().eval()).adapt(point_features, normal=False)
    plain, _ = Mixture(point_features, normal=False).channels(series, own=0)
    assert scorer.channels(series, own=0)[0] == pytest.approx(plain, abs=1e-3)


def test_training_lowers_the_loss_and_is_a_function_of_the_seed(bank):
    def trained(steps):
        net, losses = small(), []
        how = Training(steps=steps, rate=3e-3, progress=lambda step, steps, loss: losses.append(loss))
        train_sequence(net, bank[:1], how, seed=1)
        return net, losses

    losses = trained(30)[1]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:5])
    one, two = trained(3)[0], trained(3)[0]
    for left, right in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(left, right)


@pytest.mark.long
def test_training_goes_on_where_it_stopped(bank, tmp_path):
    whole, halves = small(), small()
    bank = bank[:2]
    train_sequence(whole, bank, Training(steps=4, every=2), seed=2)
    state = tmp_path / "state.safetensors"
    train_sequence(halves, bank, Training(steps=2, every=2, checkpoint=state), seed=2)
    again = small(9)
    train_sequence(again, bank, Training(steps=4, every=2, checkpoint=state), seed=2)
    for left, right in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.allclose(left, right, atol=1e-7)


def test_a_task_with_labels_counts_them_out(bank):
    told = [each for each in bank if not each.counted.all()]
    assert told
    for each in told:
        assert (each.labels[~each.counted] == 1).all()
        assert (each.labels[each.counted] == 1).any()


@pytest.mark.parametrize("count", [1, LONGEST, LONGEST + 1, 2000])
def test_a_long_series_is_read_once_and_whole(count):
    parts = list(_windows(count))
    assert parts[0][2] == 0 and parts[-1][3] == count
    assert all(a[3] == b[2] for a, b in pairwise(parts))
    assert all(first <= a < b <= last and last - first <= LONGEST for first, last, a, b in parts)


def test_what_was_written_is_read_and_what_is_of_another_kind_is_refused(tmp_path):
    net = small(4).eval()
    path = tmp_path / "net.safetensors"
    save_sequence(path, net, corpus="made up", seed=4, command="none")
    again = load_sequence(path).net
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError):
        load_sequence(path)


def test_the_order_of_channels_makes_no_difference():
    rng = np.random.default_rng(1)
    net = new_network(3, width=16, blocks=2)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.05 * torch.randn(value.shape, generator=torch.Generator().manual_seed(0)))
    values = np.cumsum(rng.normal(size=(600, 3)), axis=0)
    learned = SequenceLearned(net.eval())
    scores = []
    for order in ([0, 1, 2], [2, 0, 1]):
        series = Series.of_array(values[:, order])
        point_features = PointFeatures.fit(Basis.of([series]))
        scores.append(learned.adapt(point_features, normal=False).channels(series, own=0)[0])
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
