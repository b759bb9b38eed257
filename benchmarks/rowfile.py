"""Rows of results in a JSON file with their settings: written whole, gone on with by the same settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import machine
from outlearn.files import whole

Row = dict[str, Any]


def resume(path: Path, settings: Row) -> list[Row]:
    """Return the rows that are there; a file of other settings ends the run."""
    if not path.exists():
        return []
    stored = json.loads(path.read_text())
    if stored["settings"] != settings:
        raise SystemExit(f"{path} holds a run with {stored['settings']}; take another --out or move it away")
    rows: list[Row] = stored["rows"]
    return rows


def write(path: Path, settings: Row, rows: Sequence[Row], *, command: str) -> None:
    """Write all rows, one a line, with command and machine."""
    about = json.dumps({"command": command, **machine.describe()})[:-1]
    lines = ",\n".join(json.dumps(row) for row in rows)
    with whole(path, parents=True) as part:
        part.write_text(f'{about}, "settings": {json.dumps(settings)}, "rows": [\n{lines}\n]}}\n')
