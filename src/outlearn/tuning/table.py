"""The performance table: the results of every configuration on every task, and its label-free observations.

The one costly thing that all strategies learn from. It is computed task by task; each is a Parquet file that
appears whole or not at all, so that an interrupted computation goes on where it stopped. A configuration that
fails on a task is an entry that says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from outlearn.errors import InputError, ReadError
from outlearn.execute import Executor, Serial
from outlearn.files import whole
from outlearn.learners.profiles.bank import claim
from outlearn.tasks.episode import Episode
from outlearn.tuning.metafeatures import META_FEATURES, describe
from outlearn.tuning.space import Config
from outlearn.tuning.trials.candidate import fitted, scores
from outlearn.tuning.trials.observe import MEASURES, Observer, TableSample

__all__ = ["PerformanceTable", "build_table", "fingerprint", "read_table", "same_table"]

Floats = NDArray[np.float64]
Source = Callable[[int], Episode]
TABLE_VERSION = 2  # of what is measured
OK = "ok"
LEVELS = 65_535  # of the ranks kept of each query row
POINTS = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles of a fingerprint
ALIKE = 0.03  # mean difference of quantiles, relative to their range, up to which tables are taken as one


@dataclass(frozen=True)
class PerformanceTable:
    """T tasks × C configurations.

    configs : the configurations.
    tasks, families : names (T,); sets of one family are one source.
    prints : T arrays (5, d) by which a table is recognised; see `fingerprint`.
    features : (T, F) meta-features of the supports.
    auroc, precision : (T, C) on the query; where a configuration failed, those of a constant score.
    seconds : (T, C) of fitting and scoring. failed : (T, C).
    measures : (T, C, M) what was seen without labels; NaN where it failed.
    seen : (T, C) average precision of the labelled anomalies of the support among rows held out of it; NaN
        where it failed, and on tasks without labels.
    ranks : T arrays (C, m) of the ranks of the query rows, in [0, 1]; truths : T arrays (m,).
    """

    configs: list[Config]
    tasks: list[str]
    families: list[str]
    prints: list[Floats]
    features: Floats
    auroc: Floats
    precision: Floats
    seconds: Floats
    failed: NDArray[np.bool_]
    measures: Floats
    seen: Floats
    ranks: list[NDArray[np.floating]]
    truths: list[NDArray[np.int8]]

    def of(self, which: Sequence[int] | NDArray[np.int64]) -> PerformanceTable:
        """Return the table of some tasks."""
        rows = np.asarray(which, dtype=np.int64)
        picked: dict[str, Any] = {name: [getattr(self, name)[i] for i in rows] for name in _LISTS}
        arrays = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return PerformanceTable(configs=self.configs, **picked, **arrays)

    @classmethod
    def joined(cls, tables: Sequence[PerformanceTable]) -> PerformanceTable:
        """Return the tasks of several tables of the same configurations as one.

        Raises
        ------
        InputError
            When the configurations differ.
        """
        first = tables[0]
        if any(list(map(dict, table.configs)) != list(map(dict, first.configs)) for table in tables):
            raise InputError("performance tables of different configurations came; join those of the same")
        lists: dict[str, Any] = {
            name: [value for table in tables for value in getattr(table, name)] for name in _LISTS
        }
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(table, name) for table in tables]) for name in _ARRAYS
        }
        return cls(configs=first.configs, **lists, **arrays)

    def among(self, columns: Sequence[int] | NDArray[np.int64]) -> PerformanceTable:
        """Return the table of some configurations."""
        which = np.asarray(columns, dtype=np.int64)
        kept = {name: getattr(self, name) for name in ("tasks", "families", "prints", "features", "truths")}
        arrays = {name: getattr(self, name)[:, which] for name in _ARRAYS if name != "features"}
        return PerformanceTable(
            configs=[self.configs[i] for i in which], ranks=[r[which] for r in self.ranks], **kept, **arrays
        )


_LISTS = ("tasks", "families", "prints", "ranks", "truths")
_ARRAYS = ("features", "auroc", "precision", "seconds", "failed", "measures", "seen")


def fingerprint(X: NDArray[np.float32]) -> Floats:
    """Return the quantiles (5, d) of the columns of a table (n, d), by which it is recognised.

    A sample of its rows has nearly the same; see `same_table`.
    """
    return np.quantile(np.asarray(X, dtype=np.float64), POINTS, axis=0)


def same_table(one: Floats, other: Floats) -> bool:
    """Return whether two fingerprints are of samples of one table."""
    if one.shape != other.shape:
        return False
    unit = np.maximum(one[-1] - one[0], other[-1] - other[0])
    apart = np.abs(one - other).mean(axis=0)
    # A column that hardly varies says little, whether it agrees or not.
    varies = unit > 0
    return bool(varies.any() and (apart[varies] / unit[varies]).mean() < ALIKE)


def build_table(
    folder: Path,
    source: Source,
    count: int,
    configs: Sequence[Config],
    *,
    about: str,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PerformanceTable:
    """Compute what is missing of a table of the tasks 0 … count-1, and return it.

    Parameters
    ----------
    folder : one Parquet file a task.
    source : a pure function of the number, picklable where a pool of processes runs it. ``origin`` of an
        episode may name it (``name``) and its ``family``.
    about : what the source is; a folder of another source or of other configurations is refused.

    Raises
    ------
    InputError
        When the folder holds another table.
    OutputError
        When a file cannot be written.
    """
    claim(folder, {"version": TABLE_VERSION, "source": about, "configs": [dict(c) for c in configs]})
    paths = [folder / f"{i:05d}.parquet" for i in range(count)]
    missing = [i for i, path in enumerate(paths) if not path.exists()]
    done = count - len(missing)
    work = partial(_measure, source=source, configs=list(configs))
    for i, table in zip(missing, (executor or Serial()).map(work, missing), strict=True):
        with whole(paths[i]) as draft:
            pq.write_table(table, draft, compression="zstd")
        done += 1
        if progress is not None:
            progress(done, count)
    return read_table(folder, count)


def read_table(folder: Path, count: int | None = None) -> PerformanceTable:
    """Read a table, or its first `count` tasks.

    Raises
    ------
    ReadError
        When a file is absent or damaged.
    """
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        configs = about["configs"]
        if about["version"] != TABLE_VERSION:
            raise ValueError(f"version {about['version']} of the table, this is version {TABLE_VERSION}")
        paths = sorted(folder.glob("[!.]*.parquet"))[:count]
        tables = [pq.read_table(path) for path in paths]
        known = [json.loads(table.schema.metadata[b"task"]) for table in tables]
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise ReadError(
            f"{folder} is no performance table ({error}); remove what is damaged, and compute it anew"
        ) from error
    if not tables:
        raise ReadError(f"{folder} holds no task yet; compute the table first")

    def stacked(name: str) -> Floats:
        return np.stack([table[name].to_numpy() for table in tables]).astype(np.float64)

    return PerformanceTable(
        configs,
        [task["name"] for task in known],
        [task["family"] for task in known],
        [np.array(task["print"], dtype=np.float64) for task in known],
        np.array([task["features"] for task in known], dtype=np.float64),
        stacked("auroc"),
        stacked("precision"),
        stacked("seconds"),
        np.stack([np.array(table["status"].to_pylist()) != OK for table in tables]),
        np.stack([np.array(table["measures"].to_pylist(), dtype=np.float64) for table in tables]),
        stacked("seen"),
        [np.array(table["ranks"].to_pylist(), dtype=np.float32) / LEVELS for table in tables],
        [np.array(task["truth"], dtype=np.int8) for task in known],
    )


def _measure(index: int, *, source: Source, configs: list[Config]) -> pa.Table:
    """Return the part of the table that one task makes."""
    episode = source(index)
    X, y = episode.support_x, episode.query_y
    sample = TableSample.of(X, episode.support_y)
    observer = Observer(sample)
    columns: dict[str, list[object]] = {
        name: [] for name in ("status", "auroc", "precision", "seconds", "measures", "seen", "ranks")
    }
    for config in configs:
        status, query_scores = OK, np.zeros(len(y))
        measures, seen, seconds = np.full(len(MEASURES), np.nan), np.nan, 0.0
        started = time.perf_counter()
        try:
            fitted_scores = scores(fitted(config, X[episode.support_y != 1]), episode.query_x)
            if not np.isfinite(fitted_scores).all():
                raise FloatingPointError("its scores are not finite")
            query_scores, seconds = fitted_scores, time.perf_counter() - started
            look = observer.look(config)
            measures, seen = look.measures, np.nan if look.precision is None else look.precision
        except (
            Exception
        ) as error:  # any failure of a library is a result: the configuration does not work here
            status = f"{type(error).__name__}: {error}"[:200]
        ranks = (rankdata(query_scores) - 0.5) / len(query_scores) * LEVELS
        values = {
            "status": status,
            "auroc": float(roc_auc_score(y, query_scores)),
            "precision": float(average_precision_score(y, query_scores)),
            "seconds": seconds,
            "measures": measures.astype(np.float32).tolist(),
            "seen": seen,
            "ranks": ranks.round().astype(np.uint16).tolist(),
        }
        for name, value in values.items():
            columns[name].append(value)
    task = {
        "name": str(episode.origin.get("name", index)),
        "family": str(episode.origin.get("family", index)),
        "print": fingerprint(X).tolist(),
        "features": describe(sample).tolist(),
        "feature_names": META_FEATURES,
        "truth": y.tolist(),
    }
    kinds = {"measures": pa.list_(pa.float32()), "ranks": pa.list_(pa.uint16()), "seen": pa.float32()}
    arrays = {name: pa.array(values, type=kinds.get(name)) for name, values in columns.items()}
    return pa.table(arrays).replace_schema_metadata({"task": json.dumps(task)})
