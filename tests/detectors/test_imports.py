"""No module of the room imports one that imports it: not for types alone, and not when first used either."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import outlearn.detectors

ROOM = Path(outlearn.detectors.__file__).parent
PACKAGE = "outlearn.detectors"


def name_of(path):
    parts = path.relative_to(ROOM).with_suffix("").parts
    return ".".join((PACKAGE, *parts)).removesuffix(".__init__")


def imported(path, modules):
    """Return the modules of the room that a file imports, wherever in it."""
    targets = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            targets |= names & modules or {node.module}
    return targets & modules


def graph():
    files = {name_of(path): path for path in ROOM.rglob("*.py")}
    return {name: imported(path, set(files)) for name, path in files.items()}


def test_imports_of_detectors_have_no_circle():
    edges = graph()
    assert "outlearn.detectors.model_file" in edges["outlearn.detectors.saved"]
    # Imports within functions count.
    assert "outlearn.detectors.series" in edges["outlearn.detectors.registry"]
    list(TopologicalSorter(edges).static_order())  # which raises CycleError


def test_the_model_file_knows_no_detector():
    assert graph()["outlearn.detectors.model_file"] == set()
