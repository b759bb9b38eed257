"""The default learner on hundreds of real tables, whole owners left out, beside peers in the same run.

    python -m benchmarks run real_tables TABLES --work WORK --out real_tables.json

TABLES is a folder that `outlearn metatrain --preset default --corpus` takes; WORK that run's folder, whose
profiles are used, or any other. Families are dealt to five folds; a network learns from four and is judged on
the fifth. `--within` names collections (folders of sets) to learn from alone. Tasks are those of training:
one split a table and use, at most 800 known normals or 1,100 unlabelled rows to compare with.

Peers get the same rows and labels. Those that take labels run on every `--every`-th table. CatBoost and
robust covariance (mcd) run on tables of at most 300 columns, the latter where rows are twice as many.
`--curve` learns from 10, 40, 160 and all tables of each fold and draws what comes out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.real_tables_report import LABEL_FREE, LABELLED, curve_figure, curve_text, report
from outlearn.decisions.threshold import by_expected_f1
from outlearn.execute import Executor, Processes, Serial
from outlearn.extras import require
from outlearn.files import whole
from outlearn.learners.profiles.fit import fit, fit_order
from outlearn.learners.profiles.lean_bank import LeanEpisode
from outlearn.learners.profiles.learner import LEAST_FLAGGED, Profiles
from outlearn.learners.profiles.reading import order_of, read_episode
from outlearn.learners.profiles.verdicts import known_share
from outlearn.learners.training.presets import PRESETS
from outlearn.learners.training.real import RealTables, TableEpisodes, plain_profiles, real_tables
from outlearn.rng import derive
from outlearn.tasks.corpus import Corpus
from outlearn.tasks.episode import Episode

Row = dict[str, Any]
Scores = np.ndarray

SEED = PRESETS["default"].seed
FOLDS = 5
SLOW, WIDEST = ("catboost", "mcd"), 300  # columns beyond which these take minutes a table
CURVE = (10, 40, 160, 640)  # tables; as many of the last as there are


def settings(options: argparse.Namespace) -> Row:
    return {"tables": options.tables.name, "within": options.within, "folds": FOLDS, "seed": SEED}


def conduct(call: Call) -> None:
    options = call.options
    warnings.simplefilter("ignore")
    tables = real_tables(Corpus.read(options.tables), silent)
    with Processes(options.workers) if options.workers > 1 else nullcontext(Serial()) as pool:
        bank, families = tables.profiles(options.work / f"tables-{SEED}", SEED, pool, _tell)
        plain = plain_profiles(options.work / f"noise-{SEED}", SEED, pool, _tell)
        folded = FoldedTables(tables, bank, families, plain, options.within)
        if options.curve:
            jobs = [(fold, most) for most in CURVE for fold in range(FOLDS)]
            rows = [row for chunk in pool.map(folded.curve, jobs) for row in chunk]
        else:
            rows = [row for chunk in pool.map(folded.fold, range(FOLDS)) for row in chunk]
            if options.every:
                _with_peers(rows, tables, options, pool)
    rowfile.write(options.out, call.settings, rows, command=call.command)
    if options.curve:
        converter = require("vl_convert", extra="report")
        options.out.with_suffix(".svg").write_text(converter.vegalite_to_svg(curve_figure(rows)))
        rowfile.tell(options.out, "Learning curve", curve_text(rows), command=call.command)
    else:
        rowfile.tell(options.out, "Real tables", report(rows), command=call.command)


def table_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every study on real tables takes."""
    parser.add_argument("tables", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)


def arguments(parser: argparse.ArgumentParser) -> None:
    table_arguments(parser)
    parser.add_argument("--within", nargs="*", default=[])
    parser.add_argument("--every", type=int, default=3, help="tables a labelled peer runs on; 0 for no peer")
    parser.add_argument("--curve", action="store_true")


def fold_of(family: str) -> int:
    """Return the fold of a family, the same on every machine."""
    return int(hashlib.sha256(family.encode()).hexdigest(), 16) % FOLDS


