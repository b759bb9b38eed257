"""How the rows to flag are chosen: by a rule that a user gives, or by one that the detector has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from outlearn.decisions.budget import Budget, parse_budget
from outlearn.decisions.checks import as_share

__all__ = ["OwnRule", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """How to choose the rows to flag; make one with the four class methods.

    >>> str(Rule.budget("20/day")), str(Rule.false_alarm_rate(0.01))
    ('budget 20/day', 'false-alarm rate 0.01')
    """

    kind: Literal["contamination", "false-alarm rate", "budget", "false-discovery rate"]
    value: float | Budget
    tail_model: bool = False

    @classmethod
    def contamination(cls, share: float) -> Rule:
        """Flag the share of rows that the support would have flagged of itself."""
        return cls("contamination", as_share(share, "contamination"))

    @classmethod
    def false_alarm_rate(cls, rate: float) -> Rule:
        """Flag so that at most the share `rate` of normal rows is flagged."""
        return cls("false-alarm rate", as_share(rate, "false-alarm rate"))

    @classmethod
    def budget(cls, budget: str | int | Budget) -> Rule:
        """Flag a number of rows: 20, "20" or "20/day"."""
        return cls("budget", budget if isinstance(budget, Budget) else parse_budget(str(budget)))

    @classmethod
    def false_discovery_rate(cls, q: float, *, tail_model: bool = False) -> Rule:
        """Flag so that at most the share `q` of the flagged rows is normal.

        `tail_model` extrapolates p-values below 1 / (n + 1), which finds more and gives the promise up.
        """
        return cls("false-discovery rate", as_share(q, "false-discovery rate"), tail_model)

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


@dataclass(frozen=True, slots=True)
class OwnRule:
    """How rows are chosen where nobody gives a rule.

    kind : "even odds", more likely an anomaly than not; "expected F1", those of the best expected F1 among
        rows that are at least as likely as `value`, 0 for any; "bulk", above the bulk of the scores, at an
        estimated share `value` of anomalies; "likeness", as near to a confirmed case as rows of the table lie
        to one another.

    >>> str(OwnRule("bulk", 0.05))
    "the detector's own threshold: above the bulk of the scores, at a rough estimate of 5.0% anomalies"
    """

    kind: Literal["even odds", "expected F1", "bulk", "likeness"]
    value: float = 0.0

    def __str__(self) -> str:
        if self.kind == "likeness":
            return "as near to a confirmed case as rows of the table lie to one another"
        if self.kind == "even odds":
            meaning = "more likely an anomaly than not, as the model judges"
        elif self.kind == "bulk":
            meaning = f"above the bulk of the scores, at a rough estimate of {self.value:.1%} anomalies"
        else:
            least = f", and none that is less likely than {self.value * 100:g} %" if self.value else ""
            meaning = (
                "of the rows compared with, those of the best expected F1 are flagged: at most as many as "
                f"the model expects anomalies{least}"
            )
        return f"the detector's own threshold: {meaning}"
