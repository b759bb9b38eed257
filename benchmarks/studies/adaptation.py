"""Does adapting to five labels help on real tables that meta-training never saw?

    python -m benchmarks run adaptation FOLDER... --out adaptation.csv

Each labelled set is split 70/30 with its anomalies on both sides, five of those in the support labelled. On
the same query, one learner is judged by its average precision and AUROC

* unadapted: the meta-trained start without an inner step, on the same row profiles; metric learners, which
  take no steps, do not get the labels (their profiles still tell of them);
* without labels: adapted to the same support, with no label in it and none in the profiles;
* adapted: to the support with its five labels;
* from scratch: a network of the same widths, started at random, trained on the same support and labels.

Peers get the rows themselves, with the same five labels; CatBoost sets of at most 300 columns.

Rows are appended to the CSV as sets are finished, and the same command goes on where it stopped; rows of
other weights are kept and left out of the tables. These are printed and written beside the CSV as Markdown.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.harness.peers import version_of
from benchmarks.harness.scratch import from_scratch
from benchmarks.harness.study import Call, Study, integers, listed
from benchmarks.studies.adaptation_report import report
from benchmarks.studies.families import family_of, sets_in
from benchmarks.studies.gradients import cosine
from outlearn.data.rows import canonical_order
from outlearn.evaluate import auroc, average_precision
from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.learners.gradient.learner import GradientLearned
from outlearn.learners.pretrained import load_learner
from outlearn.learners.profiles.bank import EpisodeProfiles, build_bank, profile_episode
from outlearn.learners.profiles.profile import Profiler
from outlearn.learners.tabular import TableLearned, label_weights, profile_task
from outlearn.learners.training.fit import draw, meta_fit
from outlearn.learners.training.loop import Training, warm_cosine
from outlearn.rng import derive
from outlearn.tasks.episode import Episode
from outlearn.tasks.real import episode_from_set
from outlearn.tasks.rows import stratified, unique_rows
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.tasks.sets import read_set
from outlearn.tasks.task import Task
from outlearn.weights.checkpoint import shipped

LABELS = 5
LEAST = 15  # anomalies: fewer leave hardly any to judge by
MOST_ROWS = 3000
CROWDED, THINNED = 0.25, 0.10  # above the one share of anomalies, they are cut to the other of the normals
STREAM = 0xADA97
COLUMNS = (
    "set", "family", "seed", "n", "d", "anomalies", "learner", "weights",
    "unadapted_ap", "unlabelled_ap", "adapted_ap", "scratch_ap",
    "unadapted_auroc", "unlabelled_auroc", "adapted_auroc", "scratch_auroc",
    "scratch_steps", "cosine_untrained", "cosine",
)  # fmt: skip
ONE_CLASS = "one-class maml"
PEERS = ("bagged_trees", "catboost", "logistic")
WIDEST = {"catboost": 300}  # columns beyond which it takes minutes a set


@dataclass(frozen=True)
class Profiles:
    """One support and query as row profiles: x (n, P), y (n,) as shown to a learner; query (m, P)."""

    x: NDArray[np.float32]
    y: NDArray[np.int8]
    query: NDArray[np.float32]

    def task(self, query_y: NDArray[np.int8]) -> Task:
        """Return the task, every label weighed alike."""
        return Task(self.x, self.y, self.query, query_y, label_weights(self.y), label_weights(query_y))


@dataclass(frozen=True)
class Case:
    """One split of one set, as it is and profiled with its labels and without; `truth` (m,) is that of the
    query."""

    episode: Episode
    labelled: Profiles
    plain: Profiles
    truth: NDArray[np.int8]
    about: dict[str, Any]


def prepare(path: Path, seed: int) -> Case | None:
    """Split and profile one set; None when it has too few anomalies."""
    X, y = _cut(*unique_rows(*read_set(path)), derive(seed, STREAM))
    if y.sum() < LEAST:
        return None
    episode = episode_from_set(X, y, rng=derive(seed, STREAM, 1), situation="labelled", labels=LABELS)
    read = partial(_profiles, episode.support_x, query=episode.query_x)
    labelled, plain = read(episode.support_y), read(np.full_like(episode.support_y, -1))
    about = {"n": len(X), "d": X.shape[1], "anomalies": int(y.sum())}
    return Case(episode, labelled, plain, episode.query_y, about)


def _cut(
    X: NDArray[np.float32], y: NDArray[np.int8], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Thin out crowded anomalies, then all rows; the fewest anomalies that are judged stay."""
    usual, odd = np.flatnonzero(y == 0), rng.permutation(np.flatnonzero(y == 1))
    if len(odd) > CROWDED * len(y):
        odd = odd[: max(round(THINNED * len(usual)), LEAST)]
    kept = np.concatenate([usual, odd])
    if len(kept) > MOST_ROWS:
        kept = kept[stratified(rng, y[kept], MOST_ROWS)]
        if y[kept].sum() < LEAST:
            kept = np.concatenate([kept[y[kept] == 0][: MOST_ROWS - LEAST], odd[:LEAST]])
    return X[kept], y[kept]


