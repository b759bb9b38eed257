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
FEWEST_ROWS = 6  # anomalies, and normal rows, of a set that says something
SYNTHETIC = SamplerConfig(
    support_rows=(200, 1000),
    query_rows=400,
    contamination=(0.01, 0.25),
    query_anomalies=(0.02, 0.25),
    situations={"contaminated": 1.0},
)


@dataclass(frozen=True)
class TaskSource:
    """Contaminated tasks by number: each entry, as often as it is split, then synthetic ones.

    entries : labelled sets. splits : of each of them. seed : of splits and of synthetic tasks.
    first : number of the first split, so that more can be made later; synthetic tasks are others too.
    labels : anomalies of each support whose label is given, as far as there are any.
    support_rows, query_rows : upper bounds. sampler : of synthetic tasks; `SYNTHETIC` when None.
    """

    entries: tuple[Entry, ...] = ()
    synthetic: int = 0
    splits: int = 1
    first: int = 0
    labels: int = 0
    seed: int = 0
    support_rows: int = 1000
    query_rows: int = 600
    sampler: SamplerConfig | None = None

    def __len__(self) -> int:
        return len(self.entries) * self.splits + self.synthetic

    def __call__(self, index: int) -> Episode:
        number = index - len(self.entries) * self.splits
        if number >= 0:
            sampler = SYNTHETIC if self.sampler is None else self.sampler
            if self.labels:
                counts = (self.labels, self.labels)
                sampler = replace(sampler, situations={"labelled": 1.0}, labels=counts)
            episode = SyntheticSampler(replace(sampler, seed=self.seed + self.first)).episode(number)
            name = f"{SYNTHETIC_NAME}{number}"
            named = {"name": name, "family": name}
            return replace(episode, origin={**episode.origin, **named})
        split, place = divmod(index, len(self.entries))
        entry = self.entries[place]
        X, y = read_set(entry.path)
        return episode_from_set(
            X,
            y,
            rng=derive(self.seed + self.first + split, 0x7AB1E),
            situation="labelled" if self.labels else "contaminated",
            labels=self.labels,
            support_rows=self.support_rows,
            query_rows=self.query_rows,
            drop_duplicates=True,
            origin={"name": entry.name, "family": entry.family},
        )

    def about(self) -> str:
        """Return what the tasks are made of, in words that no other source shares."""
        names = ", ".join(f"{entry.name} ({entry.licence or 'licence not stated'})" for entry in self.entries)
        bounds = f"{self.support_rows}+{self.query_rows} rows, seed {self.seed}, {self.labels} labels"
        splits = f"splits {self.first} to {self.first + self.splits - 1}"
        return f"{names}; {splits}; {self.synthetic} of {self.sampler or SYNTHETIC}; {bounds}"


def usable(entries: Iterable[Entry]) -> list[Entry]:
    """Return the sets that hold enough different anomalies and normal rows to be split."""
    kept = []
    for entry in entries:
        _, y = unique_rows(*read_set(entry.path))
        if min(int(y.sum()), int((1 - y).sum())) >= FEWEST_ROWS:
            kept.append(entry)
    return kept
