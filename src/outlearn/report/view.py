"""The variables of the page template, as plain words and numbers: all that it needs and nothing more."""

from __future__ import annotations

from typing import Any

import numpy as np

from outlearn.explain.explanation import Explanation
from outlearn.explain.words import percent
from outlearn.findings.table import ColumnProfile, Findings
from outlearn.report.incidents import host_view, incident_view
from outlearn.report.plots import count_scores, plot_histogram, plot_map, plot_profile
from outlearn.report.profiles import profile_words
from outlearn.report.summary import (
    CAUTION,
    DOUBT,
    columns_sentence,
    direction_words,
    effects_sentence,
    headline,
    labels_sentence,
    promise_title,
    rule_sentence,
    sentence,
)
from outlearn.report.words import cell, reason_value, score
from outlearn.shown import clean

__all__ = ["view"]

_ROWS, _OPEN = 50, 3  # rows shown in full, and those that stand open
_REASONS, _CELLS, _PROFILES, _COLUMNS = 8, 60, 12, 30  # shown at most, of a row and of a table
_NAME, _SENTENCE = 80, 500  # characters


def view(findings: Findings) -> dict[str, Any]:
    """Return the variables of the page template."""
    decision = findings.decision
    shown = findings.top[:_ROWS]
    return {
        "headline": headline(findings),
        "rule": sentence(rule_sentence(findings)),
        "doubt": {"title": DOUBT, "text": sentence(clean(findings.doubt, _SENTENCE))}
        if findings.doubt
        else None,
        "cautions": [
            {"title": CAUTION, "text": sentence(clean(caution, _SENTENCE))} for caution in findings.cautions
        ],
        "promise": {
            "holds": decision.promise.holds,
            "title": promise_title(findings),
            "text": sentence(clean(decision.promise.text, _SENTENCE)),
        },
        "source": clean(str(findings.source), 300),
        "reference": clean(str(findings.reference), 300) if findings.reference else "the same rows",
        "columns": columns_sentence(findings),
        "any_flagged": bool(decision.flagged.any()),
        "histogram": _histogram(findings),
        "map": _map(findings),
        "rows": [_row(findings, rank) for rank in range(len(shown))],
        "rows_left": len(findings.top) - len(shown),
        "incidents": incident_view(findings),
        "hosts": host_view(findings),
        "profiles": [_profile(p) for p in findings.profiles[:_PROFILES]],
        "profiles_left": len(findings.profiles[_PROFILES:]),
        "aside": [
            {"name": clean(c.name, _NAME), "kind": str(c.kind), "note": clean(c.note, 200) or "not used"}
            for c in findings.schema.set_aside[:_COLUMNS]
        ],
        "aside_left": len(findings.schema.set_aside[_COLUMNS:]),
        "notes": [clean(note, _SENTENCE) for note in findings.notes],
        "limits": [clean(limit, _SENTENCE) for limit in findings.limits],
        "details": _details(findings),
        "version": clean(findings.version, 40),
    }


def _histogram(findings: Findings) -> dict[str, Any] | None:
    if not np.isfinite(findings.scores).any():
        return None
    counted = count_scores(findings.scores, findings.decision.flagged, findings.decision.threshold)
    return {
        "svg": plot_histogram(counted),
        "words": f"Distribution of {findings.scores.size:,} anomaly scores: {rule_sentence(findings)}.",
        "width": f"{counted.width:g}",
        "log": counted.log,
    }


def _map(findings: Findings) -> dict[str, Any] | None:
    sample = findings.map
    if sample is None or sample.rows.size == 0:
        return None
    flagged = int(sample.flagged.sum())
    return {
        "svg": plot_map(sample),
        "words": f"Map of {sample.rows.size:,} rows, {flagged:,} of them flagged; similar rows lie close.",
        "count": f"{sample.rows.size:,}",
        "sampled": sample.rows.size < findings.scores.size,
    }


def _row(findings: Findings, rank: int) -> dict[str, Any]:
    row = int(findings.top[rank])
    why = findings.explanations[rank] if rank < len(findings.explanations) else None
    values = findings.top_values[rank] if rank < len(findings.top_values) else {}
    p_values = findings.decision.p_values
    return {
        "rank": rank + 1,
        "row": row,
        "open": rank < _OPEN,
        "score": score(float(findings.scores[row])),
        "filled": _per_cent_of(float(findings.scores[row]), 1.0),
        "flagged": bool(findings.decision.flagged[row]),
        "p_value": None if p_values is None else f"{p_values[row]:.2g}",
        "sentence": clean(why.sentence, _SENTENCE) if why else "No reason was computed for this row.",
        "reasons": _reasons(why) if why else [],
        "neighbours": ", ".join(str(n) for n in dict.fromkeys(why.neighbours[:10])) if why else "",
        "of_source": why is not None and why.of_source,
        "labels": effects_sentence(why) if why else "",
        "cells": [(clean(name, _NAME), cell(value)) for name, value in list(values.items())[:_CELLS]],
        "cells_left": max(len(values) - _CELLS, 0),
    }


def _reasons(why: Explanation) -> list[dict[str, Any]]:
    """Return the columns that make a row odd; those that add nothing are left out, unless none does."""
    chosen = [c for c in why.contributions if c.drop > 0] or list(why.contributions[:1])
    most = max((c.drop for c in chosen), default=0.0)
    return [
        {
            "column": clean(c.column, _NAME),
            "value": reason_value(c),
            "usual": clean(c.usual, 160),
            "direction": clean(direction_words(c), 160),
            "filled": _per_cent_of(c.drop, most),
        }
        for c in chosen[:_REASONS]
    ]


def _per_cent_of(value: float, whole: float) -> int:
    """Return the length of a bar from 0 to 100."""
    if not (np.isfinite(value) and whole > 0):
        return 0
    return int(np.clip(round(100 * value / whole), 0, 100))


def _profile(column: ColumnProfile) -> dict[str, Any]:
    profile = profile_words(column)
    name = clean(profile.column, _NAME)
    pairs = zip(profile.bins, profile.usual_share, profile.flagged_share, strict=True)
    words = "; ".join(f"{clean(b, 30)}: usual {percent(u)}, flagged {percent(f)}" for b, u, f in pairs)
    return {
        "name": name,
        "kind": clean(profile.kind, 20),
        "usual": clean(profile.usual, 200),
        "flagged": clean(profile.flagged, 200),
        "svg": plot_profile(profile) if profile.bins else "",
        "words": f"Shares of rows by {name}. {words}",
    }


def _details(findings: Findings) -> list[tuple[str, str]]:
    return [
        ("Detector", clean(findings.detector, 300)),
        ("Rows it compares with", f"{findings.support_size:,}"),
        ("Labels given", labels_sentence(findings)),
        ("Threshold rule", clean(str(findings.decision.rule), 200)),
        ("Seed", "not fixed" if findings.seed is None else str(findings.seed)),
        (
            "Seconds",
            ", ".join(f"{clean(name, 40)} {spent:.2f}" for name, spent in findings.seconds.items()) or "–",
        ),
        ("Version", f"outlearn {clean(findings.version, 40)}"),
    ]
