"""Run named protocols over a folder of labelled sets: our figure beside its peers and the published ones.

    python -m benchmarks run tabular FOLDER --protocol contaminated --out contaminated.csv

Rows are appended to the CSV as they are finished; the same command goes on where it stopped. A run that fails
or passes its time limit is a row with that status. The final tables are printed and written beside the CSV as
Markdown.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from benchmarks.harness import sets
from benchmarks.harness.peers import DETECTORS, NEED_LABELS, version_of
from benchmarks.harness.results import Key, ResultFile, key_of
from benchmarks.harness.study import Call, Study, integers, listed
from benchmarks.harness.tables import report
from benchmarks.harness.worker import Job, Worker
from outlearn.errors import InputError
from outlearn.evaluate import PROTOCOLS, Split, auroc, average_precision

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """One protocol with its settings, by the name that rows carry."""

    name: str
    split: Callable[..., Split]
    detectors: tuple[str, ...]


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, help="folder of .npz (X, y) or .parquet files")
    add(
        "--protocol",
        type=listed(PROTOCOLS, "protocol"),
        default=["contaminated"],
        help="comma-separated: %(default)s",
    )
    add(
        "--detectors",
        type=listed(DETECTORS, "detector"),
        default=[name for name in DETECTORS if name != "default"],  # which learnt from such sets
        help="comma-separated; by default all but the default detector, which learnt from such sets",
    )
    add("--labels", type=integers, default=[1, 5, 10], help="labelled anomalies of few-label")
    add("--seeds", type=integers, default=[0, 1, 2])
    add("--max-rows", type=int, default=5000, help="larger sets are cut, each class alike")
    add("--min-rows", type=int, default=0, help="smaller sets are refused")
    add("--time-limit", type=float, default=120.0, help="seconds for one fit and score")
    add("--out", type=Path, default=Path("results.csv"))
    add("--sets", default="*", help="shell pattern of file names")
    add("--label-column", default="label", help="of Parquet files")
    add(
        "--ignore",
        type=lambda text: text.split(","),
        default=["family"],
        help="columns of Parquet files to drop",
    )
    add("--retry", action="store_true", help="run again what failed before")
    add("--workers", type=int, default=1, help="sets run at once; timings are best with 1")


def conduct(call: Call) -> None:
    options = call.options
    for name in THREADS:  # one thread a detector, so that times compare; children inherit it
        os.environ.setdefault(name, "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    files = sets.find(options.folder, options.sets)
    plans = _plans(options)
    results = ResultFile(options.out)
    slots: SimpleQueue[dict[str, Worker]] = SimpleQueue()
    for _ in range(options.workers):
        slots.put({name: Worker(name) for name in options.detectors})

    def work(path: Path) -> None:
        workers = slots.get()
        try:
            _run_set(path, plans, workers, results, options)
        finally:
            slots.put(workers)

    with ThreadPoolExecutor(options.workers) as pool:
        for done in pool.map(work, files):
            assert done is None
    _finish(results, files, plans, call)


def _run_set(
    path: Path,
    plans: list[Plan],
    workers: dict[str, Worker],
    results: ResultFile,
    options: argparse.Namespace,
) -> None:
    """Run everything that is not yet in the results on one set; it is read only if something is missing."""
    data: sets.LabelledSet | None = None
    for plan in plans:
        for seed in options.seeds:
            missing = [
                row for row in _rows(path, plan, seed, options) if not _finished(row, results, options)
            ]
            if not missing:
                continue
            if data is None:
                data = sets.load(path, label_column=options.label_column, ignored=options.ignore)
            try:
                split = plan.split(data.X, data.y, seed)
            except InputError as error:
                for row in missing:
                    results.append({**row, "status": f"refused: {error}"})
                print(f"{path.stem} {plan.name}: refused: {error}")
                continue
            for row in missing:
                row |= _measure(split, seed, workers[row["detector"]], options.time_limit)
                results.append(row)
                _say(row)


def _measure(split: Split, seed: int, worker: Worker, limit_s: float) -> dict[str, Any]:
    outcome = worker.run(Job(split.train_x, split.train_y, split.test_x, seed), limit_s)
    row: dict[str, Any] = {
        "n_train": len(split.train_x),
        "n_test": len(split.test_x),
        "d": split.train_x.shape[1],
        "anomalies": int(split.test_y.sum()),
        "status": outcome.status,
    }
    if outcome.scores is not None:
        row |= {
            "auroc": round(auroc(split.test_y, outcome.scores), 6),
            "ap": round(average_precision(split.test_y, outcome.scores), 6),
            "fit_s": f"{outcome.fit_s:.4f}",
            "score_s": f"{outcome.score_s:.4f}",
            "peak_mb": f"{outcome.peak_mb:.1f}",
        }
    return row


def _plans(options: argparse.Namespace) -> list[Plan]:
    plans = []
    for protocol in options.protocol:
        cut = partial(PROTOCOLS[protocol], max_rows=options.max_rows, min_rows=options.min_rows)
        if protocol == "few-label":
            plans += [
                Plan(f"few-label-{k}", partial(cut, labelled_anomalies=k), tuple(options.detectors))
                for k in options.labels
            ]
            continue
        able = tuple(name for name in options.detectors if name not in NEED_LABELS)
        for name in set(options.detectors) - set(able):
            print(f"{name} needs labelled anomalies: left out of {protocol}")
        plans.append(Plan(protocol, cut, able))
    return plans


def _rows(path: Path, plan: Plan, seed: int, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for detector in plan.detectors:
        yield {
            "set": path.stem,
            "family": sets.family(path),
            "protocol": plan.name,
            "detector": detector,
            "seed": seed,
            "max_rows": options.max_rows,
            "version": version_of(detector),
        }


def _finished(row: dict[str, Any], results: ResultFile, options: argparse.Namespace) -> bool:
    key = key_of(row)
    return key in results and not (options.retry and results.rows[key]["status"] != "ok")


def _finish(results: ResultFile, files: Sequence[Path], plans: list[Plan], call: Call) -> None:
    options = call.options
    selected: dict[str, list[Key]] = {
        plan.name: [
            key_of(row)
            for path in files
            for seed in options.seeds
            for row in _rows(path, plan, seed, options)
        ]
        for plan in plans
    }
    against = "outlearn" if "outlearn" in options.detectors else options.detectors[0]
    protocols = {name: results.select(keys) for name, keys in selected.items()}
    text = report(protocols, against=against, command=call.command)
    print(text)
    options.out.with_suffix(".md").write_text(text)


def _say(row: dict[str, Any]) -> None:
    figures = f"{row['auroc']:.3f} {row['ap']:.3f} {row['fit_s']}s" if "auroc" in row else row["status"]
    print(
        f"{time.strftime('%H:%M:%S')} {row['set']} {row['protocol']} {row['detector']} {row['seed']}: "
        f"{figures}",
        flush=True,
    )


STUDY = Study("tabular", __doc__, arguments, conduct)
