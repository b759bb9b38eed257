"""The recipe behind the shipped weights: resumable at every stage, the same result for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from outlearn.errors import OutputError, ParameterError
from outlearn.execute import Processes, Serial
from outlearn.learners.bank import EpisodeProfiles, build_bank
from outlearn.learners.incontext import InContext, InContextLearned
from outlearn.learners.loop import Training
from outlearn.learners.loss import collate
from outlearn.learners.pretrained import save_incontext
from outlearn.tasks.episode import Episode
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler

__all__ = ["CORPUS", "metatrain"]

_SAMPLER = "outlearn.tasks.sampler.SyntheticSampler"
CORPUS = f"synthetic episodes of {_SAMPLER} (generated, no licence needed); no real data"
HELD_OUT = 0.05  # of the episodes: never trained on, reported before and after
Progress = Callable[[str, int, int, float], None]


def metatrain(
    out: Path,
    *,
    episodes: int = 3000,
    epochs: int = 6,
    seed: int = 0,
    workers: int = 1,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Meta-train the in-context learner on synthetic episodes and write its checkpoint to `out`.

    Parameters
    ----------
    episodes : synthetic tasks, of which 5 % are held out.
    epochs : passes over the tasks.
    workers : processes that profile episodes; the result does not depend on it.
    folder : where profiles and the training state are kept, so that an interrupted run goes on; beside `out`
        when None.
    progress : called with (stage, done, total, loss).

    Returns
    -------
    Mean AUROC on the held-out episodes, before and after training.

    Raises
    ------
    ParameterError
        When there are too few episodes to hold one out.
    OutputError
        When the folder cannot be made.
    """
    held = max(int(HELD_OUT * episodes), 1)
    if episodes - held < 8:
        raise ParameterError(
            f"{episodes} episodes are too few to train on; give at least 10, better thousands"
        )
    tell = progress or (lambda stage, done, total, loss: None)
    folder = _writable(out.with_suffix(".work") if folder is None else folder)
    bank = _bank(folder / f"episodes-{seed}", episodes, seed, workers, tell)
    kept, held_out = bank[:-held], bank[-held:]
    learner = InContext(seed=seed, epochs=epochs)
    net = learner.network().eval()
    before = _mean_auroc(InContextLearned(net), held_out)
    how = Training(
        checkpoint=folder / f"training-{seed}-{episodes}-{epochs}.safetensors",
        progress=lambda step, total, loss: tell("training", step, total, loss),
    )
    learner.train(net, kept, how)
    learned = InContextLearned(net)
    after = _mean_auroc(learned, held_out)
    notes = {"held-out AUROC before": before, "held-out AUROC": after, "episodes": episodes}
    command = f"outlearn metatrain --episodes {episodes} --epochs {epochs} --seed {seed} --out {out.name}"
    save_incontext(out, learned, corpus=CORPUS, seed=seed, command=command, notes=dict(notes))
    return {name: float(value) for name, value in notes.items()}


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot keep the training state in {folder}: {error.strerror or error}") from error
    return folder


def _bank(folder: Path, episodes: int, seed: int, workers: int, tell: Progress) -> list[EpisodeProfiles]:
    def build(executor: Serial | Processes) -> list[EpisodeProfiles]:
        return build_bank(
            folder,
            partial(_episode, seed=seed),
            episodes,
            executor=executor,
            progress=lambda done, total: tell("profiling episodes", done, total, float("nan")),
        )

    if workers <= 1:
        return build(Serial())
    with Processes(workers) as pool:
        return build(pool)


def _episode(index: int, seed: int) -> Episode:
    return SyntheticSampler(SamplerConfig(seed=seed)).episode(index)


def _mean_auroc(learned: InContextLearned, episodes: list[EpisodeProfiles]) -> float:
    import torch

    scores = []
    with torch.inference_mode():
        for episode in episodes:
            support, y, mask, about, query, _, _ = collate([episode])
            logits, _ = learned.net(support, y, mask, about, query)
            scores.append(roc_auc_score(episode.query_y, logits[0].numpy()))
    return float(np.mean(scores))
