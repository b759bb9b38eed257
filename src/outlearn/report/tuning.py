"""What a search for configurations did, as one HTML page."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

from outlearn import __version__
from outlearn.report.page import render, write_page

__all__ = ["Tried", "TuningFindings", "render_tuning", "write_tuning_report"]


@dataclass(frozen=True, slots=True)
class Tried:
    """A configuration that was tried.

    place : in `TuningFindings.names`. agreement : rank correlation with the in-context learner's scores;
    precision : average precision on the labelled rows; both None where nothing was seen. fault : why.
    """

    place: int
    agreement: float | None
    precision: float | None
    seconds: float
    fault: str = ""


@dataclass(frozen=True)
class TuningFindings:
    """What the page tells.

    names, expected : of all configurations, and the gain in average precision expected (NaN: unknown).
    members : places of those chosen, the best first. default : the place of the default.
    """

    source: str
    strategy: str
    why: str
    seconds: float
    names: list[str]
    expected: list[float]
    members: list[int]
    default: int
    trials: list[Tried]
    notes: tuple[str, ...]


def render_tuning(findings: TuningFindings) -> str:
    """Return the page.

    Raises
    ------
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    many = len(findings.members)
    first = findings.names[findings.members[0]].split(" ")[0]
    headline = f"{many} configurations, ranks averaged" if many > 1 else f"One configuration of {first}"
    told = [i for i in (*findings.members, findings.default) if not math.isnan(findings.expected[i])]
    most = max((findings.expected[i] for i in told), default=0.0)
    worked = sum(not trial.fault for trial in findings.trials)
    spent = sum(trial.seconds for trial in findings.trials)

    def row(place: int) -> dict[str, Any]:
        value = findings.expected[place]
        known = not math.isnan(value) and most > 0
        return {
            "name": findings.names[place],
            "default": place == findings.default,
            "expected": _number(value, "+.3f"),
            "share": round(100 * max(value, 0.0) / most) if known else None,
        }

    values = {
        "version": __version__,
        "headline": headline,
        "source": f"{findings.source} · strategy {findings.strategy} · {findings.seconds:.1f} s",
        "why": findings.why[:1].upper() + findings.why[1:] + ".",
        "chosen": [row(place) for place in findings.members],
        "default": None if findings.default in findings.members else row(findings.default),
        "labelled": any(trial.precision is not None for trial in findings.trials),
        "searched": f"{len(findings.trials)} tried, {worked} worked, in {spent:.1f} s.",
        "trials": [
            {
                "name": findings.names[trial.place],
                "chosen": trial.place in findings.members,
                "fault": trial.fault,
                "agreement": _number(trial.agreement, ".2f"),
                "precision": _number(trial.precision, ".2f"),
                "expected": _number(findings.expected[trial.place], "+.3f"),
                "seconds": f"{trial.seconds:.2f}",
            }
            for trial in findings.trials
        ],
        "notes": findings.notes,
    }
    return render("tuning.html", values)


def write_tuning_report(findings: TuningFindings, path: str | os.PathLike[str]) -> None:
    """Write the page to `path`: all of it, or nothing.

    Raises
    ------
    OutputError
        When the file cannot be written; what was there before stays as it was.
    MissingExtraError
        Without the packages of the extra ``report``.
    """
    write_page(render_tuning(findings), path)


def _number(value: float | None, form: str) -> str:
    return "" if value is None or math.isnan(value) else format(value, form)
