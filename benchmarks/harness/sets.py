"""A folder of labelled sets: npz files with `X` and `y`, or Parquet files with a label column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

#: Sets cut from one source, by their public names; any other set is a family of its own.
FAMILIES = {
    "WBC": "breast cancer Wisconsin",
    "breastw": "breast cancer Wisconsin",
    "cardio": "cardiotocography",
    "Cardiotocography": "cardiotocography",
    "http": "KDD Cup 1999",
    "smtp": "KDD Cup 1999",
}


@dataclass(frozen=True)
class LabelledSet:
    """Rows `X` (float64 array (n, d), or a polars frame) and their truth `y` (n,) of 0 and 1."""

    X: Any
    y: np.ndarray


def find(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that are sets and match a shell pattern, smallest first."""
    files = [path for path in folder.glob(pattern) if path.suffix in (".npz", ".parquet")]
    if not files:
        raise SystemExit(f"no .npz or .parquet file in {folder} matches {pattern!r}")
    return sorted(files, key=lambda path: (path.stat().st_size, path.name))


def family(path: Path) -> str:
    """Return the source that a set was cut from, by its name without a leading number."""
    name = path.stem.lstrip("0123456789").removeprefix("_") or path.stem
    return FAMILIES.get(name, name)


def load(path: Path, *, label_column: str, ignored: Sequence[str]) -> LabelledSet:
    """Read one set. `ignored` columns (such as the kind of attack) would give the label away."""
    if path.suffix == ".npz":
        with np.load(path) as stored:
            return LabelledSet(stored["X"].astype(np.float64), stored["y"].ravel())
    frame = pl.read_parquet(path)
    truth = frame[label_column].to_numpy()
    return LabelledSet(frame.drop(label_column, *ignored, strict=False), truth)
