"""What learning to choose and set classical detectors gives without labels, beside honest baselines.

    python benchmarks/tuning.py DATA --sets PATTERN... --work WORK --out tuning.json

DATA is a folder with a manifest; its sets that match a pattern, and synthetic tasks, make the performance
table that is kept in WORK (half an hour for 140 tasks; the same command goes on where it stopped). Families
of sets are dealt to five folds; each strategy learns from four of them and from synthetic tasks, then
searches the sets of the fifth. What it tries and sees is looked up in the table. Average precision on the
query of each set: of each strategy, the default, one drawn at random, the mean of all, and an oracle.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, wilcoxon
from sklearn.metrics import average_precision_score

import machine
import rowfile
from outlearn.execute import Processes
from outlearn.rng import derive
from outlearn.tasks.corpus import Corpus
from outlearn.tuning.adversary import Adversary
from outlearn.tuning.observe import Observation
from outlearn.tuning.search import Search
from outlearn.tuning.source import SYNTHETIC_NAME, TaskSource, usable
from outlearn.tuning.space import Config, configurations
from outlearn.tuning.strategies import STRATEGIES, Strategy
from outlearn.tuning.table import PerformanceTable, build_table
from outlearn.tuning.tuner import CLASSICAL

FOLDS = 5
BASELINE = "single"  # the best single configuration elsewhere: what is to be exceeded
EVERY, ORACLE = "mean of all", "oracle"
TAU = "Kendall's tau of the adversary"


@dataclass
class Looked:
    """What the table says of one task, as a search sees it."""

    table: PerformanceTable
    task: int

    def look(self, config: Config) -> Observation:
        place = self.table.configs.index(config)
        if self.table.failed[self.task, place]:
            raise RuntimeError("it failed")
        return Observation(self.table.measures[self.task, place], None, self.table.seconds[self.task, place])


def folds(table: PerformanceTable, seed: int = 0) -> NDArray[np.int64]:
    """Return the fold of each task; tasks of one family are in one."""
    families = sorted(set(table.families))
    place = dict(zip(derive(seed).permutation(families), np.arange(len(families)) % FOLDS, strict=True))
    return np.array([place[family] for family in table.families])


def measure(
    table: PerformanceTable, groups: Sequence[Sequence[str]], budget: int, seed: int
) -> list[rowfile.Row]:
    """Return the average precision of each way to choose, on each real set."""
    fold, rows = folds(table), []
    for part in range(FOLDS):
        learnt = table.of(np.flatnonzero(fold != part))
        ways = {name: make.learn(learnt, seed) for name, make in STRATEGIES.items()}
        adversary = Adversary.learn(learnt)
        for task in np.flatnonzero(fold == part):
            if table.tasks[task].startswith(SYNTHETIC_NAME):
                continue
            for group in groups:
                found = search_one(table, int(task), ways, group, budget)
                found[TAU] = agreement(table, int(task), adversary, group)
                about = {"set": table.tasks[task], "family": table.families[task], "seed": seed}
                rows += [
                    {**about, "detectors": " ".join(group), "way": way, "ap": value}
                    for way, value in found.items()
                ]
        print(f"seed {seed}, fold {part}: done", flush=True)
    return rows


def places(table: PerformanceTable, detectors: Sequence[str]) -> NDArray[np.int64]:
    """Return the places of the configurations of some detectors."""
    return np.flatnonzero([config["detector"] in detectors for config in table.configs])


def agreement(table: PerformanceTable, task: int, adversary: Adversary, detectors: Sequence[str]) -> float:
    """Return Kendall's τ of what the adversary leaves each configuration with the truth; 0 among equals."""
    which = places(table, detectors)
    which = which[~table.failed[task, which]]
    told = adversary.left(table.measures[task, which])
    return float(np.nan_to_num(kendalltau(told, table.precision[task, which]).statistic))


def search_one(
    table: PerformanceTable,
    task: int,
    ways: Mapping[str, Strategy],
    detectors: Sequence[str],
    budget: int,
) -> dict[str, float]:
    """Return the average precision that each way reaches on one task."""
    allowed = places(table, detectors)
    ranks, truth = table.ranks[task], table.truths[task]
    best = allowed[table.precision[task, allowed].argmax()]
    found = {EVERY: ranks[allowed].mean(axis=0), ORACLE: ranks[best]}
    looker = Looked(table, task)
    for name, way in ways.items():
        search = Search(table.configs, allowed, table.features[task], lambda: looker, budget)
        found[name] = ranks[list(way.search(search).members)].mean(axis=0)
    return {name: float(average_precision_score(truth, told)) for name, told in found.items()}


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a group of detectors: mean over sets, gain over the best single, p over families."""
    lines = []
    for group in dict.fromkeys(row["detectors"] for row in rows):
        there = [row for row in rows if row["detectors"] == group and row["way"] != TAU]
        taus = [row["ap"] for row in rows if row["detectors"] == group and row["way"] == TAU]
        by_way: dict[str, dict[str, list[float]]] = {}
        for row in there:
            by_way.setdefault(row["way"], {}).setdefault(row["family"], []).append(row["ap"])
        families = sorted(by_way[BASELINE])
        base = np.array([np.mean(by_way[BASELINE][family]) for family in families])
        sets = len({row["set"] for row in there})
        about = f"{group}: {sets} sets of {len(families)} families; {TAU} {np.mean(taus):.2f}"
        lines += ["", about, ""]
        lines += ["| way | mean over sets | mean over families | gain | p |", "|---" * 5 + "|"]
        order = sorted(by_way, key=lambda way: -np.mean([v for f in by_way[way].values() for v in f]))
        for way in order:
            own = np.array([np.mean(by_way[way][family]) for family in families])
            over_sets = np.mean([value for values in by_way[way].values() for value in values])
            p = wilcoxon(own, base).pvalue if np.any(own != base) else 1.0
            gain = f"{own.mean() - base.mean():+.3f}"
            lines.append(f"| {way} | {over_sets:.3f} | {own.mean():.3f} | {gain} | {p:.2g} |")
    return "\n".join(lines)


def main() -> None:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["*"])
    parser.add_argument("--synthetic", type=int, default=60)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--budget", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    entries = [e for pattern in options.sets for e in Corpus.read(options.data, pattern=pattern)]
    corpus = Corpus(tuple(usable(dict.fromkeys(entries)))).joined()
    source = TaskSource(tuple(corpus), synthetic=options.synthetic)
    configs = [c for name in CLASSICAL for c in configurations(name, options.candidates)]
    with Processes(options.workers) as pool:
        table = build_table(
            options.work,
            source,
            len(source),
            configs,
            about=source.about(),
            executor=pool,
            progress=lambda done, total: print(f"{done} of {total} tasks", flush=True),
        )
    settings = {
        "sets": options.sets,
        "synthetic": options.synthetic,
        "candidates": options.candidates,
        "budget": options.budget,
        "seeds": options.seeds,
    }
    rows = rowfile.resume(options.out, settings)
    groups = [list(CLASSICAL), *([name] for name in CLASSICAL)]
    for seed in range(options.seeds):
        if seed not in {row["seed"] for row in rows}:
            rows += measure(table, groups, options.budget, seed)
            rowfile.write(options.out, settings, rows, command=machine.command("tuning.py"))
    print(report(rows))


if __name__ == "__main__":
    main()
