"""Labelled sets of a corpus as tasks of meta-training: which may be used, which are held out, by number."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.learners.training.config import TaskConfig
from outlearn.rng import derive
from outlearn.tasks.augment import add_noise, subset_columns, warp_columns
from outlearn.tasks.corpus import Corpus, Entry
from outlearn.tasks.episode import Episode
from outlearn.tasks.real import episode_from_set
from outlearn.tasks.rows import unique_rows
from outlearn.tasks.sampler import SamplerConfig
from outlearn.tasks.sets import read_set

__all__ = ["SetEpisodes", "Sets", "corpus_of", "counted", "missed", "read_sets"]

_STREAM = 3  # of random numbers below the seed
_NORMALS, _ANOMALIES = 10, 2  # rows without which a set makes no task


@dataclass(frozen=True, slots=True)
class Sets:
    """The labelled sets of a corpus.

    train, held_out : sets of no common family.
    digests : SHA-256 of the file of each set, by name.
    width : columns that all of them have; None where they differ.
    left_out : names of those with too few rows of a kind to make a task.
    """

    train: tuple[Entry, ...]
    held_out: tuple[Entry, ...]
    digests: dict[str, str]
    width: int | None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetEpisodes:
    """Episodes by number, `config.per_set` a set: a pure function that other processes can be given.

    paths : of the sets; the first `trained` of them are augmented if `config` says so, with all their
        columns kept if `columns`.
    """

    paths: tuple[Path, ...]
    trained: int
    config: TaskConfig
    seed: int
    columns: bool

    def __len__(self) -> int:
        return len(self.paths) * self.config.per_set

    def __call__(self, index: int) -> Episode:
        place, number = divmod(index, self.config.per_set)
        X, y = _rows(self.paths[place])
        rng, most = derive(self.seed, _STREAM, index), SamplerConfig()
        low, high = np.log(most.support_rows)
        episode = episode_from_set(
            X,
            y,
            rng=rng,
            situation=self.config.situations[number % len(self.config.situations)],
            # Anomalies are rare in use, whatever share a set was published with.
            contamination=most.contamination[1] if y.mean() > most.contamination[1] else None,
            labels=int(rng.integers(most.labels[0], most.labels[1] + 1)),
            normals=None,
            support_rows=int(np.exp(rng.uniform(low, high))),
            query_rows=most.query_rows,
        )
        if self.config.augment and place < self.trained:
            return _augmented(episode, rng, all_columns=self.columns)
        return episode


def corpus_of(config: TaskConfig) -> Corpus:
    """Return the corpus of `config`, of which no set is opened yet.

    Raises
    ------
    ReadError
        When the manifest cannot be read.
    ParameterError
        When there is no corpus, or no set of it matches.
    """
    if config.corpus is None:
        raise ParameterError(
            "there is no corpus to learn from; give a folder of labelled sets with a manifest.csv (--corpus)"
        )
    corpus = Corpus.read(config.corpus, pattern=config.pattern, licence=config.licence)
    if not len(corpus):
        raise ParameterError(
            f"no set of {config.corpus} matches tasks.pattern={config.pattern!r} and "
            f"tasks.licence={config.licence!r}; widen them"
        )
    return corpus


def read_sets(
    config: TaskConfig, seed: int, *, one_width: bool, progress: Callable[[int, int], None] | None = None
) -> Sets:
    """Read the corpus of `config`, leave out sets that make no task, and hold whole families out.

    Parameters
    ----------
    one_width : refuse sets that differ in width.

    Raises
    ------
    ReadError
        When the manifest or a set cannot be read.
    ParameterError
        When no set matches, or all are of one family.
    InputError
        When no set makes a task, or sets differ in width where they must not.
    """
    corpus = corpus_of(config)
    widths, faults = {}, {}
    for done, entry in enumerate(corpus, 1):
        X, y = _rows(entry.path)
        usual, odd = int((y == 0).sum()), int(y.sum())
        if usual < _NORMALS or odd < _ANOMALIES or X.shape[1] == 0:
            faults[entry.name] = f"{usual} normal rows, {odd} anomalies, {X.shape[1]} columns"
        else:
            widths[entry.name] = X.shape[1]
        if progress is not None:
            progress(done, len(corpus))
    if not widths:
        faulty = ", ".join(f"{name} ({fault})" for name, fault in list(faults.items())[:5])
        raise InputError(
            f"none of {len(faults)} sets makes a task, which takes {_NORMALS} distinct normal rows, "
            f"{_ANOMALIES} anomalies and a column: {faulty}; give other sets"
        )
    if one_width:
        _check_widths(widths)
    fit = Corpus(tuple(entry for entry in corpus if entry.name in widths))
    train, held_out = _split(fit.joined(), config.held_out, seed)
    digests = {entry.name: _digest(entry.path) for entry in (*train, *held_out)}
    shared = set(widths.values())
    return Sets(train, held_out, digests, shared.pop() if len(shared) == 1 else None, tuple(faults))


def counted(entries: Sequence[Entry]) -> str:
    """Return how many sets these are, by folder and licence.

    >>> counted([Entry("old/a", Path("a.npz"), "CC0", "a"), Entry("old/b", Path("b.npz"), "", "b")])
    '2 labelled real tables: 1 of old (CC0), 1 of old (licence not stated)'
    """
    counts = Counter(
        (str(Path(entry.name).parent), entry.licence or "licence not stated") for entry in entries
    )
    sources = ", ".join(
        f"{count} of {where} ({licence})" for (where, licence), count in sorted(counts.items())
    )
    return f"{len(entries)} labelled real tables: {sources}"


def missed(left_out: Sequence[str]) -> str:
    """Return which sets were left out, as a sentence after another; nothing where there is none.

    >>> missed(["a", "b"])
    ' 2 more sets have too few rows of one kind, and were left out: a, b.'
    """
    if not left_out:
        return ""
    return (
        f" {len(left_out)} more sets have too few rows of one kind, and were left out: {', '.join(left_out)}."
    )


@lru_cache(maxsize=2)  # tasks of one set come one after another
def _rows(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    return unique_rows(*read_set(path))


def _check_widths(widths: dict[str, int]) -> None:
    first = next(iter(widths))
    for name, width in widths.items():
        if width != widths[first]:
            raise InputError(
                f"features is 'columns', and sets differ in width: {first} has {widths[first]} columns, "
                f"{name} {width}; choose sets of one width by tasks.pattern, or take features='profile'"
            )


def _split(corpus: Corpus, share: float, seed: int) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return the sets to train on and at least one family held out."""
    families = [entry.family for entry in corpus]
    smallest = min(families.count(family) for family in families)
    # `split` takes a first family when it is at most twice the share that is asked for.
    held_out, train = corpus.split(min(max(share, (smallest + 1e-6) / (2 * len(corpus))), 0.99), seed=seed)
    if not len(train) or not len(held_out):
        raise ParameterError(
            f"{len(corpus)} sets of {len(set(families))} families, {share:.0%} to be held out, leave "
            f"{len(train)} to train on and {len(held_out)} to hold out; give more families, or another "
            "tasks.held_out"
        )
    return train.entries, held_out.entries


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _augmented(episode: Episode, rng: np.random.Generator, *, all_columns: bool) -> Episode:
    width = episode.support_x.shape[1]
    if not all_columns and width > 2 and rng.random() < 0.5:
        episode = subset_columns(episode, rng, int(rng.integers(max(2, width // 2), width + 1)))
    if not all_columns and rng.random() < 0.5:
        episode = warp_columns(episode, rng)
    if rng.random() < 0.5:
        episode = add_noise(episode, rng, float(rng.uniform(0, 0.1)))
    return episode
