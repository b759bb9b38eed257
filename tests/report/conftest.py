"""A small outcome of a run, whose fields a test may replace."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from outlearn.data.schema import Column, Kind, Schema
from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import Rule
from outlearn.explain.explanation import Contribution, Explanation
from outlearn.findings import Bin, CategorySummary, ColumnProfile, Findings, Origin, map_sample


@pytest.fixture
def make_findings() -> Callable[..., Findings]:
    def make(n: int = 40, flagged: int = 3, word: str = "amount", cell: Any = 9.5, **other: Any) -> Findings:
        rng = np.random.default_rng(0)
        scores = rng.permutation(np.linspace(0, 1, n)) ** 2
        order = np.argsort(-scores)
        threshold = float(scores[order[flagged - 1]]) if flagged else 1.0 + 1e-9
        flags = scores >= threshold
        top = order[: min(5, n)]
        sample = order[:500]
        told = tuple(
            Explanation(
                int(r),
                float(scores[r]),
                (
                    Contribution(word, cell, f"usual {word}", "high", 0.4),
                    Contribution("b", None, "1", "missing", 0.1),
                ),
                (1, 2),
                f"{word} is odd: {cell}",
            )
            for r in top
        )
        fields: dict[str, Any] = {
            "source": Origin(f"{word}.csv", n),
            "reference": None,
            "detector": f"detector {word}",
            "schema": Schema(
                (Column(word, Kind.NUMERIC), Column("id", Kind.IDENTIFIER, note=f"note {word}"))
            ),
            "scores": scores,
            "decision": Decision(
                flags, threshold, Rule.false_alarm_rate(0.01), Promise(True, f"promise {word}")
            ),
            "top": top,
            "top_values": tuple({word: cell, "b": None} for _ in top),
            "explanations": told,
            "support_size": n,
            "labels": (0, 0),
            "map": map_sample(
                rng.normal(size=(sample.size, 3)).astype(np.float32),
                sample,
                scores[sample],
                flags[sample],
                random_state=0,
            ),
            "profiles": (
                ColumnProfile(
                    word,
                    "categorical",
                    "category",
                    "",
                    (Bin("value", 0.9, 0.2, value=word), Bin("value", 0.1, 0.8, value="b")),
                    CategorySummary(((word, 0.9),), 0.0),
                    CategorySummary(((word, 0.2),), 0.0),
                ),
            )
            if flagged
            else (),
            "notes": (f"first note on {word}", "second note"),
            "limits": (f"first limit of {word}", "second limit"),
            "seconds": {"read": 0.1},
            "version": "0.0",
        }
        return Findings(**{**fields, **other})

    return make
