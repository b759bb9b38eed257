"""What learning to choose and set classical detectors gives, beside honest baselines.

    python -m benchmarks run tuning DATA --sets PATTERN... --work WORK --out tuning.json

DATA is a folder with a manifest; its sets that match a pattern, and synthetic tasks, make two performance
tables that are kept in WORK: two splits of each set without labels, one with five anomalies labelled (an hour
and a half for 108 sets; the same command goes on where it stopped). Families of sets are dealt to five
folds, or to as many as `--folds` says; each strategy learns from the others and from synthetic tasks, then
searches the sets of the fold. What it tries and sees is looked up in the tables. Average precision on the
query of each set: of each strategy, the default, one drawn at random, the mean of all, and an oracle; with
labels also of random search, a Gaussian process and Optuna's TPE; and the normalised regret of each search
after 5, 25 and 100 trials whose true average precision it is told.

With `--shipped` nothing is learnt: the strategies are those that ship with the package, and the sets should
be none that they learnt from.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, wilcoxon
from sklearn.metrics import average_precision_score

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.tuning_peers import PEERS, regret
from outlearn.execute import Executor, Processes, Serial
from outlearn.rng import derive
from outlearn.tasks.corpus import Corpus
from outlearn.tuning.experience import load_experience
from outlearn.tuning.search import Search
from outlearn.tuning.source import SYNTHETIC_NAME, TaskSource, usable
from outlearn.tuning.space import Config, configurations
from outlearn.tuning.strategies.adversary import Adversary
from outlearn.tuning.strategies.catalogue import STRATEGIES
from outlearn.tuning.strategies.folds import kindred
from outlearn.tuning.table import PerformanceTable, build_table
from outlearn.tuning.trials.observe import Observation
from outlearn.tuning.tuner import CLASSICAL

BASELINE = "single"  # the best single configuration elsewhere: what is to be exceeded
EVERY, ORACLE = "mean of all", "oracle"
TAU = "Kendall's tau of the adversary"
LABELS, SPLITS = 5, 2
BLIND, TOLD, REGRET = "no labels", "five labels", "regret"
TRIALS = (5, 25, 100)  # that regret is told after
SEARCHING = ("maml", "policy")  # strategies whose regret is told


@dataclass
class Looked:
    """What a table says of one task, as a search sees it; told : (C,) average precisions seen, if any."""

    table: PerformanceTable
    task: int
    shown: NDArray[np.float64] | None = None

    def look(self, config: Config) -> Observation:
        place = self.table.configs.index(config)
        if self.table.failed[self.task, place]:
            raise RuntimeError("it failed")
        precision = None if self.shown is None else float(self.shown[place])
        return Observation(
            self.table.measures[self.task, place], precision, self.table.seconds[self.task, place]
        )


def folds(table: PerformanceTable, count: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """Return the fold of each task; tasks of one family are in one."""
    families = sorted(set(table.families))
    place = dict(zip(derive(seed).permutation(families), np.arange(len(families)) % count, strict=True))
    return np.array([place[family] for family in table.families])


def measure(
    held: int, *, table: PerformanceTable, groups: Sequence[Sequence[str]], options: Any, seed: int
) -> list[rowfile.Row]:
    """Return what each way to choose reaches on each real set of a fold, the mean of its splits."""
    fold, rows = folds(table, 1 if options.shipped else options.folds), []
    with_labels = np.array([bool(np.isfinite(line).any()) for line in table.seen])
    real = np.array([not name.startswith(SYNTHETIC_NAME) for name in table.tasks])
    peers = {name: make(seed) for name, make in PEERS.items()}
    ways: dict[str, Any]
    if options.shipped:
        shipped, adversary = load_experience(), None
        ways = {name: shipped.strategy(name) for name in options.strategies}
    else:
        learnt = table.of(np.flatnonzero(fold != held))
        ways = {name: STRATEGIES[name].learn(learnt, seed) for name in options.strategies}
        adversary = Adversary.learn(learnt)
    for name in dict.fromkeys(np.array(table.tasks)[(fold == held) & real].tolist()):
        tasks = np.flatnonzero(np.array(table.tasks) == name)
        about = {"set": name, "family": table.families[tasks[0]], "seed": seed}
        for group in groups:
            for kind, which in ((BLIND, tasks[~with_labels[tasks]]), (TOLD, tasks[with_labels[tasks]])):
                reached = []
                for task in which.tolist():
                    every = ways if kind == BLIND else {**ways, **peers}
                    values = search_one(table, task, every, group, options.budget)
                    if kind == BLIND and adversary is not None:
                        values[TAU] = agreement(table, task, adversary, group)
                    reached.append(values)
                if reached:
                    mean = {way: round(float(np.mean([v[way] for v in reached])), 4) for way in reached[0]}
                    rows.append({**about, "kind": kind, "detectors": " ".join(group), "values": mean})
        searching = {**{way: ways[way] for way in SEARCHING if way in ways}, **peers}
        by_way = regrets(table, int(tasks[0]), searching, groups[0])
        for trials in TRIALS:
            values = {way: line[trials] for way, line in by_way.items()}
            kind = f"{REGRET} {trials}"
            rows.append({**about, "kind": kind, "detectors": " ".join(groups[0]), "values": values})
    return rows


def places(table: PerformanceTable, detectors: Sequence[str]) -> NDArray[np.int64]:
    """Return the places of the configurations of some detectors."""
    return np.flatnonzero([config["detector"] in detectors for config in table.configs])


def agreement(table: PerformanceTable, task: int, adversary: Adversary, detectors: Sequence[str]) -> float:
    """Return Kendall's τ of what the adversary leaves each configuration with the truth; 0 among equals."""
    which = places(table, detectors)
    which = which[~table.failed[task, which]]
    remaining = adversary.left(table.measures[task, which])
    return float(np.nan_to_num(kendalltau(remaining, table.precision[task, which]).statistic))


