"""How many synthetic episodes one core makes in a second of processor time.

OMP_NUM_THREADS=1 python -m benchmarks run episodes --rows 500 --columns 10 --out episodes.csv
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

from benchmarks.harness.study import Call, Study
from outlearn.tasks.sampler import SamplerConfig, SyntheticSampler
from outlearn.tasks.synthetic.table import PRIORS


def measure(prior: str, rows: int, columns: int, episodes: int) -> dict[str, object]:
    """Draw `episodes` episodes of one prior and return what was measured."""
    config = SamplerConfig(support_rows=(rows, rows), columns=(columns, columns), priors={prior: 1.0})
    sampler = SyntheticSampler(config)
    sampler.episode(0)
    start = time.process_time()
    for index in range(1, episodes + 1):
        sampler.episode(index)
    seconds = time.process_time() - start
    rate = round(episodes / seconds, 1)
    return {
        "prior": prior,
        "rows": rows,
        "columns": columns,
        "episodes": episodes,
        "episodes_per_second": rate,
    }


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=500, help="support rows")
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--episodes", type=int, default=200, help="episodes a prior")
    parser.add_argument("--out", type=Path, help="CSV to write")


def conduct(call: Call) -> None:
    options = call.options
    lines = [measure(prior, options.rows, options.columns, options.episodes) for prior in PRIORS]
    for line in lines:
        print("  ".join(f"{name}={value}" for name, value in line.items()))
    if options.out is not None:
        with options.out.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)


STUDY = Study("episodes", __doc__, arguments, conduct)
