"""What each group of statistics of a row is worth to the default learner, and what it costs.

    python -m benchmarks run lean_statistics TABLES --work WORK --out lean_statistics.json

TABLES and WORK as for `real_tables`, with the same folds of owners. For each group the order of rows among
known normals (`--uses unlabelled`: without labels) is learnt anew without it, and judged on the owners left
out: means over tables, and what the group adds, in points (p, Wilcoxon over tables). *Microseconds*: fitting
a statistic to 5,000 rows of 20 columns (half of them codes) and telling it of 5,000 others, a row of these.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study
from benchmarks.studies.real_tables import (
    FOLDS,
    SEED,
    FoldedTables,
    Row,
    fold_of,
    pair,
    silent,
    table_arguments,
)
from benchmarks.studies.real_tables_report import gain
from outlearn.evaluate.compare import markdown
from outlearn.execute import Processes, Serial
from outlearn.learners.profiles.dependence import Dependence
from outlearn.learners.profiles.fit import fit_order
from outlearn.learners.profiles.isolation import Isolation
from outlearn.learners.profiles.lean import LEAN_STATISTICS, RANKED, NeighbourView
from outlearn.learners.profiles.lean_bank import LeanEpisode
from outlearn.learners.profiles.learner import Profiles
from outlearn.learners.profiles.reading import read_episode
from outlearn.learners.profiles.tails import ColumnTails
from outlearn.learners.profiles.values import Mismatch, Surprisal
from outlearn.learners.profiles.views import LogView, RankView, WhitenedView
from outlearn.learners.training.real import real_tables
from outlearn.tasks.corpus import Corpus

Floats = NDArray[np.float64]

EVERYTHING = "all"
GROUPS = {
    "distances, log view": ("log.",),
    "distances, ranks": ("rank.",),
    "distances, ranks, up to 64 columns": ("rank.",),
    "tails and histograms": ("tail.", "histogram."),
    "isolation": ("isolation",),
    "Mahalanobis, residual": ("mahalanobis", "residual"),
    "surprisal of values": ("value.",),
    "dependence": ("dependence.",),
    "mismatch": ("mismatch",),
}
MOST_COLUMNS = {"distances, ranks, up to 64 columns": 64}  # of a table that a group is left out of
ROWS, COLUMNS, CODES = 5000, 20, 10


def arguments(parser: argparse.ArgumentParser) -> None:
    table_arguments(parser)
    parser.add_argument("--uses", nargs="*", default=["reference"])
    parser.add_argument("--without", nargs="*", default=list(GROUPS), help="groups; all by default")


def conduct(call: Call) -> None:
    options = call.options
    tables = real_tables(Corpus.read(options.tables), silent)
    with Processes(options.workers) if options.workers > 1 else nullcontext(Serial()) as pool:
        bank, families = tables.profiles(options.work / f"tables-{SEED}", SEED, pool, silent)
        folded = Without(FoldedTables(tables, bank, families, [], []), options.uses)
        jobs = [(name, fold) for name in (EVERYTHING, *options.without) for fold in range(FOLDS)]
        rows = [row for chunk in pool.map(folded.fold, jobs) for row in chunk]
    spent = costs()
    rowfile.write(options.out, {"microseconds": spent}, rows, command=call.command)
    rowfile.tell(options.out, "Statistics of a row", report(rows, spent), command=call.command)


def columns_of(group: str) -> list[int]:
    """Return the numbers of a profile (m, 2F) that a group of statistics has."""
    own = [i for i, name in enumerate(LEAN_STATISTICS) if name.startswith(GROUPS[group])]
    return [*own, *(len(LEAN_STATISTICS) + i for i in own)]


class Without:
    """Networks that learn the order without labels, and without a group of statistics; picklable."""

    def __init__(self, folded: FoldedTables, uses: Sequence[str]) -> None:
        chosen = [i for i in range(len(folded.bank)) if folded.uses(i).name in uses]
        self.bank = [folded.bank[i] for i in chosen]
        self.families = [folded.families[i] for i in chosen]
        self.about = [
            {"use": folded.uses(i).name, "table": i, "group": folded.group(i // folded.a_table)}
            for i in chosen
        ]

    def fold(self, job: tuple[str, int]) -> list[Row]:
        """Return a row a table that the network of a fold did not learn from."""
        torch.set_num_threads(1)
        name, fold = job
        bank = [_without(episode, name) for episode in self.bank]
        taught = [i for i, family in enumerate(self.families) if fold_of(family) != fold]
        net = Profiles(seed=SEED).network()
        if name != EVERYTHING and name not in MOST_COLUMNS:
            net.guard[:, columns_of(name)] = 0.0
        fit_order(net, [bank[i] for i in taught], [self.families[i] for i in taught], seed=SEED)
        return [
            {"without": name, **about, "reached": pair(episode.query_y, read_episode(net, episode).asked)}
            for episode, family, about in zip(bank, self.families, self.about, strict=True)
            if fold_of(family) == fold
        ]


def _without(episode: LeanEpisode, name: str) -> LeanEpisode:
    if name == EVERYTHING or int(episode.columns) > MOST_COLUMNS.get(name, int(episode.columns)):
        return episode
    support, query = episode.support.copy(), episode.query.copy()
    for rows in (support, query):
        rows[:, columns_of(name)] = 0  # no news, as good as no column
    return replace(episode, support=support, query=query)


def costs() -> dict[str, float]:
    """Return the microseconds a row of each group."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 8, (2 * ROWS, CODES))
    X = np.hstack([codes, rng.normal(size=(2 * ROWS, COLUMNS - CODES))]).astype(np.float32)
    known, new = X[:ROWS], X[ROWS:]
    rows, asked, apart = known.astype(float), new.astype(float), np.zeros(ROWS, dtype=bool)
    jobs: dict[str, Callable[[], Any]] = {
        "distances, log view": lambda: NeighbourView(LogView.fit(rows), rows).statistics(asked, apart),
        "distances, ranks": lambda: NeighbourView(RankView.fit(rows), rows[:RANKED]).statistics(asked, apart),
        "distances, ranks, up to 64 columns": lambda: NeighbourView(
            RankView.fit(rows), rows[:RANKED]
        ).statistics(asked, apart),
        "tails and histograms": lambda: ColumnTails.fit(rows).statistics(asked),
        "isolation": lambda: Isolation(known, 0).score(new),
        "Mahalanobis, residual": lambda: (
            (view := WhitenedView.fit(rows)).residual(asked) + view.apply(asked)[:, 0]
        ),
        "surprisal of values": lambda: Surprisal(rows).statistics(asked, apart),
        "dependence": lambda: Dependence(rows).statistics(asked),
        "mismatch": lambda: Mismatch(known).statistic(new),
    }
    return {name: round(1e6 * min(_seconds(job) for _ in range(3)) / ROWS, 1) for name, job in jobs.items()}


