"""Meta-training of the network on row profiles, part by part; each stands on those before it.

1. The order of rows without labels, once for supports that may hold anomalies and once for known normals: a
   logistic loss over pairs of an anomaly and a normal row of one table.
2. What labels add to that order, by the same loss, on the evidence that the first part gives; where labels
   make the order of a table worse, that counts twice.
3. The level, by cross-entropy at the share of anomalies in the support, and the judge, by the AUROC reached.

Each table, whatever its size, counts alike, and tables of one family share what a few of them would have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from outlearn.learners.profiles.evidence import Evidence
from outlearn.learners.profiles.lean_bank import LeanEpisode
from outlearn.learners.profiles.reading import order_of, read_episode
from outlearn.learners.profiles.summary import kind_of
from outlearn.learners.profiles.verdicts import MOSTLY_KNOWN, has_verdicts, known_share
from outlearn.learners.training.loop import Training, train, warm_cosine
from outlearn.rng import derive

if TYPE_CHECKING:
    from torch import Tensor, nn

    from outlearn.nets.rows import RowNet

__all__ = ["STAGES", "fit", "fit_order"]

Floats = NDArray[np.float64]
Recipe = Callable[[str], Training]

STAGES = ("unlabelled", "reference", "verdicts", "level", "judge")
BATCH = 8  # tables a step
MANY = 256  # of level and judge, whose gains are small beside the noise of few tables
ANOMALIES, NORMALS = 48, 192  # rows of a table a step, drawn with repetition
HARM = 1.0
"""What a loss above that of the order without labels counts beside itself. Tried at 0, 1 and 2 on three of
five folds of owners: at 1 about a third fewer tasks than at 0 lose more than two points of average precision
by their labels, and the mean is some tenths of a point lower; at 2 it is a point lower."""
MOST_OF_A_FAMILY = 4  # tables that a family counts as, at most, under a root
RATES = {"level": 1e-2, "judge": 1e-2}  # of the optimiser; 2e-3 of what orders rows
DECAYS = {"level": 1e-2, "judge": 1e-2}  # of weights; .1 of what orders rows
BLUR = 1.5  # standard deviations that summaries are off by when the level learns to read them, roughly
CLEAN, CONVENTION, LEAST, MOST = 0.001, 0.05, 0.003, 0.5  # shares of anomalies that a level is set for


@dataclass(frozen=True)
class _Table:
    """One episode as a part sees it.

    rows : (m, …) inputs of the query. odd, usual : positions of anomalies and normal rows. before : (m,) the
    order that the part adds to; None for none.
    """

    rows: Tensor
    odd: NDArray[np.int64]
    usual: NDArray[np.int64]
    before: Tensor | None = None


class _Draw:
    """Draws tables, families alike, and rows of them: a pure function of (seed, stage, step)."""

    def __init__(self, families: Sequence[str], seed: int, stage: int) -> None:
        self._names = sorted(set(families))
        self._of = [np.flatnonzero(np.array(families) == name) for name in self._names]
        weights = np.sqrt([min(len(members), MOST_OF_A_FAMILY) for members in self._of])
        self._chance = weights / weights.sum()
        self._seed, self._stage = seed, stage

    def at(self, step: int, count: int = BATCH) -> tuple[NDArray[np.int64], np.random.Generator]:
        rng = derive(self._seed, self._stage, step)
        names = rng.choice(len(self._names), count, p=self._chance)
        return np.array([rng.choice(self._of[name]) for name in names]), rng


def fit(
    net: RowNet,
    bank: Sequence[LeanEpisode],
    families: Sequence[str],
    plain: Sequence[LeanEpisode] = (),
    *,
    seed: int = 0,
    steps: int = 1500,
    recipe: Recipe = lambda stage: Training(),
) -> None:
    """Train a network in place.

    Parameters
    ----------
    families : of each episode: what is of one source counts as a few tables, however many there are.
    plain : episodes of plain noise, for the level and for what counts as strange: each a family of its own.
    recipe : how a stage of `STAGES` is trained, as far as files and progress go.
    """
    bank, families = _with_both(bank, families)
    fit_order(net, bank, families, seed=seed, steps=steps, recipe=recipe)
    summaries = [_summed(net, e) for e in bank]
    noise = [_summed(net, e) for e in plain]
    everything = _Summaries.of([*summaries, *noise], seed)
    net.scale(everything.summary)
    draw = _Draw([*families, *(f"plain {i}" for i in range(len(noise)))], seed, 3)
    _run(
        "level",
        net.level,
        partial(_calibration, net, everything, draw),
        replace(recipe("level"), steps=steps),
    )
    draw = _Draw(families, seed, 4)
    _run(
        "judge", net.judge, partial(_judgement, net, everything, draw), replace(recipe("judge"), steps=steps)
    )
    kinds = [kind_of(e.support_y) for e in (*bank, *plain)]
    net.remember(list(everything.summary), kinds)


def fit_order(
    net: RowNet,
    bank: Sequence[LeanEpisode],
    families: Sequence[str],
    *,
    seed: int = 0,
    steps: int = 1500,
    recipe: Recipe = lambda stage: Training(),
) -> None:
    """Train in place what orders rows, without labels and with them: the first three of `STAGES`.

    Parameters are those of `fit`.
    """
    import torch

    bank, families = _with_both(bank, families)
    net.train()
    for number, stage in enumerate(STAGES[:3]):
        chosen = [i for i, e in enumerate(bank) if _belongs(e, stage)]
        if not chosen:
            continue
        tables = [_table(net, bank[i], stage) for i in chosen]
        head = {"unlabelled": net.unlabelled, "reference": net.reference, "verdicts": net.verdicts}[stage]
        draw = _Draw([families[i] for i in chosen], seed, number)
        _run(stage, head, partial(_ranking, head, tables, draw), replace(recipe(stage), steps=steps))
        head.ignore(~torch.stack([table.rows.any(0) for table in tables]).any(0))
    net.eval()


def _with_both(bank: Sequence[LeanEpisode], families: Sequence[str]) -> tuple[list[LeanEpisode], list[str]]:
    """Return the episodes whose query holds anomalies and normal rows, and their families."""
    usable = [i for i, e in enumerate(bank) if e.query_y.any() and not e.query_y.all()]
    return [bank[i] for i in usable], [families[i] for i in usable]


def _belongs(episode: LeanEpisode, stage: str) -> bool:
    if stage == "verdicts":
        return has_verdicts(episode.support_y)
    return (known_share(episode.support_y) >= MOSTLY_KNOWN) == (stage == "reference")


def _table(net: RowNet, episode: LeanEpisode, stage: str) -> _Table:
    import torch

    odd, usual = (np.flatnonzero(episode.query_y == label) for label in (1, 0))
    if stage != "verdicts":
        return _Table(net.soften(torch.from_numpy(episode.query.astype(np.float32))), odd, usual)
    own, asked = (
        order_of(net, rows.astype(np.float32), known_share(episode.support_y))
        for rows in (episode.support, episode.query)
    )
    evidence = Evidence(own, episode.support_labels.astype(np.float64), episode.support_y)
    inputs = evidence.inputs(asked, episode.query_labels.astype(np.float64))
    return _Table(torch.from_numpy(inputs), odd, usual, torch.from_numpy(asked.astype(np.float32)))


def _run(stage: str, net: nn.Module, objective: Callable[[int], Tensor], how: Training) -> None:
    import torch

    decay = DECAYS.get(stage, 0.1)

    def step(number: int) -> float:
        loss = objective(number)
        net.zero_grad()
        torch.autograd.backward(loss)
        return float(loss.detach())

    recipe = replace(
        how,
        rate=RATES.get(stage, 2e-3),
        schedule=warm_cosine,
        optimiser=lambda leaves, rate: torch.optim.AdamW(leaves, lr=rate, weight_decay=decay),
        clip=1.0,
    )
    train(dict(net.named_parameters()), step, recipe)


def _ranking(net: nn.Module, tables: Sequence[_Table], draw: _Draw, step: int) -> Tensor:
    import torch

    chosen, rng = draw.at(step)
    places = [(tables[i], _places(tables[i], rng)) for i in chosen]
    scores = net(torch.stack([table.rows[rows] for table, rows in places]))  # (B, A + N)
    before = [table.before[rows] for table, rows in places if table.before is not None]
    if not before:
        return _misordered(scores).mean()
    order = torch.stack(before)
    loss = _misordered(order + scores)
    return (loss + HARM * (loss - _misordered(order)).clamp(min=0.0)).mean()


def _misordered(scores: Tensor) -> Tensor:
    """Return the logistic loss over pairs of each table's anomalies and normal rows, (B, A + N) → (B,)."""
    from torch.nn import functional

    odd, usual = scores[:, :ANOMALIES], scores[:, ANOMALIES:]
    loss: Tensor = functional.softplus(usual[:, None, :] - odd[:, :, None]).mean((1, 2))
    return loss