class FoldedTables:
    """Tables with their tasks, dealt to folds; picklable, so that folds can run in processes."""

    def __init__(
        self,
        tables: RealTables,
        bank: Sequence[LeanEpisode],
        families: Sequence[str],
        plain: Sequence[LeanEpisode],
        within: Sequence[str],
    ) -> None:
        self.tables, self.bank, self.families, self.plain, self.within = tables, bank, families, plain, within
        self.a_table = len(bank) // len(tables.entries)
        self.uses = TableEpisodes((), tables.numbers, SEED).use_of

    def group(self, place: int) -> str:
        return Path(self.tables.entries[place].name).parent.name

    def taught(self, fold: int, most: int | None = None) -> list[int]:
        """Return the episodes of the tables to learn from, at most `most` of these."""
        places = [
            place
            for place, family in enumerate(self.tables.families)
            if fold_of(family) != fold and (not self.within or self.group(place) in self.within)
        ]
        kept = sorted(derive(SEED, fold, most or 0).permutation(places)[:most]) if most else places
        return [place * self.a_table + i for place in kept for i in range(self.a_table)]

    def judged(self, fold: int) -> list[int]:
        return [i for i, family in enumerate(self.families) if fold_of(family) == fold]

    def network(self, taught: Sequence[int], *, order_alone: bool = False) -> Any:
        net = Profiles(seed=SEED).network()
        bank, families = [self.bank[i] for i in taught], [self.families[i] for i in taught]
        if order_alone:
            fit_order(net, bank, families, seed=SEED)
        else:
            fit(net, bank, families, self.plain, seed=SEED)
        return net

    def fold(self, fold: int) -> list[Row]:
        """Return a row an episode that the network of a fold did not learn from."""
        torch.set_num_threads(1)
        net, start = self.network(self.taught(fold)), Profiles(seed=SEED).network()
        return [self._row(i, net, start) for i in self.judged(fold)]

    def _row(self, i: int, net: Any, start: Any) -> Row:
        episode, place = self.bank[i], i // self.a_table
        read = read_episode(net, episode)
        with torch.inference_mode():
            summary = torch.from_numpy(read.summary)
            odds = net.odds(torch.from_numpy(read.own).float(), summary).double().numpy()
            reach = float(torch.sigmoid(net.expected(summary)))
        plain = order_of(net, episode.query.astype(np.float32), known_share(episode.support_y))
        return {
            "set": self.tables.entries[place].name,
            "group": self.group(place),
            "episode": i,
            "use": self.uses(i).name,
            "cases": int((episode.support_y == 1).sum()),
            "ours": pair(episode.query_y, read.asked),
            "no labels": pair(episode.query_y, plain),
            "start": pair(episode.query_y, read_episode(start, episode).asked),
            "reach": round(reach, 4),
            **flags(episode, odds),
        }

    def curve(self, job: tuple[int, int]) -> list[Row]:
        """Return what a network reaches on a fold that learnt from so many tables, a row an episode."""
        torch.set_num_threads(1)
        fold, most = job
        taught, rows = self.taught(fold, most), []
        net = self.network(taught, order_alone=True)
        for i in self.judged(fold):
            if (name := self.uses(i).name) in ("reference", "unlabelled", "cases", "reference and cases"):
                reached = pair(self.bank[i].query_y, read_episode(net, self.bank[i]).asked)
                rows.append(
                    {"tables": len(taught) // self.a_table, "group": self.group(i // self.a_table)}
                    | {"use": name, "episode": i, "asked": most, "ours": reached}
                )
        return rows


def pair(truth: np.ndarray, scores: Scores) -> list[float]:
    """Return AUROC and average precision."""
    return [
        round(float(roc_auc_score(truth, scores)), 5),
        round(float(average_precision_score(truth, scores)), 5),
    ]


def flags(episode: LeanEpisode, odds: Scores) -> Row:
    """Return what the default flags among unlabelled rows of a support: share, F1, F1 at the true share."""
    rest = episode.support_y == -1
    if not rest.any():
        return {}
    chances, truth = 1 / (1 + np.exp(-odds[rest])), episode.support_truth[rest]
    flagged = chances >= by_expected_f1(chances, LEAST_FLAGGED)
    row: Row = {"flagged": round(float(flagged.mean()), 5), "share": round(float(truth.mean()), 5)}
    if truth.any():
        best = np.sort(chances)[::-1][int(truth.sum()) - 1]
        row["f1"] = round(float(f1_score(truth, flagged)), 4)
        row["f1 at the share"] = round(float(f1_score(truth, chances >= best)), 4)
    return row


def _with_peers(rows: list[Row], tables: RealTables, options: argparse.Namespace, pool: Executor) -> None:
    """Add what peers reach to the rows of the tasks that they run on; kept in the work folder one by one."""
    episodes = TableEpisodes(tuple(entry.path for entry in tables.entries), tables.numbers, SEED)
    wanted = [row for row in rows if row["use"] != "clean" and _runs(row, episodes.a_table, options.every)]
    done = pool.map(partial(peers_of, episodes=episodes, folder=options.work / "peers"), wanted)
    for number, (row, reached) in enumerate(zip(wanted, done, strict=True), 1):
        row["peers"] = reached
        if number % 100 == 0:
            print(f"peers: {number} of {len(wanted)}", flush=True)


def _runs(row: Row, a_table: int, every: int) -> bool:
    return row["use"] in ("reference", "unlabelled") or (row["episode"] // a_table) % every == 0


def peers_of(row: Row, episodes: TableEpisodes, folder: Path) -> dict[str, list[float] | None]:
    """Return AUROC and average precision of each peer on a task; None where it cannot run."""
    path = folder / f"{row['episode']}.json"
    if path.exists():
        reached: dict[str, list[float] | None] = json.loads(path.read_text())
        return reached
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    episode = episodes(row["episode"])
    names = LABEL_FREE if row["use"] in ("reference", "unlabelled") else LABELLED
    with threadpool_limits(1):
        reached = {name: _reached(name, episode) for name in names}
    with whole(path, parents=True) as file:
        file.write_text(json.dumps(reached))
    return reached


def _reached(name: str, episode: Episode) -> list[float] | None:
    from benchmarks.harness.peers import DETECTORS

    n, d = episode.support_x.shape
    if name in LABELLED and not (episode.support_y == 1).any():
        return None
    if (name in SLOW and d > WIDEST) or (name == "mcd" and n < 2 * d):
        return None
    try:
        if name == "nearest case":
            return pair(episode.query_y, nearest_case(episode))
        peer = DETECTORS[name](0)
        peer.fit(episode.support_x.astype(np.float64), None if name in LABEL_FREE else episode.support_y)
        return pair(episode.query_y, peer.score(episode.query_x.astype(np.float64)))
    except Exception as error:  # a peer that fails on a table is left out there, and counted
        print(f"{name}: {error}", flush=True)
        return None


def nearest_case(episode: Episode) -> Scores:
    """Return minus the distance to the nearest confirmed anomaly, columns standardised by the support."""
    scaler = StandardScaler().fit(episode.support_x.astype(np.float64))
    cases = NearestNeighbors(n_neighbors=1).fit(scaler.transform(episode.support_x[episode.support_y == 1]))
    return -cases.kneighbors(scaler.transform(episode.query_x.astype(np.float64)))[0][:, 0]


def silent(stage: str, done: int, total: int | None, loss: float | None = None, /) -> None:
    return None


def _tell(stage: str, done: int, total: int | None, loss: float | None = None, /) -> None:
    if done % 500 == 0:
        print(f"{stage}: {done} of {total}", flush=True)


def _report(rows: Sequence[Row]) -> str:
    return curve_text(rows) if "asked" in rows[0] else report(rows)


STUDY = Study(
    "real_tables",
    __doc__,
    arguments,
    conduct,
    settings=settings,
    report=on_rows(_report),
)