def _profiles(X: NDArray[np.float32], y: NDArray[np.int8], query: NDArray[np.float32]) -> Profiles:
    """Profile as `TableLearned.adapt` does."""
    order = canonical_order(X, y)
    profiler = Profiler(X[order], y[order], derive(0))
    return Profiles(profiler.profile_support(X[order]).stacked(), y[order], profiler.profile(query).stacked())


def answers(learned: TableLearned, case: Case) -> dict[str, NDArray[np.float64]]:
    """Score the query (m,) as one learner does unadapted, without labels and adapted."""
    inner, labelled = learned.learned, case.labelled

    def scores(profiles: Profiles, y: NDArray[np.int8], **options: Any) -> NDArray[np.float64]:
        weight = label_weights(y, one_class=learned.one_class)
        return inner.adapt(profiles.x, y, weight, **options).score(profiles.query)

    withheld = np.full_like(labelled.y, -1)
    gradient = isinstance(inner, GradientLearned)
    return {
        "unadapted": scores(labelled, labelled.y, steps=0) if gradient else scores(labelled, withheld),
        "unlabelled": scores(case.plain, case.plain.y),
        "adapted": scores(labelled, labelled.y),
    }


def judge(case: Case, learners: Mapping[str, TableLearned], widths: Sequence[int]) -> list[dict[str, Any]]:
    """Return one row a learner."""
    task = case.labelled.task(case.truth)
    alone, steps = from_scratch(task, widths)
    rows = []
    for name, learned in learners.items():
        answered = {**answers(learned, case), "scratch": alone}
        row: dict[str, Any] = {**case.about, "learner": name, "scratch_steps": steps}
        for what, scores in answered.items():
            row[f"{what}_ap"] = round(average_precision(case.truth, scores), 5)
            row[f"{what}_auroc"] = round(auroc(case.truth, scores), 5)
        inner = learned.learned
        if isinstance(inner, GradientLearned):
            row["cosine"] = round(cosine(inner.learner, inner.meta, task), 5)
            row["cosine_untrained"] = round(cosine(inner.learner, inner.learner.start(), task), 5)
        rows.append(row)
    return rows


