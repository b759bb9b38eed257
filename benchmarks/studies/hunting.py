"""What the flags of a hunt are worth: rows of the cases' family found, rows flagged wrongly, empty hunts.

    python -m benchmarks run hunting DATA --out hunting.json

DATA is a folder with the sets of `zero_day`; of networks what is seen of their flows is taken as a
table. A table to hunt in has 3,000 normal rows, up to 50 of each attack family and up to 150 of the one
that the cases are of, which are other rows. *flagged*: share of that family that `outlearn.pipeline.hunt`
flags; *right*: share of the flagged that are of it; *wrong*: share of all other rows that are flagged.
*ranked*: share of the family among as many of the highest scores as it has rows; beside it the same by each
other learner that can be asked for, by the distance to the nearest case, and by CatBoost on cases and table.
Then the family is taken out of the table: *empty*: share of hunts that flag nothing, *absent*: share of rows
flagged there. Means over families. The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.harness import rowfile
from benchmarks.harness.peers import CatBoost
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.zero_day import Attacks, attacks
from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.data.readers import ReadOptions
from outlearn.detectors.similarity import Alike
from outlearn.evaluate.rows import distinct
from outlearn.evaluate.zero_day import held_families
from outlearn.pipeline.hunt import LEARNERS, hunt
from outlearn.rng import derive

SETS = ("nsl", "ton", "iot")
CASES = (1, 5)
NORMALS, OTHERS, THEIRS, FEWEST = 3000, 50, 150, 10
_STREAM = 0x4017


def measure(group: Attacks, family: str, cases: int, seed: int) -> rowfile.Row | None:
    """Return the figures of a family; None where it has too few distinct rows."""
    rng = derive(seed, _STREAM)
    rows = rng.permutation(distinct(group.rows))
    normal = rows[group.truth[rows] == 0][:NORMALS]
    odd = rows[group.truth[rows] == 1]
    theirs = odd[group.families[odd] == family][: cases + THEIRS]
    if len(theirs) < cases + FEWEST:
        return None
    names = sorted(set(group.families[odd].tolist()) - {family})
    others = [odd[group.families[odd] == name][:OTHERS] for name in names]
    known = group.rows[theirs[:cases]]
    absent = rng.permutation(np.concatenate([normal, *others]))
    present = rng.permutation(np.concatenate([absent, theirs[cases:]]))
    truth = np.isin(present, theirs)
    plain = ReadOptions(kind="table")
    findings = hunt(group.rows[present], known, options=plain, random_state=seed)
    flagged = findings.decision.flagged
    alone = hunt(group.rows[absent], known, options=plain, random_state=seed).decision.flagged
    table = group.rows[present]
    named = {
        name: hunt(table, known, options=plain, random_state=seed, learner=name, top=1).scores
        for name in LEARNERS[1:]
    }
    encoder = Encoder.fit(table, infer_schema(table))
    values = encoder.transform(table).values
    near = Alike.of(values, encoder.transform(known).values, seed).of_rows(values).away
    peer = CatBoost(seed)
    peer.fit(pl.concat([table, known]), np.repeat([0, 1], [table.height, cases]))
    return {
        "set": group.name,
        "family": family,
        "cases": cases,
        "rows": int(truth.sum()),
        "flagged": round(float(flagged[truth].mean()), 4),
        "right": round(float(truth[flagged].mean()), 4) if flagged.any() else None,
        "wrong": round(float(flagged[~truth].mean()), 5),
        "ranked": round(_share_on_top(findings.scores, truth), 4),
        **{f"ranked by {name}": round(_share_on_top(scores, truth), 4) for name, scores in named.items()},
        "ranked by distance": round(_share_on_top(-near, truth), 4),
        "ranked by CatBoost": round(_share_on_top(peer.score(table), truth), 4),
        "empty": not alone.any(),
        "absent": round(float(alone.mean()), 5),
    }


def _share_on_top(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return the share of true rows among as many of the highest as there are."""
    highest = np.argsort(-scores, kind="stable")[: int(truth.sum())]
    return float(truth[highest].mean())


FIGURES = (
    "flagged",
    "right",
    "wrong",
    "ranked",
    *(f"ranked by {name}" for name in LEARNERS[1:]),
    "ranked by distance",
    "ranked by CatBoost",
    "empty",
    "absent",
)


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return means over families; of what is right, over those where something was flagged."""
    figures = [key for key in FIGURES if key in rows[0]] if rows else []  # older files have fewer
    lines = ["| set | cases | families | " + " | ".join(figures) + " |", "|---" * (3 + len(figures)) + "|"]
    for name in dict.fromkeys(row["set"] for row in rows):
        for cases in CASES:
            here = [row for row in rows if (row["set"], row["cases"]) == (name, cases)]
            means = [np.mean([row[key] for row in here if row[key] is not None]) for key in figures]
            cells = " | ".join(f"{mean:.3f}" for mean in means)
            lines.append(f"| {name} | {cases} | {len(here)} | {cells} |")
    return "\n".join(lines)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"seed": options.seed}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["set"], row["family"], row["cases"]) for row in rows}
    for name in options.sets.split(","):
        for group in attacks(options.data, name):
            for family in held_families(group.truth, group.families):
                for cases in CASES:
                    if (group.name, family, cases) in done:
                        continue
                    measured = measure(group, family, cases, options.seed)
                    if measured is not None:
                        print(measured, flush=True)
                        rows.append(measured)
                        rowfile.write(options.out, call.settings, rows, command=call.command)
    print(report(rows))


STUDY = Study("hunting", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
