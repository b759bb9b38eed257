"""The tasks of the learner on row profiles: tables of a corpus, in the ways that users come with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.errors import ParameterError
from outlearn.execute import Executor
from outlearn.learners.profiles.bank import build_bank, claim
from outlearn.learners.profiles.lean import LEAN_FEATURES, VERSION
from outlearn.learners.profiles.lean_bank import LeanEpisode, lean_episode, quick_oddness
from outlearn.progress import Progress
from outlearn.rng import derive
from outlearn.tasks import plain
from outlearn.tasks.corpus import Corpus, Entry
from outlearn.tasks.episode import Episode
from outlearn.tasks.rows import unique_rows
from outlearn.tasks.sets import read_set
from outlearn.tasks.usage import FEWEST_ANOMALIES, FEWEST_NORMALS, USES, Use, episode_of_use

__all__ = ["RealTables", "TableEpisodes", "held_out", "plain_profiles", "real_tables"]

REFERENCE_ROWS, UNLABELLED_ROWS = 800, 1100  # of a support, at most
PLAIN = 600  # tables of noise without an anomaly, beside the real ones
_NOISE = 0x9015E  # a stream of random numbers below the seed
BY_TURNS = 2  # of the last uses, one a table, in turn: forests for their labels take most of the time


@dataclass(frozen=True, slots=True)
class RealTables:
    """Tables that can be learnt from.

    entries : with one family for all that share rows. numbers : place of each in its corpus, by which its
    tasks are drawn. left_out : names of sets with too few rows of one kind.
    """

    entries: tuple[Entry, ...]
    numbers: tuple[int, ...]
    left_out: tuple[str, ...]

    @property
    def families(self) -> list[str]:
        return [entry.family for entry in self.entries]

    def profiles(
        self, folder: Path, seed: int, executor: Executor, tell: Progress
    ) -> tuple[list[LeanEpisode], list[str]]:
        """Return the tasks of all tables and the family of each, going on with what `folder` holds.

        Raises
        ------
        InputError
            When the folder holds tasks that were made otherwise.
        """
        about = {
            "version of outlearn": __version__,
            "features": LEAN_FEATURES,
            "version of profiles": VERSION,
            "uses": [asdict(use) for use in USES],
            "seed": seed,
            "sets": [entry.name for entry in self.entries],
        }
        claim(folder, about)
        episodes = TableEpisodes(tuple(entry.path for entry in self.entries), self.numbers, seed)
        bank = build_bank(
            folder,
            episodes,
            len(episodes),
            kind=LeanEpisode,
            read=lean_episode,
            executor=executor,
            progress=partial(tell, "profiling tables"),
        )
        return bank, [family for family in self.families for _ in range(episodes.a_table)]


def plain_profiles(folder: Path, seed: int, executor: Executor, tell: Progress) -> list[LeanEpisode]:
    """Return the profiles of `PLAIN` tables of noise, going on with what `folder` holds."""
    about = {
        "version of outlearn": __version__,
        "features": LEAN_FEATURES,
        "version of profiles": VERSION,
        "version of noise": plain.VERSION,
        "seed": seed,
    }
    claim(folder, about)
    return build_bank(
        folder,
        partial(_plain, seed=seed),
        PLAIN,
        kind=LeanEpisode,
        read=lean_episode,
        executor=executor,
        progress=partial(tell, "profiling noise"),
    )


def _plain(index: int, seed: int) -> Episode:
    return plain.plain_episode(derive(seed, _NOISE, index), quick_oddness)


@dataclass(frozen=True, slots=True)
class TableEpisodes:
    """Episodes by number, `a_table` in a row of each table: a pure function that processes can be given."""

    paths: tuple[Path, ...]
    numbers: tuple[int, ...]
    seed: int

    @property
    def a_table(self) -> int:
        return len(USES) - BY_TURNS + 1

    def __len__(self) -> int:
        return len(self.paths) * self.a_table

    def use_of(self, index: int) -> Use:
        """Return how the support of an episode is labelled."""
        place, which = divmod(index, self.a_table)
        last = which == self.a_table - 1
        return USES[which + self.numbers[place] % BY_TURNS if last else which]

    def __call__(self, index: int) -> Episode:
        place, which = divmod(index, self.a_table)
        table, use = self.numbers[place], self.use_of(index)
        return episode_of_use(
            *_rows(self.paths[place]),
            use,
            derive(self.seed, table, which),
            support_rows=REFERENCE_ROWS if use.reference else UNLABELLED_ROWS,
            oddness=quick_oddness,
        )


def real_tables(corpus: Corpus, tell: Progress) -> RealTables:
    """Read every set of a corpus once, and leave out what makes no task.

    Raises
    ------
    ReadError
        When a set cannot be read.
    ParameterError
        When no set is left.
    """
    kept: list[int] = []
    for number, entry in enumerate(corpus):
        _, y = _rows(entry.path)
        if (y == 0).sum() >= FEWEST_NORMALS and y.sum() >= FEWEST_ANOMALIES:
            kept.append(number)
        tell("reading tables", number + 1, len(corpus))
    if not kept:
        raise ParameterError(
            f"none of {len(corpus)} sets has {FEWEST_NORMALS} normal rows and {FEWEST_ANOMALIES} anomalies "
            "to learn from; give other sets"
        )
    joined = Corpus(tuple(corpus.entries[i] for i in kept)).joined()
    left_out = tuple(entry.name for i, entry in enumerate(corpus) if i not in set(kept))
    return RealTables(joined.entries, tuple(kept), left_out)


def held_out(families: Sequence[str], share: float, seed: int) -> set[str]:
    """Return about `share` of the families, one at least, drawn at random."""
    names = sorted(set(families))
    count = min(max(round(share * len(names)), 1), len(names) - 1)
    return {names[i] for i in derive(seed, 0x4E1D).permutation(len(names))[:count]}


@lru_cache(maxsize=2)  # tasks of one table come one after another
def _rows(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    return unique_rows(*read_set(path))
