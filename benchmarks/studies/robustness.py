"""Each guard of the learners against the harm it is for: with and without it, harmed and unharmed.

    python -m benchmarks run robustness --out benchmarks/results/robustness.json

On five-way, five-shot tasks of generated characters (accuracy; characters that were not trained on) and on
detection by row profiles (average precision; synthetic tables that were not trained on). Every figure is a
mean over test tasks with its standard error; gains are paired by task. A finished question stays in the JSON
file, and the same command goes on where it stopped; a table is printed and written beside it as Markdown.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import machine, rowfile
from benchmarks.harness.study import Call, Study, listed
from benchmarks.studies import robust_glyphs, robust_tables
from benchmarks.studies.robust_glyphs import Glyphs
from benchmarks.studies.robust_tables import Tables
from outlearn.evaluate.compare import markdown

MEASURES = {"glyphs": "accuracy", "tables": "average precision"}
SETTINGS = ("seed", "classes", "steps", "tests", "tasks", "table_steps", "table_tests")


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, default=Path("robustness.json"))
    add(
        "--work",
        type=Path,
        default=Path("robustness.work"),
        help="where profiles of synthetic tables are kept",
    )
    add(
        "--on",
        type=listed(MEASURES, "kind of task"),
        default=list(MEASURES),
        help="comma-separated: %(default)s",
    )
    add("--seed", type=int, default=0)
    add("--classes", type=int, default=300, help="generated characters, a fifth of them for testing")
    add("--steps", type=int, default=500, help="meta-steps on characters")
    add("--tests", type=int, default=200, help="test tasks of characters")
    add("--tasks", type=int, default=160, help="synthetic tables to train on")
    add("--table-steps", type=int, default=120, help="meta-steps on them")
    add("--table-tests", type=int, default=80, help="synthetic tables to test on")


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {name: getattr(options, name) for name in SETTINGS}


def conduct(call: Call) -> None:
    options = call.options
    torch.set_num_threads(1)
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["on"], row["threat"], row["guard"]) for row in rows}
    labs = {
        "glyphs": (
            Glyphs.drawn(options.classes, options.steps, options.tests, options.seed),
            robust_glyphs,
        ),
        "tables": (
            Tables(options.work, options.tasks, options.table_steps, options.table_tests, options.seed),
            robust_tables,
        ),
    }
    for on in options.on:
        lab, module = labs[on]
        for (threat, guard), ask in module.QUESTIONS.items():
            if (on, threat, guard) in done:
                continue
            began = time.process_time()
            row = {"on": on, "threat": threat, "guard": guard, **ask(lab).row()}
            rows.append({**row, "seconds": round(time.process_time() - began, 1)})
            print(json.dumps(rows[-1]), flush=True)
            rowfile.write(options.out, call.settings, rows, command=call.command)
    text = report(rows, {"command": call.command, **machine.describe()})
    print(text)
    options.out.with_suffix(".md").write_text(text)


def report(rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> str:
    """Return the tables as Markdown, with command and machine, which `about` has."""
    facts = [f"* {name}: {about[name]}" for name in machine.FACTS]
    parts = ["# Robustness", f"    {about['command']}", "\n".join(facts)]
    parts.append(
        "Means over test tasks ± standard error, in brackets the mean of the worst decile of tasks. Gain: "
        "guarded less unguarded, both harmed, paired by task; price: the same, unharmed. A guard helps or "
        "hurts where the gain is beyond two standard errors. In a check the gain is what is left above the "
        "expected figure."
    )
    head = ("harm", "guard", "unharmed", "harmed", "harmed, guarded", "gain", "price", "")
    for on, measure in MEASURES.items():
        body = [_line(row) for row in rows if row["on"] == on]
        if body:
            parts.append(f"## {on.capitalize()}: {measure}\n\n{markdown(head, body)}")
    return "\n\n".join(parts) + "\n"


def _line(row: Mapping[str, Any]) -> list[str]:
    gain = row["gain"]
    if "expected" in row:
        verdict = "not above" if gain["mean"] <= 2 * gain["error"] else "ABOVE"
        guarded, price = f"expected {row['expected']:.3f}", "–"
    else:
        verdict = _verdict(gain)
        guarded = _cell(row["harmed_guarded"])
        price = f"{row['unharmed_guarded']['mean'] - row['unharmed']['mean']:+.3f}"
    return [
        row["threat"],
        row["guard"],
        _cell(row["unharmed"]),
        _cell(row["harmed"]),
        guarded,
        f"{gain['mean']:+.3f} ± {gain['error']:.3f}",
        price,
        verdict,
    ]


def _verdict(gain: Mapping[str, float]) -> str:
    if abs(gain["mean"]) <= 2 * gain["error"]:
        return "no difference"
    return "helps" if gain["mean"] > 0 else "hurts"


def _cell(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']:.3f} ± {figure['error']:.3f} ({figure['worst']:.3f})"


STUDY = Study(
    "robustness",
    __doc__,
    arguments,
    conduct,
    settings=settings,
    report=lambda stored: report(stored["rows"], stored),
)
