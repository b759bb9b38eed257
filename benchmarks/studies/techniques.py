"""Which techniques of MITRE ATT&CK the rules name on whole captures, and on which harmless ones.

    python benchmarks/techniques.py DATA --out techniques.json

DATA is a folder as for `captures.py`. Each capture is read as flows, and the rules of `alerts.techniques` are
asked of every flow, flagged or not. What an attack is, the name of its capture tells, which is kept beside.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.harness import machine, rowfile
from benchmarks.studies.captures import captures
from outlearn.alerts.techniques import technique_masks, techniques_of


def main() -> None:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows: list[rowfile.Row] = []
    for name, (flows, label) in captures(options.data).items():
        mask = int(np.bitwise_or.reduce(technique_masks(flows))) if flows.height else 0
        named = [technique.id for technique in techniques_of(mask)]
        rows.append({"capture": name, "attack": label, "flows": flows.height, "techniques": named})
    rowfile.write(options.out, {}, rows, command=machine.command("techniques.py"))
    for label, words in enumerate(("harmless", "with an attack")):
        mine = [row for row in rows if row["attack"] == label]
        named = [row for row in mine if row["techniques"]]
        print(f"{words}: {len(mine)} captures, a technique named on {len(named)}")
        for row in named:
            print(f"  {row['capture']}: {', '.join(row['techniques'])}")


if __name__ == "__main__":
    main()
