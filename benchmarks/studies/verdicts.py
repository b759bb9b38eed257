"""Verdicts as users give them: on the top three rows of the default's own list, then the next three, and on.

    python -m benchmarks run verdicts TABLES --work WORK --out verdicts.json

TABLES and WORK as for `real_tables`, with the same folds of owners: a network is asked about tables that
it did not learn from, at most 1,100 rows of each, every `--every`-th table. Every verdict is true. *Found*:
the anomalies after 10, 20 and 50 rows, beside an Isolation Forest whose nodes' weights follow each verdict,
the same forest without feedback, the policy of `outlearn.Inquiry`, and the default's first list; sums over
tables, the ratio to the forest with feedback, p over tables (Wilcoxon). *Unseen*: average precision of the
rows not yet asked about, with the verdicts and without, where anomalies are left.

The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy.stats import wilcoxon
from sklearn.metrics import average_precision_score

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.real_tables import FOLDS, SEED, FoldedTables, fold_of, silent, table_arguments
from outlearn.evaluate.compare import markdown
from outlearn.execute import Processes, Serial
from outlearn.feedback.beliefs import Ground
from outlearn.feedback.policy import load_analyst
from outlearn.feedback.train import WAYS, Asking, ByBeliefs
from outlearn.learners.profiles.learner import ProfilesLearned
from outlearn.learners.training.real import TableEpisodes, plain_profiles, real_tables
from outlearn.tasks.corpus import Corpus

ROUND = 3  # rows that are shown at once
ASKED = (10, 20, 50)
SEEN = (3, 6, 12, 21, 48)  # verdicts after which the unseen rows are judged
UNLABELLED = 1  # which of the uses of a table has no label
OURS, LIST, POLICY, BASELINE = "default", "default, first list", "policy", "forest with feedback"
FORESTS = (BASELINE, "forest")


class ByDefault:
    """Shows the oddest unseen rows, some at a time, and reads all verdicts before the next."""

    def __init__(self, learned: ProfilesLearned, X: np.ndarray, *, feedback: bool) -> None:
        self._learned, self._X, self._feedback = learned, X, feedback
        self.y = np.full(len(X), -1, dtype=np.int8)
        self.first = self.scores = learned.adapt(X, self.y).support_scores
        self._queue: list[int] = []

    def ask(self) -> int:
        if not self._queue:
            unseen = np.flatnonzero(self.y < 0)
            self._queue = unseen[np.argsort(-self.scores[unseen], kind="stable")][:ROUND].tolist()
        return self._queue.pop(0)

    def tell(self, row: int, label: int) -> None:
        self.y[row] = label
        if self._feedback and not self._queue:
            self.scores = self._learned.adapt(self._X, self.y).support_scores

    def unseen(self, truth: np.ndarray) -> list[float]:
        """Return average precision of the rows without a verdict, by all verdicts and by none, or []."""
        rows = self.y < 0
        if not truth[rows].any():
            return []
        orders = (self.scores, self.first)
        return [round(float(average_precision_score(truth[rows], scores[rows])), 4) for scores in orders]


@dataclass(frozen=True)
class Table:
    """Rows (n, d) with their truth (n,), and the network that did not learn from their owner."""

    name: str
    group: str
    X: np.ndarray
    truth: np.ndarray
    learned: ProfilesLearned


def measure(table: Table) -> list[rowfile.Row]:
    """Return what each way of asking finds in a table."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    ground = Ground.of(table.X, SEED)
    ways: dict[str, Asking | ByDefault] = {
        OURS: ByDefault(table.learned, table.X, feedback=True),
        LIST: ByDefault(table.learned, table.X, feedback=False),
        POLICY: ByBeliefs(ground, load_analyst()),
        **{name: WAYS[name](ground) for name in FORESTS},
    }
    about = {"set": table.name, "group": table.group, "there": int(table.truth.sum())}
    return [{**about, "way": name, **followed(way, table.truth)} for name, way in ways.items()]


