"""Result rows: appended to a CSV one by one, so that runs can be stopped, resumed and joined."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any

COLUMNS = (
    "set", "family", "protocol", "detector", "seed", "max_rows", "n_train", "n_test", "d", "anomalies",
    "auroc", "ap", "fit_s", "score_s", "peak_mb", "status", "version",
)  # fmt: skip

#: What makes a row the same run: a result of another version is no result of this one.
KEY = ("set", "protocol", "detector", "seed", "max_rows", "version")

Key = tuple[str, ...]


def key_of(row: dict[str, Any]) -> Key:
    return tuple(str(row[name]) for name in KEY)


class ResultFile:
    """The CSV, held in memory too; safe to append to from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._lock = path, Lock()
        self.rows: dict[Key, dict[str, Any]] = {}
        if path.exists():
            with path.open(newline="") as stored:
                self.rows = {key_of(row): row for row in csv.DictReader(stored)}

    def __contains__(self, key: Key) -> bool:
        return key in self.rows

    def append(self, row: dict[str, Any]) -> None:
        with self._lock:
            fresh = not self._path.exists()
            with self._path.open("a", newline="") as stored:
                writer = csv.DictWriter(stored, COLUMNS)
                if fresh:
                    writer.writeheader()
                writer.writerow(row)
            self.rows[key_of(row)] = {name: str(row.get(name, "")) for name in COLUMNS}

    def select(self, keys: Iterable[Key]) -> list[dict[str, Any]]:
        return [self.rows[key] for key in keys if key in self.rows]
