"""From scores to a decision, in words that promise no more than can be kept."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.decisions.budget import Budget
from outlearn.decisions.checks import as_scores, percent
from outlearn.decisions.conformal import benjamini_hochberg, p_values, tail_p_values
from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import Rule
from outlearn.decisions.threshold import by_contamination, by_false_alarm_rate, just_above

__all__ = ["decide"]

_UNKNOWN_SUPPORT = (
    "there are no held-out normal rows to compare with, and the rows the detector learnt from may hold "
    "anomalies"
)
_NONE_HELD_OUT = (
    "no normal rows were held out to compare with, and those that a detector learnt from score lower than "
    "new ones; it takes a fit that is told a false-alarm rate"
)


def decide(
    scores: ArrayLike,
    *,
    rule: Rule,
    support_scores: ArrayLike,
    reference_scores: ArrayLike | None = None,
    known_normal: bool = False,
    times: ArrayLike | None = None,
) -> Decision:
    """Decide which rows of a batch are flagged and say what is promised.

    All scores are on one scale, that of the threshold returned.

    Parameters
    ----------
    scores : (m,) scores of the batch, high = abnormal.
    rule : how to choose.
    support_scores : (n,) scores of the rows that the detector learnt from.
    reference_scores : (k,) scores of normal rows from the same source as new normal rows, which the detector
        did **not** learn from. Without them no promise about false alarms or discoveries can be made.
    known_normal : whether the rows that it learnt from are known to be normal.
    times : (m,) datetime64 time of each row, wanted by a budget with a period.

    Raises
    ------
    InputError
        When scores are not finite numbers in one dimension.
    ParameterError
        When a budget with a period comes without times.

    >>> decision = decide([0.2, 0.95], rule=Rule.false_alarm_rate(0.1), support_scores=[0.2, 0.3],
    ...                   reference_scores=np.linspace(0, 0.9, 19))
    >>> decision.flagged, decision.promise.holds
    (array([False,  True]), True)
    """
    new = as_scores(scores, "scores")
    support = as_scores(support_scores, "support_scores", at_least=1)
    reference = (
        None if reference_scores is None else as_scores(reference_scores, "reference_scores", at_least=1)
    )
    p = None if reference is None else p_values(new, reference)
    if rule.kind == "budget":
        flagged, threshold = cast("Budget", rule.value).flag(new, times)
        return Decision(flagged, threshold, rule, _budget_promise(cast("Budget", rule.value)), p)
    value = cast("float", rule.value)
    if rule.kind == "contamination":
        threshold = by_contamination(support, value)
        promise = _contamination_promise(value, support, threshold)
    elif rule.kind == "false-alarm rate":
        threshold, promise = _false_alarm_threshold(support, reference, value, known_normal=known_normal)
    else:
        return _discoveries(new, support, reference, p, rule, known_normal=known_normal)
    return Decision(new >= threshold, threshold, rule, promise, p)


def _budget_promise(budget: Budget) -> Promise:
    span = "in all" if budget.period is None else f"in each {budget.period}"
    return Promise(
        True,
        f"never more than {budget.alerts:,} rows are flagged {span}, ties going to the row that comes first; "
        "nothing is promised about how many of them are false alarms",
    )


def _contamination_promise(share: float, support: NDArray[np.float64], threshold: float) -> Promise:
    n, reached = len(support), int((support >= threshold).sum())
    wanted = round(share * n)
    text = (
        f"the threshold flags about {percent(share)} of rows like those the detector learnt from, be they "
        "anomalies or not"
    )
    if wanted == 0:
        text = (
            f"{percent(share)} of the {n:,} rows that the detector learnt from are less than one, so the "
            "threshold lies above all of them"
        )
    elif reached < wanted:
        tied = int((support == support[support < threshold].max()).sum())
        text = (
            f"{percent(share)} were asked for, and the threshold flags {percent(reached / n)} of the rows "
            f"that the detector learnt from: the next {tied:,} share one score, and are flagged all or not "
            "at all"
        )
    return Promise(False, f"no false-alarm promise: {text}")


def _false_alarm_threshold(
    support: NDArray[np.float64], reference: NDArray[np.float64] | None, rate: float, *, known_normal: bool
) -> tuple[float, Promise]:
    if reference is not None:
        return by_false_alarm_rate(reference, rate)
    threshold, _ = by_false_alarm_rate(support, rate)
    why = _NONE_HELD_OUT if known_normal else _UNKNOWN_SUPPORT
    text = (
        f"no false-alarm promise: {why}; the threshold leaves at most {percent(rate)} of those rows above it"
    )
    return threshold, Promise(False, text)


def _discoveries(
    new: NDArray[np.float64],
    support: NDArray[np.float64],
    reference: NDArray[np.float64] | None,
    p: NDArray[np.float64] | None,
    rule: Rule,
    *,
    known_normal: bool,
) -> Decision:
    q = cast("float", rule.value)
    if p is None or reference is None:
        flagged = benjamini_hochberg(tail_p_values(new, support), q)
        why = _NONE_HELD_OUT if known_normal else _UNKNOWN_SUPPORT
        promise = Promise(
            False,
            f"no false-discovery promise: {why}; the p-values come from a model of the tail of those rows",
        )
    elif rule.tail_model:
        flagged = benjamini_hochberg(tail_p_values(new, reference), q)
        promise = Promise(
            False,
            "no false-discovery promise: p-values finer than the reference can show come from a model of its "
            "tail",
        )
    else:
        flagged = benjamini_hochberg(p, q)
        promise = _discovery_promise(q, len(new), len(reference), any_flagged=bool(flagged.any()))
    if flagged.any():
        threshold = float(new[flagged].min())
    else:
        threshold = just_above(float(max(new.max(initial=-math.inf), support.max())))
    return Decision(flagged, threshold, rule, promise, p)


def _discovery_promise(q: float, rows: int, references: int, *, any_flagged: bool) -> Promise:
    text = (
        f"at most {percent(q)} of the flagged rows are normal, on average, if normal rows come from the same "
        f"source as the {references:,} held-out reference rows and those hold no anomalies"
    )
    needed_for_one = math.ceil(rows / q - 1e-9) - 1
    if not any_flagged and references < needed_for_one:
        least = math.ceil(rows / (q * (references + 1)) - 1e-9)
        text += (
            f"; nothing was found, and with so few reference rows nothing could be unless at least {least:,} "
            f"of the {rows:,} rows were odder than all of them ({needed_for_one:,} reference rows are needed "
            "to find a single one)"
        )
    return Promise(True, text)
