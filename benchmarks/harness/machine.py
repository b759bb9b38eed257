"""Where, when and by which command a figure was measured."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("outlearn", "numpy", "scikit-learn", "polars", "torch", "pyod", "catboost")
FACTS = ("date", "processor", "cores", "memory", "system", "versions")


def describe() -> dict[str, str]:
    """Return `FACTS`: the date, the processor, cores, memory and the versions that a figure depends on."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def command(study: str, words: Sequence[str]) -> str:
    """Return the command line of a run of `study`; absolute paths, local as they are, by name."""
    shown = [Path(word).name if Path(word).is_absolute() else word for word in words]
    return shlex.join(["python", "-m", "benchmarks", "run", study, *shown])


def _memory() -> str:
    total = _first("/proc/meminfo", "MemTotal")
    return f"{int(total.split()[0]) / 2**20:.0f} GiB" if total else "unknown"


def _first(path: str, field: str) -> str:
    source = Path(path)
    lines = source.read_text().splitlines() if source.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