def judge_peers(case: Case, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return one row a peer that runs on sets so wide."""
    from benchmarks.harness.peers import DETECTORS

    rows, episode = [], case.episode
    for name in names:
        if case.about["d"] > WIDEST.get(name, case.about["d"]):
            continue
        peer = DETECTORS[name](0)
        peer.fit(episode.support_x.astype(np.float64), episode.support_y)
        scores = peer.score(episode.query_x.astype(np.float64))
        reached = {
            "adapted_ap": average_precision(case.truth, scores),
            "adapted_auroc": auroc(case.truth, scores),
        }
        rows.append(
            {**case.about, "learner": name, **{what: round(value, 5) for what, value in reached.items()}}
        )
    return rows


def one_class(work: Path, tasks: int, steps: int, seed: int) -> TableLearned:
    """Meta-train MAML on supports of normal rows alone: one-class adaptation, as OC-MAML learns it.

    Source: Frikha et al., "Few-shot one-class classification via meta-learning", AAAI 2021.
    """
    config = SamplerConfig(seed=seed, support_rows=(50, 400), query_rows=128, situations={"normal": 1.0})
    bank = build_bank(
        work / f"one-class-{seed}-{tasks}",
        SyntheticSampler(config).episode,
        tasks,
        kind=EpisodeProfiles,
        read=profile_episode,
    )
    drawn = [profile_task(profiles, derive(seed, i)) for i, profiles in enumerate(bank)]
    learner = Recipe(learner="maml", seed=seed).build()
    how = Training(
        steps=steps,
        rate=1e-3,
        schedule=warm_cosine,
        clip=1.0,
        checkpoint=work / f"one-class-{seed}-{tasks}-{steps}.safetensors",
        every=50,
    )
    return TableLearned(learner.learned(meta_fit(learner, draw(drawn, 16, seed), how)))


def fingerprint(learned: TableLearned) -> str:
    """Return eight digits that tell parameters from other parameters."""
    digest = hashlib.sha256()
    for name, value in sorted(learned.learned.meta.items()):
        digest.update(name.encode() + value.detach().numpy().tobytes())
    return digest.hexdigest()[:8]


def trained(options: argparse.Namespace) -> dict[str, TableLearned]:
    """Return the learners whose weights there are."""
    learners: dict[str, TableLearned] = {}
    for name in options.learners:
        if name == ONE_CLASS:
            learners[name] = one_class(options.work, options.tasks, options.steps, 0)
            continue
        path = shipped(name) if options.weights is None else options.weights / f"{name}.safetensors"
        if not path.exists():
            print(f"{name}: no weights at {path.name}, left out")
            continue
        learned = load_learner(name, path)
        if isinstance(learned, TableLearned) and learned.columns is None:
            learners[name] = learned
    if not learners:
        raise SystemExit("no learner has weights; train some with `outlearn metatrain` or give --weights")
    return learners


class Results:
    """The CSV: rows by set, seed, learner and weights."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[tuple[str, ...], dict[str, Any]] = {}
        if path.exists():
            with path.open(newline="") as stored:
                self.rows = {self.key(row): row for row in csv.DictReader(stored)}

    @staticmethod
    def key(row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(row[name]) for name in ("set", "seed", "learner", "weights"))

    def append(self, row: dict[str, Any]) -> None:
        fresh = not self._path.exists()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", newline="") as stored:
            writer = csv.DictWriter(stored, COLUMNS)
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        self.rows[self.key(row)] = {name: str(row.get(name, "")) for name in COLUMNS}


def arguments(parser: argparse.ArgumentParser) -> None:
    families = ("gradient", "metric")
    names = [*(name for name, kind in CATALOGUE.items() if kind.family in families), ONE_CLASS]
    add = parser.add_argument
    add("folder", type=Path, nargs="+", help="folders of .npz (X, y) or .parquet files, at any depth")
    add("--out", type=Path, default=Path("adaptation.csv"))
    add("--weights", type=Path, help="folder of NAME.safetensors; the shipped weights by default")
    add(
        "--learners",
        type=listed(names, "learner"),
        default=names,
        help="comma-separated; all by default",
    )
    add("--seeds", type=integers, default=[0, 1, 2])
    add("--sets", default="*", help="shell pattern of file names")
    add("--work", type=Path, default=Path("adaptation.work"), help=f"where {ONE_CLASS} keeps its training")
    add("--tasks", type=int, default=320, help=f"synthetic tasks that {ONE_CLASS} is trained on")
    add("--steps", type=int, default=400, help=f"meta-steps of {ONE_CLASS}")


def conduct(call: Call) -> None:
    options = call.options
    torch.set_num_threads(1)
    files = sets_in(options.folder, options.sets)
    learners = trained(options)
    marks = {name: fingerprint(learned) for name, learned in learners.items()}
    marks |= {name: version_of(name) for name in PEERS}
    results, families = Results(options.out), family_of(files)
    wanted: list[tuple[str, ...]] = []
    for path in files:
        for seed in options.seeds:
            keys = {name: (path.stem, str(seed), name, mark) for name, mark in marks.items()}
            wanted += keys.values()
            missing = [name for name, key in keys.items() if key not in results.rows]
            if missing:
                _run(path, seed, missing, learners, marks, families[path], results)
    rows = [results.rows[key] for key in wanted if key in results.rows]
    text = report(rows, command=call.command)
    print(text)
    options.out.with_suffix(".md").write_text(text)


def _run(
    path: Path,
    seed: int,
    missing: Sequence[str],
    learners: Mapping[str, TableLearned],
    marks: Mapping[str, str],
    family: str,
    results: Results,
) -> None:
    began = time.perf_counter()
    case = prepare(path, seed)
    if case is None:
        print(f"{path.stem}: fewer than {LEAST} distinct anomalies, left out")
        return
    rows = judge(case, {name: learners[name] for name in missing if name in learners}, (64, 64))
    rows += judge_peers(case, [name for name in missing if name in PEERS])
    for row in rows:
        name = row["learner"]
        results.append({**row, "set": path.stem, "family": family, "seed": seed, "weights": marks[name]})
    print(f"{path.stem} {seed}: {time.perf_counter() - began:.1f}s", flush=True)


STUDY = Study("adaptation", __doc__, arguments, conduct)
