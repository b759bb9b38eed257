"""Labelled sets under several folders, and which of them are one source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import sets
from outlearn.tasks.corpus import Corpus, Entry
from outlearn.tasks.sets import READERS


def sets_in(folders: Sequence[Path], pattern: str) -> list[Path]:
    """Return the sets under folders, at any depth, smallest first.

    Raises
    ------
    SystemExit
        When there is none.
    """
    files = [path for folder in folders for path in folder.rglob(pattern) if path.suffix in READERS]
    if not files:
        raise SystemExit(f"no .npz or .parquet file under {', '.join(map(str, folders))} matches {pattern!r}")
    return sorted(files, key=lambda path: (path.stat().st_size, path.name))


def family_of(files: Sequence[Path]) -> dict[Path, str]:
    """Return the source of each set: the first word of its name, joined where sets share rows."""
    entries = tuple(Entry(str(path), path, "", called(path)) for path in files)
    return {entry.path: entry.family for entry in Corpus(entries).joined()}


def called(path: Path) -> str:
    """Return the source of a set by its name alone: the first word of it."""
    name = sets.family(path)
    if name in sets.FAMILIES.values():
        return name
    word = re.match("[a-z]+", name.lower().removeprefix("adrepo_"))
    return word.group() if word else name
