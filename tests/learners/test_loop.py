"""The training loop: the loss by hand, resuming, and how it stops."""

import json
from dataclasses import replace
from math import exp, log1p
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from outlearn.errors import WeightsError
from outlearn.learners.bank import EpisodeProfiles
from outlearn.learners.incontext import InContext
from outlearn.learners.loop import collate, episode_loss, train

LEARNER = InContext(seed=0, epochs=1, batch=4, width=16, latents=4, blocks=1)
STEPS = 9


def network(seed: int = 0, width: int = 16):
    return InContext(seed=seed, width=width, latents=4, blocks=1).network()


def fit(net, bank, **options):
    settings = {"steps": STEPS, "rate": 1e-2, "every": 2} | options
    train(net, lambda step: LEARNER.batch_at(bank, step), **settings)
    return net


def weights(net) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in net.state_dict().items()}


def stop_at(step: int):
    def progress(done: int, total: int, loss: float) -> None:
        assert (total, np.isfinite(loss)) == (STEPS, True)
        if done == step:
            raise KeyboardInterrupt

    return progress


def saved_step(path: Path) -> int:
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["training"])["step"]


def test_the_loss_is_that_of_a_plain_loop(bank):
    net = network()
    for parameter in net.parameters():
        parameter.data += 0.05
    episode = bank[0]
    with torch.inference_mode():
        loss = episode_loss(net, [episode]).item()
        support, y, mask, about, query, _, _ = collate([episode])
        logits, guess = net(support, y, mask, about, query)
    odd = [v for v, t in zip(logits[0].tolist(), episode.query_y, strict=True) if t == 1]
    usual = [v for v, t in zip(logits[0].tolist(), episode.query_y, strict=True) if t == 0]
    share = float(episode.share)

    def softplus(x: float) -> float:
        return log1p(exp(x))

    calibration = share * np.mean([softplus(-v) for v in odd])
    calibration += (1 - share) * np.mean([softplus(v) for v in usual])
    ranking = np.mean([softplus(u - o) for o in odd for u in usual])
    contamination = share * softplus(-guess.item()) + (1 - share) * softplus(guess.item())
    assert loss == pytest.approx(calibration + 0.5 * ranking + 0.1 * contamination, rel=1e-4)


def test_padding_does_not_change_the_loss(bank):
    net = network()
    with torch.inference_mode():
        together = episode_loss(net, bank[:4]).item()
        alone = [episode_loss(net, [episode]).item() for episode in bank[:4]]
    assert together == pytest.approx(np.mean(alone), rel=1e-4)


def test_training_lowers_the_loss(bank):
    net = network()
    with torch.inference_mode():
        before = episode_loss(net, bank).item()
    fit(net, bank, steps=60)
    with torch.inference_mode():
        assert episode_loss(net, bank).item() < 0.8 * before
    assert not net.training


@pytest.mark.parametrize("step", [3, 5, 9])
def test_an_interrupted_run_ends_with_the_weights_of_one_that_was_not(bank, tmp_path, step):
    whole = weights(fit(network(), bank))
    path = tmp_path / "state" / "training.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(network(), bank, checkpoint=path, progress=stop_at(step))
    assert saved_step(path) == step - 1
    resumed = fit(network(seed=1), bank, checkpoint=path)  # another start: all must come from the file
    assert weights(resumed) == whole
    assert saved_step(path) == STEPS
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_finished_run_is_not_trained_further(bank, tmp_path):
    path = tmp_path / "training.safetensors"
    whole = weights(fit(network(), bank, checkpoint=path))

    def never(step: int) -> list[EpisodeProfiles]:
        raise AssertionError(step)

    net = network(seed=1)
    train(net, never, steps=STEPS, rate=1e-2, checkpoint=path)
    assert weights(net) == whole


def test_a_loss_that_is_not_finite_stops_at_its_step_and_keeps_the_last_state(bank, tmp_path):
    path = tmp_path / "training.safetensors"

    def batch_at(step: int) -> list[EpisodeProfiles]:
        batch = LEARNER.batch_at(bank, step)
        if step == 5:
            batch[0] = replace(batch[0], query=batch[0].query * np.float16(np.nan))
        return batch

    with pytest.raises(WeightsError, match="nan at step 5"):
        train(network(), batch_at, steps=STEPS, rate=1e-2, checkpoint=path, every=2)
    assert saved_step(path) == 4


def test_a_state_of_another_architecture_is_refused(bank, tmp_path):
    path = tmp_path / "training.safetensors"
    fit(network(), bank, steps=2, checkpoint=path)
    with pytest.raises(WeightsError, match="another architecture"):
        fit(network(width=32), bank, checkpoint=path)


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"no tensors", lambda data: b""])
def test_a_damaged_state_is_refused(bank, tmp_path, spoil):
    path = tmp_path / "training.safetensors"
    fit(network(), bank, steps=2, checkpoint=path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WeightsError, match=r"training\.safetensors is no training state"):
        fit(network(), bank, checkpoint=path)
