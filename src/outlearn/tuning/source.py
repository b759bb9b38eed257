"""Tasks to fill a performance table from: splits of labelled sets, and synthetic tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from outlearn.rng import derive
from outlearn.tasks.corpus import Entry
from outlearn.tasks.episode import Episode
from outlearn.tasks.real import episode_from_set
from outlearn.tasks.rows import unique_rows
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.tasks.sets import read_set

__all__ = ["SYNTHETIC_NAME", "TaskSource", "usable"]

SYNTHETIC_NAME = "synthetic-"  # names of tasks that are no real set begin so
FEWEST = 6  # anomalies, and normal rows, of a set that says something
SYNTHETIC = SamplerConfig(
    support_rows=(200, 1000),
    query_rows=400,
    contamination=(0.01, 0.25),
    query_anomalies=(0.02, 0.25),
    situations={"contaminated": 1.0},
)


@dataclass(frozen=True)
class TaskSource:
    """Contaminated tasks by number: each entry once, then synthetic ones.

    entries : labelled sets. seed : of splits and of synthetic tasks. support_rows, query_rows : upper bounds.
    sampler : of synthetic tasks; `SYNTHETIC` when None.
    """

    entries: tuple[Entry, ...] = ()
    synthetic: int = 0
    seed: int = 0
    support_rows: int = 1000
    query_rows: int = 600
    sampler: SamplerConfig | None = None

    def __len__(self) -> int:
        return len(self.entries) + self.synthetic

    def __call__(self, index: int) -> Episode:
        if index >= len(self.entries):
            number = index - len(self.entries)
            sampler = SYNTHETIC if self.sampler is None else self.sampler
            episode = SyntheticSampler(replace(sampler, seed=self.seed)).episode(number)
            name = f"{SYNTHETIC_NAME}{number}"
            named = {"name": name, "family": name}
            return replace(episode, origin={**episode.origin, **named})
        entry = self.entries[index]
        X, y = read_set(entry.path)
        return episode_from_set(
            X,
            y,
            rng=derive(self.seed, 0x7AB1E),
            situation="contaminated",
            support_rows=self.support_rows,
            query_rows=self.query_rows,
            drop_duplicates=True,
            origin={"name": entry.name, "family": entry.family},
        )

    def about(self) -> str:
        """Say what the tasks are made of, so that another source is told from this one."""
        names = ", ".join(entry.name for entry in self.entries)
        bounds = f"{self.support_rows}+{self.query_rows} rows, seed {self.seed}"
        return f"{names}; {self.synthetic} of {self.sampler or SYNTHETIC}; {bounds}"


def usable(entries: Iterable[Entry]) -> list[Entry]:
    """Return the sets that hold enough different anomalies and normal rows to be split."""
    kept = []
    for entry in entries:
        _, y = unique_rows(*read_set(entry.path))
        if min(int(y.sum()), int((1 - y).sum())) >= FEWEST:
            kept.append(entry)
    return kept
