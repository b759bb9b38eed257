"""How well points of series are ranked: volume under the precision-recall surface, peers in the same run.

    python -m benchmarks run series DATA --group univariate --out series-univariate.json

DATA is a folder with a manifest; the Parquet files under its `timeseries/` are the series, `label` the truth.
Two settings: *none*, where a detector sees the whole series unlabelled, and *prefix*, where the points before
the manifest's `train_end` are known to be normal; in both the whole series is scored. `univariate` are the
sets of one channel, and the telemetry channel of each spacecraft set, as the TSB-AD board takes it. VUS-PR is
that board's (`outlearn.evaluate.volume`). Per setting: the mean of each detector, a 90 % interval by drawing
sources anew, the difference from the best single peer with its p over series (Wilcoxon), the best per series
(oracle). A third setting, *labelled*, is of series with at least five anomalous ranges: the first three are
labelled for the detector that takes labels, and all are judged on what follows the third. Rows are written as
series are finished; the same command goes on where it stopped, also with more `--ways`.

`--list FILE` keeps the series that a file list of the TSB-AD board names, recognised by their source and the
place of their first anomaly, and splits them where that does.
"""

from __future__ import annotations

import argparse
import csv
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from outlearn import SeriesDetector
from outlearn.errors import OutlearnError
from outlearn.evaluate.volume import edge_window, volume
from outlearn.ranges import runs
from outlearn.rng import derive

GROUPS = {
    "univariate": ("kpi/*", "ucr/*", "tsb_ad/*", "mba_ecg/*", "msl/*"),
    "multivariate": ("asd/*", "jumpstarter/*", "msl/*", "skab/*", "tep/*", "batadal/*", "daphnet/*"),
}
FIRST_CHANNEL = ("msl",)  # sources whose first channel is a univariate set
ASIDE = ("time", "label", "family", "changepoint")
TOLD = "distances, three ranges labelled"
RANGES, FEWEST = 3, 5  # ranges that are labelled, and that a series has then
OURS, RANDOM, MEDIAN, ORACLE = "distances", "random score", "distance from the median", "oracle"
PEERS = (
    "patches",
    "kmeans100",
    "kmeans",
    "subpca",
    "subknn",
    "subforest",
    "matrix-profile",
    "spectral-residual",
    "autoregression",
    "seasonal",
)
NETWORK = "sequence"  # the way that takes weights
DRAWS = 2000
LISTED = re.compile(r"\d+_([A-Za-z]+)_id_\d+_\w+_tr_(\d+)_1st_(\d+)\.csv")
ON_LISTS = {"UCR": "ucr", "NAB": "tsb_ad", "IOPS": "kpi", "MSL": "msl"}  # the board's name of a source, ours


@dataclass(frozen=True)
class Labelled:
    """A series. name, source : of the file and its folder. prefix : points known to be normal, or None."""

    name: str
    source: str
    values: NDArray[np.float64]
    truth: NDArray[np.int8]
    prefix: int | None


def series_of(data: Path, group: str, pattern: str) -> Iterator[Labelled]:
    """Yield the series of a group that hold an anomaly."""
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        entries = {row["file"]: row for row in csv.DictReader(file)}
    for path, row in sorted(entries.items()):
        name = path.removeprefix("timeseries/")
        if (
            name == path
            or not any(fnmatch(name, glob) for glob in GROUPS[group])
            or not fnmatch(name, pattern)
        ):
            continue
        frame = pl.read_parquet(data / path)
        source = name.split("/")[0]
        columns = [column for column in frame.columns if column not in ASIDE]
        if group == "univariate" and source in FIRST_CHANNEL:
            columns = columns[:1]
        truth = (frame["label"].to_numpy() > 0).astype(np.int8)
        end = re.search(r"train_end=(\d+)", row["split"])
        if truth.any() and (group == "multivariate" or len(columns) == 1):
            values = frame.select(columns).to_numpy().astype(np.float64)
            yield Labelled(name, source, values, truth, int(end[1]) if end else None)


def listed(series: Iterator[Labelled], path: Path) -> Iterator[Labelled]:
    """Yield the series that a file list of the board names, with its split as their prefix."""
    prefixes = {}
    for line in path.read_text(encoding="utf-8").split():
        match = LISTED.fullmatch(line)
        if match and match[1] in ON_LISTS:
            prefixes[ON_LISTS[match[1]], int(match[3])] = int(match[2])
    for labelled in series:
        split = prefixes.get((labelled.source, runs(labelled.truth)[0][0]))
        if split is not None:
            yield replace(labelled, prefix=split)


def scores_of(
    way: str, series: Labelled, setting: str, seed: int, weights: Path | None
) -> NDArray[np.float64]:
    """Return what a way makes of the points."""
    x = series.values
    past = x[: series.prefix] if setting == "prefix" else x
    if way == RANDOM:
        return derive(seed, 0xDA).random(len(x))
    if way == MEDIAN:
        middle = np.nanmedian(past, axis=0)
        spread = np.nanquantile(past, 0.75, axis=0) - np.nanquantile(past, 0.25, axis=0)
        spread = np.where(spread > 0, spread, np.maximum(np.nanstd(past, axis=0), 1e-9))
        return np.nan_to_num(np.abs((x - middle) / spread)).mean(axis=1)
    learnt = weights if way == NETWORK else None
    detector = SeriesDetector(OURS if way == TOLD else way, weights=learnt, random_state=seed)
    known = None if setting != "prefix" else np.zeros(len(past))
    if way == TOLD:
        known = np.full(len(x), -1)
        for start, end in runs(series.truth)[:RANGES]:
            known[start:end] = 1
    return detector.fit(past, known).anomaly_score(x)


