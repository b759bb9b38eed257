"""The loss of the in-context network by hand, and over ragged episodes."""

from math import exp, log1p, tanh

import numpy as np
import pytest
import torch

from outlearn.evaluate import auroc, average_precision
from outlearn.learners.incontext.learner import InContext
from outlearn.learners.incontext.loss import collate, episode_loss


@pytest.fixture
def net():
    return InContext(seed=0, width=16, latents=4, blocks=1).network()


def softplus(x: float) -> float:
    return log1p(exp(x))


def precision_at(score: float, odd: list[float], usual: list[float], sharp: float = 2.0) -> float:
    """Share of anomalies among the rows at or above an anomaly, with a smooth step."""

    def step(other: float) -> float:
        return 0.5 * (1 + tanh(sharp * (other - score) / 2))

    hits = 1 + sum(step(other) for other in odd) - 0.5  # the row itself counts once
    return hits / (hits + sum(step(other) for other in usual))


def test_the_loss_is_that_of_a_plain_loop(net, bank):
    for parameter in net.parameters():
        parameter.data += 0.05
    episode = bank[0]
    with torch.inference_mode():
        loss = episode_loss(net, [episode]).item()
        support, y, mask, about, query, _, _ = collate([episode])
        logits, guess, reach = net(support, y, mask, about, query)
    odd = [v for v, t in zip(logits[0].tolist(), episode.query_y, strict=True) if t == 1]
    usual = [v for v, t in zip(logits[0].tolist(), episode.query_y, strict=True) if t == 0]
    share = float(episode.share)
    calibration = share * np.mean([softplus(-v) for v in odd])
    calibration += (1 - share) * np.mean([softplus(v) for v in usual])
    ranking = np.mean([softplus(u - o) for o in odd for u in usual])
    missed = 1 - np.mean([precision_at(o, odd, usual) for o in odd])
    reached = auroc(episode.query_y, logits[0].numpy())
    judged = sum(
        truth * softplus(-told.item()) + (1 - truth) * softplus(told.item())
        for truth, told in ((share, guess), (reached, reach))
    )
    drift = (net.prior.softmax(-1) - net.start.softmax(-1)).square().sum().item()
    drift += net.balance.square().sum().item()
    assert loss == pytest.approx(calibration + 0.5 * ranking + 0.5 * missed + judged + drift, rel=1e-4)


def test_the_smooth_precision_nears_the_average_precision(net, bank):
    """The step of the loss made sharp counts what average precision counts."""
    for parameter in net.parameters():
        parameter.data += torch.randn_like(parameter) * 0.1
    for episode in bank:
        with torch.inference_mode():
            support, y, mask, about, query, _, _ = collate([episode])
            logits = net(support, y, mask, about, query)[0][0].tolist()
        odd = [v for v, t in zip(logits, episode.query_y, strict=True) if t == 1]
        usual = [v for v, t in zip(logits, episode.query_y, strict=True) if t == 0]
        smooth = np.mean([precision_at(o, odd, usual, 1e4) for o in odd])
        assert smooth == pytest.approx(average_precision(episode.query_y, np.array(logits)), abs=1e-6)


def test_padding_does_not_change_the_loss(net, bank):
    with torch.inference_mode():
        together = episode_loss(net, bank[:4]).item()
        alone = [episode_loss(net, [episode]).item() for episode in bank[:4]]
    assert together == pytest.approx(np.mean(alone), rel=1e-4)


def test_padding_is_marked(bank):
    support, y, mask, about, query, truth, share = collate(bank[:3])
    sizes = [len(episode.support) for episode in bank[:3]]
    assert mask.sum(1).tolist() == sizes
    assert support.shape[:2] == y.shape == mask.shape == (3, max(sizes))
    assert (y[~mask] == -1).all()
    assert (support[~mask] == 0).all()
    assert [(row >= 0).sum().item() for row in truth] == [len(episode.query) for episode in bank[:3]]
    assert (len(about), len(query), len(share)) == (3, 3, 3)
