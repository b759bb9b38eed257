"""Sessions and lines of logs by the zero-day protocol, and across systems; peers in the same run.

    python -m benchmarks run logs DATA --out logs.json

DATA is a folder with the sets as Parquet. *hdfs*: sequences of events of blocks, anomalies of one name.
*hadoop*: of containers, whose jobs met one of three faults; a container of such a job that ran as a normal
one does counts as normal. *bgl*: lines of a supercomputer's log through the view of logs, alerts of several
types; the label is in no column. The protocol is `outlearn.evaluate.zero_day`: normal rows are parted at
random, copies are removed, a family of anomalies is left out but for 0, 1 or 5 confirmed cases. The parts
that the sets were published with are too small to learn from (Hadoop) or hold no normal sequence to judge by
(HDFS). Detectors that take no labels learn from the normal rows alone. *across*: only what is told of any
sequence whatever its events are called, each system's by its own normal rows, in their standard deviations;
support are normal rows of the one system, then labelled anomalies of the other as well.

Figures: AUROC, average precision as if 5 % were anomalies, recall at 1 % of false alarms. The features of
sequences were chosen among a dozen sets with figures of hadoop and hdfs at hand, seeds 0 to 2: there is no
third set of sequences to confirm them on. Those of lines are older than this benchmark. The same command goes
on where it stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import wilcoxon

from benchmarks.harness import rowfile
from benchmarks.harness.peers import DETECTORS, CatBoost, Outlearn, Peer
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies import logs_peers
from benchmarks.studies.zero_day import Attacks
from outlearn import Detector
from outlearn.data.columns.sequence import SHAPE, SequenceEncoder
from outlearn.data.kinds.logs import log_view
from outlearn.data.readers.lines import LINE
from outlearn.data.readers.source import Source
from outlearn.data.schema import Column, Kind, Schema
from outlearn.detectors.registry import make_detector
from outlearn.errors import InputError
from outlearn.evaluate.protocol import Split
from outlearn.evaluate.zero_day import CASES, figures_of, held_families, zero_day
from outlearn.rng import derive

OURS, NEAREST = "outlearn", "outlearn knn"
LEARNERS = ("maml", "siamese", "protonet")
EVENTS = Schema((Column("events", Kind.SEQUENCE),))
FOREIGN = (1, 5, 20, 100)  # labelled anomalies of the other system
SYSTEMS = ("hdfs", "hadoop")
Makers = dict[str, Callable[[int], Peer]]


class FormRarity:
    """-log of how often the form of a line, or its form after the one before, came among normal lines."""

    def __init__(self, column: str) -> None:
        self.column = column

    def fit(self, X: pl.DataFrame, y: np.ndarray | None) -> None:
        self.rows = X.height
        self.counts = dict(X[self.column].value_counts().iter_rows())

    def score(self, X: pl.DataFrame) -> np.ndarray:
        counts = np.array([self.counts.get(form, 0) for form in X[self.column].to_list()])
        return -np.log((counts + 0.5) / (self.rows + 1))


def ours(schema: Schema | None) -> Makers:
    """Return our detectors that take labels."""
    made: Makers = {OURS: lambda seed: Outlearn(Detector("incontext", schema=schema, random_state=seed))}
    for name in LEARNERS:
        made[name] = lambda seed, name=name: Outlearn(Detector(name, schema=schema, random_state=seed))
    return made


def makers(name: str) -> tuple[Makers, Makers, Makers]:
    """Return detectors that take labels where there are some, that take none, and that cannot do without."""
    nearest: Makers = {
        NEAREST: lambda seed: Outlearn(
            make_detector("knn", schema=None if name == "bgl" else EVENTS, random_state=seed)
        )
    }
    if name != "bgl":
        return ours(EVENTS), {**nearest, **logs_peers.BLIND}, logs_peers.ASKING
    blind = {
        **nearest,
        **{peer: DETECTORS[peer] for peer in ("iforest", "knn5", "knn50")},
        "rarity of form": lambda seed: FormRarity("form"),
        "rarity of pair": lambda seed: FormRarity("form after the one before"),
    }
    return ours(None), blind, {"catboost": DETECTORS["catboost"]}


def load(data: Path, name: str) -> Attacks:
    """Return a set."""
    if name == "bgl":
        return _lines(pl.read_parquet(data / "logs" / "bgl_2k.parquet"))
    file = {"hdfs": "seq_hdfs_xu", "hadoop": "seq_hadoop_loghub"}[name]
    # Normal rows come first: of copies the first is kept.
    frame = pl.read_parquet(data / "logs" / f"{file}.parquet").sort("label", maintain_order=True)
    truth = frame["label"].to_numpy().astype(np.int8)
    families = frame["family"] if "family" in frame.columns else pl.Series(["anomaly"] * frame.height)
    return Attacks(name, frame.select("events"), truth, np.where(truth == 1, families.to_numpy(), ""))


def _lines(frame: pl.DataFrame) -> Attacks:
    """Read lines as a log; a line that names the type of its alert would tell the answer."""
    alerts = frame.filter(pl.col("label") == 1).select(
        pl.col("raw").str.contains(pl.col("family"), literal=True)
    )
    if alerts.to_series().any():
        raise SystemExit("lines hold the names of their alerts; wanted them without")
    lines = frame.select(pl.col("raw").alias(LINE))
    view, aside = log_view(Source("bgl", (LINE,), lambda size: [lines], (), lines.height))
    truth = frame["label"].to_numpy().astype(np.int8)
    return Attacks(
        "bgl", view.read().drop(aside), truth, np.where(truth == 1, frame["family"].to_numpy(), "")
    )


def families_of(group: Attacks) -> list[str]:
    """Return the families that are left out in turn."""
    names = sorted(set(group.families[group.truth == 1].tolist()))
    return names if len(names) == 1 else held_families(group.truth, group.families)


def split_of(group: Attacks, family: str, cases: int, seed: int) -> Split | None:
    """Return the split, or None where the family is too small."""
    try:
        return zero_day(group.rows, group.truth, group.families, seed, family=family, cases=cases)
    except InputError:
        return None


def measure(group: Attacks, family: str, seed: int) -> Iterator[rowfile.Row]:
    """Yield a row for each detector and count of cases."""
    asked, blind, needing = makers(group.name)
    for cases in CASES:
        split = split_of(group, family, cases, seed)
        if split is None:
            continue
        normal = split.train_x.filter(split.train_y == 0)
        for name, make in {**asked, **blind, **(needing if cases else {})}.items():
            peer = make(seed)
            if name in blind:
                peer.fit(normal, None)
            else:
                peer.fit(split.train_x, split.train_y)
            yield _row(group.name, name, family, cases, seed, split, peer.score(split.test_x))


def _row(
    group: str, detector: str, family: str, cases: int, seed: int, split: Split, scores: np.ndarray
) -> rowfile.Row:
    figures = asdict(figures_of(family, cases, seed, split.test_y, np.asarray(scores, dtype=np.float64)))
    rounded = {key: round(value, 5) if isinstance(value, float) else value for key, value in figures.items()}
    return {"set": group, "detector": detector, **rounded}


def shapes(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return what is told of any sequence, rows to learn from and to judge, in deviations of normal ones."""
    normal = split.train_x["events"].filter(split.train_y == 0)
    encoder = SequenceEncoder.fit("events", normal)
    train, test = (encoder.encode(x["events"])[0][:, : len(SHAPE)] for x in (split.train_x, split.test_x))
    known = train[split.train_y == 0].astype(np.float64)
    spread = known.std(axis=0)
    return tuple(  # type: ignore[return-value]
        ((x - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).astype(np.float32)
        for x in (train, test)
    )


def across(target: Attacks, other: Attacks, family: str, seed: int) -> Iterator[rowfile.Row]:
    """Yield rows of a system judged with its normal rows, and with anomalies of the other beside them."""
    split = split_of(target, family, 0, seed)
    if split is None:
        return
    train, test = shapes(split)
    group = f"{target.name} from {other.name}"
    alone = Detector("incontext", random_state=seed).fit(train, np.zeros(len(train), np.int8))
    yield _row(group, "outlearn, no label", family, 0, seed, split, alone.anomaly_score(test))
    there, odd = _foreign(other, seed)
    for count in FOREIGN:
        rows = np.concatenate([train, odd[:count]])
        y = np.repeat([0, 1], [len(train), len(odd[:count])])
        scores = Detector("incontext", random_state=seed).fit(rows, y).anomaly_score(test)
        yield _row(group, f"outlearn, {count} of {other.name}", family, 0, seed, split, scores)
        trees = CatBoost(seed)
        trees.fit(
            np.concatenate([train, there, odd[:count]]), np.r_[np.zeros(len(train) + len(there)), y[y == 1]]
        )
        yield _row(group, f"catboost, {count} of {other.name}", family, 0, seed, split, trees.score(test))


def _foreign(other: Attacks, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return normal rows and shuffled anomalies of all families of a system, by its own normal rows."""
    normal, odd = np.empty((0, len(SHAPE)), np.float32), []
    for family in families_of(other):
        split = split_of(other, family, 0, seed)
        if split is not None:
            normal, test = shapes(split)
            odd.append(test[split.test_y == 1])
    return normal, derive(seed, 0x106).permutation(np.concatenate(odd))


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a set: means over families and seeds."""
    lines = []
    for name in dict.fromkeys(row["set"] for row in rows):
        here = [row for row in rows if row["set"] == name]
        families = len({row["family"] for row in here})
        lines += [
            f"{name}: {families} families",
            "",
            "| cases | detector | AUROC | AP at 5 % | recall at 1 % |",
        ]
        lines.append("|---|---|---|---|---|")
        for cases in sorted({row["cases"] for row in here}):
            those = [row for row in here if row["cases"] == cases]
            for detector in dict.fromkeys(row["detector"] for row in those):
                mine = [row for row in those if row["detector"] == detector]
                means = [np.mean([row[key] for row in mine]) for key in ("auroc", "precision_5", "recall_1")]
                lines.append(
                    f"| {cases} | {detector} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |"
                )
            if " from " not in name:
                lines += [
                    f"| {cases} | {_against(those, key)} | | | |"
                    for key in ("auroc", "precision_5", "recall_1")
                ]
        lines.append("")
    return "\n".join(lines)


def _against(rows: Sequence[rowfile.Row], key: str) -> str:
    """Return how our default stands beside the best peer in one figure."""
    figures: dict[str, dict[tuple[str, int], float]] = {}
    for row in rows:
        figures.setdefault(row["detector"], {})[row["family"], row["seed"]] = row[key]
    peers = [name for name in figures if name not in (OURS, NEAREST, *LEARNERS)]
    best = max(peers, key=lambda name: np.mean(list(figures[name].values())))
    gap = np.array([figures[OURS][case] - figures[best][case] for case in figures[OURS]])
    p = wilcoxon(gap).pvalue if gap.any() else 1.0
    return f"{key}: outlearn less {best} {gap.mean():+.3f}, p {p:.2g}"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"seeds": options.seeds}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["set"], row["family"], row["seed"]) for row in rows}
    loaded = {name: load(options.data, name) for name in (*SYSTEMS, "bgl")}
    jobs = [(group.name, group, None) for group in loaded.values()]
    jobs += [(f"{a} from {b}", loaded[a], loaded[b]) for a in SYSTEMS for b in SYSTEMS if a != b]
    for name, group, other in jobs:
        for family in families_of(group):
            for seed in range(options.seeds):
                if (name, family, seed) in done:
                    continue
                rows += measure(group, family, seed) if other is None else across(group, other, family, seed)
                rowfile.write(options.out, call.settings, rows, command=call.command)
                print(f"{name}: {family}, seed {seed}", flush=True)
    print(report(rows))


STUDY = Study("logs", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
