"""Conformal p-values against held-out normal scores, and what can be done with many of them.

A conformal p-value is a guarantee: for a new row that is exchangeable with the reference rows,
``P(p <= a) <= a`` for every a, whatever the scores are. Its resolution ends at 1 / (n + 1). `tail_p_values`
goes further by a model of the tail; that is an estimate and not a guarantee.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.decisions.checks import as_scores, as_share
from outlearn.errors import InputError

__all__ = ["benjamini_hochberg", "fit_pareto_tail", "p_values", "tail_p_values"]

MIN_EXCEEDANCES = 10  # scores in the tail, of fewer no model of it is fitted


def p_values(scores: ArrayLike, reference_scores: ArrayLike) -> NDArray[np.float64]:
    """Return (m,) conformal p-values: (1 + number of reference scores >= score) / (n + 1).

    Ties count against the row, so the p-values are conservative. Averaged over the draw of the reference they
    are super-uniform for normal rows.

    Parameters
    ----------
    scores : (m,) scores, high = abnormal.
    reference_scores : (n,) scores of normal rows that the detector was not fitted on.

    Raises
    ------
    InputError
        When scores are not finite numbers in one dimension or the reference is empty.

    Notes
    -----
    Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World (2005); Bates, Candès, Lei, Romano, Sesia:
    Testing for outliers with conformal p-values, Annals of Statistics 51 (2023).

    >>> p_values([0.0, 2.0, 9.0], [1.0, 2.0, 3.0])
    array([1.  , 0.75, 0.25])
    """
    new = as_scores(scores, "scores")
    reference = np.sort(as_scores(reference_scores, "reference_scores", at_least=1))
    at_least_as_high = len(reference) - np.searchsorted(reference, new, side="left")
    return cast("NDArray[np.float64]", (1.0 + at_least_as_high) / (len(reference) + 1.0))


def fit_pareto_tail(exceedances: ArrayLike) -> tuple[float, float]:
    """Return (shape, scale) of a generalised Pareto law for positive exceedances (k,).

    The shape is never negative: a bounded tail would give p-values of zero, which no finite sample supports.

    Raises
    ------
    InputError
        When exceedances are not positive and finite, or there is none.

    Notes
    -----
    Zhang, Stephens: A new and efficient estimation method for the generalized Pareto distribution,
    Technometrics 51 (2009): a posterior mean over a grid, which exists for every sample.

    >>> shape, scale = fit_pareto_tail(-np.log1p(-(np.arange(500) + 0.5) / 500))  # exponential, scale 1
    >>> shape < 0.1, abs(scale - 1) < 0.1
    (True, True)
    """
    x = np.sort(as_scores(exceedances, "exceedances", at_least=1))
    if not (x[0] > 0 and np.isfinite(x[-1])):
        raise InputError("exceedances must be positive and finite: subtract the start of the tail first")
    k = len(x)
    points = 30 + int(np.sqrt(k))
    quartile = x[max(int(k / 4 + 0.5) - 1, 0)]
    theta = 1 / x[-1] + (1 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))) / (3 * quartile)  # (points,)
    theta = theta[theta != 0]
    shapes = np.log1p(-theta[:, None] * x).mean(axis=1)  # (points,), with the sign of the usual shape
    likelihood = k * (np.log(-theta / shapes) - shapes - 1)
    weights = np.exp(likelihood - likelihood.max())
    best = float((theta * weights).sum() / weights.sum())
    shape = float(np.log1p(-best * x).mean()) if best != 0 else 0.0
    if shape <= 0:
        return 0.0, float(x.mean())
    return shape, -shape / best


def tail_p_values(scores: ArrayLike, reference_scores: ArrayLike, tail: float = 0.1) -> NDArray[np.float64]:
    """Return (m,) p-values that go below 1 / (n + 1) by a generalised Pareto model of the upper tail.

    **A model, not a guarantee.** Up to the (1 - tail) quantile of the reference they equal `p_values`; above
    it, the share of the tail times the survival of the fitted law. With fewer than 10 exceedances, or only
    equal ones, no tail can be fitted and `p_values` is returned as it is.

    Raises
    ------
    InputError
        As `p_values`, or when reference scores are infinite.
    ParameterError
        When `tail` is not between 0 and 1.

    >>> reference = -np.log1p(-(np.arange(1000) + 0.5) / 1000)
    >>> p = tail_p_values([0.5, 12.0], reference)
    >>> bool(p[0] > 0.5), bool(1e-7 < p[1] < 1e-4)
    (True, True)
    """
    as_share(tail, "tail")
    new = as_scores(scores, "scores")
    reference = as_scores(reference_scores, "reference_scores", at_least=1)
    if not np.isfinite(reference).all():
        raise InputError("reference_scores hold infinite values, from which no tail can be fitted")
    p = p_values(new, reference)
    start = float(np.quantile(reference, 1 - tail, method="lower"))
    over = reference[reference > start] - start
    above = new > start
    if len(over) < MIN_EXCEEDANCES or len(np.unique(over)) < MIN_EXCEEDANCES // 2 or not above.any():
        return p
    shape, scale = fit_pareto_tail(over)
    z = (new[above] - start) / scale
    survival = np.exp(-z) if shape == 0 else np.exp(-np.log1p(shape * z) / shape)
    # The floor keeps a p-value positive where the survival underflows.
    p[above] = np.maximum((1 + len(over)) / (len(reference) + 1) * survival, np.finfo(np.float64).tiny)
    return p


def benjamini_hochberg(p: ArrayLike, q: float) -> NDArray[np.bool_]:
    """Return (m,) bool: the discoveries of the step-up procedure at false-discovery rate `q`.

    Raises
    ------
    InputError
        When a p-value lies outside [0, 1].
    ParameterError
        When `q` is not between 0 and 1.

    Notes
    -----
    Benjamini, Hochberg: Controlling the false discovery rate, JRSS B 57 (1995).

    >>> benjamini_hochberg([0.01, 0.9, 0.03, 0.5], 0.1)
    array([ True, False,  True, False])
    """
    as_share(q, "q")
    values = as_scores(p, "p")
    if ((values < 0) | (values > 1)).any():
        raise InputError("p-values must lie in [0, 1]")
    ordered = np.sort(values)
    # Relative slack: k / (n + 1) and q * rank / m are both rounded, and equality is a discovery.
    passed = np.flatnonzero(ordered <= q * np.arange(1, len(values) + 1) / len(values) * (1 + 1e-12))
    if len(passed) == 0:
        return np.zeros(len(values), dtype=np.bool_)
    return cast("NDArray[np.bool_]", values <= ordered[passed[-1]])
