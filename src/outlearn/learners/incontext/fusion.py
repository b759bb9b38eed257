"""Late fusion: each modality of a record is judged by itself, and a learnt network weighs what they say.

A record of a few numbers and a vector of a thousand is not one long vector: the numbers would drown. Here
the in-context learner adapts to each modality apart, on the rows that have it; what it says of a row, and
what is known of it there (how well it expects to tell, rows, columns, how odd the labelled anomalies look to
it), is weighed by `nets.fusion`, meta-trained on synthetic records of two to five modalities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import canonical_order
from outlearn.learners.incontext.learner import InContextLearned, InContextScorer
from outlearn.learners.judged import label_effects, uncertainty_of
from outlearn.learners.surprisal import Heights
from outlearn.weights.checkpoint import Header, once_a_file, read_network, write_checkpoint

if TYPE_CHECKING:
    from outlearn.nets.fusion import FusionNet

__all__ = [
    "ABOUT",
    "LEARNER",
    "VOICES",
    "Fused",
    "FusedScorer",
    "Modality",
    "Sight",
    "load_fusion",
    "save_fusion",
    "see",
]

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]
ARCHITECTURE = "fusion-1"
LEARNER = "incontext"  # whose verdicts on each modality the network was trained to weigh
VOICES = ("tail", "log-odds without labelled anomalies", "log-odds")
ABOUT = (
    "expected AUROC without labelled anomalies",
    "expected AUROC",
    "strangeness",
    "rows",
    "columns",
    "labelled anomalies",
    "their mean tail",
    "their highest tail",
    "missing",
    "known normal",
)
FEWEST_ROWS = 10  # of a modality: with fewer it has no say
FARTHEST = 4.0  # decades of a tail, and quarters of log-odds


@dataclass(frozen=True, slots=True)
class Modality:
    """Columns of a matrix that belong together, and the one that tells where they are missing, if any is."""

    name: str
    columns: tuple[int, ...]
    missing: int | None = None

    def of(self, X: Rows, rows: NDArray[np.int64]) -> Rows:
        """Return its columns in some rows, (r, k)."""
        part: Rows = X[rows[:, None], np.array(self.columns)]
        return part

    def gone(self, X: Rows) -> NDArray[np.bool_]:
        """Return (n,), which rows lack it."""
        return np.zeros(len(X), dtype=bool) if self.missing is None else X[:, self.missing] > 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """One modality of a support, adapted to.

    told, blind : scorers with the labelled anomalies, and without them. heights : of the scores of the latter
    among those of its support. about : (C,) as `ABOUT`.
    """

    told: InContextScorer
    blind: InContextScorer
    heights: Heights
    about: NDArray[np.float32]

    def voices(self, X: Rows, told: Floats | None = None) -> NDArray[np.float32]:
        """Return (m, V) what is said of rows (m, d); `told` in place of what its scorer says."""
        blind = self.blind.score(X)
        if told is None:
            told = blind if self.told is self.blind else self.told.score(X)
        return _voices(blind, told, self.heights)


def _voices(blind: Floats, told: Floats, heights: Heights) -> NDArray[np.float32]:
    bounded = np.clip(np.column_stack([blind, told]) / 4, -FARTHEST, FARTHEST)
    return np.column_stack([_tails(blind, heights), bounded]).astype(np.float32)


def _tails(scores: Floats, heights: Heights) -> Floats:
    """Return how far out scores (m,) lie, in decades."""
    told: Floats = np.minimum(heights(scores) / np.log(10), FARTHEST)
    return told


def see(learned: InContextLearned, X: Rows, y: NDArray[np.int8], missing: float = 0.0) -> Sight | None:
    """Adapt to one modality: rows (n, d) that have it; None where they are too few.

    missing : share of the support that lacks it.
    """
    usual = y != 1
    if usual.sum() < FEWEST_ROWS:
        return None
    told = learned.adapt(X, y)
    labelled = int((~usual).sum())
    blind = learned.adapt(X[usual], y[usual]) if labelled else told
    heights = Heights.of(blind.support_scores)
    tails = _tails(blind.score(X[~usual]), heights) if labelled else np.zeros(1)
    about = (
        blind.reach,
        told.reach,
        min(blind.strangeness, 3.0),
        np.log(len(X)) / 7,
        np.log(X.shape[1]) / 4,
        np.log1p(labelled) / 3,
        tails.mean(),
        tails.max(),
        missing,
        (y == 0).mean(),
    )
    return Sight(told, blind, heights, np.array(about, dtype=np.float32))


@dataclass(frozen=True)
class Fused:
    """The in-context learner on each modality, and the network that weighs them."""

    learned: InContextLearned
    net: FusionNet
    modalities: tuple[Modality, ...] = field(default=())

    def seeded(self, seed: int) -> Fused:
        return replace(self, learned=self.learned.seeded(seed))

    def adapt(self, X: Rows, y: NDArray[np.int8]) -> FusedScorer:
        """Adapt to a support (n, d) with labels (n,) in {-1, 0, 1}; the order of rows makes no difference."""
        order = canonical_order(X, y)
        X, y = X[order], y[order]
        sights = []
        for modality in self.modalities:
            there = np.flatnonzero(~modality.gone(X))
            part = modality.of(X, there)
            sights.append(see(self.learned, part, y[there], 1 - len(there) / len(X)))
        scorer = FusedScorer(self.net, self.modalities, tuple(sights))
        own = scorer.of_voices(*_support_voices(self.modalities, sights, X, y))
        scores = np.empty(len(y))
        scores[order] = own
        scorer.judge(scores, y[np.argsort(order)])
        return scorer


def _support_voices(
    modalities: Sequence[Modality], sights: Sequence[Sight | None], X: Rows, y: NDArray[np.int8]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return what is said of the support's own rows, each judged against the others."""
    voices = np.zeros((len(X), len(modalities), len(VOICES)), dtype=np.float32)
    gone = np.ones((len(X), len(modalities)), dtype=bool)
    for place, (modality, sight) in enumerate(zip(modalities, sights, strict=True)):
        if sight is None:
            continue
        there = np.flatnonzero(~modality.gone(X))
        gone[there, place] = False
        blind = np.empty(len(there))
        odd = y[there] == 1
        blind[~odd] = sight.blind.support_scores
        blind[odd] = sight.blind.score(modality.of(X, there[odd])) if odd.any() else 0.0
        voices[there, place] = _voices(blind, sight.told.support_scores, sight.heights)
    return voices, gone