def followed(way: Asking | ByDefault, truth: np.ndarray) -> rowfile.Row:
    """Return the anomalies found after `ASKED` rows and, of the default, what it makes of the unseen ones."""
    answers, unseen = [], {}
    for number in range(1, min(ASKED[-1], len(truth)) + 1):
        row = way.ask()
        answers.append(int(truth[row]))
        way.tell(row, answers[-1])
        if number in SEEN and isinstance(way, ByDefault) and (reached := way.unseen(truth)):
            unseen[str(number)] = reached
    total = np.cumsum(answers)
    return {"found": [int(total[min(asked, len(total)) - 1]) for asked in ASKED], "unseen": unseen}


def report(rows: Sequence[rowfile.Row]) -> str:
    """Say what all rows amount to, in Markdown."""
    names = sorted({row["set"] for row in rows})
    places = {name: i for i, name in enumerate(names)}
    anomalies = {way: np.zeros((len(names), len(ASKED))) for way in dict.fromkeys(row["way"] for row in rows)}
    for row in rows:
        anomalies[row["way"]][places[row["set"]]] = row["found"]
    base, body = anomalies[BASELINE], []
    for way, values in anomalies.items():
        cells = [way]
        for own, other in zip(values.T, base.T, strict=True):
            p = wilcoxon(own, other).pvalue if np.any(own != other) else 1.0
            cells.append(f"{own.sum():.0f} ({own.sum() / other.sum():.2f}, p {p:.2g})")
        body.append(cells)
    parts = [
        f"{len(names)} tables",
        markdown(["way of asking", *(f"after {asked}" for asked in ASKED)], body),
        "Average precision of the rows not yet seen, by the default with its verdicts and without.",
    ]
    body = []
    for seen in map(str, SEEN):
        there = np.array(
            [row["unseen"][seen] for row in rows if row["way"] == OURS and seen in row["unseen"]]
        )
        if len(there):
            gains = there[:, 0] - there[:, 1]
            p = wilcoxon(gains).pvalue if gains.any() else 1.0
            entries = [f"{there[:, 0].mean():.3f}", f"{there[:, 1].mean():.3f}", f"{p:.2g}"]
            entries += [f"{np.mean(gains < -least):.0%}" for least in (0.001, 0.02)]
            body.append([seen, str(len(there)), *entries])
    head = ["verdicts", "tables", "with", "without", "p", "below, of tables", "by two points"]
    return "\n\n".join([*parts, markdown(head, body)])


def arguments(parser: argparse.ArgumentParser) -> None:
    table_arguments(parser)
    parser.add_argument("--every", type=int, default=3)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"tables": options.tables.name, "every": options.every}


def conduct(call: Call) -> None:
    options = call.options
    warnings.simplefilter("ignore")
    rows = rowfile.resume(options.out, call.settings)
    done = {row["set"] for row in rows}
    tables = real_tables(Corpus.read(options.tables), silent)
    episodes = TableEpisodes(tuple(entry.path for entry in tables.entries), tables.numbers, SEED)
    with Processes(options.workers) if options.workers > 1 else nullcontext(Serial()) as pool:
        bank, families = tables.profiles(options.work / f"tables-{SEED}", SEED, pool, silent)
        plain = plain_profiles(options.work / f"noise-{SEED}", SEED, pool, silent)
        folded = FoldedTables(tables, bank, families, plain, [])
        nets = [ProfilesLearned(net) for net in pool.map(_network, [(folded, fold) for fold in range(FOLDS)])]
        wanted = [
            _table(folded, episodes, place, nets)
            for place in range(0, len(tables.entries), options.every)
            if tables.entries[place].name not in done
        ]
        for number, fresh in enumerate(pool.map(measure, wanted), 1):
            rows += fresh
            if number % 10 == 0 or number == len(wanted):
                print(f"{number} of {len(wanted)}", flush=True)
                rowfile.write(options.out, call.settings, rows, command=call.command)
    rowfile.tell(options.out, "Verdicts", report(rows), command=call.command)


def _network(job: tuple[FoldedTables, int]) -> Any:
    torch.set_num_threads(1)
    folded, fold = job
    return folded.network(folded.taught(fold))


def _table(
    folded: FoldedTables, episodes: TableEpisodes, place: int, nets: Sequence[ProfilesLearned]
) -> Table:
    entry, drawn = folded.tables.entries[place], episodes(place * episodes.a_table + UNLABELLED)
    own = nets[fold_of(entry.family)]
    return Table(entry.name, folded.group(place), drawn.support_x, drawn.support_truth, own)


STUDY = Study("verdicts", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
