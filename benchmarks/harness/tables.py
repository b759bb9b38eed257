"""Result rows → the report that is printed and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.harness import machine
from benchmarks.harness.anchors import anchor_table
from outlearn.errors import InputError
from outlearn.evaluate import compare
from outlearn.evaluate.compare import markdown

METRICS = {"auroc": "AUROC", "ap": "Average precision"}

Rows = Sequence[Mapping[str, Any]]


def report(protocols: Mapping[str, Rows], *, against: str, command: str) -> str:
    """Return Markdown: per protocol the standings by metric, the costs, what failed, what is published."""
    facts = [f"* {name}: {value}" for name, value in machine.describe().items()]
    parts = ["# Tabular benchmark", f"    {command}", "\n".join(facts)]
    for name, rows in protocols.items():
        parts += [f"## {name}", *_protocol(rows, against), anchor_table(name)]
    return "\n\n".join(parts) + "\n"


def _protocol(rows: Rows, against: str) -> list[str]:
    judged = [row for row in rows if not row["status"].startswith("refused")]
    refused = sorted(
        {f"{row['set']} ({row['status']})" for row in rows if row["status"].startswith("refused")}
    )
    names = list(dict.fromkeys(row["detector"] for row in judged))
    pool = [name for name in names if name != "random"] or names
    if not pool:
        return ["No set could be judged.", *refused]
    parts = []
    for metric, title in METRICS.items():
        try:
            chosen = against if against in pool else pool[0]
            table = compare(judged, metric, against=chosen, oracle_of=pool).to_markdown()
        except InputError as error:
            table = f"No table: {error}"
        parts.append(f"### {title}\n\n{table}")
    parts.append(f"### Costs\n\n{_costs(judged)}")
    failed = [
        f"* {r['set']}, {r['detector']}, seed {r['seed']}: {r['status']}"
        for r in judged
        if r["status"] != "ok"
    ]
    if failed:
        parts.append("### Runs without a figure\n\n" + "\n".join(failed))
    if refused:
        parts.append("### Sets refused by the protocol\n\n" + "\n".join(refused))
    return parts


def _costs(rows: Rows) -> str:
    body = []
    for name in dict.fromkeys(row["detector"] for row in rows):
        runs = [row for row in rows if row["detector"] == name]
        finished = [row for row in runs if row["status"] == "ok"]
        cells = (
            [f"{_sum(finished, 'fit_s'):.1f}", f"{_sum(finished, 'score_s'):.1f}"] if finished else ["–", "–"]
        )
        peaks = [float(row["peak_mb"]) for row in finished]
        memory = [f"{np.median(peaks):.0f}", f"{max(peaks):.0f}"] if peaks else ["–", "–"]
        body.append((name, f"{len(finished)}/{len(runs)}", *cells, *memory))
    head = ("detector", "runs finished", "fit s, sum", "score s, sum", "peak MB, median", "peak MB, max")
    note = "Peak MB: growth of the process above what it held before the run. One thread each."
    return f"{markdown(head, body)}\n\n{note}"


def _sum(rows: Rows, column: str) -> float:
    return sum(float(row[column]) for row in rows)
