"""Policy gradients: advantages, the gradient itself, and games whose best play is known."""

import numpy as np
import pytest
import torch

from outlearn.errors import ParameterError
from outlearn.learners import policy as module
from outlearn.learners.policy import PPO, advantages, preferences, train_policy
from outlearn.learners.training.loop import Training
from outlearn.nets.pointer import Pointer


class Lamps:
    """One of some rows has a lamp. To press it (kind 1) wins and ends; to look (kind 0) costs and lights it.

    Without a look no lamp is seen.
    """

    def __init__(self, rng, rows=4, price=0.1):
        self.lit, self.count, self.price = int(rng.integers(rows)), rows, price
        self.looked = False

    @property
    def rows(self):
        lamp = np.zeros(self.count)
        if self.looked:
            lamp[self.lit] = 1.0
        return np.column_stack([lamp, np.full(self.count, float(self.looked))]).astype(np.float32)

    @property
    def allowed(self):
        return np.column_stack([np.full(self.count, not self.looked), np.ones(self.count, dtype=bool)])

    def act(self, row, kind):
        if kind == 0:
            assert not self.looked
            self.looked = True
            return -self.price, False
        return float(row == self.lit), True


def test_advantages_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=7).tolist(), rng.normal(size=7).tolist()
    for discount, smoothing in ((1.0, 1.0), (0.9, 0.8), (0.5, 0.0)):
        after = [*values[1:], 0.0]
        surprises = [r + discount * v - old for r, v, old in zip(rewards, after, values, strict=True)]
        plain = [sum((discount * smoothing) ** (k - t) * surprises[k] for k in range(t, 7)) for t in range(7)]
        np.testing.assert_allclose(advantages(rewards, values, discount, smoothing), plain)


def test_with_one_epoch_it_is_reinforce():
    """The gradient is that of the log-probability of what was done, weighted by the advantage."""
    torch.manual_seed(0)
    net, how = Pointer(2, 2, width=8), PPO(rounds=1, games=6, epochs=1, value=0.0, entropy=0.0)
    played = module._play(net, Lamps, how, np.random.default_rng(0))
    module._loss(net, played, how, 1.0).backward()
    ours = {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
    net.zero_grad()
    logits, _ = net(played.rows, played.there)
    chances = logits.masked_fill(~played.allowed, -1e9).flatten(1).log_softmax(1)
    taken = chances[torch.arange(len(chances)), played.actions]
    (-(taken * played.advantages).mean()).backward()
    for name, p in net.named_parameters():
        if name in ours and p.grad is not None:
            torch.testing.assert_close(ours[name], p.grad, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("epochs", [1, 4], ids=["REINFORCE", "PPO"])
def test_it_learns_to_look_before_it_presses(epochs):
    torch.manual_seed(0)
    net = Pointer(2, 2, width=16)
    train_policy(net, Lamps, PPO(rounds=60, games=32, epochs=epochs, rate=1e-2, smoothing=1.0))
    wins, looks = 0, 0
    for seed in range(50):
        game = Lamps(np.random.default_rng(1000 + seed))
        over = False
        while not over:
            wish = np.where(game.allowed, preferences(net, game.rows), -np.inf)
            row, kind = np.unravel_index(wish.argmax(), wish.shape)
            looks += kind == 0
            reward, over = game.act(int(row), int(kind))
        wins += reward
    assert wins == 50 and looks == 50


def test_where_looking_costs_too_much_it_presses_at_once():
    torch.manual_seed(0)
    net = Pointer(2, 2, width=16)
    how = PPO(rounds=60, games=32, rate=1e-2, smoothing=1.0)
    train_policy(net, lambda rng: Lamps(rng, rows=2, price=2.0), how)
    wish = preferences(net, Lamps(np.random.default_rng(0), rows=2).rows)
    assert wish[:, 1].max() > wish[:, 0].max()


def test_what_is_not_allowed_is_never_done():
    torch.manual_seed(0)
    net = Pointer(2, 2, width=8)
    module._play(net, Lamps, PPO(games=200), np.random.default_rng(0))  # a second look would raise


class Stop(Exception):
    pass


def test_an_interrupted_training_ends_the_same(tmp_path):
    def fresh():
        torch.manual_seed(0)
        return Pointer(2, 2, width=8)

    how, path = PPO(rounds=6, games=8, epochs=2), tmp_path / "policy.ckpt"
    whole = fresh()
    train_policy(whole, Lamps, how)
    part = fresh()

    def stop(step, steps, loss):
        if step == 9:
            raise Stop

    with pytest.raises(Stop):
        train_policy(part, Lamps, how, training=Training(checkpoint=path, every=4, progress=stop))
    again = fresh()
    train_policy(again, Lamps, how, training=Training(checkpoint=path, every=4))
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_games_of_different_size_are_played_together():
    sizes = iter([2, 5, 3, 2] * 10)
    played = module._play(
        Pointer(2, 2, width=8), lambda rng: Lamps(rng, next(sizes)), PPO(games=4), np.random.default_rng(0)
    )
    assert played.rows.shape[1] == 5
    assert not (played.allowed & ~played.there[..., None]).any()


@pytest.mark.parametrize(
    ("given", "words"),
    [({"rounds": 0}, "rounds=0"), ({"discount": 1.5}, "discount=1.5"), ({"clip": 0.0}, "clip=0.0")],
)
def test_settings_out_of_range(given, words):
    with pytest.raises(ParameterError, match=words):
        PPO(**given)


def test_checkpoints_between_rounds_only(tmp_path):
    training = Training(checkpoint=tmp_path / "x", every=3)
    with pytest.raises(ParameterError, match="multiple"):
        train_policy(Pointer(2, 2), Lamps, PPO(epochs=2), training=training)