def _places(table: _Table, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows of a table: first anomalies, then normal ones."""
    return np.concatenate([rng.choice(table.odd, ANOMALIES), rng.choice(table.usual, NORMALS)])


@dataclass(frozen=True)
class _Summed:
    """An episode as level and judge see it: `asked` holds the order of the query rows."""

    summary: Tensor
    asked: _Table
    share: float
    reached: float


def _summed(net: RowNet, episode: LeanEpisode) -> _Summed:
    import torch

    read = read_episode(net, episode)
    odd, usual = (np.flatnonzero(episode.query_y == label) for label in (1, 0))
    table = _Table(torch.from_numpy(read.asked).float(), odd, usual)
    reached = float(roc_auc_score(episode.query_y, read.asked))
    return _Summed(torch.from_numpy(read.summary), table, _share(episode), reached)


def _share(episode: LeanEpisode) -> float:
    """Return the anomaly share that probabilities refer to."""
    rest = episode.support_y != 1
    if known_share(episode.support_y) >= MOSTLY_KNOWN:
        # A clean support does not say how many of the new rows will be odd; 5 % is the stated
        # convention.
        return CONVENTION
    share = float(episode.support_truth[rest].mean())
    return CLEAN if share == 0 else min(max(share, LEAST), MOST)


@dataclass(frozen=True)
class _Summaries:
    """All episodes side by side: summaries (T, S), orders of drawn query rows (T, A + N), shares and AUROC
    (T,)."""

    summary: Tensor
    rows: Tensor
    share: Tensor
    reached: Tensor

    @classmethod
    def of(cls, tables: Sequence[_Summed], seed: int) -> _Summaries:
        import torch

        draws = [derive(seed, len(STAGES), i) for i in range(len(tables))]
        rows = [table.asked.rows[_places(table.asked, rng)] for table, rng in zip(tables, draws, strict=True)]
        return cls(
            torch.stack([table.summary for table in tables]),
            torch.stack(rows),
            torch.tensor([table.share for table in tables]),
            torch.tensor([table.reached for table in tables]),
        )


def _calibration(net: RowNet, tables: _Summaries, draw: _Draw, step: int) -> Tensor:
    import torch
    from torch.nn import functional

    from outlearn.nets.rows import PLACE

    places, rng = draw.at(step, MANY)
    chosen = torch.from_numpy(places)
    blur = BLUR * rng.normal(size=(MANY, tables.summary.shape[1]))
    blur[:, :PLACE] = 0.0  # where the gap lies is no matter of degree
    summary = tables.summary[chosen] + torch.from_numpy(blur).float() * net.spread
    odds = net.odds(tables.rows[chosen], summary)
    odd, usual = functional.softplus(-odds[:, :ANOMALIES]), functional.softplus(odds[:, ANOMALIES:])
    share = tables.share[chosen]
    loss: Tensor = (share * odd.mean(1) + (1 - share) * usual.mean(1)).mean()
    return loss


def _judgement(net: RowNet, tables: _Summaries, draw: _Draw, step: int) -> Tensor:
    import torch
    from torch.nn import functional

    chosen = torch.from_numpy(draw.at(step, MANY)[0])
    odds = net.expected(tables.summary[chosen])
    loss: Tensor = functional.binary_cross_entropy_with_logits(odds, tables.reached[chosen])
    return loss
