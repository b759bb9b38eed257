import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import outlearn

HEAVY = (
    "torch",
    "sklearn",
    "polars",
    "pandas",
    "pyarrow",
    "numpy",
    "scipy",
    "pyod",
    "typer",
    "rich",
    "jinja2",
)


def test_public_names_are_those_on_the_list():
    assert outlearn.__all__ == [
        "ClassicalDetector",
        "Detector",
        "Inquiry",
        "MetaTuner",
        "Monitor",
        "SeriesDetector",
        "__version__",
        "detect",
    ]
    assert dir(outlearn) == outlearn.__all__


def test_each_public_name_is_there_and_no_other():
    for name in outlearn.__all__:
        assert getattr(outlearn, name) is not None
    assert not hasattr(outlearn, "nope")


def loaded_after(code):
    program = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import outlearn") == []


def test_the_command_line_loads_nothing_heavy_before_a_command_runs():
    assert loaded_after("from outlearn.cli.app import app") in (["typer"], ["rich", "typer"])


def test_a_classical_detector_needs_no_torch():
    assert "torch" not in loaded_after("from outlearn import ClassicalDetector, Monitor, detect")


def test_no_two_public_classes_share_a_name():
    homes = defaultdict(list)
    for path in Path(outlearn.__file__).parent.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(path.name)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
    assert "Detector" in homes
