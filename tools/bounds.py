"""Constraints for pip that hold every dependency at the lowest version that pyproject.toml allows.

python tools/bounds.py > constraints.txt
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["constraints"]

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
ASIDE = frozenset({"outlearn", "torch"})  # itself, and what the Makefile chooses a build of
CHECKERS = frozenset({"ruff", "mypy", "import-linter"})  # which no test imports
_BOUND = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?\s*>=\s*(?P<version>[0-9][0-9a-z.]*)")


def constraints(project: Mapping[str, Any]) -> dict[str, str]:
    """Return the lowest version of each dependency, by name; the table is that of a pyproject.toml.

    Raises
    ------
    ValueError
        For a dependency without a lower bound, and for two that differ.

    >>> table = {"dependencies": ["numpy>=2.0"], "optional-dependencies": {"sql": ["sqlalchemy>=2.0.1"]}}
    >>> constraints({"project": table})
    {'numpy': '2.0', 'sqlalchemy': '2.0.1'}
    """
    table = project["project"]
    lowest: dict[str, str] = {}
    for line in (*table["dependencies"], *_flat(table["optional-dependencies"].values())):
        if re.match(r"[A-Za-z0-9._-]+", line)[0] in ASIDE | CHECKERS:  # type: ignore[index]
            continue
        bound = _BOUND.fullmatch(line.strip())
        if bound is None:
            raise ValueError(f"{line!r} names no lowest version; wanted NAME>=VERSION")
        name, version = bound["name"].lower(), bound["version"]
        if lowest.setdefault(name, version) != version:
            raise ValueError(f"{name} has the lowest versions {lowest[name]} and {version}; wanted one")
    return lowest


def _flat(lists: Iterable[list[str]]) -> Iterable[str]:
    return (line for lines in lists for line in lines)


if __name__ == "__main__":
    pins = constraints(tomllib.loads(PROJECT.read_text(encoding="utf-8")))
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in pins.items())
