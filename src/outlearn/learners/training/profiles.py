"""A meta-training run of the learner on row profiles, end to end: resumable, same settings same result."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from outlearn import __version__
from outlearn.errors import ParameterError
from outlearn.execute import Processes, Serial
from outlearn.learners.loop import Training
from outlearn.learners.pretrained import save_profiles
from outlearn.learners.profiles.fit import fit
from outlearn.learners.profiles.learner import Profiles, ProfilesLearned, score_episode
from outlearn.learners.profiles.summary import KINDS, kind_of
from outlearn.learners.rows.lean_bank import LeanEpisode
from outlearn.learners.training.config import MetatrainConfig
from outlearn.learners.training.judge import Figure
from outlearn.learners.training.log import TrainingLog
from outlearn.learners.training.real import RealTables, held_out, plain_profiles, real_tables
from outlearn.tasks.corpus import Corpus, Entry
from outlearn.weights.card import write_card

if TYPE_CHECKING:
    from outlearn.nets.rows import RowNet

__all__ = ["figures_of", "train_profiles"]

Progress = Callable[[str, int, int, float], None]
Figures = Mapping[str, tuple[Figure, ...]]

KIND_NAMES = ("unlabelled", "known normals", "a few labels", "known normals and a few cases")


def train_profiles(
    config: MetatrainConfig, out: Path, *, workers: int, folder: Path, command: str, tell: Progress
) -> tuple[Figures, tuple[str, ...]]:
    """Train on the tables of `config.tasks.corpus`; write the checkpoint and its card.

    Returns mean figures on the held-out families before and after training, and the names of their sets.

    Raises
    ------
    ParameterError
        When there is no corpus, no set of it matches, or all are of one family.
    ReadError, InputError
        When sets cannot be used, or the folder holds tasks that were made otherwise.
    """
    tables = _tables(config, tell)
    apart = held_out(tables.families, config.tasks.held_out, config.seed)
    with Processes(workers) if workers > 1 else nullcontext(Serial()) as pool:
        bank, families = tables.profiles(folder / f"tables-{config.seed}", config.seed, pool, tell)
        plain = plain_profiles(folder / f"noise-{config.seed}", config.seed, pool, tell)
    taught = [i for i, family in enumerate(families) if family not in apart]
    judged = [bank[i] for i, family in enumerate(families) if family in apart]
    learner = Profiles(seed=config.seed, steps=config.training.steps or Profiles.steps)
    net = learner.network()
    figures = {"before training": figures_of(net, judged)}
    state = folder / f"profiles-{_digest(config, tables)}"
    with TrainingLog(config.training.log, config.training.rate) as log:
        recipe = partial(_recipe, state=state, every=config.training.every, log=log, tell=tell)
        fit(
            net,
            [bank[i] for i in taught],
            [families[i] for i in taught],
            plain,
            seed=config.seed,
            steps=learner.steps,
            recipe=recipe,
        )
    figures["after training"] = figures_of(net, judged)
    names = tuple(entry.name for entry in tables.entries if entry.family in apart)
    corpus = _provenance([entry for entry in tables.entries if entry.family not in apart])
    notes: dict[str, object] = {
        "version": __version__,
        "tables": len(tables.entries) - len(names),
        "held-out AUROC before": figures["before training"][0].auroc,
        "held-out AUROC": figures["after training"][0].auroc,
        "settings": config.to_toml(),
    }
    save_profiles(out, ProfilesLearned(net), corpus=corpus, seed=config.seed, command=command, notes=notes)
    write_card(
        out,
        what="The learner `profiles`: a small network that scores a row by its profile relative to a "
        "support, "
        f"with whatever labels there are. For `outlearn.Detector(weights={out.name!r})`; the shipped one "
        "is the default of `Detector`.",
        source=f"{corpus}. Rows are not part of it, and cannot be had back from {_size(net):,} numbers.",
        command=command,
        how_good=f"Mean AUROC / average precision on {len(judged)} tasks of {len(apart)} families held out "
        f"({len(names)} sets):\n\n{_figures_table(figures)}\n\nWith whole collections left out, peers and "
        "p values: `docs/pretraining.md`.",
        limits=(
            "Its probabilities are those at the share of anomalies that it expects, which is a guess.",
            "The figures are means over tables: single tables lie far from them.",
            "Sets of OddBench and OvRBench took part in training: never enter a leaderboard over them with "
            "these weights.",
        ),
    )
    return figures, names


def _tables(config: MetatrainConfig, tell: Progress) -> RealTables:
    tasks = config.tasks
    if tasks.corpus is None:
        raise ParameterError(
            "the learner 'profiles' learns from real tables, and there is no corpus; give a folder of "
            "labelled sets with a manifest.csv (--corpus)"
        )
    corpus = Corpus.read(tasks.corpus, pattern=tasks.pattern, licence=tasks.licence)
    if not len(corpus):
        raise ParameterError(
            f"no set of {tasks.corpus} matches tasks.pattern={tasks.pattern!r} and "
            f"tasks.licence={tasks.licence!r}; widen them"
        )
    tables = real_tables(corpus, tell)
    if len(set(tables.families)) < 2:
        raise ParameterError(
            f"the {len(tables.entries)} sets that can be learnt from are of one family, and one family is "
            "held out; give more families"
        )
    return tables


def _recipe(stage: str, *, state: Path, every: int, log: TrainingLog, tell: Progress) -> Training:
    return Training(
        checkpoint=state.with_name(f"{state.name}-{stage}.safetensors"),
        every=every,
        progress=partial(tell, f"training: {stage}"),
    )


def _digest(config: MetatrainConfig, tables: RealTables) -> str:
    about = [config.to_toml(), [entry.name for entry in tables.entries], __version__]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]


def figures_of(net: RowNet, episodes: Sequence[LeanEpisode]) -> tuple[Figure, ...]:
    """Return mean figures of all episodes, then of each kind of support."""
    found: list[list[tuple[float, float]]] = [[] for _ in range(KINDS)]
    for episode in episodes:
        scores, y = score_episode(net, episode), episode.query_y
        pair = float(roc_auc_score(y, scores)), float(average_precision_score(y, scores))
        found[kind_of(episode.support_y)].append(pair)
    groups = {"all": [pair for pairs in found for pair in pairs], **dict(zip(KIND_NAMES, found, strict=True))}
    return tuple(
        Figure(name, len(pairs), *(float(mean) for mean in np.mean(pairs, axis=0)))
        for name, pairs in groups.items()
        if pairs
    )


def _provenance(entries: Sequence[Entry]) -> str:
    counts = Counter(
        (str(Path(entry.name).parent), entry.licence or "licence not stated") for entry in entries
    )
    told = ", ".join(f"{count} of {where} ({licence})" for (where, licence), count in sorted(counts.items()))
    return f"{len(entries)} labelled real tables: {told}"


def _size(net: RowNet) -> int:
    return sum(value.numel() for value in net.parameters())


def _figures_table(figures: Figures) -> str:
    lines = [f"| supports | tasks | {' | '.join(figures)} |", f"|---|---|{'---|' * len(figures)}"]
    for place, figure in enumerate(figures["after training"]):
        row = [column[place] for column in figures.values()]
        cells = " | ".join(f"{each.auroc:.3f} / {each.average_precision:.3f}" for each in row)
        lines.append(f"| {figure.group} | {figure.tasks:,} | {cells} |")
    return "\n".join(lines)
