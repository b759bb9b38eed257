"""Findings of a search for configurations: one HTML page, and a few lines for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from outlearn import __version__
from outlearn.findings.tuning import Tried, TuningFindings
from outlearn.report.page import render
from outlearn.report.plots import plot_search
from outlearn.shown import unbroken

__all__ = ["render_tuning", "tuning_text"]

SHOWN = 5  # configurations, and faults, that a terminal shows


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
    gains = [findings.expected[place] for place in (*findings.members, findings.default)]
    most = max((gain for gain in gains if not math.isnan(gain)), default=0.0)

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
        "source": f"{findings.source.name} · strategy {findings.strategy} · {findings.seconds:.1f} s",
        "why": findings.why[:1].upper() + findings.why[1:] + ".",
        "chosen": [row(place) for place in findings.members],
        "default": None if findings.default in findings.members else row(findings.default),
        "beside": _seen_of(findings.beside).removeprefix("; "),
        "labelled": any(trial.precision is not None for trial in findings.trials),
        "searched": _searched(findings.trials) + ".",
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
        "search": _picture(findings),
        "notes": findings.notes,
    }
    return render("tuning.html", values)


def tuning_text(findings: TuningFindings) -> str:
    """Return the same in a few lines for a terminal. Gains are over the mean of the candidates."""
    names, members = findings.names, findings.members

    def line(place: int) -> str:
        value = findings.expected[place]
        return names[place] if math.isnan(value) else f"{names[place]} (expected gain {value:+.3f})"

    many = f"{len(members)} configurations, ranks averaged" if len(members) > 1 else "one configuration"
    lines = [f"{findings.strategy}: {many}, in {findings.seconds:.1f} s; {findings.why}"]
    lines += [f"   {line(place)}" for place in members[:SHOWN]]
    if len(members) > SHOWN:
        lines.append(f"   and {len(members) - SHOWN} more")
    if findings.default not in members:
        lines.append(f"the default: {line(findings.default)}{_seen_of(findings.beside)}")
    if findings.trials:
        lines.append(_searched(findings.trials))
        marked = [(t.precision, t.place) for t in findings.trials if t.precision is not None]
        if marked:
            best, place = max(marked)
            lines.append(f"best on the labelled rows: {names[place]} (average precision {best:.2f})")
        lines += [f"   failed: {names[t.place]}: {t.fault}" for t in findings.trials if t.fault][:SHOWN]
    return "\n".join(map(unbroken, [*lines, *(f" - {note}" for note in findings.notes)]))


def _seen_of(beside: Tried | None) -> str:
    """Return how the trial of the default went, in words."""
    if beside is None:
        return ""
    if beside.fault:
        return f"; it failed when tried: {beside.fault}"
    precision = beside.precision
    said = "" if precision is None else f", average precision on the labelled rows {precision:.2f}"
    agrees = "" if beside.agreement is None else f"agrees with outlearn {beside.agreement:.2f}"
    return f"; {agrees}{said}"


def _picture(findings: TuningFindings) -> dict[str, str] | None:
    """Return the search as a picture, and in words for who does not see it."""
    trials = findings.trials
    labelled = any(trial.precision is not None for trial in trials)

    def seen(trial: Tried | None) -> float | None:
        if trial is None:
            return None
        return trial.precision if labelled else trial.agreement

    values = [seen(trial) for trial in trials]
    known = [value for value in values if value is not None]
    if not known:
        return None
    title = "average precision on labels" if labelled else "agrees with outlearn"
    chosen = [trial.place in findings.members for trial in trials]
    default = seen(findings.beside)
    said = "" if default is None else f"; the default {default:.2f}"
    return {
        "svg": plot_search(values, chosen, default, title),
        "words": f"{title}: from {min(known):.2f} to {max(known):.2f} over {len(trials)} trials{said}",
    }


def _searched(trials: Sequence[Tried]) -> str:
    worked, spent = sum(not trial.fault for trial in trials), sum(trial.seconds for trial in trials)
    return f"{len(trials)} tried, of which {worked} worked, in {spent:.1f} s"


def _number(value: float | None, form: str) -> str:
    return "" if value is None or math.isnan(value) else format(value, form)
