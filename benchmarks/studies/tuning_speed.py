"""What a search adds to the time of one fit, on a table of 10,000 rows and 20 columns.

    python -m benchmarks run tuning_speed --out tuning_speed.json

Each strategy sets an Isolation Forest, a LOF, a one-class SVM and k-means, and chooses among the four, with
25 trials and no labels; beside it the time of one fit of what was chosen, and of the meta-features. One
process, its imports and weights loaded before; the least of three runs, and one fit counts for all strategies
alike. A ratio near 1 says that the search costs as much as the fit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study
from outlearn.tuning.metafeatures import describe
from outlearn.tuning.strategies.catalogue import STRATEGIES
from outlearn.tuning.trials.candidate import fitted
from outlearn.tuning.trials.observe import TableSample
from outlearn.tuning.tuner import CLASSICAL, MetaTuner

ROWS, COLUMNS = 10_000, 20
RUNS = 3


def table(seed: int = 0) -> np.ndarray:
    """Return rows around ten centres, of which one in a hundred lies far out."""
    rng = np.random.default_rng(seed)
    centres = 4 * rng.normal(size=(10, COLUMNS))
    X = centres[rng.integers(10, size=ROWS)] + rng.normal(size=(ROWS, COLUMNS))
    odd = rng.permutation(ROWS)[: ROWS // 100]
    X[odd] += 6 * rng.normal(size=(len(odd), COLUMNS))
    return X.astype(np.float32)


def least(work: Callable[[], object]) -> float:
    """Return the least seconds of some runs."""
    spent = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent)


def measure(strategy: str, detectors: list[str], X: np.ndarray) -> rowfile.Row:
    """Return the seconds of a search, its last fit included, and of one fit of what it chose."""
    tuner = MetaTuner.pretrained(strategy)
    tuner.optimize(detectors, X[:200])  # whatever is loaded or compiled once
    whole = least(lambda: tuner.optimize(detectors, X))
    fit = least(lambda: fitted(tuner.tuned_.winner, X))
    return {
        "strategy": strategy,
        "detectors": " ".join(detectors),
        "trials": len(tuner.tuned_.trials),
        "members": len(tuner.tuned_.choice.members),
        "seconds": round(whole, 2),
        "one fit": round(fit, 2),
        "added": round(whole - fit, 2),
    }


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True)


def conduct(call: Call) -> None:
    options = call.options
    X = table()
    labels = np.full(len(X), -1, dtype=np.int8)
    sample = TableSample.of(X, labels)
    looks = {
        "sample and landmarks": round(least(lambda: TableSample.of(X, labels)), 2),
        "meta-features beside": round(least(lambda: describe(sample)), 2),
    }
    rows = []
    for strategy in STRATEGIES:
        for detectors in ([*CLASSICAL], *([name] for name in CLASSICAL)):
            rows.append(measure(strategy, detectors, X))
            print(rows[-1], flush=True)
    rowfile.write(options.out, looks, rows, command=call.command)
    print(report({"settings": looks, "rows": rows}))


def report(stored: dict[str, Any]) -> str:
    """Return what a look at a table takes, and the most that each strategy adds, in seconds."""
    worst: dict[str, float] = {}
    for row in stored["rows"]:
        worst[row["strategy"]] = max(row["added"], worst.get(row["strategy"], row["added"]))
    return f"{stored['settings']}\nseconds added to one fit, at most: {worst}"


STUDY = Study("tuning_speed", __doc__, arguments, conduct, report=report)
