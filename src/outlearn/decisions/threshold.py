"""Where to cut: thresholds by share, by false-alarm rate and by alert budget.

Everywhere a row is flagged when ``score >= threshold``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.decisions.checks import as_scores, as_share, percent
from outlearn.decisions.conformal import MIN_EXCEEDANCES, fit_pareto_tail
from outlearn.decisions.promise import Promise
from outlearn.errors import ParameterError

__all__ = [
    "by_budget",
    "by_contamination",
    "by_expected_f1",
    "by_false_alarm_rate",
    "just_above",
    "rate_for_budget",
]

TAIL = 0.1  # share of the scores that the model of the tail is fitted on


def just_above(value: float) -> float:
    """Return the next float64 after `value`: with ``>=`` it means "above value".

    >>> just_above(1.0) > 1.0
    True
    """
    return float(np.nextafter(value, np.inf))


def by_contamination(support_scores: ArrayLike, share: float) -> float:
    """Return the smallest threshold that flags at most ``round(share * n)`` of the support scores (n,).

    Rows tied across the cut are left out, so the flagged share can be smaller, never larger.

    Raises
    ------
    InputError
        When there is no score.
    ParameterError
        When `share` is not between 0 and 1.

    >>> by_contamination([1.0, 2.0, 3.0, 4.0], 0.25)
    4.0
    >>> by_contamination([1.0, 4.0, 4.0, 4.0], 0.5) > 4.0
    True
    """
    as_share(share, "contamination")
    descending = np.sort(as_scores(support_scores, "support_scores", at_least=1))[::-1]
    wanted = min(round(share * len(descending)), len(descending))
    if wanted == 0:
        return just_above(float(descending[0]))
    if wanted == len(descending) or descending[wanted] < descending[wanted - 1]:
        return float(descending[wanted - 1])
    higher = descending[descending > descending[wanted]]
    return float(higher[-1]) if len(higher) else just_above(float(descending[0]))


def by_expected_f1(probabilities: ArrayLike, least: float = 0.0) -> float:
    """Return the threshold of the best expected F1, for scores that are probabilities of being an anomaly.

    That threshold is half of the best F1, so at most .5. But no more of the rows are flagged than there are
    anomalies to be expected, the sum of the probabilities, rounded up: where probabilities hardly tell rows
    apart the best F1 would have many more, most of them normal.

    Parameters
    ----------
    probabilities : (n,) of the rows that may hold anomalies.
    least : no row of a lower probability is flagged, even if then none is.

    Source: Lipton, Elkan, Naryanaswamy 2014.

    Raises
    ------
    InputError
        When there is no score.

    >>> round(by_expected_f1([1.0, 0.9, 0.1, 0.0]), 3)
    0.475
    """
    descending = np.sort(as_scores(probabilities, "probabilities", at_least=1))[::-1]
    n, hits = len(descending), np.cumsum(descending)
    best = float((2 * hits / (np.arange(1, n + 1) + hits[-1])).max()) / 2
    most = max(math.ceil(hits[-1] - 1e-9), 1)
    return max(best, least) if most >= n else max(best, least, just_above(float(descending[most])))


def by_false_alarm_rate(reference_scores: ArrayLike, rate: float) -> tuple[float, Promise]:
    """Return the smallest threshold with at most `rate` false alarms, and whether that is a promise.

    With n >= 1 / rate - 1 reference scores: a new row exchangeable with them is flagged with probability at
    most `rate`, on average over the draw of the reference (the conformal quantile: above the
    ceil((n + 1)(1 - rate))-th smallest score). With fewer no finite-sample promise exists for any finite
    threshold: the threshold then comes from a generalised Pareto model of the tail (or lies just above all
    reference scores where too few are there to fit one), and the promise does not hold.

    Parameters
    ----------
    reference_scores : (n,) scores of normal rows that the detector was not fitted on.
    rate : wanted probability of a false alarm for one normal row.

    Raises
    ------
    InputError
        When there is no score.
    ParameterError
        When `rate` is not between 0 and 1.

    >>> threshold, promise = by_false_alarm_rate(np.arange(99.0), 0.05)
    >>> threshold > 94, threshold < 95, promise.holds
    (True, True, True)
    """
    as_share(rate, "false-alarm rate")
    ascending = np.sort(as_scores(reference_scores, "reference_scores", at_least=1))
    n = len(ascending)
    # The slack mends products such as 0.29 * 100 = 28.999…; a p-value of 29/100 is within a rate of 0.29.
    allowed = math.floor(rate * (n + 1) + 1e-9)
    if allowed >= 1:
        text = (
            f"at most {percent(rate)} of normal rows are flagged, on average, if they come from the same "
            f"source as the {n:,} held-out reference rows and those hold no anomalies"
        )
        return just_above(float(ascending[n - allowed])), Promise(True, text)
    needed = math.ceil(1 / rate - 1e-9) - 1
    text = (
        f"no false-alarm promise: a rate of {percent(rate)} needs at least {needed:,} held-out reference "
        f"rows and there are {n:,}; "
    )
    threshold = _modelled_quantile(ascending, rate)
    if threshold is None:
        return just_above(float(ascending[-1])), Promise(
            False, text + "only rows odder than all of them are flagged"
        )
    return threshold, Promise(False, text + "the threshold is extrapolated by a model of their tail")


def _modelled_quantile(ascending: NDArray[np.float64], rate: float) -> float | None:
    """Return the score that the tail model exceeds with probability `rate`; None where none can be fitted."""
    start = float(ascending[math.ceil((1 - TAIL) * (len(ascending) - 1))])
    over = ascending[ascending > start] - start
    if len(over) < MIN_EXCEEDANCES or not np.isfinite(over[-1]):
        return None
    shape, scale = fit_pareto_tail(over)
    log_ratio = math.log((len(over) + 1) / (len(ascending) + 1) / rate)
    beyond = scale * (log_ratio if shape == 0 else math.expm1(shape * log_ratio) / shape)
    return max(start + beyond, just_above(float(ascending[-1])))


def by_budget(scores: ArrayLike, alerts: int) -> tuple[NDArray[np.bool_], float]:
    """Return (m,) bool for the `alerts` highest scores of the batch, and the lowest score flagged.

    Exactly ``min(alerts, m)`` rows are flagged. Among rows tied at the cut those that come first are taken,
    so a row that is not flagged can have the score of the threshold, never a higher one.

    Raises
    ------
    InputError
        When scores are not numbers.
    ParameterError
        When `alerts` is not a whole number of at least 0.

    >>> by_budget([0.1, 0.9, 0.5, 0.9], 1)
    (array([False,  True, False, False]), 0.9)
    """
    values = as_scores(scores, "scores")
    if isinstance(alerts, bool) or not isinstance(alerts, int | np.integer) or alerts < 0:
        raise ParameterError(f"budget is {alerts!r}, wanted a whole number of alerts, e.g. 20")
    flagged = np.zeros(len(values), dtype=np.bool_)
    top = np.argsort(-values, kind="stable")[:alerts]
    flagged[top] = True
    if len(top):
        return flagged, float(values[top[-1]])
    return flagged, just_above(float(values.max())) if len(values) else math.inf


def rate_for_budget(alerts: float, rows_per_period: float) -> float:
    """Return the share of rows that may be flagged so that `alerts` a period are met on average.

    Raises
    ------
    ParameterError
        When either number is not positive.

    >>> rate_for_budget(20, 10_000)
    0.002
    """
    if not (alerts > 0 and rows_per_period > 0):
        raise ParameterError(
            f"a budget of {alerts!r} alerts for {rows_per_period!r} rows: both must be above 0, e.g. 20 for "
            "10000"
        )
    return min(1.0, alerts / rows_per_period)
