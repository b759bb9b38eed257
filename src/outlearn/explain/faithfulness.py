"""Whether explanations tell the truth about the score: named columns against random ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError
from outlearn.explain.contribution import RowContribution
from outlearn.explain.neighbours import Usual, usual_rows
from outlearn.explain.replace import Groups, Score, replaced, scores_of
from outlearn.rng import Seed, generator

__all__ = ["Faithfulness", "faithfulness"]


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How much more the named columns lower the raw score than as many random ones.

    named, random : mean fall of the raw score over rows, when these columns are made usual together.
    share : share of rows in which the named columns lower it more than the random ones do on average.
    p_value : one-sided paired Wilcoxon test over rows that named columns lower it more; 1 without a
        difference.
    rows : number of rows compared.
    """

    named: float
    random: float
    share: float
    p_value: float
    rows: int


def faithfulness(
    rows: NDArray[np.float32],
    contributions: Sequence[RowContribution],
    *,
    score: Score,
    support: NDArray[np.float32],
    support_scores: NDArray[np.float64],
    groups: Groups,
    k: int = 3,
    repeats: int = 10,
    random_state: Seed = 0,
) -> Faithfulness:
    """Measure explanations of rows (r, d) by replacing their top `k` columns, or `k` random ones.

    Named and random columns are replaced in the same way: together, with what one usual row has that is like
    the row elsewhere. Random columns are drawn `repeats` times a row and averaged; they may hit named ones.

    Raises
    ------
    InputError
        When there is not one explanation a row, or no row.

    >>> from outlearn.explain.contribution import explain_rows
    >>> rng = np.random.default_rng(0)
    >>> support = rng.normal(size=(200, 6)).astype(np.float32)
    >>> def score(x): return np.abs(x).max(axis=1).astype(float)
    >>> odd = rng.normal(size=(8, 6)).astype(np.float32); odd[:, 2] = 9
    >>> common = dict(score=score, support=support, support_scores=score(support), groups=list(zip(range(6))))
    >>> measured = faithfulness(odd, explain_rows(odd, **common), k=1, **common)
    >>> measured.named > measured.random, measured.p_value < 0.01
    (True, True)
    """
    from scipy.stats import wilcoxon  # takes a second to import, and only this measure needs it

    if len(rows) != len(contributions) or len(rows) == 0:
        raise InputError(
            f"{len(contributions)} explanations for {len(rows)} rows: wanted one a row, at least one"
        )
    rng = generator(random_state)
    usual = usual_rows(support, support_scores)
    blocks = _blocks(rows, contributions, usual, groups, k, repeats, rng)
    scores = np.stack(list(scores_of(blocks, score)))  # (r, 1 + repeats)
    own = np.array([contribution.score for contribution in contributions])
    named = own - scores[:, 0]
    random = own - scores[:, 1:].mean(axis=1)
    difference = named - random
    p = float(wilcoxon(difference, alternative="greater").pvalue) if difference.any() else 1.0
    return Faithfulness(
        float(named.mean()), float(random.mean()), float((difference > 0).mean()), p, len(rows)
    )


def _blocks(
    rows: NDArray[np.float32],
    contributions: Sequence[RowContribution],
    usual: Usual,
    groups: Groups,
    k: int,
    repeats: int,
    rng: np.random.Generator,
) -> Iterator[NDArray[np.float32]]:
    """Yield for each row (1 + repeats, d): the named columns replaced, then random ones."""
    for row, contribution in zip(rows, contributions, strict=True):
        named = contribution.columns[:k]
        drawn = [rng.choice(len(groups), size=len(named), replace=False) for _ in range(repeats)]
        sets = [[column for g in chosen for column in groups[g]] for chosen in (named, *drawn)]
        yield replaced(row, usual, sets)
