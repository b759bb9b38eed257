"""Learners for a fleet of alike machines: a point is a row of how rare it is, in all and in each channel.

What is learnt from the labelled faults of some machines is which channels, and which of them together, tell
of a fault; a new machine adapts that to its own labels, few or none.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from outlearn.data.series.series import Series
from outlearn.errors import InputError, WeightsError
from outlearn.files import whole, writing
from outlearn.learners.base import Scorer
from outlearn.learners.pretrained import load_table_learner
from outlearn.learners.tabular import TableLearned
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig
from outlearn.learners.training.metatrain import Outcome, metatrain, work_folder
from outlearn.progress import Progress
from outlearn.ranges import runs
from outlearn.series.basis import Basis
from outlearn.series.mixture import LEADING
from outlearn.series.point_features import PointFeatures

__all__ = ["LEARNER", "STEPS", "FleetOutcome", "FleetScorer", "point_rows", "train_fleet"]

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Rows = NDArray[np.float32]
APART = 8  # points between two rows that are learnt from: those between show the same
SUPPORT = 1000  # rows without a label that a learner adapts to
NORMALS, FAULTS = 10, 4  # different points of either kind that a machine shows, or it is left out
FEWEST = 4  # series with anomalies, so that some can be held out
HELD_OUT = 0.2
LEARNER, STEPS, WIDTHS = "reptile", 300, (16,)  # few machines, so a small network
BLOCK = 65_536  # rows that are scored at once


def point_rows(point_features: PointFeatures, series: Series, own: int | None = None) -> NDArray[np.float32]:
    """Return (n, 1 + c) how rare each point of a series is, over all channels and in each.

    own : the reference series that it is, where that may be contaminated.
    """
    x = point_features.basis.standard(series.values)
    rare = point_features.patches.profile(x, series.stretches, own, widths=LEADING)
    return np.asarray(rare.mean(axis=2))


@dataclass(frozen=True, slots=True)
class FleetScorer:
    """Scores points of a machine's series by a learner that was trained on others."""

    point_features: PointFeatures
    scorer: Scorer

    @classmethod
    def of(
        cls, learned: TableLearned, point_features: PointFeatures, past: Sequence[tuple[Series, Labels]]
    ) -> FleetScorer:
        """Adapt a learner to a machine.

        past : the series that the point_features was fitted to, and the labels (n,) of each.

        Raises
        ------
        WeightsError
            When the learner was trained on another number of channels.
        """
        if learned.columns != 1 + point_features.basis.channels:
            trained = "any" if learned.columns is None else learned.columns - 1
            raise WeightsError(
                f"the learner was trained on series of {trained} channels, these have "
                f"{point_features.basis.channels}: train one on machines with the same"
            )
        rows = [point_rows(point_features, series, i) for i, (series, _) in enumerate(past)]
        points, labels = np.concatenate(rows), np.concatenate([marks for _, marks in past])
        free = np.flatnonzero(labels != 1)
        drawn = free[np.linspace(0, len(free) - 1, min(len(free), SUPPORT)).astype(np.int64)]
        odd = np.flatnonzero(labels == 1)[::APART]
        kept = np.concatenate([drawn, odd])
        return cls(point_features, learned.adapt(points[kept], labels[kept]))

    def channels(self, series: Series, own: int | None = None) -> tuple[Floats, Floats]:
        """Return (n,) scores, high = abnormal, and (n, c) how odd each channel is."""
        rows = point_rows(self.point_features, series, own)
        parts = [self.scorer.score(rows[i : i + BLOCK]) for i in range(0, len(rows), BLOCK)]
        return np.concatenate(parts), rows[:, 1:].astype(np.float64)


@dataclass(frozen=True, slots=True)
class FleetOutcome:
    """The outcome of a training, and whether it pays.

    machines : that took no part. plain, learnt : mean average precision on their points, nothing labelled, of
    plain distances and of the learner.
    """

    outcome: Outcome
    machines: int
    plain: float
    learnt: float

    @property
    def sentence(self) -> str:
        pays = "it pays" if self.learnt > self.plain else "plain distances are better: take those"
        return (
            f"On {self.machines} machines that took no part, nothing labelled, its mean average precision is "
            f"{self.learnt:.3f}, that of plain distances {self.plain:.3f}: {pays}."
        )