class FusedScorer:
    """Scores records against one support; log-odds of being an anomaly, high = abnormal.

    contamination, reach, strangeness, support_scores, uncertainty : as of `InContextScorer`, of the verdict
    as a whole.
    """

    least_flagged: ClassVar[float] = 0.0  # see `ProfilesScorer`

    def __init__(
        self, net: FusionNet, modalities: tuple[Modality, ...], sights: tuple[Sight | None, ...]
    ) -> None:
        self._net, self._modalities, self._sights = net, modalities, sights
        self.support_scores: Floats = np.empty(0)
        self.contamination = self.reach = self.strangeness = 0.0

    def judge(self, support_scores: Floats, y: NDArray[np.int8]) -> None:
        """Say what the scores of the support tell of it."""
        self.support_scores = support_scores
        unknown = support_scores[y == -1]
        odds = 1 / (1 + np.exp(-np.clip(unknown if len(unknown) else support_scores, -30, 30)))
        self.contamination = float(np.clip(odds.mean(), 0.005, 0.5)) if len(unknown) else 0.05
        heard = [sight for sight in self._sights if sight is not None]
        self.reach = max((sight.told.reach for sight in heard), default=0.5)
        self.strangeness = min((sight.told.strangeness for sight in heard), default=2.0)

    @property
    def uncertainty(self) -> float:
        """How little the order of scores is to be trusted, 0 to 1: as of the modality that tells best."""
        return uncertainty_of(self.reach, len(self.support_scores), self.strangeness)

    def score(self, X: Rows) -> Floats:
        """Score rows (m, d) → (m,) log-odds; a row scores the same alone or in a batch."""
        return self.of_voices(*self._heard(X))

    def label_effects(self, X: Rows, labelled: Rows) -> Floats:
        """Return how much each label moved the score of each row, (m, k); see `learners.judged`."""

        def without(rows: Rows, label: Rows) -> Floats:
            return self.of_voices(*self._heard(rows, without=label))

        return label_effects(self.score, without, X, labelled)

    def _heard(self, X: Rows, without: Rows | None = None) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return what modalities say of rows, (m, M, V), and which rows lack which, (m, M)."""
        voices = np.zeros((len(X), len(self._modalities), len(VOICES)), dtype=np.float32)
        gone = np.ones((len(X), len(self._modalities)), dtype=bool)
        for place, (modality, sight) in enumerate(zip(self._modalities, self._sights, strict=True)):
            there = np.flatnonzero(~modality.gone(X))
            if sight is None or not len(there):
                continue
            part, told = modality.of(X, there), None
            if without is not None:
                told = sight.told.score_without(part, without[list(modality.columns)])
            gone[there, place] = False
            voices[there, place] = sight.voices(part, told)
        return voices, gone

    def of_voices(self, voices: NDArray[np.float32], gone: NDArray[np.bool_]) -> Floats:
        """Return (m,) log-odds from what modalities say of rows (m, M, V)."""
        import torch

        about = np.stack(
            [np.zeros(len(ABOUT), np.float32) if sight is None else sight.about for sight in self._sights]
        )
        absent = np.array([sight is None for sight in self._sights])
        with torch.inference_mode():
            out = self._net(*(torch.from_numpy(each)[None] for each in (voices, about, gone, absent)))
        return np.asarray(out[0].double().numpy())


def save_fusion(path: Path, net: FusionNet, *, corpus: str, seed: int, command: str) -> None:
    """Write a trained network with its provenance, whole or not at all."""
    header = Header(ARCHITECTURE, asdict(net.config), corpus, seed, command, (*VOICES, *ABOUT))
    write_checkpoint(path, net.state_dict(), header)


@once_a_file
def load_fusion(path: Path) -> FusionNet:
    """Read a trained network. A file is read once and shared.

    Raises
    ------
    WeightsError
        When the file cannot be used; see `weights.read_checkpoint`.
    """
    from outlearn.nets.fusion import FusionConfig, FusionNet

    features = (*VOICES, *ABOUT)
    return read_network(path, ARCHITECTURE, features, lambda config: FusionNet(FusionConfig(**config)))
