"""Ranges that are found in series, how late, and at how many false alarms.

    python -m benchmarks run series_events DATA --out series_events.json

DATA is a folder with a manifest, as for `series`. Four parts:

*faults*: the faults of the process `tep` and of the water loop `skab`, none of which was seen before. Fitted
to the first 70 % of the points that are known to be normal, the threshold just above all scores of the other
30 %, causal scores. Beside it principal components of single points (90 % of the variance), its threshold set
alike. Told: share of faults found, the median delay from the start of a fault, false alarms before it.

*beats*: `mba_ecg`, 30 minutes each at 128 points a second: share of the anomalous beats that are found with
one false alarm a minute, nothing labelled and with the first three ranges labelled (judged on what follows).

*events*: the sets of `series` with less than 10 % of anomalous points: share of the ranges found with at
most one false alarm a 10,000 points, and affiliation F1 of the highest scores, as many as there are anomalous
points, beside a random score's.

*alarms*: server metrics (`asd`, `jumpstarter`; a point counts as a minute): fitted with a promise of so many
false alarms a day to the first 60 % of the points known to be normal; counted on the other 40 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.series import GROUPS, OURS, RANDOM, RANGES, Labelled, scores_of, series_of
from outlearn import SeriesDetector
from outlearn.decisions.alarms import alarms
from outlearn.detectors.segments import MERGED
from outlearn.evaluate.events import affiliation, events_at, events_within
from outlearn.ranges import runs

Floats = NDArray[np.float64]
MINUTES = {"tep": 3.0, "skab": 1 / 60}  # of a point
HELD = 0.3
EACH = 10_000  # points, in which one false alarm is allowed
POINTWISE = "principal components of points"
WAYS = (OURS, "kmeans100", RANDOM)
RARE = 0.1  # share of anomalous points above which finding a range is no feat
RATES = (1, 4)  # false alarms a day
A_DAY = 1440  # points
LEARNT = 0.6


def faults(series: Labelled, seed: int) -> Iterator[rowfile.Row]:
    """Yield what is found of the fault of a series, causally, by ours and by components of points."""
    assert series.prefix is not None
    start, end = runs(series.truth)[0]
    cut = int(series.prefix * (1 - HELD))
    for way, score in ((OURS, _causal), (POINTWISE, _pointwise)):
        scores = score(series.values, cut, seed)
        threshold = float(np.nextafter(scores[cut : series.prefix].max(), np.inf))
        detected = events_at(series.truth[:end], scores[:end], threshold)
        before = alarms(scores[series.prefix : start] >= threshold, [(0, start - series.prefix)], MERGED)
        delay = detected.delays[0]
        yield {
            "part": "faults",
            "way": way,
            "found": delay is not None,
            # Where an alarm was standing already, it tells nothing of when the fault was seen.
            "standing": bool(scores[start - 1] >= threshold),
            "minutes": None if delay is None else delay * MINUTES[series.source],
            "false_alarms": len(before),
            "normal_points": start - series.prefix,
        }


def _causal(values: Floats, cut: int, seed: int) -> Floats:
    detector = SeriesDetector(OURS, random_state=seed).fit(values[:cut], np.zeros(cut))
    return np.asarray(detector.anomaly_score(values, causal=True))


def _pointwise(values: Floats, cut: int, seed: int) -> Floats:
    past = values[:cut]
    spread = past.std(axis=0)
    x = (values - past.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    model = PCA(0.9, svd_solver="full").fit(x[:cut])
    left = x - model.inverse_transform(model.transform(x))
    inside = np.square(model.transform(x)) / model.explained_variance_
    usual = np.median(np.square(left[:cut]).sum(axis=1)), np.median(inside[:cut].sum(axis=1))
    return np.square(left).sum(axis=1) / usual[0] + inside.sum(axis=1) / usual[1]


def beats(series: Labelled, seed: int) -> Iterator[rowfile.Row]:
    """Yield the share of beats that are found at one false alarm a minute."""
    ranges = runs(series.truth)
    known = np.full(len(series.truth), -1)
    for start, end in ranges[:RANGES]:
        known[start:end] = 1
    after = ranges[RANGES - 1][1]
    minutes = (len(series.truth) - after) / (128 * 60)
    for labelled in (False, True):
        detector = SeriesDetector(OURS, random_state=seed).fit(series.values, known if labelled else None)
        yield _beat_row(OURS, labelled, series, detector.anomaly_score(series.values), after, minutes)
    for way in WAYS[1:]:
        yield _beat_row(way, False, series, scores_of(way, series, "none", seed, None), after, minutes)


def _beat_row(
    way: str, labelled: bool, series: Labelled, scores: Floats, after: int, minutes: float
) -> rowfile.Row:
    detected = events_within(series.truth[after:], scores[after:], int(minutes), hold=128)
    return {"part": "beats", "way": way, "labelled": labelled, "recall": round(detected.recall, 4)}


def events(series: Labelled, seed: int) -> Iterator[rowfile.Row]:
    """Yield event recall at few false alarms, and affiliation beside a random score's."""
    allowed = max(len(series.truth) // EACH, 1)
    for setting in ("none", "prefix"):
        if setting == "prefix" and series.prefix is None:
            continue
        for way in WAYS:
            scores = scores_of(way, series, setting, seed, None)
            cut = np.sort(scores)[-int(series.truth.sum())]
            yield {
                "part": "events",
                "setting": setting,
                "way": way,
                "recall": round(events_within(series.truth, scores, allowed).recall, 4),
                "affiliation": round(affiliation(series.truth, scores >= cut).f1, 4),
            }


def promised(series: Labelled, seed: int) -> Iterator[rowfile.Row]:
    """Yield how many false alarms a day come where some were promised."""
    assert series.prefix is not None
    cut = int(series.prefix * LEARNT)
    names = [f"x{i}" for i in range(series.values.shape[1])]
    frame = pl.DataFrame(series.values[: series.prefix], schema=names)
    times = np.datetime64("2026-01-01", "us") + np.arange(series.prefix) * np.timedelta64(60_000_000, "us")
    frame = frame.with_columns(pl.Series("t", times))
    for rate in RATES:
        detector = SeriesDetector(OURS, time_column="t", false_alarms=rate, random_state=seed)
        detector.fit(frame[:cut], np.zeros(cut))
        scores = detector.anomaly_score(frame[cut:])
        count = len(alarms(scores >= detector.threshold_, [(0, len(scores))], MERGED))
        promise = detector.promise_
        yield {
            "part": "alarms",
            "way": OURS,
            "promised": rate,
            "held": promise is not None and promise.holds,
            "a_day": round(count / len(scores) * A_DAY, 3),
        }


def parts_of(series: Labelled, seed: int) -> Iterator[rowfile.Row]:
    """Yield the rows of all parts that a series takes part in."""
    if series.source in MINUTES and series.prefix is not None:
        yield from faults(series, seed)
    if series.source == "mba_ecg":
        yield from beats(series, seed)
    if series.source in ("asd", "jumpstarter"):
        yield from promised(series, seed)
    if series.source != "mba_ecg" and series.truth.mean() < RARE:
        yield from events(series, seed)


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return the means of each part."""
    lines = []
    for source in MINUTES:
        for way in (OURS, POINTWISE):
            own = [r for r in rows if r["part"] == "faults" and r["source"] == source and r["way"] == way]
            if own:
                seen = [r for r in own if r["found"] and not r["standing"]]
                alarm = sum(r["false_alarms"] for r in own)
                days = sum(r["normal_points"] for r in own) * MINUTES[source] / A_DAY
                lines.append(
                    f"faults, {source}, {way}: {len(seen)} of {len(own)} found, median delay "
                    f"{np.median([r['minutes'] for r in seen]):.3g} minutes, an alarm was standing in "
                    f"{sum(r['standing'] for r in own)}, {alarm} false alarms in {days:.2f} days"
                )
    for kind, keys, values in (
        ("beats", ("way", "labelled"), ("recall",)),
        ("events", ("group", "setting", "way"), ("recall", "affiliation")),
        ("alarms", ("source", "promised", "held"), ("a_day",)),
    ):
        own = [r for r in rows if r["part"] == kind]
        for key in dict.fromkeys(tuple(r[k] for k in keys) for r in own):
            same = [r for r in own if tuple(r[k] for k in keys) == key]
            figures = ", ".join(f"{v} {np.mean([r[v] for r in same]):.3f}" for v in values)
            lines.append(f"{kind}, {', '.join(map(str, key))}: {figures} ({len(same)} series)")
    return "\n".join(lines)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default="*", help="shell pattern of names below timeseries/")
    parser.add_argument("--longest", type=int, default=300_000, help="points of a series, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"sets": options.sets, "longest": options.longest, "seed": options.seed}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["group"], row["series"]) for row in rows}
    for group in GROUPS:
        for series in series_of(options.data, group, options.sets):
            if (group, series.name) in done or len(series.truth) > options.longest:
                continue
            about = {"group": group, "series": series.name, "source": series.source}
            rows += [{**about, **row} for row in parts_of(series, options.seed)]
            rowfile.write(options.out, call.settings, rows, command=call.command)
            print(series.name, flush=True)
    print(report(rows))


STUDY = Study("series_events", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
