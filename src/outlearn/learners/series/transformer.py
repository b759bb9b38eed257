"""The sequence learner: a transformer, trained across series, that reads a series beside its past."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outlearn.data.series.series import Series
from outlearn.learners.training.loop import Training, train
from outlearn.learners.training.settings import one_thread, seeded
from outlearn.ranges import runs
from outlearn.rng import derive
from outlearn.series.basis import Basis
from outlearn.series.mixture import LEVEL, WEIGHTS
from outlearn.series.point_features import POINT_FEATURES, PointFeatures
from outlearn.series.tokens import STEP, TOKEN, tokens
from outlearn.tasks.series import SeriesTask
from outlearn.weights.checkpoint import Header, once_a_file, read_network, write_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

    from outlearn.nets.sequence import SequenceNet

__all__ = [
    "SequenceLearned",
    "SequenceScorer",
    "Shown",
    "load_sequence",
    "new_network",
    "read_shown",
    "save_sequence",
    "show",
    "train_sequence",
]

Floats = NDArray[np.float64]
ARCHITECTURE = "sequence-1"
SHARP = 5.0  # how far the oddest channel speaks for all at first: 0 a mean, infinite the highest
MEMORY = 48  # tokens of the reference that a stretch sees beside itself
LONGEST = 512  # tokens that are read at once
SHORTEST = 96
OVERLAP = 128
LATEST = 64  # tokens that are read at once where only the past counts
LABELLED_SHARE = 0.4  # share of tasks with labelled ranges
CASES = 3  # labelled ranges of a task at most
REMEMBERED = 1000  # windows of a width, where tasks are made by the thousand
BATCH = 8
LEVEL_STEPS, LEVEL_RATE = 30, 0.05
LOOSE, LOOSEST = 0.5, 64  # share of tasks whose ranges are labelled too wide, by up to so many points a side
SOFT = 20, 200  # points that the edges of a range fall off over


def new_network(seed: int = 0, *, width: int = 128, blocks: int = 4) -> SequenceNet:
    """Return an untrained network, which scores as `series.mixture` does."""
    from outlearn.nets.sequence import SequenceConfig, SequenceNet

    config = SequenceConfig(
        TOKEN, len(POINT_FEATURES), STEP, WEIGHTS, SHARP, LEVEL, width=width, blocks=blocks
    )
    with seeded(seed):
        return SequenceNet(config)


@dataclass(frozen=True, slots=True)
class Shown:
    """A task as the network sees it.

    points : (n, c, g) float16, of `PointFeatures.points`. labels : (n,).
    counted : (n,) bool, points that the loss is taken over: those without a label.
    known : (n,) bool, known to be normal.
    """

    points: NDArray[np.float16]
    labels: NDArray[np.int8]
    counted: NDArray[np.bool_]
    known: NDArray[np.bool_]


def show(task: SeriesTask, seed: int, number: int) -> Shown:
    """Prepare a task; some of its anomalous ranges are labelled in some tasks."""
    rng = derive(seed, 0x7E11, number)
    n = len(task.labels)
    ranges = runs(task.labels)
    cases: list[tuple[int, int]] = []
    if rng.random() < LABELLED_SHARE and len(ranges) > 1:
        count = int(rng.integers(1, min(CASES, len(ranges) - 1) + 1))
        cases = [ranges[i] for i in sorted(rng.choice(len(ranges), size=count, replace=False))]
    known = np.arange(n) < task.reference
    whole = Series.of_array(task.values)
    if task.reference:
        # Known normal points and labelled ranges: the reference is the past, the cases lie after it.
        usual = Basis.of([Series.of_array(task.values[: task.reference])])
        basis = Basis([usual.standard(task.values)], [[(0, task.reference)]], usual.centre, usual.scale)
        point_features = PointFeatures.fit(basis, [cases], most=REMEMBERED)
        points = point_features.points(basis.values[0], whole.stretches)
    else:
        basis = Basis.of([whole])
        point_features = PointFeatures.fit(basis, [cases], most=REMEMBERED)
        points = point_features.points(basis.values[0], whole.stretches, own=0)
    counted = np.ones(n, dtype=bool)
    for start, end in cases:
        counted[start:end] = False
    return Shown(np.clip(points, -50, 50).astype(np.float16), task.labels, counted, known)


def train_sequence(
    net: SequenceNet,
    bank: Sequence[Shown],
    how: Training,
    *,
    seed: int = 0,
    held_out: Sequence[Shown] = (),
) -> None:
    """Train a network in place on tasks held in memory; steps and rate are those of `how`.

    Before that the level of the log-odds is found for the mixture as it is. What moves the mixture is
    bounded: left to mend the level, it would go to its bound everywhere, where no gradient is left.
    """
    import torch

    def objective(step: int, stream: int = 0xBA7) -> float:
        net.train()
        rng = derive(seed, stream, step)
        net.zero_grad()
        total = 0.0
        for place in rng.integers(len(bank), size=BATCH):
            loss = _loss(net, bank[int(place)], rng)
            torch.autograd.backward(loss / BATCH)
            total += float(loss.detach())
        return total / BATCH

    def validate() -> float:
        net.eval()
        with torch.no_grad():
            losses = [float(_loss(net, shown, derive(seed, 1, i))) for i, shown in enumerate(held_out)]
        return float(np.mean(losses))

    with one_thread():
        train(
            {"level": net.level},
            partial(objective, stream=0x1E7E1),
            Training(steps=LEVEL_STEPS, rate=LEVEL_RATE),
        )
        train(
            dict(net.named_parameters()),
            objective,
            replace(how, validate=validate if held_out else None),
        )
    net.eval()


def _loss(net: SequenceNet, shown: Shown, rng: np.random.Generator) -> Tensor:
    """Return the mean log loss on a stretch of a task."""
    import torch
    from torch.nn import functional

    contaminated = not shown.known.any()
    points = shown.points.astype(np.float32)
    encoded = tokens(points, shown.known, contaminated)
    length = min(len(encoded), int(rng.integers(SHORTEST, LONGEST + 1)))
    first = int(rng.integers(0, len(encoded) - length + 1))
    stretch = slice(first * STEP, (first + length) * STEP)
    memory = _memory(encoded, shown.known, rng)
    logits = net(
        torch.from_numpy(encoded[first : first + length]),
        torch.from_numpy(points[stretch]),
        torch.from_numpy(memory),
    )
    weights = torch.from_numpy((shown.counted & ~shown.known)[stretch].astype(np.float32))
    truth = torch.from_numpy(_softened(shown.labels, rng)[stretch])
    loss = functional.binary_cross_entropy_with_logits(logits, truth, weights, reduction="sum")
    return loss / weights.sum().clamp(min=1.0)


def _softened(labels: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return (n,) targets: labels as people draw them, at times too wide, with edges that fall off softly.

    A sharp edge would teach narrow windows, and real labels do not reward those.
    """
    target = labels.astype(np.float32)
    if rng.random() < LOOSE:
        for start, end in runs(labels):
            before, after = rng.integers(0, LOOSEST, size=2)
            target[max(start - before, 0) : end + after] = 1.0
    width = int(rng.integers(*SOFT))
    away = np.arange(1, width // 2 + 1)
    edge = np.sqrt(1 - away / width).astype(np.float32)
    for start, end in runs(target > 0):
        for places in (start - away, end - 1 + away):
            inside = (places >= 0) & (places < len(target))
            target[places[inside]] = np.maximum(target[places[inside]], edge[inside])
    return target


def read_shown(net: SequenceNet, shown: Shown) -> Floats:
    """Return (n,) log-odds of the points of a task."""
    points, contaminated = shown.points.astype(np.float32), not shown.known.any()
    memory = _memory(tokens(points, shown.known, contaminated), shown.known, None)
    return _read(net, points, memory, contaminated=contaminated)[0]


def _memory(
    encoded: NDArray[np.float32], known: NDArray[np.bool_], rng: np.random.Generator | None
) -> NDArray[np.float32]:
    """Return (m, c, f) tokens of the reference, which is all where nothing is known to be normal."""
    flags = np.flatnonzero(encoded[:, 0, -2] >= 1.0) if known.any() else np.arange(len(encoded))
    usable = flags if len(flags) else np.arange(len(encoded))
    if len(usable) <= MEMORY:
        return encoded[usable]
    places = (
        np.sort(rng.choice(usable, MEMORY, replace=False))
        if rng is not None
        else usable[np.linspace(0, len(usable) - 1, MEMORY).astype(np.int64)]
    )
    return encoded[places]


@dataclass(frozen=True, slots=True)
class SequenceLearned:
    """A trained network."""

    net: SequenceNet

    def adapt(self, point_features: PointFeatures, *, normal: bool) -> SequenceScorer:
        """Return a scorer that compares with a reference; `normal`: all of it is known to be."""
        return SequenceScorer.of(self.net, point_features, normal)


@dataclass(frozen=True, slots=True)
class SequenceScorer:
    """Scores points of series against a reference.

    memory : (m, c, f) tokens of the reference.
    """

    net: SequenceNet
    point_features: PointFeatures
    normal: bool
    memory: NDArray[np.float32]

    @classmethod
    def of(cls, net: SequenceNet, point_features: PointFeatures, normal: bool) -> SequenceScorer:
        parts = [
            tokens(
                point_features.points(x, stretches, None if normal else i),
                np.full(len(x), normal),
                not normal,
            )
            for i, (x, stretches) in enumerate(
                zip(point_features.basis.values, point_features.basis.stretches, strict=True)
            )
        ]
        encoded = np.concatenate(parts)
        return cls(net, point_features, normal, _memory(encoded, np.full(1, normal), None))

    def channels(
        self, series: Series, own: int | None = None, *, causal: bool = False
    ) -> tuple[Floats, Floats]:
        """Return (n,) log-odds that points are anomalous, up to a shift, and (n, c) how odd each channel is.

        own : the reference series that it is, where that may be contaminated: points are then compared with
        the rest of it. causal : whether only what lies before a point counts.
        """
        x = self.point_features.basis.standard(series.values)
        points = self.point_features.points(x, series.stretches, None if self.normal else own, causal=causal)
        if not causal:
            return _read(self.net, points, self.memory, contaminated=not self.normal)
        parts = []
        for start, end in series.stretches:
            past = self.past()
            parts += [past.next(point) for point in points[start:end]]
        odd = np.stack(parts)
        return self.pooled(odd), odd.astype(np.float64)

    def past(self) -> StreamState:
        """Return what reads points as they come."""
        return StreamState(self)

    def pooled(self, odd: NDArray[np.float32]) -> Floats:
        """Return (n,) log-odds of points from how odd their channels (n, c) are."""
        import torch

        with torch.no_grad():
            pooled = self.net.pooled(torch.from_numpy(odd))
        return np.asarray(pooled.numpy(), dtype=np.float64)


class StreamState:
    """The latest tokens of a series that comes point by point, and what the network makes of them.

    A point is judged by its own numbers and by the weights at the last token that was whole by then; before
    the first as the plain mixture does.
    """

    def __init__(self, scorer: SequenceScorer) -> None:
        import torch

        config = scorer.net.config
        self._scorer = scorer
        self._memory = torch.from_numpy(scorer.memory)
        self._points: list[NDArray[np.float32]] = []  # of the token that is not whole yet
        self._tokens: deque[NDArray[np.float32]] = deque(maxlen=LATEST)
        self._weights = torch.zeros(1, scorer.memory.shape[1], config.points + 1)

    @property
    def nbytes(self) -> int:
        """Return the bytes that kept tokens take, when there are as many as may be."""
        return LATEST * int(self._scorer.memory[0].nbytes)

    def next(self, point: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (c,) how odd each channel is at the next point (c, g)."""
        import torch

        self._points.append(point)
        with torch.no_grad():
            if len(self._points) == STEP:
                whole, known = np.stack(self._points), np.zeros(STEP, dtype=np.bool_)
                self._tokens.append(tokens(whole, known, not self._scorer.normal)[0])
                self._points = []
                latest = torch.from_numpy(np.stack(self._tokens))
                self._weights = self._scorer.net.token_weights(latest, self._memory)[-1:]
            odd = self._scorer.net.odd(self._weights, torch.from_numpy(point[None]))
        return np.asarray(odd.numpy()[0])


def _read(
    net: SequenceNet, points: NDArray[np.float32], memory: NDArray[np.float32], *, contaminated: bool
) -> tuple[Floats, Floats]:
    """Run the network over overlapping stretches, each point scored where it lies farthest from an edge."""
    import torch

    encoded = tokens(points, np.zeros(len(points), dtype=bool), contaminated)
    odd = np.empty(points.shape[:2], dtype=np.float32)
    reference = torch.from_numpy(memory)
    with torch.no_grad():
        for first, last, a, b in _windows(len(encoded)):
            stretch = slice(first * STEP, min(last * STEP, len(points)))
            values = net.channels(
                torch.from_numpy(encoded[first:last]), torch.from_numpy(points[stretch]), reference
            ).numpy()
            odd[a * STEP : b * STEP] = values[(a - first) * STEP : (b - first) * STEP]
        pooled = net.pooled(torch.from_numpy(odd)).numpy()
    return pooled.astype(np.float64), odd.astype(np.float64)


def _windows(count: int) -> Iterable[tuple[int, int, int, int]]:
    """Yield stretches (first, last) of tokens to read, and the part (a, b) of each that counts."""
    if count <= LONGEST:
        yield 0, count, 0, count
        return
    half = OVERLAP // 2
    for a in range(0, count, LONGEST - OVERLAP):
        b = min(a + LONGEST - OVERLAP, count)
        last = min(b + half, count)
        first = max(0, last - LONGEST) if last == count else max(0, a - half)
        yield first, last, a, b


def save_sequence(path: Path, net: SequenceNet, *, corpus: str, seed: int, command: str) -> None:
    """Write a trained network with its provenance, whole or not at all."""
    config = asdict(net.config)
    write_checkpoint(
        path, net.state_dict(), Header(ARCHITECTURE, config, corpus, seed, command, POINT_FEATURES)
    )


@once_a_file
def load_sequence(path: Path) -> SequenceLearned:
    """Read a trained network. A file is read once and shared.

    Raises
    ------
    WeightsError
        When the file cannot be used; see `weights.read_checkpoint`.
    """
    from outlearn.nets.sequence import SequenceConfig, SequenceNet

    def make(config: dict[str, Any]) -> SequenceNet:
        lists = {name: tuple(config[name]) for name in ("start", "level")}
        return SequenceNet(SequenceConfig(**{**config, **lists}))

    return SequenceLearned(read_network(path, ARCHITECTURE, POINT_FEATURES, make))