def search_one(
    table: PerformanceTable, task: int, ways: Mapping[str, Any], detectors: Sequence[str], budget: int
) -> dict[str, float]:
    """Return the average precision that each way reaches on one task."""
    allowed = places(table, detectors)
    ranks, truth = table.ranks[task], table.truths[task]
    best = allowed[table.precision[task, allowed].argmax()]
    chosen = {EVERY: ranks[allowed].mean(axis=0), ORACLE: ranks[best]}
    seen = table.seen[task]
    looker = Looked(table, task, seen if np.isfinite(seen).any() else None)
    for name, way in ways.items():
        search = Search(table.configs, allowed, table.features[task], lambda: looker, budget)
        chosen[name] = ranks[list(way.search(search).members)].mean(axis=0)
    return {name: float(average_precision_score(truth, scores)) for name, scores in chosen.items()}


def regrets(
    table: PerformanceTable, task: int, ways: Mapping[str, Any], detectors: Sequence[str]
) -> dict[str, dict[int, float]]:
    """Return the normalised regret of each way after some trials that told the true average precision."""
    allowed = places(table, detectors)
    precision = table.precision[task, allowed]
    looker, by_way = Looked(table, task, table.precision[task]), {}
    for name, way in ways.items():
        search = Search(table.configs, allowed, table.features[task], lambda: looker, max(TRIALS))
        taken = way.search(search).members[0]
        tried = np.searchsorted(allowed, [trial.index for trial in search.trials] or [taken]).tolist()
        by_way[name] = {trials: round(regret(precision, tried[:trials]), 4) for trials in TRIALS}
    return by_way


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a kind and group: mean over sets, over families, gain and p over families."""
    lines = []
    for kind, group in dict.fromkeys((row["kind"], row["detectors"]) for row in rows):
        there = [row for row in rows if (row["kind"], row["detectors"]) == (kind, group)]
        by_way: dict[str, dict[str, list[float]]] = {}
        for row in there:
            for way, value in row["values"].items():
                by_way.setdefault(way, {}).setdefault(row["family"], []).append(value)
        taus = [value for values in by_way.pop(TAU, {}).values() for value in values]
        baseline = BASELINE if BASELINE in by_way else "Gaussian process"
        families = sorted(by_way[baseline])
        base = np.array([np.mean(by_way[baseline][family]) for family in families])
        sets = len({row["set"] for row in there})
        said = f"; {TAU} {np.mean(taus):.2f}" if taus else ""
        lines += ["", f"{kind}, {group}: {sets} sets of {len(families)} families{said}", ""]
        lines += [f"| way | mean over sets | mean over families | over {baseline} | p |", "|---" * 5 + "|"]
        order = sorted(by_way, key=lambda way: -np.mean([v for f in by_way[way].values() for v in f]))
        for way in order:
            own = np.array([np.mean(by_way[way][family]) for family in families])
            over_sets = np.mean([value for values in by_way[way].values() for value in values])
            p = wilcoxon(own, base).pvalue if np.any(own != base) else 1.0
            gain = f"{own.mean() - base.mean():+.3f}"
            lines.append(f"| {way} | {over_sets:.3f} | {own.mean():.3f} | {gain} | {p:.2g} |")
    return "\n".join(lines)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["*"])
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--synthetic", type=int, default=60)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--budget", type=int, default=25)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {
        name: getattr(options, name)
        for name in ("sets", "strategies", "synthetic", "candidates", "budget", "folds", "shipped", "seeds")
    }


def conduct(call: Call) -> None:
    options = call.options
    table = both_tables(options)
    rows = rowfile.resume(options.out, call.settings)
    groups = [list(CLASSICAL), *([name] for name in CLASSICAL)]
    for seed in range(options.seeds):
        if seed in {row["seed"] for row in rows}:
            continue
        work = partial(measure, table=table, groups=groups, options=options, seed=seed)
        with ExitStack() as stack:
            pool = executor(options.workers, stack)
            for fold, fresh in enumerate(pool.map(work, range(1 if options.shipped else options.folds))):
                rows += fresh
                print(f"seed {seed}, fold {fold}: done", flush=True)
        rowfile.write(options.out, call.settings, rows, command=call.command)
    print(report(rows))


def executor(workers: int, stack: ExitStack) -> Executor:
    """Return what runs work: this process, or as many others."""
    return stack.enter_context(Processes(workers)) if workers > 1 else Serial()


def both_tables(options: Any) -> PerformanceTable:
    """Return the tables without and with labels as one, computed as far as they are not there."""
    entries = [e for pattern in options.sets for e in Corpus.read(options.data, pattern=pattern)]
    corpus = tuple(Corpus(tuple(usable(dict.fromkeys(entries)))).joined())
    configs = [c for name in CLASSICAL for c in configurations(name, options.candidates)]
    sources = {
        "blind": TaskSource(corpus, synthetic=options.synthetic, splits=SPLITS),
        "told": TaskSource(corpus, synthetic=options.synthetic, labels=LABELS, first=SPLITS),
    }
    with ExitStack() as stack:
        pool = executor(options.workers, stack)
        tables = [
            build_table(
                options.work / name,
                source,
                len(source),
                configs,
                about=source.about(),
                executor=pool,
                progress=lambda done, total: print(f"{done} of {total} tasks", flush=True),
            )
            for name, source in sources.items()
        ]
    return kindred(PerformanceTable.joined(tables))


STUDY = Study("tuning", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
