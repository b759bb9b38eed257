"""Learnt strategies, used without the performance table they come from: in memory, and as a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError, WeightsError
from outlearn.files import together
from outlearn.paths import CHECKPOINT, READ, Named, check_apart
from outlearn.progress import Progress
from outlearn.tuning.metafeatures import META_FEATURES
from outlearn.tuning.source import SYNTHETIC_NAME
from outlearn.tuning.space import Config
from outlearn.tuning.state import State, sub_state, under
from outlearn.tuning.strategies.catalogue import STRATEGIES, Strategy
from outlearn.tuning.strategies.folds import Folds, kindred
from outlearn.tuning.table import PerformanceTable, read_table, same_table
from outlearn.tuning.trials.observe import MEASURES
from outlearn.weights.card import write_card
from outlearn.weights.checkpoint import Header, once_a_file, read_checkpoint, shipped, write_checkpoint

__all__ = ["ARCHITECTURE", "Experience", "load_experience", "save_experience", "train_tuning"]

ARCHITECTURE = "tuning-1"
SHIPPED = "tuning"


@dataclass(frozen=True)
class Experience:
    """Strategies, and what they were learnt from.

    configs : the candidates. strategies : by name.
    tasks, families, prints : of the tables that were learnt from; see `table.PerformanceTable`.
    seed : that they were learnt with. corpus : provenance, in words.
    """

    configs: list[Config]
    tasks: list[str]
    families: list[str]
    prints: list[NDArray[np.float64]]
    strategies: Mapping[str, Strategy]
    seed: int
    corpus: str = "tasks of the caller"

    @classmethod
    def learn(
        cls,
        table: PerformanceTable,
        names: Iterable[str],
        seed: int = 0,
        *,
        progress: Callable[[str], None] | None = None,
    ) -> Experience:
        """Learn strategies, by name, from a performance table."""
        table = kindred(table)
        learnt: dict[str, Strategy] = {}
        for name in names:
            if progress is not None:
                progress(name)
            learnt[name] = STRATEGIES[name].learn(table, seed)
        return cls(list(table.configs), table.tasks, table.families, table.prints, learnt, seed)

    def strategy(self, name: str) -> Strategy:
        """Return a strategy.

        Raises
        ------
        ParameterError
            When it was not learnt.
        """
        if name not in self.strategies:
            raise ParameterError(f"strategy={name!r} was not learnt; choose from {sorted(self.strategies)}")
        return self.strategies[name]

    def alike(self, fingerprint: NDArray[np.float64]) -> list[int]:
        """Return the places of the tasks that are the table of a fingerprint."""
        return [i for i, known in enumerate(self.prints) if same_table(known, fingerprint)]


def save_experience(
    path: Path, experience: Experience, *, corpus: str, command: str, notes: Mapping[str, Any] | None = None
) -> None:
    """Write learnt strategies with their provenance, whole or not at all.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    import torch

    arrays: State = {}
    for name, strategy in experience.strategies.items():
        arrays |= under(f"{name}/", strategy.state())
    arrays |= {f"print/{i:05d}": value for i, value in enumerate(experience.prints)}
    config = {
        "configs": [dict(candidate) for candidate in experience.configs],
        "tasks": experience.tasks,
        "families": experience.families,
        "strategies": list(experience.strategies),
        "measures": list(MEASURES),
    }
    header = Header(
        ARCHITECTURE, config, corpus, experience.seed, command, tuple(META_FEATURES), dict(notes or {})
    )
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    write_checkpoint(path, tensors, header)


def train_tuning(
    folders: Sequence[Path],
    out: Path,
    names: Sequence[str],
    *,
    seed: int = 0,
    command: str = "train_tuning",
    progress: Progress | None = None,
) -> Experience:
    """Learn strategies from the performance tables in folders, and write them with a card beside.

    Raises
    ------
    ParameterError
        When a strategy is unknown.
    ReadError
        When a folder holds no table.
    InputError
        When the tables are of different configurations.
    OutputError
        When a file cannot be written.
    """
    unknown = sorted(set(names) - set(STRATEGIES))
    if unknown:
        raise ParameterError(f"no strategy named {unknown}; choose from {sorted(STRATEGIES)}")
    read = [Named("experience", folder, READ) for folder in folders]
    check_apart([*read, Named("out", out, CHECKPOINT)])
    table = PerformanceTable.joined([read_table(folder) for folder in folders])
    about = "; ".join(
        json.loads((folder / "about.json").read_text(encoding="utf-8"))["source"] for folder in folders
    )

    def tell(name: str) -> None:
        if progress is not None:
            progress("learning", list(names).index(name), len(names))

    learnt = Experience.learn(table, names, seed, progress=tell)
    synthetic = sum(name.startswith(SYNTHETIC_NAME) for name in table.tasks)
    source = (
        f"{len(table.tasks) - synthetic} splits of labelled sets and {synthetic} synthetic tasks ({about})"
    )
    with together():
        save_experience(out, learnt, corpus=source, command=command)
        detectors = ", ".join(dict.fromkeys(config["detector"] for config in learnt.configs))
        write_card(
            out,
            what=f"Strategies that choose and set classical detectors ({', '.join(names)}), for "
            f"`MetaTuner.pretrained`: {len(learnt.configs)} configurations of {detectors}.",
            source=source,
            command=command,
            how_good="`benchmarks/studies/tuning.py` measures each strategy on families of sets that it did "
            "not learn from; docs/tuning.md has the figures.",
            limits=(
                "It chooses among its configurations, and knows of no other.",
                "Within one detector it is often no better than the one setting that was best elsewhere.",
            ),
        )
    return learnt


def load_experience(path: Path | None = None) -> Experience:
    """Read learnt strategies, those that ship with the package by default; a file is read once and shared.

    Raises
    ------
    WeightsError
        When the file cannot be used; see `weights.read_checkpoint`.
    """
    return _load(shipped(SHIPPED) if path is None else path)


@once_a_file
def _load(path: Path) -> Experience:
    tensors, header = read_checkpoint(path, ARCHITECTURE)
    arrays = {name: value.numpy() for name, value in tensors.items()}
    known = header.config
    try:
        if header.features != tuple(META_FEATURES) or tuple(known["measures"]) != tuple(MEASURES):
            raise WeightsError(f"{path} was learnt from other meta-features or observations than those here")
        folds = Folds(known["families"], header.seed)
        strategies = {
            name: STRATEGIES[name].restore(sub_state(f"{name}/", arrays), folds, known["configs"])
            for name in known["strategies"]
        }
    except (KeyError, RuntimeError, ValueError, TypeError) as error:
        raise WeightsError(f"{path} lacks what its header tells of: {error!r}") from error
    prints = [value for _, value in sorted(sub_state("print/", arrays).items())]
    return Experience(
        known["configs"], known["tasks"], known["families"], prints, strategies, header.seed, header.corpus
    )
