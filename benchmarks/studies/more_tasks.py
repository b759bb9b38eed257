"""What other tasks, beside those of the real tables, are worth to the order that the default learner learns.

    python -m benchmarks run more_tasks TABLES --work WORK --out more_tasks.json

TABLES and WORK as for `real_tables`, with the same folds of owners. A network learns from the tables of
four folds and, in turn, from one more kind of tasks (`KINDS`); varied tables stay with their owner. Judged
among known normals and without labels on the owners left out: means over tables, and what the tasks add, in
points (p, Wilcoxon over tables). The last line is no more tasks but three networks in place of one.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, partial
from itertools import permutations
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
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
from outlearn.execute import Executor, Processes, Serial
from outlearn.learners.profiles.bank import build_bank
from outlearn.learners.profiles.fit import fit_order
from outlearn.learners.profiles.lean_bank import LeanEpisode, lean_episode, quick_oddness
from outlearn.learners.profiles.learner import Profiles
from outlearn.learners.profiles.reading import read_episode
from outlearn.learners.training.real import RealTables, TableEpisodes, real_tables
from outlearn.rng import derive
from outlearn.tasks.augment import subset_columns, warp_columns
from outlearn.tasks.corpus import Corpus
from outlearn.tasks.episode import Episode
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.tasks.usage import USES, episode_of_use

TOLD = USES[:2]  # known normals, and no label
NARROWEST = 4  # columns that a table keeps
SYNTHETIC, FAMILIES = 1200, 100  # tasks; families that they count as: about a quarter of what is drawn
BUNDLED = (load_iris, load_wine, load_breast_cancer, load_digits)
RARE = 15  # rows of the odd class beside 400 of the other at most
PLAIN, THREE = "the tables alone", "three networks"

Bank = tuple[list[LeanEpisode], list[str]]  # tasks and the family of each


def conduct(call: Call) -> None:
    options = call.options
    warnings.simplefilter("ignore")
    tables = real_tables(Corpus.read(options.tables), silent)
    with Processes(options.workers) if options.workers > 1 else nullcontext(Serial()) as pool:
        bank, families = tables.profiles(options.work / f"tables-{SEED}", SEED, pool, silent)
        more = {name: kind(tables, options.work / "more", pool) for name, kind in KINDS.items()}
        added = Added(FoldedTables(tables, bank, families, [], []), more)
        jobs = [(name, fold) for name in (PLAIN, *KINDS, THREE) for fold in range(FOLDS)]
        rows = [row for chunk in pool.map(added.fold, jobs) for row in chunk]
    settings = {"tasks": {name: len(tasks[0]) for name, tasks in more.items()}}
    rowfile.write(options.out, settings, rows, command=call.command)
    rowfile.tell(options.out, "More tasks", report(rows), command=call.command)


def _kept(folder: Path, episode: Callable[[int], Episode], families: list[str], pool: Executor) -> Bank:
    """Return the profiles of episodes, one for each of the families."""
    count = len(families)
    return build_bank(folder, episode, count, kind=LeanEpisode, read=lean_episode, executor=pool), families


@dataclass(frozen=True)
class Varied:
    """Another draw of each table in each of `TOLD`, changed."""

    episodes: TableEpisodes
    change: str

    def __call__(self, index: int) -> Episode:
        place, which = divmod(index, len(TOLD))
        episode = self.episodes(place * self.episodes.a_table + which)
        rng, d = derive(SEED, 0x3A7, index), episode.support_x.shape[1]
        if self.change == "columns" and d > NARROWEST:
            return subset_columns(episode, rng, int(rng.integers(max(NARROWEST, d // 2), d)))
        return warp_columns(episode, rng) if self.change == "units" else episode


def _varied(tables: RealTables, folder: Path, pool: Executor, change: str) -> Bank:
    episodes = TableEpisodes(tuple(entry.path for entry in tables.entries), tables.numbers, SEED + 1)
    families = [family for family in tables.families for _ in TOLD]
    return _kept(folder / change, Varied(episodes, change), families, pool)


def _classes(_: RealTables, folder: Path, pool: Executor) -> Bank:
    """One class of a bundled set is rare and odd among the rows of another."""
    pairs = [(number, *two) for number, load in enumerate(BUNDLED) for two in permutations(_names(load), 2)]
    wanted = [(*pair, which) for pair in pairs for which in range(len(TOLD))]
    families = [f"{BUNDLED[number].__name__} {odd}" for number, _, odd, _ in wanted]
    return _kept(folder / "classes", partial(_class_episode, wanted=wanted), families, pool)


def _names(load: Callable[..., Any]) -> list[int]:
    return [int(name) for name in np.unique(load(return_X_y=True)[1])]


def _class_episode(index: int, wanted: Sequence[tuple[int, int, int, int]]) -> Episode:
    number, usual, odd, which = wanted[index]
    X, y = BUNDLED[number](return_X_y=True)
    rng = derive(SEED, 0x3A8, index)
    rows = np.concatenate(
        [rng.permutation(np.flatnonzero(y == usual))[:400], rng.permutation(np.flatnonzero(y == odd))[:RARE]]
    )
    return episode_of_use(
        X[rows].astype(np.float32),
        (y[rows] == odd).astype(np.int8),
        TOLD[which],
        rng,
        support_rows=400,
        oddness=quick_oddness,
    )


def _synthetic(_: RealTables, folder: Path, pool: Executor) -> Bank:
    families = [f"synthetic {i // len(TOLD) % FAMILIES}" for i in range(SYNTHETIC)]
    return _kept(folder / "synthetic", _drawn, families, pool)


def _drawn(index: int) -> Episode:
    place, which = divmod(index, len(TOLD))
    return _sampler(("normal", "contaminated")[which]).episode(place)


@cache
def _sampler(situation: str) -> SyntheticSampler:
    return SyntheticSampler(SamplerConfig(seed=SEED, support_rows=(100, 1000), situations={situation: 1}))


KINDS: dict[str, Callable[[RealTables, Path, Executor], Bank]] = {
    "another draw of rows": partial(_varied, change="rows"),
    "and half or more of the columns": partial(_varied, change="columns"),
    "and columns in other units": partial(_varied, change="units"),
    "class against class": _classes,
    "synthetic tables": _synthetic,
}


class Added:
    """Networks that learn the order without labels from tables and one more kind of tasks; picklable."""

    def __init__(self, folded: FoldedTables, more: dict[str, Bank]) -> None:
        uses = [use.name for use in TOLD]
        chosen = [i for i in range(len(folded.bank)) if folded.uses(i).name in uses]
        self.bank = [folded.bank[i] for i in chosen]
        self.families = [folded.families[i] for i in chosen]
        self.about = [
            {"table": i, "group": folded.group(i // folded.a_table), "use": folded.uses(i).name}
            for i in chosen
        ]
        self.more = more

    def fold(self, job: tuple[str, int]) -> list[Row]:
        """Return a row a task that the networks of a fold did not learn from."""
        torch.set_num_threads(1)
        name, fold = job
        bank, families = self.more.get(name, ([], []))
        bank, families = [*self.bank, *bank], [*self.families, *families]
        taught = [i for i, family in enumerate(families) if fold_of(family) != fold]
        nets = []
        for number in range(3 if name == THREE else 1):
            net = Profiles(seed=SEED + number).network()
            fit_order(net, [bank[i] for i in taught], [families[i] for i in taught], seed=SEED + number)
            nets.append(net)
        return [
            {"with": name, **about, "reached": pair(episode.query_y, _mean_order(nets, episode))}
            for episode, family, about in zip(self.bank, self.families, self.about, strict=True)
            if fold_of(family) == fold
        ]


def _mean_order(nets: Sequence[Any], episode: LeanEpisode) -> np.ndarray:
    return np.mean([read_episode(net, episode).asked for net in nets], axis=0)


def report(rows: Sequence[Row]) -> str:
    """Return a table a use: what is reached with each kind of tasks, and what it adds by collection."""
    parts = []
    collections = sorted({row["group"] for row in rows})
    for use in (use.name for use in TOLD):
        reached: dict[str, dict[int, Row]] = {}
        for row in rows:
            if row["use"] == use:
                reached.setdefault(row["with"], {})[row["table"]] = row
        alone, body = reached[PLAIN], []
        for name, there in reached.items():
            mean = np.mean([row["reached"] for row in there.values()], axis=0)
            cells = [name, f"{mean[0]:.3f} / {mean[1]:.3f}"]
            for group in (*collections, None):
                some = [i for i, row in there.items() if group in (row["group"], None)]
                both = [(there[i]["reached"], alone[i]["reached"]) for i in some]
                cells.append("" if name == PLAIN else f"{gain(both, 0)} / {gain(both, 1)}")
            body.append(cells)
        head = ["with", "reached", *(f"adds on {name}" for name in collections), "adds"]
        parts.append(f"## {use}\n\n{markdown(head, body)}")
    return "\n\n".join(parts)


STUDY = Study("more_tasks", __doc__, table_arguments, conduct, report=on_rows(report))
