"""The limits of a run: claims that it does not support, in sentences."""

from __future__ import annotations

import numpy as np

from outlearn.data.rows import row_hash
from outlearn.decisions.decision import Decision
from outlearn.decisions.rule import Rule
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.tie_margin import ROUNDING
from outlearn.explain.words import percent
from outlearn.pipeline.scan import Scan

__all__ = ["limits_of"]

ALONE = "Rows are judged one by one: what is odd only in their order or number over time is not seen."
_FEW_ROWS = 50
_MANY_COPIES = 0.2
_MANY_FLAGGED = 0.1


def limits_of(
    detector: BaseDetector, scan: Scan, decision: Decision, total: int | None, *, around: bool = False
) -> tuple[str, ...]:
    """Return the sentences that apply.

    total : of how many rows the support was chosen, if known. around : whether columns tell of the rows
    around each.
    """
    sentences = [
        _labels(detector),
        _support(detector, total),
        _score(detector),
        _copies(detector),
        _changed(scan),
        _verdict(scan, decision),
        _ties(scan, decision),
        "" if around else ALONE,
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _labels(detector: BaseDetector) -> str:
    y = detector.support_y_
    if (y == 0).all():
        return (
            "The rows compared with are taken as normal, as said; anomalies among them would make others "
            "like them look usual."
        )
    anomalies = int((y == 1).sum())
    if anomalies:
        return (
            f"The labels name {anomalies:,} {'anomaly' if anomalies == 1 else 'anomalies'}; kinds of "
            "anomaly unlike them are found only as far as they are odd."
        )
    return (
        "Without labelled anomalies, flagged means odd, not bad: how many flagged rows matter is unknown "
        "until some are checked."
    )


def _support(detector: BaseDetector, total: int | None) -> str:
    n = len(detector.support_)
    if n < _FEW_ROWS:
        return f"There are only {n:,} rows to compare with: what is usual is hardly known."
    if total is not None and n < total:
        return f"Each row is compared with {n:,} of {total:,} rows; rare kinds of usual row may be missing."
    return ""


def _score(detector: BaseDetector) -> str:
    if detector.probabilistic:
        return (
            "The score is calibrated on the tables that the model learnt from; on this table that is not "
            "checked."
        )
    return "The score ranks rows and is no probability; 0.5 is where the detector would put the threshold."


def _copies(detector: BaseDetector) -> str:
    support = detector.support_
    share = 1.0 - len(np.unique(row_hash(support))) / len(support)
    if share < _MANY_COPIES:
        return ""
    return (
        f"{percent(share)} of the rows compared with are copies of another: copies make one another look "
        "usual."
    )


def _changed(scan: Scan) -> str:
    if not scan.changed:
        return ""
    names = ", ".join(f"'{name}' ({percent(share)} of the rows)" for name, share in scan.changed)
    return (
        "Rows that hold another value than all rows learnt from are odd by that alone, and many do: "
        f"{names}; --ignore leaves a column out."
    )


def _ties(scan: Scan, decision: Decision) -> str:
    """Say that rows of one score are what the threshold lies right above."""
    if isinstance(decision.rule, Rule) and decision.rule.kind == "budget":
        return ""  # which takes some of several rows that tie
    below = float(scan.scores[scan.scores < decision.threshold].max(initial=-np.inf))
    tied = int((np.abs(scan.scores - below) <= ROUNDING).sum()) if np.isfinite(below) else 0
    if tied < 2 or decision.threshold - below > 2 * ROUNDING:
        return ""
    return (
        f"The threshold lies right above the score {below:.3f}, which {tied:,} rows share: rows of one "
        "score are flagged all or not at all, and all of these are more than the rule allows."
    )


def _verdict(scan: Scan, decision: Decision) -> str:
    if len(scan.scores) > 1 and np.ptp(scan.scores) == 0:
        return "All rows have the same score: nothing here sets one apart from the others."
    share = float(decision.flagged.mean())
    if share > _MANY_FLAGGED:
        return (
            f"{percent(share)} of the rows are flagged, which is not rare: they may be another kind of usual."
        )
    return ""
