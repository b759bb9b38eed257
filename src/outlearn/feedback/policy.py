"""A policy that chooses which row to show an analyst, learnt by playing inquiries on labelled tables.

It is trained on the same code as the policy that searches (`learners.policy`), and starts from the order that
the beliefs of `inquiry` give, which is a good one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.data.usable import usable_rows
from outlearn.errors import InputError, LabelError, WeightsError
from outlearn.feedback.beliefs import FEATURES, Beliefs, Ground
from outlearn.learners.policy import PPO, preferences, train_policy
from outlearn.learners.training.settings import seeded
from outlearn.weights.checkpoint import Header, once_a_file, read_checkpoint, shipped, write_checkpoint

if TYPE_CHECKING:
    from outlearn.learners.training.loop import Training
    from outlearn.nets.pointer import Pointer

__all__ = ["AnalystGame", "AnalystPolicy", "Inquiry", "load_analyst", "save_analyst"]

ARCHITECTURE = "analyst-1"
SHIPPED = "analyst"

QUESTIONS = (10, 100)  # of a game
SURE = 3.0  # of the order that it starts from
RECIPE = PPO(rounds=150, games=32, epochs=4, discount=0.5, smoothing=0.5, entropy=0.001, rate=3e-3)


class AnalystGame:
    """An inquiry whose answers are known; see `learners.policy.Game`. Each anomaly that is found brings 1.

    Parameters
    ----------
    truth : (n,) of the rows of the table. questions : that may be asked.
    """

    def __init__(self, ground: Ground, truth: NDArray[np.int8], questions: int) -> None:
        self._beliefs, self._truth = Beliefs(ground), truth[ground.rows]
        self._left = min(questions, len(self._truth))
        self._hidden = int(self._truth.sum())
        self._look()

    def _look(self) -> None:
        self._candidates, self._rows = self._beliefs.candidates()

    @property
    def rows(self) -> NDArray[np.float32]:
        return self._rows

    @property
    def allowed(self) -> NDArray[np.bool_]:
        return np.ones((len(self._rows), 1), dtype=bool)

    def act(self, row: int, kind: int) -> tuple[float, bool]:
        asked = int(self._candidates[row])
        label = int(self._truth[asked])
        self._left -= 1
        self._hidden -= label
        over = self._left == 0 or self._hidden == 0
        if not over:
            self._beliefs.tell(asked, label)
            self._look()
        return float(label), over


class AnalystPolicy:
    """Chooses the next question."""

    def __init__(self, net: Pointer) -> None:
        self._net = net

    @classmethod
    def learn(
        cls,
        grounds: Sequence[tuple[Ground, NDArray[np.int8]]],
        seed: int = 0,
        *,
        how: PPO = RECIPE,
        training: Training | None = None,
    ) -> Self:
        """Train by playing on tables with their truth (n,) in {0, 1}; each holds at least one anomaly."""
        net = _net(seed)

        def deal(rng: np.random.Generator) -> AnalystGame:
            ground, truth = grounds[int(rng.integers(len(grounds)))]
            low, high = QUESTIONS
            return AnalystGame(ground, truth, int(rng.integers(low, high + 1)))

        train_policy(net, deal, how, seed=seed, training=training)
        return cls(net)

    @classmethod
    def restore(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Return the policy that `state` describes."""
        import torch

        net = _net(0)
        net.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
        return cls(net)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the parameters of the network as arrays."""
        return {name: value.numpy() for name, value in self._net.state_dict().items()}

    def choose(self, beliefs: Beliefs) -> int:
        """Return the place, in the ground, of the row to ask about."""
        rows, features = beliefs.candidates()
        return int(rows[preferences(self._net, features)[:, 0].argmax()])


class Inquiry:
    """Asks about rows of a table, one after another, so that anomalies are found with few questions.

    Parameters
    ----------
    X : (n, d) finite numbers. Of more than 20,000 rows those are asked about that an Isolation Forest finds
        oddest.
    policy : chooses; the one that ships with the package when None.
    random_state : seed of the forest and of what the in-context learner reads.

    Raises
    ------
    InputError
        When the rows cannot be used.

    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(size=(60, 3)), rng.normal(4, 1, size=(6, 3))])
    >>> inquiry = Inquiry(X)
    >>> for _ in range(10):
    ...     row = inquiry.ask()
    ...     inquiry.tell(row, int(row >= 60))
    >>> inquiry.found >= 5
    True
    """

    def __init__(self, X: ArrayLike, *, policy: AnalystPolicy | None = None, random_state: int = 0) -> None:
        rows = usable_rows(X)
        self._policy = load_analyst() if policy is None else policy
        self._beliefs = Beliefs(Ground.of(rows, random_state))
        self._places = {int(row): place for place, row in enumerate(self._beliefs.ground.rows)}

    def ask(self) -> int:
        """Return the row to show next: a place in the table. It stays the same until a label comes.

        Raises
        ------
        InputError
            When every row has a label.
        """
        if not len(self._beliefs.open):
            raise InputError("all rows were told of; there is nothing left to ask")
        return int(self._beliefs.ground.rows[self._policy.choose(self._beliefs)])

    def tell(self, row: int, label: int) -> None:
        """Learn the label of a row, asked about or not: 1 anomaly, 0 normal.

        Raises
        ------
        LabelError
            When the label is neither, the row has one already, or it is none that is asked about.
        """
        if label not in (0, 1):
            raise LabelError(f"label {label!r} came for row {row}; wanted 1 (anomaly) or 0 (normal)")
        place = self._place(row)
        if place in self._beliefs.asked:
            raise LabelError(f"row {row} was told of before; a label cannot be changed: begin a new inquiry")
        self._beliefs.tell(place, int(label))

    def skip(self, row: int) -> None:
        """Ask about a row no more, though its label is not known; nothing else changes.

        Raises
        ------
        LabelError
            When it is none that is asked about.
        """
        self._beliefs.pass_over(self._place(row))

    def afresh(self) -> Inquiry:
        """Return an inquiry about the same rows that was told nothing."""
        other = copy(self)
        other._beliefs = Beliefs(self._beliefs.ground)
        return other

    def __contains__(self, row: int) -> bool:
        """Return whether a row may be asked about, or was."""
        return row in self._places

    def _place(self, row: int) -> int:
        if row not in self._places:
            raise LabelError(
                f"row {row} is none of the {len(self._places):,} that are asked about; give one that `ask` "
                "returned"
            )
        return self._places[row]

    @property
    def answers(self) -> dict[int, int]:
        """Labels by row, in the order they came."""
        rows = self._beliefs.ground.rows
        pairs = zip(self._beliefs.asked, self._beliefs.answers, strict=True)
        return {int(rows[place]): label for place, label in pairs}

    @property
    def found(self) -> int:
        """Number of anomalies among the answers."""
        return sum(self._beliefs.answers)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(m,) beliefs about the rows `rows` as they are now, high = abnormal; no probability."""
        return self._beliefs.scores.copy()

    @property
    def rows(self) -> NDArray[np.int64]:
        """(m,) the rows that may be asked about: places in the table, ascending."""
        return self._beliefs.ground.rows.copy()


