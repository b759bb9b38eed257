"""Training the network that weighs modalities: synthetic records, one command, a card beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outlearn.execute import Executor, Serial
from outlearn.files import together, whole
from outlearn.learners.incontext.fusion import ABOUT, VOICES, save_fusion, see
from outlearn.learners.pretrained import load_incontext
from outlearn.learners.profiles.bank import usual_share
from outlearn.learners.training.loop import adamw, train
from outlearn.learners.training.settings import one_thread, seeded
from outlearn.progress import Progress, silent
from outlearn.rng import derive
from outlearn.tasks.mixed import MOST, draw_mixed
from outlearn.weights.card import figures_table, write_card

if TYPE_CHECKING:
    from torch import Tensor

    from outlearn.nets.fusion import FusionNet

__all__ = ["Heard", "hear", "train_fusion"]

HELD_OUT = 100  # tasks that the network is judged on
BATCH = 16
RATE = 3e-3
EVERY = 200  # steps between two checkpoints
TOGETHER = 50  # tasks that are kept in one file while they are made


@dataclass(frozen=True, slots=True)
class Heard:
    """The verdicts of modalities on the query of one task; places beyond its modalities are nil.

    voices : (m, M, V). about : (M, C). gone : (m, M). absent : (M,). truth : (m,) in {0, 1}.
    share : of anomalies that probabilities refer to.
    """

    voices: NDArray[np.float32]
    about: NDArray[np.float32]
    gone: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    truth: NDArray[np.int8]
    share: NDArray[np.float32]


def hear(number: int, seed: int) -> Heard:
    """Return what the shipped in-context learner says of task `number` of a stream."""
    task = draw_mixed(seed, number)
    learned, episode = load_incontext(), task.episode
    rows = len(episode.query_y)
    voices = np.zeros((rows, MOST, len(VOICES)), dtype=np.float32)
    about = np.zeros((MOST, len(ABOUT)), dtype=np.float32)
    gone, absent = np.ones((rows, MOST), dtype=bool), np.ones(MOST, dtype=bool)
    for place, columns in enumerate(task.parts):
        there, asked = ~task.support_gone[:, place], ~task.query_gone[:, place]
        sight = see(
            learned, episode.support_x[there, columns], episode.support_y[there], 1 - float(there.mean())
        )
        if sight is None:
            continue
        voices[asked, place] = sight.voices(episode.query_x[asked, columns])
        about[place], absent[place], gone[asked, place] = sight.about, False, False
    return Heard(voices, about, gone, absent, episode.query_y, usual_share(episode))


def train_fusion(
    out: Path,
    *,
    tasks: int,
    steps: int,
    seed: int = 0,
    held_out: int = HELD_OUT,
    command: str = "train_fusion",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> FusionNet:
    """Train a network on synthetic records, judge it on others, and write it with a card beside.

    A run that was interrupted goes on from files beside it, which go when it is done.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    import torch

    from outlearn.nets.fusion import FusionConfig, FusionNet

    tell = progress or silent
    heard = _all_heard(out, tasks + held_out, seed, Serial() if executor is None else executor, tell)
    with seeded(seed):
        net = FusionNet(FusionConfig(len(VOICES), len(ABOUT)))
    kept = out.with_name(f"{out.name}.{tasks}-{steps}-{seed}.training")

    def objective(step: int) -> float:
        batch = [heard[i] for i in derive(seed, 1, step).choice(tasks, min(BATCH, tasks), replace=False)]
        loss = _loss(net, batch)
        net.zero_grad()
        torch.autograd.backward(loss)
        return float(loss.detach())

    how = adamw(steps, RATE, every=EVERY, checkpoint=kept, tell=tell)
    with one_thread():
        train(dict(net.named_parameters()), objective, how)
    source = f"{tasks:,} synthetic records of 2 to {MOST} modalities; generated, so no licence is needed."
    with together():
        save_fusion(out, net, corpus=source, seed=seed, command=command)
        figures = figures_table(["", "AUROC", "average precision"], _judged(net, heard[tasks:]))
        write_card(
            out,
            what="A small network that weighs what the modalities of a record say, for `outlearn.Detector`.",
            source=source,
            command=command,
            how_good=f"Means over {held_out} held-out synthetic tasks:\n\n{figures}",
            limits=(
                "It has seen modalities drawn from the priors of tables; `benchmarks/studies/mixed.py` "
                "measures it on real ones, docs/mixed.md has the figures.",
            ),
        )
    kept.unlink(missing_ok=True)
    for path in out.parent.glob(f"{out.name}.{seed}.*.heard"):
        path.unlink()
    return net


def _all_heard(out: Path, count: int, seed: int, executor: Executor, tell: Progress) -> list[Heard]:
    """Return what is heard of tasks 0 … count - 1, going on with files beside `out`."""
    names = list(Heard.__dataclass_fields__)
    made: list[Heard] = []
    for start in range(0, count, TOGETHER):
        numbers = range(start, min(start + TOGETHER, count))
        path = out.with_name(f"{out.name}.{seed}.{numbers.start}-{numbers.stop}.heard")
        if path.exists():
            with np.load(path) as arrays:
                made += [
                    Heard(**{name: arrays[f"{i}.{name}"] for name in names}) for i in range(len(numbers))
                ]
            continue
        fresh: list[Heard] = []
        for record in executor.map(partial(hear, seed=seed), numbers):
            fresh.append(record)
            tell("records", start + len(fresh), count)
        arrays = {f"{i}.{name}": getattr(record, name) for i, record in enumerate(fresh) for name in names}
        with whole(path) as draft, draft.open("wb") as file:
            np.savez(file, **arrays)
        made += fresh
    return made


def _tensors(batch: Sequence[Heard]) -> list[Tensor]:
    import torch

    names = ("voices", "about", "gone", "absent")
    return [torch.from_numpy(np.stack([getattr(record, name) for record in batch])) for name in names]


def _loss(net: FusionNet, batch: Sequence[Heard]) -> Tensor:
    """Return the balanced cross entropy, as if half of the rows were anomalies; scores are at `share`."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as entropy

    truth = torch.from_numpy(np.stack([record.truth for record in batch])).float()
    share = torch.from_numpy(np.stack([record.share for record in batch]))[:, None]
    odd = truth.mean(1, keepdim=True)
    weight = truth / odd + (1 - truth) / (1 - odd)
    return entropy(net(*_tensors(batch)) - torch.logit(share), truth, weight / 2)


def _judged(net: FusionNet, heard: Sequence[Heard]) -> Mapping[str, Sequence[float]]:
    """Return AUROC and average precision of the network and of plain ways to join what modalities say."""
    import torch
    from sklearn.metrics import average_precision_score, roc_auc_score

    net.eval()
    ranks: dict[str, list[tuple[float, float]]] = {}
    for record in heard:
        with torch.inference_mode():
            learnt = net(*_tensors([record]))[0].numpy()
        mute = record.gone | record.absent
        odds = np.where(mute, 0.0, record.voices[..., 2])
        ways = {
            "trained": learnt,
            "sum of log-odds": odds.sum(1),
            "highest log-odds": np.where(mute, -9.0, record.voices[..., 2]).max(1),
            "sum of tails": np.where(mute, 0.0, record.voices[..., 0]).sum(1),
            "highest tail": np.where(mute, 0.0, record.voices[..., 0]).max(1),
        }
        for name, scores in ways.items():
            rank = roc_auc_score(record.truth, scores), average_precision_score(record.truth, scores)
            ranks.setdefault(name, []).append(rank)
    return {name: np.mean(pairs, axis=0).tolist() for name, pairs in ranks.items()}
