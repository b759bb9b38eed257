"""Findings as JSON lines for other programs: a summary first, then one object for each finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isnan
from typing import Any

from outlearn.explain.explanation import Explanation
from outlearn.findings.cells import cell_out
from outlearn.findings.codec import FORMAT, AnyFindings, plain
from outlearn.findings.series import SeriesFindings
from outlearn.findings.table import Findings
from outlearn.findings.tuning import TuningFindings

__all__ = ["json_line", "json_lines", "row_object"]


def json_lines(findings: AnyFindings) -> Iterator[str]:
    """Return an iterator over the lines, without their ends.

    Each is an object whose key ``type`` says what it describes: "summary", "row", "incident", "host",
    "range" or "configuration". Rows and ranges come with the oddest first.

    >>> from outlearn.findings.table import Origin
    >>> findings = TuningFindings(Origin("a.csv", 9), "maml", "", 1.0, ("lof",), (0.1,), (0,), 0, (), ())
    >>> [json.loads(line)["type"] for line in json_lines(findings)]
    ['summary', 'configuration']
    """
    if isinstance(findings, Findings):
        objects = _of_table(findings)
    elif isinstance(findings, SeriesFindings):
        objects = _of_series(findings)
    else:
        objects = _of_tuning(findings)
    return map(json_line, objects)


def json_line(values: dict[str, Any]) -> str:
    """Return an object of plain values as one line of strict JSON, in ASCII, which any pipe takes."""
    return json.dumps(values, allow_nan=False)


def row_object(why: Explanation) -> dict[str, Any]:
    """Return the score of a row and its reasons as an object of a line."""
    fields: dict[str, Any] = plain(why)
    fields["reason"] = fields.pop("sentence")
    fields["label_effects"] = fields.pop("labels")
    return {"type": "row", **fields}


def _of_table(findings: Findings) -> Iterator[dict[str, Any]]:
    decision = findings.decision
    yield {
        "type": "summary",
        "format": FORMAT,
        "source": plain(findings.source),
        "reference": plain(findings.reference),
        "detector": findings.detector,
        "rows": len(findings.scores),
        "flagged": int(decision.flagged.sum()),
        "suppressed": findings.suppressed,
        "threshold": None if isnan(decision.threshold) else plain(decision.threshold),
        "rule": {**plain(decision.rule), "words": str(decision.rule)},
        "promise": plain(decision.promise),
        "doubt": findings.doubt or None,
        "cautions": list(findings.cautions),
        "support_size": findings.support_size,
        "labels": dict(zip(("anomaly", "normal"), findings.labels, strict=True)),
        "notes": list(findings.notes),
        "limits": list(findings.limits),
        "seconds": plain(findings.seconds),
        "seed": findings.seed,
        "version": findings.version,
    }
    reasons = {why.row: why for why in findings.explanations}
    for rank, (row, cells) in enumerate(zip(findings.top.tolist(), findings.top_values, strict=True), 1):
        why = reasons.get(row)
        p_value = None if decision.p_values is None else float(decision.p_values[row])
        yield {
            **(row_object(why) if why else {"type": "row", "row": row, "score": float(findings.scores[row])}),
            "rank": rank,
            "flagged": bool(decision.flagged[row]),
            "p_value": p_value,
            "values": {name: cell_out(value) for name, value in cells.items()},
        }
    for incident in findings.incidents or ():
        yield {"type": "incident", **plain(incident)}
    for host in findings.hosts:
        yield {"type": "host", **plain(host)}


def _of_series(findings: SeriesFindings) -> Iterator[dict[str, Any]]:
    yield {
        "type": "summary",
        "format": FORMAT,
        "source": plain(findings.source),
        "reference": plain(findings.reference),
        "points": findings.points,
        "series": findings.series,
        "flagged": findings.flagged,
        "ranges": len(findings.segments),
        "threshold": plain(findings.threshold),
        "promise": plain(findings.promise),
        "notes": list(findings.notes),
        "seconds": findings.seconds,
    }
    for rank, segment in enumerate(findings.segments, 1):
        reason = findings.reasons[rank - 1] if rank <= len(findings.reasons) else None
        yield {"type": "range", "rank": rank, **plain(segment), "reason": reason}


def _of_tuning(findings: TuningFindings) -> Iterator[dict[str, Any]]:
    yield {
        "type": "summary",
        "format": FORMAT,
        "source": plain(findings.source),
        "strategy": findings.strategy,
        "why": findings.why,
        "chosen": [findings.names[place] for place in findings.members],
        "default": findings.names[findings.default],
        "seconds": findings.seconds,
        "notes": list(findings.notes),
    }
    trials = {trial.place: trial for trial in findings.trials}
    for place, name in enumerate(findings.names):
        trial = trials.get(place)
        yield {
            "type": "configuration",
            "name": name,
            "expected_gain": plain(findings.expected[place]),
            "chosen": place in findings.members,
            "trial": None if trial is None else {k: v for k, v in plain(trial).items() if k != "place"},
        }
