"""Evaluation: metrics, protocols as code, and comparisons; shared by tests, benchmarks and the CLI."""

from outlearn.evaluate.compare import Comparison, Standing, compare
from outlearn.evaluate.evaluation import Estimator, Evaluation, evaluate_detector
from outlearn.evaluate.events import Affiliation, Events, affiliation, events_at, events_within
from outlearn.evaluate.leakage import telling_columns
from outlearn.evaluate.loop import LoopFigures, evaluate_loop
from outlearn.evaluate.metrics import (
    Interval,
    Metric,
    auroc,
    average_precision,
    average_precision_at,
    bootstrap_interval,
    expected_calibration_error,
    precision_at_budget,
    recall_at_budget,
    recall_at_false_alarms,
)
from outlearn.evaluate.protocol import (
    PROTOCOLS,
    Protocol,
    Split,
    contaminated,
    few_labels,
    inlier_only,
    inlier_only_dte,
)
from outlearn.evaluate.zero_day import FamilyFigures, judge_zero_day, zero_day

__all__ = [
    "PROTOCOLS",
    "Affiliation",
    "Comparison",
    "Estimator",
    "Evaluation",
    "Events",
    "FamilyFigures",
    "Interval",
    "LoopFigures",
    "Metric",
    "Protocol",
    "Split",
    "Standing",
    "affiliation",
    "auroc",
    "average_precision",
    "average_precision_at",
    "bootstrap_interval",
    "compare",
    "contaminated",
    "evaluate_detector",
    "evaluate_loop",
    "events_at",
    "events_within",
    "expected_calibration_error",
    "few_labels",
    "inlier_only",
    "inlier_only_dte",
    "judge_zero_day",
    "precision_at_budget",
    "recall_at_budget",
    "recall_at_false_alarms",
    "telling_columns",
    "zero_day",
]