def save_analyst(path: Path, policy: AnalystPolicy, *, corpus: str, seed: int, command: str) -> None:
    """Write a policy with its provenance, whole or not at all.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    import torch

    tensors = {name: torch.from_numpy(value) for name, value in policy.state().items()}
    write_checkpoint(path, tensors, Header(ARCHITECTURE, {}, corpus, seed, command, FEATURES))


def load_analyst(path: Path | None = None) -> AnalystPolicy:
    """Read a policy; the one that ships with the package by default. A file is read once and shared.

    Raises
    ------
    WeightsError
        When the file cannot be used; see `weights.read_checkpoint`.
    """
    return _load(shipped(SHIPPED) if path is None else path)


@once_a_file
def _load(path: Path) -> AnalystPolicy:
    tensors, header = read_checkpoint(path, ARCHITECTURE)
    if header.features != FEATURES:
        raise WeightsError(f"{path} was learnt from other features than those here")
    try:
        return AnalystPolicy.restore({name: value.numpy() for name, value in tensors.items()})
    except (LookupError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(f"{path} holds tensors that do not fit the network here") from error


def _net(seed: int) -> Pointer:
    from outlearn.nets.pointer import Pointer

    with seeded(seed):
        return Pointer(len(FEATURES), base=FEATURES.index("place"), sure=SURE)