def train_fleet(
    machines: Iterable[tuple[Series, Labels]],
    out: Path,
    *,
    learner: str = LEARNER,
    steps: int = STEPS,
    seed: int = 0,
    licence: str = "",
    command: str = "train_fleet",
    progress: Progress | None = None,
) -> FleetOutcome:
    """Meta-train a learner on the labelled series of some machines; write it to `out` with a card beside.

    An interrupted run goes on from a folder beside `out`.

    Parameters
    ----------
    machines : series with the same channels, each of one machine, and labels (n,): 1 where a point is
        anomalous; all others count as normal. Each is compared with itself, as where nothing is known.
    learner : a name in `learners.catalogue` but ``incontext``. licence : of the data, for the card.

    Raises
    ------
    InputError
        When fewer than four series hold an anomaly and normal points.
    """
    made: list[tuple[str, Rows, Labels]] = []
    for number, (series, labels) in enumerate(machines):
        rows = point_rows(PointFeatures.fit(Basis.of([series]), seed=seed), series, own=0)
        kept = _learnt_from(labels == 1)
        rows, truth = rows[kept], (labels[kept] == 1).astype(np.int8)
        distinct = [len(np.unique(rows[truth == odd], axis=0)) for odd in (0, 1)]
        if distinct[0] >= NORMALS and distinct[1] >= FAULTS:
            made.append((f"{number:04d}", rows, truth))
    if len(made) < FEWEST:
        raise InputError(
            f"{len(made)} series hold {FAULTS} anomalous and {NORMALS} normal points or more; a fleet needs "
            f"{FEWEST} such series to learn from, some of which are held out"
        )
    # Named by what is in it, so that a run goes on from its own series only.
    digest = hashlib.sha256(b"".join(rows.tobytes() + truth.tobytes() for _, rows, truth in made))
    work = work_folder(out) / digest.hexdigest()[:12]
    folder = work / "series"
    with writing(folder, refusal="cannot keep the series in"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, rows, truth in made:
        with whole(folder / f"{name}.npz") as draft, draft.open("wb") as file:
            np.savez(file, X=rows, y=truth)
    with (
        whole(folder / "manifest.csv") as draft,
        draft.open("w", encoding="utf-8", newline="") as file,
    ):
        lines = [[f"{name}.npz", name, licence] for name, _, _ in made]
        csv.writer(file).writerows([["file", "family", "licence"], *lines])
    config = MetatrainConfig(
        learner=learner,
        seed=seed,
        features="columns",
        widths=WIDTHS,
        tasks=TaskConfig(synthetic=0, corpus=folder, augment=False, held_out=HELD_OUT),
        training=TrainingConfig(steps=steps, patience=0),  # so few held out are no guide when to stop
    )
    use = f'`outlearn.SeriesDetector("{learner}", weights="{out.name}")` on machines with the same channels'
    outcome = metatrain(
        config,
        out,
        folder=work,
        use=use,
        command=command,
        progress=progress,
    )
    result = _judged(outcome, folder, load_table_learner(learner, out))
    shutil.rmtree(work_folder(out))
    return result


def _learnt_from(odd: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return which points are learnt from: every eighth, and of a short fault all."""
    kept = np.zeros(len(odd), dtype=bool)
    kept[::APART] = True
    for start, end in runs(odd):
        kept[start : min(end, start + APART)] = True
    return np.flatnonzero(kept)


def _judged(outcome: Outcome, folder: Path, learned: TableLearned) -> FleetOutcome:
    """Rank the points of the machines that were held out, nothing labelled, and write that on the card."""
    plain, learnt = [], []
    for name in outcome.held_out:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as kept:
            rows, truth = kept["X"], kept["y"]
        scores = learned.adapt(rows, np.full(len(rows), -1, dtype=np.int8)).score(rows)
        plain.append(average_precision_score(truth, rows[:, 0]))
        learnt.append(average_precision_score(truth, scores))
    fleet_outcome = FleetOutcome(outcome, len(plain), float(np.mean(plain)), float(np.mean(learnt)))
    with whole(outcome.card) as draft:
        text = outcome.card.read_text(encoding="utf-8")
        draft.write_text(f"{text}* {fleet_outcome.sentence}\n", encoding="utf-8")
    return fleet_outcome
