"""Rows of `adaptation` → Markdown: what adapting is worth, and what one-class gradients point at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from benchmarks.harness import machine
from outlearn.evaluate.compare import markdown

METRICS = {"ap": "Average precision", "auroc": "AUROC"}
WAYS = {
    "unlabelled": "no labels",
    "unadapted": "unadapted",
    "scratch": "from scratch",
    "adapted": "adapted",
}

Rows = Sequence[Mapping[str, Any]]


def report(rows: Rows, *, command: str) -> str:
    """Return the tables: per metric the means of each way and the tests, then the cosines."""
    facts = [f"* {name}: {value}" for name, value in machine.describe().items()]
    parts = ["# Adapting to five labels on unseen real sets", f"    {command}", "\n".join(facts)]
    if not rows:
        return "\n\n".join([*parts, "No set could be judged."]) + "\n"
    seeds = len({row["seed"] for row in rows})
    units = {unit: len({row[unit] for row in rows}) for unit in ("set", "family")}
    parts.append(
        f"{units['set']} sets of {units['family']} sources, means over {seeds} seeds. Gains are adapted less "
        "the other, mean over sets ± its standard error; p: one-sided paired Wilcoxon test that adapted is "
        "better, over sets / over sources (means of their sets)."
    )
    own = [row for row in rows if row["scratch_ap"] != ""]
    for metric, title in METRICS.items():
        parts.append(f"## {title}\n\n{_gains(own, metric)}")
        parts.append(f"Adapted, beside peers on the same rows and labels:\n\n{_beside(rows, metric)}")
    cosines = _cosines(own)
    if cosines:
        parts.append(f"## One-class and balanced gradient\n\n{cosines}")
    return "\n\n".join(parts) + "\n"


def _gains(rows: Rows, metric: str) -> str:
    others = [way for way in WAYS if way != "adapted"]
    head = ["learner", *WAYS.values()]
    for way in others:
        head += [f"gain on {WAYS[way]}", "p"]
    body = []
    for name in dict.fromkeys(row["learner"] for row in rows):
        mine = [row for row in rows if row["learner"] == name]
        by_set = {way: _means(mine, f"{way}_{metric}", "set") for way in WAYS}
        by_family = {way: _means(mine, f"{way}_{metric}", "family") for way in WAYS}
        cells = [name, *(f"{by_set[way].mean():.3f}" for way in WAYS)]
        for way in others:
            gain = by_set["adapted"] - by_set[way]
            tests = [greater(by["adapted"] - by[way]) for by in (by_set, by_family)]
            cells += [f"{gain.mean():+.3f} ± {_error(gain):.3f}", " / ".join(f"{p:.2g}" for p in tests)]
        body.append(cells)
    return markdown(head, body)


def _beside(rows: Rows, metric: str) -> str:
    """Return a table of gains over peers, on the sets that both ran on."""
    peers = list(dict.fromkeys(row["learner"] for row in rows if row["scratch_ap"] == ""))
    column = f"adapted_{metric}"
    body = []
    for name in dict.fromkeys(row["learner"] for row in rows):
        mine = [row for row in rows if row["learner"] == name]
        cells = [name, f"{len({row['set'] for row in mine})}", f"{_means(mine, column, 'set').mean():.3f}"]
        for peer in peers:
            theirs = [row for row in rows if row["learner"] == peer]
            both = {row["set"] for row in mine} & {row["set"] for row in theirs}
            ours, other = ([row for row in rows if row["set"] in both] for rows in (mine, theirs))
            gain = _means(ours, column, "set") - _means(other, column, "set")
            by_family = _means(ours, column, "family") - _means(other, column, "family")
            tests = " / ".join(f"{greater(gains):.2g}" for gains in (gain, by_family))
            cells.append("" if name == peer else f"{gain.mean():+.3f} ({tests})")
        body.append(cells)
    return markdown(["learner", "sets", "adapted", *(f"over {peer} (p)" for peer in peers)], body)


def _cosines(rows: Rows) -> str:
    body = []
    for name in dict.fromkeys(row["learner"] for row in rows):
        mine = [row for row in rows if row["learner"] == name and row["cosine"] != ""]
        if mine:
            before, after = (_means(mine, column, "set") for column in ("cosine_untrained", "cosine"))
            cells = [f"{values.mean():+.3f} ± {_error(values):.3f}" for values in (before, after)]
            body.append([name, *cells, f"{(after > 0).mean():.0%}"])
    if not body:
        return ""
    head = ("learner", "before meta-training", "after", "sets where positive after")
    note = (
        "Cosine between the gradient of the inner loss on the support without its known anomalies and that "
        "of the outer loss on the query with both classes weighed alike, at the start of adaptation; mean "
        "over sets ± its standard error. Above 0, adapting to usual rows alone is a step towards telling "
        "anomalies apart."
    )
    return f"{markdown(head, body)}\n\n{note}"


def greater(gain: NDArray[np.float64]) -> float:
    """Return the p-value of the one-sided paired Wilcoxon test that gains (s,) are above 0; 1 without any."""
    if len(gain) < 2 or not gain.any():
        return 1.0
    return float(wilcoxon(gain, alternative="greater", zero_method="zsplit").pvalue)


def _means(rows: Rows, column: str, unit: str) -> NDArray[np.float64]:
    """Return the mean of a column over the seeds of each set, or over the sets of each family."""
    by_unit: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        by_unit.setdefault(row[unit], {}).setdefault(row["set"], []).append(float(row[column]))
    return np.array([np.mean([np.mean(values) for values in of.values()]) for of in by_unit.values()])


def _error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