def measure(
    series: Labelled, ways: Sequence[str], seed: int, weights: Path | None, longest: int
) -> list[rowfile.Row]:
    """Return a row for each setting and way; a way that fails has no figure, and says why."""
    rows = []
    window = edge_window(np.nan_to_num(series.values[:, 0]))
    ranges = runs(series.truth)
    for setting, first in (("none", 0), ("prefix", 0), ("labelled", _after(ranges))):
        if (setting == "prefix" and series.prefix is None) or first is None:
            continue
        for way in ways:
            if way == TOLD and setting != "labelled":
                continue
            begun, fault, pr, roc = time.perf_counter(), "", None, None
            if len(series.truth) > longest and way not in (OURS, TOLD, RANDOM, MEDIAN):
                fault = "too long"
            else:
                try:
                    scores = scores_of(way, series, setting, seed, weights)
                    figures = volume(series.truth[first:], scores[first:], window)
                    pr, roc = round(figures.pr, 5), round(figures.roc, 5)
                except (OutlearnError, ValueError, MemoryError) as error:
                    fault = repr(error)[:200]
            rows.append(
                {
                    "setting": setting,
                    "source": series.source,
                    "way": way,
                    "pr": pr,
                    "roc": roc,
                    "seconds": round(time.perf_counter() - begun, 2),
                    "fault": fault,
                }
            )
    return rows


def _after(ranges: Sequence[tuple[int, int]]) -> int | None:
    """Return where the ranges that may be labelled end; None where too few follow."""
    return ranges[RANGES - 1][1] if len(ranges) >= FEWEST else None


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a setting."""
    return "\n\n".join(_table(rows, setting) for setting in dict.fromkeys(row["setting"] for row in rows))


def _table(rows: Sequence[rowfile.Row], setting: str) -> str:
    here = [row for row in rows if row["setting"] == setting and row["pr"] is not None]
    ways = list(dict.fromkeys(row["way"] for row in here))
    by_way = {way: {row["series"]: row["pr"] for row in here if row["way"] == way} for way in ways}
    # Series that every way could score; the same for all.
    names = sorted(set.intersection(*(set(named) for named in by_way.values())))
    sources = {row["series"]: row["source"] for row in here}
    values = {way: np.array([named[name] for name in names]) for way, named in by_way.items()}
    values[ORACLE] = np.max([named for way, named in values.items() if way != TOLD], axis=0)
    peers = [way for way in ways if way not in (OURS, TOLD)]
    best = max(peers, key=lambda way: values[way].mean())
    draws = _drawn([sources[name] for name in names])
    many = len({sources[name] for name in names})
    lines = [
        f"{setting}: {len(names)} series of {many} sources; best peer {best}",
        "",
        "| detector | VUS-PR | 90 % interval | less the best peer |",
        "|---|---|---|---|",
    ]
    for way in sorted(values, key=lambda way: -values[way].mean()):
        low, high = np.quantile([values[way][d].mean() for d in draws], (0.05, 0.95))
        gap = values[way] - values[best]
        p = wilcoxon(gap).pvalue if gap.any() else 1.0
        mean = values[way].mean()
        lines.append(f"| {way} | {mean:.3f} | {low:.3f} to {high:.3f} | {gap.mean():+.3f}, p {p:.2g} |")
    return "\n".join(lines)


def _drawn(sources: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return places of series when sources are drawn anew, with all that they hold."""
    rng = derive(0, 0xB00)
    places = {
        source: np.flatnonzero([name == source for name in sources]) for source in dict.fromkeys(sources)
    }
    names = list(places)
    return [
        np.concatenate([places[names[i]] for i in rng.integers(len(names), size=len(names))])
        for _ in range(DRAWS)
    ]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--group", choices=list(GROUPS), required=True)
    parser.add_argument("--sets", default="*", help="shell pattern of names below timeseries/")
    parser.add_argument("--list", type=Path, help="a file list of the TSB-AD board")
    parser.add_argument("--ways", default=";".join((OURS, TOLD, *PEERS, RANDOM, MEDIAN)))
    parser.add_argument(
        "--weights", type=Path, help="a checkpoint of `outlearn learn-series`, for the way sequence"
    )
    parser.add_argument("--longest", type=int, default=300_000, help="points up to which peers are run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    listing = {} if options.list is None else {"list": options.list.name}
    return {"group": options.group, "sets": options.sets, "seed": options.seed, **listing}


def conduct(call: Call) -> None:
    options = call.options
    ways = options.ways.split(";")
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["series"], row["way"]) for row in rows}
    chosen = series_of(options.data, options.group, options.sets)
    for series in chosen if options.list is None else listed(chosen, options.list):
        left = [way for way in ways if (series.name, way) not in done]
        if not left:
            continue
        fresh = measure(series, left, options.seed, options.weights, options.longest)
        rows += [{"series": series.name, **row} for row in fresh]
        rowfile.write(options.out, call.settings, rows, command=call.command)
        print(
            f"{series.name}: {len(series.truth):,} points, {sum(row['seconds'] for row in fresh):.0f} s",
            flush=True,
        )
    print(report(rows))


STUDY = Study("series", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
