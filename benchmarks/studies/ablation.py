"""What each part of the training of the in-context learner gives, and what size gives, on real tables.

    python -m benchmarks run ablation FOLDER... --work WORK --out ablation.json

Networks are trained on as many synthetic tasks each, for as many epochs, with one part changed: a single
prior, without labels in the supports, without a start (the mixtures begin equal), with an easy start (a
curriculum: the easiest tasks first), with real sets beside the synthetic tasks (two networks, each trained on
half of the families and judged on the other), and with other widths. All are judged on the same splits of the
labelled sets, at most 3,000 rows of each: contaminated, normal rows only, and five labelled anomalies. Beside
them stand the network without training and a kNN distance.

Profiles of tasks and sets are kept in WORK, and rows are written as networks are finished: the same command
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.families import family_of, sets_in
from outlearn.errors import InputError
from outlearn.evaluate import auroc, average_precision, contaminated, few_labels, inlier_only
from outlearn.learners.incontext.learner import InContext
from outlearn.learners.profiles.bank import EpisodeProfiles, build_bank, profile_episode
from outlearn.learners.profiles.profile import STATISTICS
from outlearn.learners.training.loop import Training
from outlearn.nets.incontext import InContextNet
from outlearn.tasks.episode import Episode
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.tasks.sets import read_set
from outlearn.tasks.synthetic.table import PRIORS

MOST_ROWS = 3000
SAMPLER = SamplerConfig(columns=(2, 300), hidden=0.5)
SITUATIONS = {
    "contaminated": contaminated,
    "inlier-only": inlier_only,
    "five labels": partial(few_labels, labelled_anomalies=5),
}
BASELINE = STATISTICS.index("standard.d5")
FOLDS = (0, 1)
Bank = list[EpisodeProfiles]
Folded = dict[str, list[tuple[int, EpisodeProfiles]]]  # situation → tasks, each with the half it is of
Sets = dict[str, Folded]


@dataclass(frozen=True)
class Variant:
    """A training run: tasks of one prior (None: all), and what else is changed."""

    name: str
    prior: str | None = None
    labels: bool = True
    start: bool = True
    easy_first: bool = False
    real: bool = False
    width: int = 96
    epochs: int | None = None


VARIANTS = (
    Variant("untrained", epochs=0),
    Variant("all priors"),
    *(Variant(f"{prior} alone", prior=prior) for prior in PRIORS),
    Variant("no labels in the context", labels=False),
    Variant("no start for the mixtures", start=False),
    Variant("easy tasks first", easy_first=True),
    Variant("real sets of other families too", real=True),
    Variant("width 32", width=32),
    Variant("width 192", width=192),
)


def synthetic(index: int, prior: str | None) -> Episode:
    config = SAMPLER if prior is None else replace(SAMPLER, priors={prior: 1.0})
    return SyntheticSampler(config).episode(index)


def real(index: int, paths: Sequence[Path], seeds: int) -> Episode:
    """Return one split of a set as an episode; its number tells set, situation and seed."""
    place, rest = divmod(index, len(SITUATIONS) * seeds)
    name = list(SITUATIONS)[rest // seeds]
    X, y = read_set(paths[place])
    try:
        split = SITUATIONS[name](X, y, rest % seeds, max_rows=MOST_ROWS)
    except InputError:  # a place holder without anomalies, which is not judged
        nothing = np.zeros(2, dtype=np.int8)
        return Episode(X[:2], nothing, X[:2], nothing, nothing, {})
    labels = np.full(len(split.train_x), -1, dtype=np.int8) if split.train_y is None else split.train_y
    truth = np.zeros(len(labels), dtype=np.int8)
    if name != "inlier-only":  # splits are stratified, and training asks for no more than the share
        truth[: round(split.test_y.mean() * len(truth))] = 1
    return Episode(split.train_x, labels, split.test_x, split.test_y, truth, {})


def trained(variant: Variant, bank: Bank, epochs: int) -> InContextNet:
    """Train a network on a bank of tasks."""
    recipe = InContext(epochs=epochs if variant.epochs is None else variant.epochs, width=variant.width)
    net = recipe.network()
    if not variant.start:
        with torch.no_grad():
            net.start.zero_()
            net.prior.zero_()
    if not variant.labels:
        bank = [episode for episode in bank if not (episode.support_y == 1).any()]
    if variant.easy_first:
        ease = [auroc(episode.query_y, episode.query[:, len(STATISTICS) + BASELINE]) for episode in bank]
        half = [bank[i] for i in np.argsort(ease)[len(bank) // 2 :]]
        recipe.train(net, half, Training())
    if recipe.epochs:
        recipe.train(net, bank, Training())
    return net.eval()


def judge(net: InContextNet | None, bank: Bank) -> list[tuple[float, float]]:
    """Return AUROC and average precision of a network on each task, or without one of the kNN distance."""
    figures = []
    for episode in bank:
        query = torch.from_numpy(episode.query.astype(np.float32))
        if net is None:
            scores = episode.query[:, len(STATISTICS) + BASELINE].astype(np.float64)
        else:
            support = torch.from_numpy(episode.support.astype(np.float32))[None]
            y = torch.from_numpy(episode.support_y.astype(np.int64))[None]
            about = torch.from_numpy(episode.situation)[None]
            with torch.inference_mode():
                read = (support, y, torch.ones_like(y, dtype=torch.bool), about)
                scores = net.score(query[None], about, net.read(*read), net.trust(*read))[0].double().numpy()
        figures.append((auroc(episode.query_y, scores), average_precision(episode.query_y, scores)))
    return figures


def table(rows: Sequence[rowfile.Row]) -> str:
    """Return a line a network: AUROC / average precision in each situation of each folder."""
    keys = [key for key in rows[0] if " · " in key]
    lines = ["| network | parameters | seconds | " + " | ".join(keys) + " |", "|---" * (len(keys) + 3) + "|"]
    for row in rows:
        cells = [f"{row[key][0]:.3f} / {row[key][1]:.3f}" for key in keys]
        lines.append(
            f"| {row['network']} | {row['parameters']:,} | {row['seconds']:.0f} | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--tasks", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    names = [folder.name for folder in options.folders]
    return {"folders": names, "tasks": options.tasks, "epochs": options.epochs, "seeds": options.seeds}


def conduct(call: Call) -> None:
    options = call.options
    torch.set_num_threads(1)
    names = [folder.name for folder in options.folders]
    rows = rowfile.resume(options.out, call.settings)
    fold = _folds(options.folders)
    sets = {
        name: _real_bank(folder, options, fold) for name, folder in zip(names, options.folders, strict=True)
    }
    for variant in (None, *VARIANTS):
        name = "kNN distance (5)" if variant is None else variant.name
        if name in {row["network"] for row in rows}:
            continue
        bank: Bank = []
        if variant is not None:
            prior = variant.prior
            bank = _bank(options, f"tasks-{prior}", partial(synthetic, prior=prior), options.tasks)
        rows.append({"network": name, **_measure(variant, bank, sets, options.epochs)})
        rowfile.write(options.out, call.settings, rows, command=call.command)
        print(f"{name}: done", flush=True)
    print(table(rows))


def _measure(variant: Variant | None, bank: Bank, sets: Sets, epochs: int) -> rowfile.Row:
    """Train what a variant asks for and judge it, each set by a network that saw none of its family."""
    figures: dict[str, list[tuple[float, float]]] = {}
    seconds, parameters = 0.0, 0
    for fold in FOLDS if variant is not None and variant.real else (None,):
        net, started = None, time.perf_counter()
        if variant is not None:
            others = [placed for banks in sets.values() for parts in banks.values() for placed in parts]
            more = [episode for place, episode in others if place != fold] if variant.real else []
            net = trained(variant, bank + more, epochs)
            parameters = sum(p.numel() for p in net.parameters())
        seconds += time.perf_counter() - started
        for folder, banks in sets.items():
            for situation, parts in banks.items():
                judged = judge(net, [episode for place, episode in parts if fold is None or place == fold])
                figures.setdefault(f"{folder} · {situation}", []).extend(judged)
    means = {key: np.mean(pairs, axis=0).tolist() for key, pairs in figures.items()}
    return {"parameters": parameters, "seconds": seconds, **means}


def _folds(folders: Sequence[Path]) -> dict[Path, int]:
    """Return which half of the families each set is of."""
    family = family_of(sets_in(folders, "*"))
    place = {name: i % len(FOLDS) for i, name in enumerate(sorted(set(family.values())))}
    return {path: place[name] for path, name in family.items()}


def _bank(options: argparse.Namespace, name: str, episode: Callable[[int], Episode], count: int) -> Bank:
    return build_bank(
        options.work / name, episode, count, kind=EpisodeProfiles, read=partial(profile_episode, rich=True)
    )


def _real_bank(folder: Path, options: argparse.Namespace, fold: dict[Path, int]) -> Folded:
    paths = sets_in([folder], "*")
    episode = partial(real, paths=paths, seeds=options.seeds)
    bank = _bank(
        options, f"sets-{folder.name}-{options.seeds}", episode, len(paths) * len(SITUATIONS) * options.seeds
    )
    parts: Folded = {}
    for index, profiles in enumerate(bank):
        if profiles.query_y.any():
            place, rest = divmod(index, len(SITUATIONS) * options.seeds)
            situation = list(SITUATIONS)[rest // options.seeds]
            parts.setdefault(situation, []).append((fold[paths[place]], profiles))
    return parts


STUDY = Study("ablation", __doc__, arguments, conduct, settings=settings, report=on_rows(table))