def _seconds(job: Callable[[], Any]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def report(rows: Sequence[Row], spent: dict[str, float]) -> str:
    """Return a table a use: means without each group, what it adds by collection, and what it costs."""
    collections = sorted({row["group"] for row in rows})
    head = ["without", "reached", *(f"adds on {name}" for name in collections), "adds", "microseconds"]
    parts = []
    for use in dict.fromkeys(row["use"] for row in rows):
        there = [row for row in rows if row["use"] == use]
        names = dict.fromkeys(row["without"] for row in there)
        reached = {name: {r["table"]: r for r in there if r["without"] == name} for name in names}
        body = [
            [name, *_cells(reached[EVERYTHING], without, collections), f"{spent.get(name, '')}"]
            for name, without in reached.items()
        ]
        parts.append(f"## {use}\n\n{markdown(head, body)}")
    return "\n\n".join(parts)


def _cells(full: dict[int, Row], without: dict[int, Row], collections: Sequence[str]) -> list[str]:
    """Return the mean that is reached without a group, and what the group adds by collection and in all."""
    mean = np.mean([row["reached"] for row in without.values()], axis=0)
    cells = [f"{mean[0]:.3f} / {mean[1]:.3f}"]
    for group in (*collections, None):
        some = [i for i, row in without.items() if group in (row["group"], None)]
        both = [(full[i]["reached"], without[i]["reached"]) for i in some]
        cells.append("" if full is without else f"{gain(both, 0)} / {gain(both, 1)}")
    return cells


STUDY = Study("lean_statistics", __doc__, arguments, conduct)
