"""A folder of labelled sets with a manifest: what may be used, by which licence, what belongs together."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import row_hash
from outlearn.errors import ParameterError, ReadError
from outlearn.rng import derive
from outlearn.tasks.relatives import related
from outlearn.tasks.rows import unique_rows
from outlearn.tasks.sets import READERS, read_set

__all__ = ["Corpus", "Entry"]

_SKETCH = 4096  # hashes of rows by which two sets are compared


@dataclass(frozen=True, slots=True)
class Entry:
    """One set.

    name : its path in the folder without the suffix.
    licence : as the manifest words it; empty where it says nothing.
    family : sets of one family are one source, and stay on one side of a split.
    about : the whole line of the manifest.
    """

    name: str
    path: Path
    licence: str
    family: str
    about: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The sets of a folder that were asked for, in the order of the manifest."""

    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    @classmethod
    def read(
        cls,
        folder: str | Path,
        *,
        pattern: str | None = None,
        licence: str | None = None,
        families: Mapping[str, str] | None = None,
    ) -> Corpus:
        """Read ``manifest.csv`` of a folder; no set is opened.

        Lines whose file is neither npz nor Parquet are passed over.

        Parameters
        ----------
        pattern, licence : shell patterns (``adbench/*``, ``*BSD*``; case does not matter in `licence`) that
            the path of the file and its licence must match; None takes all.
        families : shell pattern of a path → family. Without a match, the manifest's column ``family``
            counts, and without that a set is a family of its own.

        Raises
        ------
        ReadError
            When the manifest is absent, has no column ``file`` or names a file that is not there.
        """
        folder = Path(folder)
        lines = [line for line in _manifest(folder) if Path(line["file"]).suffix in READERS]
        entries = [
            _entry(folder, line, families or {})
            for line in lines
            if pattern is None or fnmatch(line["file"], pattern)
        ]
        wanted = "*" if licence is None else licence.lower()
        entries = [entry for entry in entries if fnmatch(entry.licence.lower(), wanted)]
        missing = [str(entry.path) for entry in entries if not entry.path.is_file()]
        if missing:
            raise ReadError(
                f"the manifest names {len(missing)} files that are not there, first {missing[0]}; correct it"
            )
        return cls(tuple(entries))

    def load(
        self, entry: Entry, *, drop_duplicates: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Return ``X (n, d)`` finite float32 and ``y (n,)`` int8 in {0, 1}, as `read_set` does."""
        X, y = read_set(entry.path)
        return unique_rows(X, y) if drop_duplicates else (X, y)

    def joined(self) -> Corpus:
        """Return the corpus with one family for all sets that share rows, however they are called.

        Every set is read. Up to 4,096 rows of each, the same ones of equal rows, are compared by hash; sets
        with other columns are not recognised.
        """
        sketches = [np.unique(row_hash(self.load(entry)[0]))[:_SKETCH] for entry in self.entries]
        families = related([entry.family for entry in self.entries], sketches)
        return Corpus(tuple(replace(e, family=f) for e, f in zip(self.entries, families, strict=True)))

    def split(self, fraction: float, *, seed: int, by: str = "family") -> tuple[Corpus, Corpus]:
        """Split at random into about `fraction` of the sets and the rest.

        Parameters
        ----------
        by : ``family`` keeps families together, as they stand (see `joined`); ``entry`` takes any set.

        Raises
        ------
        ParameterError
            When `fraction` is not between 0 and 1 or `by` is unknown.
        """
        if not 0 < fraction < 1 or by not in ("family", "entry"):
            raise ParameterError(
                f"fraction={fraction}, by={by!r}; give 0 < fraction < 1 and by='family' or 'entry'"
            )
        keys = [entry.family if by == "family" else entry.name for entry in self.entries]
        groups = sorted(set(keys))
        chosen: set[str] = set()
        for position in derive(seed).permutation(len(groups)):
            size = sum(key in chosen for key in keys)
            group = groups[position]
            if size + keys.count(group) / 2 <= fraction * len(keys):
                chosen.add(group)
        first, rest = (
            [e for e, k in zip(self.entries, keys, strict=True) if (k in chosen) is side]
            for side in (True, False)
        )
        return Corpus(tuple(first)), Corpus(tuple(rest))


def _manifest(folder: Path) -> list[dict[str, str]]:
    try:
        with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
            lines = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReadError(
            f"{folder / 'manifest.csv'} cannot be read ({error}); give a folder with a manifest"
        ) from error
    if not lines or "file" not in lines[0]:
        raise ReadError(f"{folder / 'manifest.csv'} has no column 'file' or no lines; name a set a line")
    return lines


def _entry(folder: Path, line: Mapping[str, str], families: Mapping[str, str]) -> Entry:
    file = line["file"]
    name = str(Path(file).with_suffix(""))
    given = next((family for pattern, family in families.items() if fnmatch(file, pattern)), None)
    family = given or line.get("family") or line.get("source") or name
    return Entry(name, folder / file, line.get("licence") or "", family, line)
