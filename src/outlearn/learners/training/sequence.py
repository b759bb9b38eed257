"""Training the sequence network from synthetic series alone, from one command, with a card beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from outlearn.execute import Executor, Serial
from outlearn.files import together
from outlearn.learners.series.transformer import (
    SequenceLearned,
    Shown,
    new_network,
    read_shown,
    save_sequence,
    show,
    train_sequence,
)
from outlearn.learners.training.loop import adamw
from outlearn.progress import Progress, silent
from outlearn.tasks.series import draw_series
from outlearn.weights.card import figures_table, write_card

if TYPE_CHECKING:
    from outlearn.nets.sequence import SequenceNet

__all__ = ["train_series"]

HELD_OUT = 100  # tasks that the network is judged on
RATE = 3e-4
EVERY = 100  # steps between two checkpoints


def shown(number: int, seed: int) -> Shown:
    """Return task `number` of a stream as the network sees it."""
    return show(draw_series(seed, number), seed, number)


def train_series(
    out: Path,
    *,
    tasks: int,
    steps: int,
    seed: int = 0,
    held_out: int = HELD_OUT,
    width: int = 128,
    blocks: int = 4,
    command: str = "train_series",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> SequenceLearned:
    """Train a network on synthetic series, judge it on others, and write it with a card beside.

    A run that was interrupted goes on from a file beside it; its tasks are made anew.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    tell = progress or silent
    made: list[Shown] = []
    pool = Serial() if executor is None else executor
    for task in pool.map(partial(shown, seed=seed), range(tasks + held_out)):
        made.append(task)
        tell("series", len(made), tasks + held_out)
    net = new_network(seed, width=width, blocks=blocks)
    before = _rank(net, made[tasks:])
    kept = out.with_name(f"{out.name}.{tasks}-{steps}-{seed}.training")
    how = adamw(steps, RATE, every=EVERY, checkpoint=kept, tell=tell)
    train_sequence(net, made[:tasks], how, seed=seed)
    source = f"{tasks:,} synthetic series, generated, so that no licence is needed; no real one took part."
    with together():
        save_sequence(out, net, corpus=source, seed=seed, command=command)
        figures = figures_table(
            ["", "average precision"], {"plain distances": [before], "trained": [_rank(net, made[tasks:])]}
        )
        write_card(
            out,
            what="A transformer that scores points of series beside their past, for "
            "`outlearn.SeriesDetector`.",
            source=source,
            command=command,
            how_good=f"Mean average precision of points on {held_out} held-out synthetic series:\n\n"
            f"{figures}",
            limits=(
                "Synthetic series are not yours: `benchmarks/studies/series.py` measures it on real ones, "
                "docs/series.md has the figures.",
                "It reads what `series.point_features` sees of a point: distances at widths of 16 to 192 "
                "points. What shows only over thousands of points, such as a slow drift, it does not see.",
            ),
        )
    kept.unlink(missing_ok=True)
    return SequenceLearned(net)


def _rank(net: SequenceNet, tasks: Sequence[Shown]) -> float:
    """Return the mean average precision on tasks, over points without a label."""
    from sklearn.metrics import average_precision_score

    precisions = []
    for task in tasks:
        free = task.counted & ~task.known
        if task.labels[free].any():
            precisions.append(average_precision_score(task.labels[free], read_shown(net, task)[free]))
    return float(np.mean(precisions)) if precisions else float("nan")
