"""The sentences that the page and the terminal share."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from outlearn.explain.explanation import Contribution, Explanation
from outlearn.explain.words import percent
from outlearn.findings.table import Findings
from outlearn.report.words import score
from outlearn.shown import clean

__all__ = [
    "CAUTION",
    "DOUBT",
    "columns_sentence",
    "direction_words",
    "effects_sentence",
    "headline",
    "labels_sentence",
    "promise_title",
    "rule_sentence",
    "sentence",
]

DOUBT = "I can't tell"  # before the reason why scores may tell nothing
CAUTION = "Look at this first"  # before what may make the findings wrong


def headline(findings: Findings) -> str:
    """Return the answer: "23 of 10,000 rows flagged"."""
    return f"{_flagged(findings):,} of {_rows(findings.scores.size)} flagged"


def rule_sentence(findings: Findings) -> str:
    """Return which rows are flagged, by their scores or otherwise, and by which rule."""
    decision, flagged = findings.decision, findings.decision.flagged
    rule = clean(str(decision.rule), 200)
    gone = _suppressed(findings)
    if decision.rule.kind == "likeness":
        return f"{_rows_are(_flagged(findings))} flagged, whatever the score{gone} (rule: {rule})"
    if not np.isfinite(decision.threshold):
        return f"no row is flagged{gone} (rule: {rule})"
    reached = findings.scores >= decision.threshold
    reach, left = _reach(findings, reached), int((reached & ~flagged).sum()) - findings.suppressed
    if not reached.any():
        return f"no row scores {reach} (rule: {rule})"
    if left > 0:
        others = _count(left, "other row scores", "other rows score")
        which = f"{_rows_are(_flagged(findings))} flagged, with scores of {reach}"
        return f"{which}; {others} as much, beyond the budget{gone} (rule: {rule})"
    share = percent(_flagged(findings) / findings.scores.size)
    if findings.suppressed:
        return f"{share} of the rows are flagged for a score of {reach}{gone} (rule: {rule})"
    return f"{share} of the rows score {reach} (rule: {rule})"


def _reach(findings: Findings, reached: NDArray[np.bool_]) -> str:
    """Return the threshold in words that no score of a row belies: "0.500 or more", "more than 0.500"."""
    threshold = findings.decision.threshold
    below = float(findings.scores[~reached].max(initial=-np.inf))
    for decimals in range(3, 6):
        if f"{below:.{decimals}f}" != f"{threshold:.{decimals}f}":
            shown = score(threshold)
            return f"{max(shown, f'{threshold:.{decimals}f}', key=len)} or more"
    return f"more than {score(below)}"


def _rows_are(count: int) -> str:
    return _count(count, "row is", "rows are")


def _suppressed(findings: Findings) -> str:
    if not findings.suppressed:
        return ""
    return f"; {_count(findings.suppressed, 'more row is suppressed', 'more rows are suppressed')}"


def promise_title(findings: Findings) -> str:
    """Return whether a guarantee can be made, in a few words."""
    return "Promise" if findings.decision.promise.holds else "No promise can be made"


def labels_sentence(findings: Findings) -> str:
    """Return which labels the detector was given."""
    anomalies, normal = findings.labels
    if anomalies == normal == 0:
        return "none"
    return f"{_count(anomalies, 'anomaly', 'anomalies')} and {normal:,} normal"


def effects_sentence(explanation: Explanation) -> str:
    """Return which labels moved a row's score, in words; empty where none did."""
    moved = [
        f"{f'row {effect.position}' if effect.position >= 0 else 'a row labelled later'} "
        f"({'anomaly' if effect.label else 'normal'}) {'raised' if effect.effect > 0 else 'lowered'} it by "
        f"{abs(effect.effect):.2g}"
        for effect in explanation.labels
    ]
    return f"Labels that moved the raw score most: {', '.join(moved)}." if moved else ""


def direction_words(contribution: Contribution) -> str:
    """Return which way a value is odd, and with which columns it is odd in combination.

    >>> direction_words(Contribution("items", 12, "1 to 12", "in combination", 0.5, ("amount", "day")))
    'in combination with amount, day'
    """
    if contribution.direction != "in combination" or not contribution.beside:
        return contribution.direction
    return f"in combination with {', '.join(contribution.beside)}"


def columns_sentence(findings: Findings) -> str:
    """Return how many columns were used, by kind, and how many were set aside."""
    kinds = Counter(str(column.kind) for column in findings.schema.used)
    used = _count(sum(kinds.values()), "column", "columns") + " used"
    by_kind = ", ".join(
        f"{n:,} {kind}" for kind, n in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    )
    schema = findings.schema
    constant = f", {len(schema.constant):,} of one value" if schema.constant else ""
    aside = len(schema.set_aside) - len(schema.constant)
    return f"{used}{f' ({by_kind})' if by_kind else ''}{constant}, {aside:,} set aside"


def sentence(text: str) -> str:
    """Return the text with a capital and a full stop.

    >>> sentence("no promise")
    'No promise.'
    """
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


def _flagged(findings: Findings) -> int:
    return int(np.count_nonzero(findings.decision.flagged))


def _rows(count: int) -> str:
    return _count(count, "row", "rows")


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
