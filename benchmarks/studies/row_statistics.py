"""How well does each statistic of a row order it alone, and what do mixtures and the network make of them?

    python -m benchmarks run row_statistics FOLDER... --out row_statistics.json

Every labelled set is split as the protocols say, at most 3,000 rows of it: contaminated, normal rows only,
and contaminated with 1, 5 and 10 labelled anomalies. Test rows are profiled against the training rows, and
each statistic is judged alone, by its robust deviation; beside them the mixtures that the in-context network
starts from, and the network as shipped. With labels: the forests of the profile, their sum, and the network.

Rows are written as sets are finished, and the same command goes on where it stopped. A table a folder is
printed and written beside the rows as Markdown: AUROC / average precision, means over sets.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness import machine, rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.families import sets_in
from outlearn.data.rows import canonical_order
from outlearn.errors import InputError
from outlearn.evaluate import Split, auroc, average_precision, contaminated, few_labels, inlier_only
from outlearn.learners.incontext.learner import InContext
from outlearn.learners.pretrained import load_incontext
from outlearn.learners.profiles.bank import situation
from outlearn.learners.profiles.profile import RICH_LABELS, STATISTICS, Profiler
from outlearn.nets.incontext import InContextNet
from outlearn.rng import derive
from outlearn.tasks.sets import read_set

MOST_ROWS = 3000
START, SHIPPED = "mixture at the start", "network as shipped"
PROTOCOLS = {
    "contaminated": contaminated,
    "inlier-only": inlier_only,
    **{f"few-label-{count}": partial(few_labels, labelled_anomalies=count) for count in (1, 5, 10)},
}


def orders(split: Split, nets: Mapping[str, InContextNet]) -> dict[str, NDArray[np.float64]]:
    """Return the scores of the test rows by each way to order them."""
    y = split.train_y if split.train_y is not None else np.full(len(split.train_x), -1, dtype=np.int8)
    order = canonical_order(split.train_x, y)
    X, y = split.train_x[order], y[order]
    profiler = Profiler(X, y, derive(0), rich=True)
    profile = profiler.profile(split.test_x)
    support = torch.from_numpy(profiler.profile_support(X).stacked())[None]
    about = torch.from_numpy(situation(X, y))[None]
    scores = {}
    for name, net in nets.items():
        with torch.inference_mode():
            read = (
                support,
                torch.from_numpy(y.astype(np.int64))[None],
                torch.ones(1, len(y), dtype=torch.bool),
            )
            logits, *_ = net(*read, about, torch.from_numpy(profile.stacked())[None])
        scores[name] = logits[0].double().numpy()
    if (y == 1).any():
        forests = {
            name: profile.labels[:, i] for i, name in enumerate(RICH_LABELS) if name.startswith("trees.")
        }
        return scores | forests | {"trees, both": np.sum(list(forests.values()), axis=0)}
    return scores | {name: profile.deviations[:, i] for i, name in enumerate(STATISTICS)}


def measure(path: Path, seeds: int, nets: Mapping[str, InContextNet]) -> list[rowfile.Row]:
    """Return a row a protocol and way, each the mean of its seeds."""
    X, y = read_set(path)
    rows = []
    for protocol, cut in PROTOCOLS.items():
        try:
            splits = [cut(X, y, seed, max_rows=MOST_ROWS) for seed in range(seeds)]
        except InputError as error:
            print(f"{path.stem} {protocol}: refused: {error}")
            continue
        ordered = [orders(split, nets) for split in splits]
        for name in ordered[0]:
            judged = [
                (auroc(split.test_y, by_name[name]), average_precision(split.test_y, by_name[name]))
                for split, by_name in zip(splits, ordered, strict=True)
            ]
            area, precision = np.mean(judged, axis=0).round(4).tolist()
            rows.append({"protocol": protocol, "order": name, "auroc": area, "ap": precision})
    return rows


def tables(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a protocol: ways down, folders across, the best first."""
    folders = list(dict.fromkeys(row["folder"] for row in rows))
    parts = []
    for protocol in PROTOCOLS:
        there = [row for row in rows if row["protocol"] == protocol]
        counts = [len({row["set"] for row in there if row["folder"] == folder}) for folder in folders]
        head = [f"{folder} ({count} sets)" for folder, count in zip(folders, counts, strict=True)]
        lines = ["| | " + " | ".join(head) + " |", "|---" * (len(folders) + 1) + "|"]
        cells = {
            name: [
                _mean([r for r in there if (r["folder"], r["order"]) == (folder, name)]) for folder in folders
            ]
            for name in dict.fromkeys(row["order"] for row in there)
        }
        for name, figures in sorted(cells.items(), key=lambda item: -np.nanmean([a for a, _ in item[1]])):
            lines.append(f"| {name} | " + " | ".join(f"{a:.3f} / {p:.3f}" for a, p in figures) + " |")
        parts.append(f"## {protocol}\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _mean(rows: Sequence[rowfile.Row]) -> tuple[float, float]:
    if not rows:
        return float("nan"), float("nan")
    return float(np.mean([row["auroc"] for row in rows])), float(np.mean([row["ap"] for row in rows]))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--sets", default="*", help="shell pattern of file names")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"folders": [f.name for f in options.folders], "sets": options.sets, "seeds": options.seeds}


def conduct(call: Call) -> None:
    options = call.options
    torch.set_num_threads(1)
    nets = {START: InContext().network().eval(), SHIPPED: load_incontext().net}
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["folder"], row["set"]) for row in rows}
    for folder in options.folders:
        for path in sets_in([folder], options.sets):
            if (folder.name, path.stem) in done:
                continue
            fresh = measure(path, options.seeds, nets)
            rows += [{"folder": folder.name, "set": path.stem, **row} for row in fresh]
            rowfile.write(options.out, call.settings, rows, command=call.command)
            print(f"{path.stem}: done", flush=True)
    about = "\n".join(f"* {key}: {value}" for key, value in machine.describe().items())
    report = f"# Statistics of a row\n\n    {call.command}\n\n{about}\n\n{tables(rows)}\n"
    options.out.with_suffix(".md").write_text(report)
    print(tables(rows))


STUDY = Study("row_statistics", __doc__, arguments, conduct, settings=settings, report=on_rows(tables))
