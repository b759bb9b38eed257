"""Which row to show an analyst next, so that anomalies are found with few questions.

The belief about each row starts with the scores of an Isolation Forest and of the pretrained in-context
learner, and follows each answer by Gaussian processes: rows that pass the same nodes of the forest, or lie
near in ranks or in units of spread, are believed to be alike. A policy (`policy.AnalystPolicy`) chooses among
the rows that these beliefs, and weights of the forest's nodes that follow the answers, put first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from scipy.stats import rankdata

from outlearn.feedback.forest_paths import NodeFeedback, Paths
from outlearn.learners.pretrained import load_incontext
from outlearn.rng import derive

__all__ = ["FEATURES", "Beliefs", "Ground"]

Floats = NDArray[np.float64]
MOST_ASKABLE = 20_000  # that are asked about: of more, those that the forest finds oddest
KEPT_COLUMNS = 2000  # rows up to which what they are like is kept
CONTEXT = 1500  # rows that the in-context learner reads
CLIP = 5.0  # of a value, in standard deviations
PAIRS = 400  # pairs of rows that set the width of a kernel
ODD, USUAL = 10.0, -5.0  # what an answer says, in standard deviations of the first belief
NOISE = 0.5  # variance of an answer, beside kernels of 1
FIRST = 8  # rows that each belief puts forward
RECENT = 10  # answers
KERNELS = ("paths", "ranks", "spreads")
FEATURES = (
    "place",
    "all",
    *KERNELS,
    "nodes",
    "prior",
    "forest",
    "incontext",
    "doubt",
    "like anomalies",
    "like normal rows",
    "questions",
    "share found",
    "share found lately",
    "none found",
    "rows",
)


@dataclass(frozen=True)
class Ground:
    """A table to ask about, and what is known before the first answer.

    rows : (m,) places of the rows that may be asked about. paths : of these.
    forest, incontext : (m,) how far in the tail a row is: minus the logarithm of the share that is odder.
    prior : (m,) first belief, of spread 1. kernels : row → (m,) how alike each row is to it, in [0, 1].
    """

    rows: NDArray[np.int64]
    paths: Paths
    forest: Floats
    incontext: Floats
    prior: Floats
    kernels: tuple[Callable[[int], Floats], ...]
    _columns: dict[int, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, X: NDArray[np.float32], seed: int = 0) -> Ground:
        """Look at a table (n, d) of finite numbers."""
        paths = Paths.of(X, seed, most=MOST_ASKABLE)
        rows = paths.rows
        forest, incontext = _tail(paths.scores), _tail(_incontext(X, rows, seed))
        both = forest + incontext
        spread = X.std(axis=0, dtype=np.float64)
        Z = np.clip(
            (X[rows] - X.mean(axis=0, dtype=np.float64)) / np.where(spread > 0, spread, 1.0), -CLIP, CLIP
        )
        ranks = rankdata(X[rows], axis=0) / len(rows)
        kernels = (_alike_paths(paths), _near(ranks, seed), _near(Z, seed))
        return cls(rows, paths, forest, incontext, both / (both.std() or 1.0), kernels)

    def alike(self, row: int) -> Floats:
        """Return (kernels, m) how alike each row is to one, in [0, 1]."""
        if row in self._columns:
            return self._columns[row]
        likeness = np.stack([kernel(row) for kernel in self.kernels])
        if len(self.rows) <= KEPT_COLUMNS:  # games on small tables ask about the same rows again and again
            self._columns[row] = likeness
        return likeness


class Beliefs:
    """Beliefs about the rows of a ground after some answers."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.asked: list[int] = []
        self.answers: list[int] = []
        self._passed_over: set[int] = set()
        self._nodes = NodeFeedback(ground.paths)
        self._alike = np.zeros((len(KERNELS), len(ground.rows), 0))
        self._follow()

    def tell(self, row: int, label: int) -> None:
        """Follow the label of a row: 1 anomaly, 0 normal."""
        self.asked.append(row)
        self.answers.append(label)
        self._nodes.tell(row, label)
        self._alike = np.concatenate([self._alike, self.ground.alike(row)[:, :, None]], axis=2)
        self._follow()

    def pass_over(self, row: int) -> None:
        """Ask about a row no more, though nothing is known of it."""
        self._passed_over.add(row)

    def _follow(self) -> None:
        prior, asked = self.ground.prior, np.array(self.asked, dtype=np.int64)
        surprise = np.where(np.array(self.answers) == 1, ODD, USUAL) - prior[asked]
        self._by_kernel = np.stack([prior + _posterior(alike, asked, surprise) for alike in self._alike])
        self._mean = self._alike.mean(axis=0)
        self.scores: Floats = prior + _posterior(self._mean, asked, surprise)

    @property
    def open(self) -> NDArray[np.int64]:
        """Rows that may still be asked about."""
        kept = np.ones(len(self.ground.rows), dtype=bool)
        kept[[*self.asked, *self._passed_over]] = False
        return np.flatnonzero(kept)

    def candidates(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return rows that some belief puts first, in the order of `scores`, and their features.

        Returns
        -------
        (A,) places in the ground, and (A, len(FEATURES)).
        """
        open_ = self.open
        views = np.stack([self.scores, *self._by_kernel, self._nodes.scores, self.ground.prior])[:, open_]
        few = min(FIRST, len(open_))
        first = np.unique(np.argpartition(-views, few - 1, axis=1)[:, :few])
        first = first[np.argsort(-views[0, first], kind="stable")]
        rows = open_[first]
        answers, lately = np.array(self.answers, dtype=float), np.array(self.answers[-RECENT:], dtype=float)
        odd = answers == 1
        alike = self._mean[rows]
        shared = [
            np.log1p(len(answers)) / 5,
            answers.mean() if len(answers) else 0.0,
            lately.mean() if len(lately) else 0.0,
            float(not odd.any()),
            np.log(len(self.ground.rows)) / 10,
        ]
        features = np.column_stack(
            [
                -np.arange(len(rows)) / 10,
                self.scores[rows] / ODD,
                *(belief[rows] / ODD for belief in self._by_kernel),
                _tail(self._nodes.scores)[rows] / 5,
                self.ground.prior[rows] / 5,
                self.ground.forest[rows] / 5,
                self.ground.incontext[rows] / 5,
                self._doubt(rows),
                alike[:, odd].max(axis=1, initial=0.0),
                alike[:, ~odd].max(axis=1, initial=0.0),
                np.repeat(np.array(shared)[None], len(rows), axis=0),
            ]
        )
        return rows, features.astype(np.float32)

    def _doubt(self, rows: NDArray[np.int64]) -> Floats:
        """Return (A,) how much of the first doubt is left, as a standard deviation."""
        if not self.asked:
            return np.ones(len(rows))
        alike = self._mean[rows]
        gram = self._mean[self.asked] + NOISE * np.eye(len(self.asked))
        explained = (alike.T * cho_solve(cho_factor(gram), alike.T)).sum(axis=0)
        left: Floats = np.sqrt(np.clip(1 - explained, 0.0, 1.0))
        return left


def _posterior(alike: Floats, asked: NDArray[np.int64], surprise: Floats) -> Floats:
    """Return the change (m,) of a belief by surprises (t,) at the rows asked, for kernels (m, t)."""
    if not len(asked):
        return np.zeros(len(alike))
    gram = alike[asked] + NOISE * np.eye(len(asked))
    changed: Floats = alike @ cho_solve(cho_factor(gram), surprise)
    return changed


def _tail(scores: Floats) -> Floats:
    tail: Floats = -np.log((len(scores) - rankdata(scores) + 1) / (len(scores) + 1))
    return tail


def _incontext(X: NDArray[np.float32], rows: NDArray[np.int64], seed: int) -> Floats:
    """Return the scores (m,) that the in-context learner gives rows, each judged by others."""
    context = derive(seed, 0xA5C).permutation(len(X))[:CONTEXT]
    scorer = load_incontext().seeded(seed).adapt(X[context], np.full(len(context), -1, dtype=np.int8))
    scores = np.asarray(scorer.score(X[rows]), dtype=np.float64)
    own = dict(zip(context.tolist(), scorer.support_scores.tolist(), strict=True))
    for place, row in enumerate(rows.tolist()):
        if row in own:
            scores[place] = own[row]
    return scores


def _alike_paths(paths: Paths) -> Callable[[int], Floats]:
    """Cosine of the nodes that two rows pass; those that few pass count more."""
    n = paths.passed.shape[0]
    count = np.asarray(paths.passed.sum(axis=0)).ravel()
    weight = np.sqrt(np.log(n / np.maximum(count, 1.0)).clip(min=0.0))
    weighted = csr_matrix(
        (weight[paths.passed.indices].astype(np.float32), paths.passed.indices, paths.passed.indptr),
        shape=paths.passed.shape,
    )
    norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel()) + 1e-9

    def alike(row: int) -> Floats:
        products = np.asarray(weighted @ weighted[row].toarray().ravel(), dtype=np.float64)
        cosine: Floats = products / (norm * norm[row])
        return cosine

    return alike


def _near(rows: NDArray[np.floating], seed: int) -> Callable[[int], Floats]:
    """A Gaussian of the distance, as wide as rows usually lie apart."""
    one, other = derive(seed, 0x6A5).integers(len(rows), size=(2, PAIRS))
    apart = float(np.median(((rows[one] - rows[other]) ** 2).sum(axis=1)))
    width = apart / 2 if apart > 0 else 1.0

    def near(row: int) -> Floats:
        likeness: Floats = np.exp(-((rows - rows[row]) ** 2).sum(axis=1) / width)
        return likeness

    return near
