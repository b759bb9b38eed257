"""Policy gradients: a policy that is trained by playing many games, each another task.

Proximal policy optimisation: games are played with the policy as it is, then a few gradient steps are made on
the clipped ratio of new to old probabilities, with a learnt value as the baseline and a bonus for entropy.
With one step for each round of games the ratio is 1, and this is REINFORCE with a baseline.

Source: Schulman, Wolski, Dhariwal, Radford, Klimov 2017; advantages: Schulman, Moritz, Levine, Jordan, Abbeel
2016; REINFORCE: Williams 1992.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError
from outlearn.learners.training.loop import Training, train
from outlearn.learners.training.settings import one_thread
from outlearn.rng import derive

if TYPE_CHECKING:
    from torch import Tensor

    from outlearn.nets.pointer import Pointer

__all__ = ["PPO", "Game", "advantages", "preferences", "train_policy"]

Floats = NDArray[np.float64]


class Game(Protocol):
    """Something to be done with one of several rows, again and again, until it is over.

    rows : (A, F) float32 what is known of each. allowed : (A, kinds) what may be done with which.
    """

    @property
    def rows(self) -> NDArray[np.float32]: ...

    @property
    def allowed(self) -> NDArray[np.bool_]: ...

    def act(self, row: int, kind: int) -> tuple[float, bool]:
        """Do it; return the reward, and whether the game is over."""
        ...


@dataclass(frozen=True, kw_only=True)
class PPO:
    """How to train a policy.

    Parameters
    ----------
    rounds : of playing and learning. games : a round.
    epochs : gradient steps on the games of a round; 1 makes it REINFORCE with a baseline.
    clip : how far the ratio of probabilities may usefully go from 1.
    entropy : weight of the bonus; it falls to nothing over the rounds.
    value : weight of the loss of the value.
    discount : of a reward a step later. smoothing : λ of generalised advantages; 1 looks to the end.
    rate, decay : of the optimiser, AdamW.
    """

    rounds: int = 200
    games: int = 64
    epochs: int = 4
    clip: float = 0.2
    entropy: float = 0.01
    value: float = 0.5
    discount: float = 1.0
    smoothing: float = 0.95
    rate: float = 1e-3
    decay: float = 0.0

    def __post_init__(self) -> None:
        least = {"rounds": 1, "games": 1, "epochs": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ParameterError(f"{name}={getattr(self, name)}; wanted at least {low}")
        for name in ("discount", "smoothing"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name}={getattr(self, name)} is not in [0, 1]")
        if not self.clip > 0:
            raise ParameterError(f"clip={self.clip}; wanted more than 0")


@dataclass(frozen=True, slots=True)
class _Played:
    """The N moves of a round of games: what was seen, what was done, and what came of it."""

    rows: Tensor
    there: Tensor
    allowed: Tensor
    actions: Tensor
    chances: Tensor
    advantages: Tensor
    returns: Tensor


@dataclass
class _Record:
    """The moves of one game."""

    rows: list[NDArray[np.float32]] = field(default_factory=list)
    allowed: list[NDArray[np.bool_]] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)


def advantages(
    rewards: Sequence[float], values: Sequence[float], discount: float, smoothing: float
) -> Floats:
    """Return generalised advantages (T,) of the moves of a game that ended.

    >>> advantages([0.0, 1.0], [0.5, 0.5], 1.0, 1.0)
    array([0.5, 0.5])
    """
    found = np.zeros(len(rewards))
    later, after = 0.0, 0.0
    for move in reversed(range(len(rewards))):
        surprise = rewards[move] + discount * after - values[move]
        later = surprise + discount * smoothing * later
        found[move], after = later, values[move]
    return found


def preferences(net: Pointer, rows: NDArray[np.float32]) -> Floats:
    """Return the logits (A, kinds) of what to do with each of rows (A, F)."""
    import torch

    with torch.no_grad():
        there = torch.ones(1, len(rows), dtype=torch.bool)
        logits, _ = net(torch.from_numpy(rows)[None], there)
    found: Floats = logits[0].double().numpy()
    return found


def train_policy(
    net: Pointer,
    deal: Callable[[np.random.Generator], Game],
    how: PPO,
    *,
    seed: int = 0,
    training: Training | None = None,
) -> None:
    """Train a policy in place on games dealt from a generator.

    Parameters
    ----------
    training : checkpoint, progress and the like; steps, rate and clipping are set here.

    Raises
    ------
    ParameterError
        When checkpoints would fall between the steps of a round.
    """
    import torch

    base = training or Training()
    if base.checkpoint is not None and base.every % how.epochs:
        raise ParameterError(
            f"every={base.every} is no multiple of the {how.epochs} steps of a round, whose games "
            "are not kept: checkpoints can be written between rounds only"
        )
    held: dict[int, _Played] = {}

    def objective(step: int) -> float:
        number, epoch = divmod(step, how.epochs)
        if epoch == 0:
            held.clear()
            held[number] = _play(net, deal, how, derive(seed, 0x9A3E, number))
        net.zero_grad()
        loss = _loss(net, held[number], how, 1 - number / how.rounds)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    recipe = replace(
        base,
        steps=how.rounds * how.epochs,
        rate=how.rate,
        clip=0.5,
        optimiser=lambda leaves, rate: torch.optim.AdamW(leaves, lr=rate, eps=1e-5, weight_decay=how.decay),
        schedule=lambda step, steps: 1 - 0.9 * step / steps,
    )
    with one_thread():
        train(dict(net.named_parameters()), objective, recipe)


def _play(
    net: Pointer, deal: Callable[[np.random.Generator], Game], how: PPO, rng: np.random.Generator
) -> _Played:
    """Play a round of games side by side."""
    import torch

    games = [deal(rng) for _ in range(how.games)]
    records = [_Record() for _ in games]
    playing = list(range(len(games)))
    while playing:
        seen = [(games[g].rows, games[g].allowed) for g in playing]
        rows, there, allowed = _padded(seen)
        with torch.no_grad():
            logits, values = net(rows, there)
            chances = _log_chances(logits, allowed)
        drawn = _draw(chances.double().exp().numpy(), rng)
        still = []
        for place, g in enumerate(playing):
            record, action = records[g], int(drawn[place])
            row, kind = divmod(action, allowed.shape[2])
            reward, over = games[g].act(row, kind)
            record.rows.append(seen[place][0])
            record.allowed.append(seen[place][1])
            record.actions.append(action)
            record.chances.append(float(chances[place, action]))
            record.values.append(float(values[place]))
            record.rewards.append(reward)
            if not over:
                still.append(g)
        playing = still
    gains = [advantages(r.rewards, r.values, how.discount, how.smoothing) for r in records]
    rows, there, allowed = _padded([pair for r in records for pair in zip(r.rows, r.allowed, strict=True)])
    gain = np.concatenate(gains)
    value = np.concatenate([r.values for r in records])
    return _Played(
        rows,
        there,
        allowed,
        torch.tensor([a for r in records for a in r.actions]),
        torch.tensor([c for r in records for c in r.chances]),
        torch.from_numpy((gain - gain.mean()) / (gain.std() + 1e-8)).float(),
        torch.from_numpy(gain + value).float(),
    )


def _loss(net: Pointer, played: _Played, how: PPO, left: float) -> Tensor:
    import torch

    logits, values = net(played.rows, played.there)
    chances = _log_chances(logits, played.allowed)
    taken = chances.gather(1, played.actions[:, None]).squeeze(1)
    ratio = (taken - played.chances).exp()
    clipped = ratio.clamp(1 - how.clip, 1 + how.clip)
    gain = torch.minimum(ratio * played.advantages, clipped * played.advantages).mean()
    entropy = -(chances.exp() * chances.clamp(min=-1e4)).sum(dim=1).mean()
    error = (values - played.returns).square().mean()
    loss: Tensor = how.value * error - gain - how.entropy * left * entropy
    return loss


def _padded(
    seen: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]],
) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows (N, A, F), which are there (N, A), and what is allowed (N, A, kinds)."""
    import torch

    most = max(len(rows) for rows, _ in seen)
    all_rows = np.zeros((len(seen), most, seen[0][0].shape[1]), dtype=np.float32)
    there = np.zeros((len(seen), most), dtype=bool)
    allowed = np.zeros((len(seen), most, seen[0][1].shape[1]), dtype=bool)
    for place, (rows, may) in enumerate(seen):
        all_rows[place, : len(rows)], there[place, : len(rows)], allowed[place, : len(rows)] = rows, True, may
    return torch.from_numpy(all_rows), torch.from_numpy(there), torch.from_numpy(allowed)


def _log_chances(logits: Tensor, allowed: Tensor) -> Tensor:
    """Return (N, A * kinds) logarithms of probabilities; what is not allowed has none."""
    import torch

    return torch.log_softmax(logits.masked_fill(~allowed, -1e9).flatten(1), dim=1)


def _draw(chances: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw one place of each line (N, A) of probabilities."""
    upto = np.cumsum(chances, axis=1)
    drawn: NDArray[np.int64] = (upto < rng.random(len(chances))[:, None] * upto[:, -1:]).sum(axis=1)
    return drawn
