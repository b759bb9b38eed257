"""Rows of results in a JSON file with their settings: written whole, gone on with by the same settings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import machine, sets
from benchmarks.harness.study import Call, Study, on_rows
from outlearn.errors import InputError
from outlearn.files import whole
from outlearn.tasks.sets import read_set

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
    with whole(path, parents=True) as file:
        file.write_text(f'{about}, "settings": {json.dumps(settings)}, "rows": [\n{lines}\n]}}\n')


def tell(path: Path, title: str, text: str, *, command: str) -> None:
    """Write what rows amount to, in Markdown beside their file, and print it."""
    with whole(path.with_suffix(".md"), parents=True) as file:
        file.write_text(f"# {title}\n\n    {command}\n\n{text}\n")
    print(text)


def over_sets(
    name: str,
    about: str | None,
    measure: Callable[[sets.LabelledSet, int], list[Row]],
    report: Callable[[Sequence[Row]], str],
    *,
    encoded: bool = False,
) -> Study:
    """Return a study that measures each labelled set of some folders, and goes on where it stopped.

    Parameters
    ----------
    name, about : as a `Study` has them.
    measure : returns the rows of a set and seed; an `InputError` leaves the set out, which is printed.
    report : says what all rows amount to.
    encoded : give the rows of a set as numbers, words encoded, instead of as they are.
    """

    def conduct(call: Call) -> None:
        options = call.options
        rows = resume(options.out, call.settings)
        done = {row["set"] for row in rows}
        for path in (path for folder in options.folders for path in sets.find(folder, "*")):
            if path.stem in done:
                continue
            if encoded:
                data = sets.LabelledSet(*read_set(path))
            else:
                data = sets.load(path, label_column=options.label_column, ignored=())
            try:
                fresh = [row for seed in range(options.seeds) for row in measure(data, seed)]
            except InputError as error:
                print(f"{path.stem}: refused: {error}")
                continue
            rows += [{"set": path.stem, **row} for row in fresh]
            write(options.out, call.settings, rows, command=call.command)
            print(f"{path.stem}: done", flush=True)
        print(report(rows))

    return Study(name, about, _folders, conduct, settings=_of_folders, report=on_rows(report))


def _folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)


def _of_folders(options: argparse.Namespace) -> Row:
    return {"folders": [folder.name for folder in options.folders], "seeds": options.seeds}
