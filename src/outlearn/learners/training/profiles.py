"""A meta-training run of the learner on row profiles, end to end: resumable, same settings same result."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.errors import ParameterError
from outlearn.execute import Executor
from outlearn.files import together
from outlearn.learners.pretrained import save_profiles
from outlearn.learners.profiles.fit import fit
from outlearn.learners.profiles.lean_bank import LeanEpisode
from outlearn.learners.profiles.learner import ARCHITECTURE, Profiles, ProfilesLearned
from outlearn.learners.profiles.reading import read_episode
from outlearn.learners.profiles.verdicts import known_share
from outlearn.learners.training.card import Figures, figures_of
from outlearn.learners.training.config import MetatrainConfig
from outlearn.learners.training.judge import judge
from outlearn.learners.training.log import TrainingLog
from outlearn.learners.training.loop import Training
from outlearn.learners.training.real import RealTables, held_out, plain_profiles, real_tables
from outlearn.learners.training.sets import corpus_of, counted, missed
from outlearn.progress import Progress
from outlearn.weights.card import write_card

__all__ = ["train_profiles"]

SUPPORTS = ("unlabelled", "reference")


def train_profiles(
    config: MetatrainConfig, out: Path, *, executor: Executor, folder: Path, command: str, tell: Progress
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
    bank, families = tables.profiles(folder / f"tables-{config.seed}", config.seed, executor, tell)
    plain = plain_profiles(folder / f"noise-{config.seed}", config.seed, executor, tell)
    taught = [i for i, family in enumerate(families) if family not in apart]
    judged = [bank[i] for i, family in enumerate(families) if family in apart]
    learner = Profiles(seed=config.seed, steps=config.training.steps or Profiles.steps)
    net = learner.network()
    by_support = {
        name: [e for e in judged if (known_share(e.support_y) >= 0.5) == (name == "reference")]
        for name in SUPPORTS
    }

    def score(episode: LeanEpisode) -> NDArray[np.floating]:
        return read_episode(net, episode).asked

    figures = {"before training": judge(score, by_support)}
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
    figures["after training"] = judge(score, by_support)
    names = tuple(entry.name for entry in tables.entries if entry.family in apart)
    corpus = counted([entry for entry in tables.entries if entry.family not in apart])
    notes: dict[str, object] = {
        "version": __version__,
        "tables": len(tables.entries) - len(names),
        "held-out AUROC before": figures["before training"][0].auroc,
        "held-out AUROC": figures["after training"][0].auroc,
        "settings": config.to_toml(),
    }
    with together():
        save_profiles(
            out, ProfilesLearned(net), corpus=corpus, seed=config.seed, command=command, notes=notes
        )
        write_card(
            out,
            what="The learner `profiles`: a small network that scores a row by its profile relative to a "
            f"support, with whatever labels there are. For `outlearn.Detector(weights={out.name!r})`; the "
            "shipped one is the default of `Detector`.",
            source=f"{corpus}.{missed(tables.left_out)}",
            command=command,
            how_good=f"Mean AUROC / average precision on {len(judged)} tasks of {len(apart)} families held "
            f"out ({len(names)} sets):\n\n{figures_of(figures)}",
            limits=(
                "Its probabilities are those at the share of anomalies that it expects, which is a guess.",
                "The figures are means over tables: single tables lie far from them.",
                "Whoever trained on tables of a public benchmark must not enter its leaderboard with the "
                "result.",
            ),
        )
    return figures, names


def _tables(config: MetatrainConfig, tell: Progress) -> RealTables:
    tables = real_tables(corpus_of(config.tasks), tell)
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
    about = [config.to_toml(), [entry.name for entry in tables.entries], __version__, ARCHITECTURE]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]
