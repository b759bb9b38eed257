"""Scores → yes or no, with a promise that says what it guarantees and what it cannot."""

from outlearn.decisions.budget import Budget, parse_budget
from outlearn.decisions.calibrate import Calibrator, contamination_estimate, shift_to
from outlearn.decisions.conformal import benjamini_hochberg, p_values, tail_p_values
from outlearn.decisions.decide import decide
from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import OwnRule, Rule
from outlearn.decisions.threshold import (
    by_budget,
    by_contamination,
    by_expected_f1,
    by_false_alarm_rate,
    rate_for_budget,
)

__all__ = [
    "Budget",
    "Calibrator",
    "Decision",
    "OwnRule",
    "Promise",
    "Rule",
    "benjamini_hochberg",
    "by_budget",
    "by_contamination",
    "by_expected_f1",
    "by_false_alarm_rate",
    "contamination_estimate",
    "decide",
    "p_values",
    "parse_budget",
    "rate_for_budget",
    "shift_to",
    "tail_p_values",
]
