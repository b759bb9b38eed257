"""Episodes from episodes: the same task seen with other rows, columns, units or axes.

All are pure: ``(episode, rng, …) → Episode``. Support and query are treated alike, by what the support shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError
from outlearn.tasks.episode import Episode
from outlearn.tasks.rows import stratified

__all__ = ["add_noise", "permute_columns", "rotate", "subset_columns", "subset_rows", "warp_columns"]

Values = NDArray[np.float32]


def subset_rows(episode: Episode, rng: np.random.Generator, support: int, query: int) -> Episode:
    """Keep at most `support` and `query` rows, in the proportions of the truth."""
    s = stratified(rng, episode.support_truth, min(support, len(episode.support_truth)))
    q = stratified(rng, episode.query_y, min(query, len(episode.query_y)))
    return replace(
        episode,
        support_x=episode.support_x[s],
        support_y=episode.support_y[s],
        support_truth=episode.support_truth[s],
        query_x=episode.query_x[q],
        query_y=episode.query_y[q],
    )


def subset_columns(episode: Episode, rng: np.random.Generator, columns: int) -> Episode:
    """Keep `columns` random columns, in their order; all of them where there are no more."""
    if columns < 1:
        raise ParameterError(f"columns={columns}; give 1 or more")
    kept = np.sort(rng.permutation(episode.support_x.shape[1])[:columns])
    return _mapped(episode, lambda x: x[:, kept])


def permute_columns(episode: Episode, rng: np.random.Generator) -> Episode:
    """Put the columns in another order."""
    order = rng.permutation(episode.support_x.shape[1])
    return _mapped(episode, lambda x: x[:, order])


def warp_columns(episode: Episode, rng: np.random.Generator, share: float = 0.5) -> Episode:
    """Pass a share of the columns through increasing functions: sinh⁻¹, a signed power or an exponential.

    Order within a column is kept, up to float32; spacing and tails are not. Warped columns come out
    standardised by the median and the middle half of the support.
    """
    centre, scale = _middle(episode.support_x)
    chosen = np.flatnonzero(rng.random(len(centre)) < share)
    forms = rng.integers(3, size=len(chosen))
    bends = np.exp(rng.uniform(-0.7, 0.7, size=len(chosen)))

    def warp(x: Values) -> Values:
        result = x.copy()
        for column, form, bend in zip(chosen, forms, bends, strict=True):
            z = np.clip((x[:, column].astype(np.float64) - centre[column]) / scale[column], -1e6, 1e6)
            result[:, column] = _bend(z, int(form), float(bend))
        return result

    return _mapped(episode, warp)


def rotate(episode: Episode, rng: np.random.Generator) -> Episode:
    """Standardise by the support and turn by a random orthogonal matrix (QR of Gaussian noise)."""
    centre = episode.support_x.mean(axis=0, dtype=np.float64)
    scale = episode.support_x.std(axis=0, dtype=np.float64)
    scale[scale == 0] = 1
    turn = np.linalg.qr(rng.normal(size=(len(centre), len(centre))))[0]
    return _mapped(episode, lambda x: np.clip((x - centre) / scale, -1e6, 1e6) @ turn)


def add_noise(episode: Episode, rng: np.random.Generator, level: float = 0.1) -> Episode:
    """Add Gaussian noise of `level` times the standard deviation that each column has in the support."""
    if level < 0:
        raise ParameterError(f"level={level}; give 0 or more")
    scale = level * episode.support_x.std(axis=0, dtype=np.float64)
    return _mapped(episode, lambda x: x + scale * rng.normal(size=x.shape))


def _mapped(episode: Episode, change: Callable[[Values], NDArray[np.floating]]) -> Episode:
    """Pass support and then query through `change`."""
    support, query = (change(x).astype(np.float32) for x in (episode.support_x, episode.query_x))
    return replace(episode, support_x=support, query_x=query)


def _middle(x: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median and a spread, never 0, of every column."""
    low, centre, high = np.quantile(x.astype(np.float64), (0.25, 0.5, 0.75), axis=0)
    scale = (high - low) / 1.349
    spread = x.std(axis=0, dtype=np.float64)
    scale = np.where(scale > 0, scale, spread)
    return centre, np.where(scale > 0, scale, 1.0)


def _bend(z: NDArray[np.float64], form: int, bend: float) -> NDArray[np.float64]:
    if form == 0:
        return np.asarray(np.arcsinh(2 * bend * z))
    if form == 1:
        return np.asarray(np.sign(z) * np.abs(z) ** bend)
    # The exponential goes on as a line beyond 6 spreads, so that the order of far values is kept.
    return np.asarray(
        np.exp(0.5 * bend * np.clip(z, -np.inf, 6)) + np.minimum(z, 0) * 1e-3 + np.maximum(z - 6, 0)
    )
