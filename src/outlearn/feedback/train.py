"""Training of the policy that asks, on synthetic tables, and its worth on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn.feedback.beliefs import Beliefs, Ground
from outlearn.feedback.forest_paths import NodeFeedback
from outlearn.feedback.policy import RECIPE, AnalystPolicy, save_analyst
from outlearn.files import together
from outlearn.learners.policy import PPO
from outlearn.learners.training.loop import Training
from outlearn.progress import Progress, silent
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.weights.card import figures_table, write_card

__all__ = ["ASKED", "WAYS", "anomalies_found", "practice_tables", "train_analyst"]

Table = tuple[Ground, NDArray[np.int8]]
ASKED = (10, 20, 50, 100)  # questions after which anomalies are counted
HELD_OUT_TABLES = 40  # tables that the policy is judged on
SYNTHETIC = SamplerConfig(
    support_rows=(200, 800),
    query_rows=10,
    contamination=(0.01, 0.2),
    query_anomalies=(0.1, 0.5),
    situations={"contaminated": 1.0},
)
STREAM = 0xA5C1


def practice_tables(
    count: int, seed: int = 0, *, start: int = 0, progress: Callable[[int, int], None] | None = None
) -> list[Table]:
    """Return synthetic tables to ask about, with their truth (n,) in {0, 1}; each holds an anomaly."""
    sampler = SyntheticSampler(replace(SYNTHETIC, seed=seed ^ STREAM))
    made = []
    for number in range(count):
        episode = sampler.episode(start + number)
        if episode.support_truth.any():
            made.append((Ground.of(episode.support_x, seed), episode.support_truth))
        if progress is not None:
            progress(number + 1, count)
    return made


def anomalies_found(ground: Ground, truth: NDArray[np.int8], way: Way, questions: int) -> NDArray[np.int64]:
    """Return the number (questions,) of anomalies that a way of asking has found after each question.

    Where there are fewer rows than questions, the last number stays.
    """
    asked = way(ground)
    labels = []
    for _ in range(min(questions, len(ground.rows))):
        row = asked.ask()
        labels.append(int(truth[ground.rows[row]]))
        asked.tell(row, labels[-1])
    total = np.cumsum(labels)
    return np.concatenate([total, np.repeat(total[-1:], questions - len(total))])


class ByBeliefs:
    """Asks about the row that is believed most to be odd, or the one that a policy chooses."""

    def __init__(self, ground: Ground, policy: AnalystPolicy | None = None) -> None:
        self._beliefs, self._policy = Beliefs(ground), policy

    def ask(self) -> int:
        if self._policy is not None:
            return self._policy.choose(self._beliefs)
        return int(self._beliefs.candidates()[0][0])

    def tell(self, row: int, label: int) -> None:
        self._beliefs.tell(row, label)


class ByForest:
    """Asks about the row that an Isolation Forest finds oddest; with feedback, its nodes' weights follow."""

    def __init__(self, ground: Ground, *, feedback: bool) -> None:
        self._nodes, self._feedback = NodeFeedback(ground.paths), feedback
        self._open = np.ones(len(ground.rows), dtype=bool)

    def ask(self) -> int:
        return int(np.where(self._open, self._nodes.scores, -np.inf).argmax())

    def tell(self, row: int, label: int) -> None:
        self._open[row] = False
        if self._feedback:
            self._nodes.tell(row, label)


Asking = ByBeliefs | ByForest
Way = Callable[[Ground], Asking]
WAYS: dict[str, Way] = {
    "beliefs alone": ByBeliefs,
    "forest with feedback": lambda ground: ByForest(ground, feedback=True),
    "forest": lambda ground: ByForest(ground, feedback=False),
}
"""Ways of asking beside the policy, by name."""


def train_analyst(
    out: Path,
    *,
    tables: int = 200,
    seed: int = 0,
    how: PPO = RECIPE,
    held_out: int | None = None,
    command: str = "train_analyst",
    progress: Progress | None = None,
) -> AnalystPolicy:
    """Train a policy on synthetic tables, judge it on others, and write it with a card beside.

    A run that was interrupted goes on from a file beside it.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    tell = progress or silent
    grounds = practice_tables(tables, seed, progress=partial(tell, "tables"))
    kept = out.with_name(f"{out.name}.{tables}-{seed}.training")
    training = Training(
        checkpoint=kept,
        every=5 * how.epochs,
        progress=partial(tell, "playing"),
    )
    policy = AnalystPolicy.learn(grounds, seed, how=how, training=training)
    others = practice_tables(
        HELD_OUT_TABLES if held_out is None else held_out,
        seed,
        start=tables,
        progress=partial(tell, "held-out tables"),
    )
    figures = judge(policy, others)
    source = (
        f"{len(grounds)} synthetic tables, generated, so that no licence is needed; no real one took part."
    )
    with together():
        save_analyst(out, policy, corpus=source, seed=seed, command=command)
        write_card(
            out,
            what="A policy that chooses which row to show an analyst next, for `outlearn.Inquiry`.",
            source=source,
            command=command,
            how_good=f"Mean anomalies found on {len(others)} held-out synthetic tables:\n\n{figures}",
            limits=(
                "Synthetic tables are not yours: `benchmarks/studies/feedback.py` measures it on real ones.",
                "It starts from the order of `feedback.beliefs`, and mostly keeps to it.",
                "It takes answers for true; wrong ones lead it astray.",
            ),
        )
    kept.unlink(missing_ok=True)
    return policy


def judge(policy: AnalystPolicy, tables: Sequence[Table]) -> str:
    """Return a table of how many anomalies each way has found after some questions, mean over tables."""
    ways: dict[str, Way] = {"policy": lambda ground: ByBeliefs(ground, policy), **WAYS}
    at = np.array(ASKED) - 1
    rows = {
        name: np.mean([anomalies_found(*table, way, ASKED[-1])[at] for table in tables], axis=0).tolist()
        for name, way in ways.items()
    }
    return figures_table(["way of asking", *(f"after {asked}" for asked in ASKED)], rows)
