"""Which techniques of MITRE ATT&CK the rules name on whole captures, and on which harmless ones.

    python -m benchmarks run techniques DATA --out techniques.json

DATA is a folder as for `captures`. Each capture is read as flows, and the rules of `alerts.techniques` are
asked of every flow, flagged or not. What an attack is, the name of its capture tells, which is kept beside.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.captures import captures
from outlearn.alerts.techniques import technique_masks, techniques_of


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)


def conduct(call: Call) -> None:
    options = call.options
    rows: list[rowfile.Row] = []
    for name, (flows, label) in captures(options.data).items():
        mask = int(np.bitwise_or.reduce(technique_masks(flows))) if flows.height else 0
        named = [technique.id for technique in techniques_of(mask)]
        rows.append({"capture": name, "attack": label, "flows": flows.height, "techniques": named})
    rowfile.write(options.out, {}, rows, command=call.command)
    print(report(rows))


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return how many captures of each kind have a technique named, and which."""
    lines = []
    for label, words in enumerate(("harmless", "with an attack")):
        mine = [row for row in rows if row["attack"] == label]
        named = [row for row in mine if row["techniques"]]
        lines.append(f"{words}: {len(mine)} captures, a technique named on {len(named)}")
        lines += [f"  {row['capture']}: {', '.join(row['techniques'])}" for row in named]
    return "\n".join(lines)


STUDY = Study("techniques", __doc__, arguments, conduct, report=on_rows(report))
