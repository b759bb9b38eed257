"""Records of several modalities: fused late, side by side, and one modality at a time; peers in the same run.

    python -m benchmarks run mixed DATA --out mixed.json

Records are put together from real sets that have nothing to do with each other, a row of each: a table
(failures of machines, malware, card fraud), heart beats as series, views of images by a network (MVTec by
ViT), lines of a supercomputer's log, events of a session. An anomaly is odd in one modality drawn at random
(*any*), in all of them (*all*), or always in the same one (*single*); a normal record in none. In half of the
records sets one part in five is missing. Situations: *normal*, learnt from normal records alone; *mixed*, 5 %
of those learnt from are anomalies and nobody says which; *labelled*, five of these are confirmed. Judged on
other rows of the sets: no row is in two records. The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import wilcoxon
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study, on_rows
from outlearn import Detector
from outlearn.data import Encoder, infer_schema
from outlearn.rng import derive

OURS = "outlearn"
PATTERNS = ("any", "all", "single")
SITUATIONS = ("normal", "mixed", "labelled")
LEARNT, ASKED = 120, 160  # most records of a set
ODD_LEARNT, ODD_ASKED, TOLD = 0.05, 0.15, 5
GONE = 0.2


@dataclass(frozen=True)
class Part:
    """One modality: columns of normal and of odd rows."""

    normal: pl.DataFrame
    odd: pl.DataFrame


def part_of(frame: pl.DataFrame, label: NDArray[np.integer], name: str) -> Part:
    frame = frame.rename({column: f"{name} {column}" for column in frame.columns})
    return Part(frame.filter(pl.Series(label == 0)), frame.filter(pl.Series(label == 1)))


def tables(data: Path) -> dict[str, Callable[[], Part]]:
    def of(path: str) -> Part:
        frame = pl.read_parquet(data / path)
        rows = frame.drop("label", "family", "split", strict=False)
        return part_of(rows, frame["label"].to_numpy(), Path(path).stem)

    names = ("tabular/ai4i2020.parquet", "malware/adroit.parquet", "tabular/fdh_card_fraud_100k.parquet")
    return {Path(name).stem: (lambda name=name: of(name)) for name in names}


def attached(data: Path) -> dict[str, Callable[[], Part]]:
    def beats() -> Part:
        frame = pl.read_parquet(data / "other" / "ecg5000_train500.parquet")
        series = pl.Series("beat", frame.drop("label", "family").to_numpy().astype(float).tolist())
        return part_of(series.to_frame(), frame["label"].to_numpy(), "ecg")

    def lines() -> Part:
        frame = pl.read_parquet(data / "logs" / "bgl_2k.parquet")
        return part_of(frame.select("Content"), frame["label"].to_numpy(), "bgl")

    def events(name: str) -> Part:
        frame = pl.read_parquet(data / "logs" / f"{name}.parquet")
        return part_of(frame.select("events"), frame["label"].to_numpy(), name)

    def image(path: Path) -> Part:
        with np.load(path) as arrays:
            view = pl.Series("view", arrays["X"].astype(float).tolist())
            return part_of(view.to_frame(), arrays["y"], path.stem)

    images = sorted((data / "adbench" / "CV_by_ViT").glob("*.npz"))
    return {
        "ecg": beats,
        "bgl": lines,
        "hdfs": lambda: events("seq_hdfs_xu"),
        **{path.stem.removeprefix("MVTec-AD_"): (lambda path=path: image(path)) for path in images},
    }


@dataclass(frozen=True)
class Records:
    """Rows to learn from and to be judged by, and how many columns of each belong to which modality."""

    learnt: pl.DataFrame
    learnt_y: NDArray[np.int8]
    truth: NDArray[np.int8]
    asked: pl.DataFrame
    asked_y: NDArray[np.int8]
    groups: Mapping[str, Sequence[str]]


def put_together(parts: Mapping[str, Part], pattern: str, situation: str, seed: int, gaps: bool) -> Records:
    """Draw records, each part's rows once."""
    rng = derive(seed, PATTERNS.index(pattern))
    most_odd = min(modality.odd.height for modality in parts.values())
    most = min(modality.normal.height for modality in parts.values())
    learnt, asked = min(LEARNT, most // 2), min(ASKED, most // 3)
    odd_learnt = 0 if situation == "normal" else max(round(ODD_LEARNT * learnt), TOLD)
    odd_asked = min(round(ODD_ASKED * asked), most_odd - odd_learnt)
    truth = np.repeat([0, 1, 0, 1], [learnt - odd_learnt, odd_learnt, asked - odd_asked, odd_asked])
    where = rng.integers(len(parts), size=len(truth))
    if pattern == "single":
        where[:] = rng.integers(len(parts))
    columns = []
    for place, modality in enumerate(parts.values()):
        odd = (truth == 1) & ((where == place) | (pattern == "all"))
        usual = modality.normal[rng.permutation(modality.normal.height)[: int((~odd).sum())]]
        strange = modality.odd[rng.permutation(modality.odd.height)[: int(odd.sum())]]
        order = np.empty(len(truth), dtype=np.int64)
        order[~odd], order[odd] = np.arange(usual.height), usual.height + np.arange(strange.height)
        values = pl.concat([usual, strange])[order]
        if gaps:
            gone = pl.Series((rng.random(len(truth)) < GONE) & ~(odd & (pattern != "all")))
            values = values.select(pl.when(~gone).then(pl.col(name)).alias(name) for name in values.columns)
        columns.append(values)
    frame = pl.concat(columns, how="horizontal")
    y = np.full(learnt, -1 if situation != "normal" else 0, dtype=np.int8)
    if situation == "labelled":
        y[rng.permutation(np.flatnonzero(truth[:learnt] == 1))[:TOLD]] = 1
    groups = {name: values.columns for name, values in zip(parts, columns, strict=True)}
    truth = truth.astype(np.int8)
    return Records(frame[:learnt], y, truth[:learnt], frame[learnt:], truth[learnt:], groups)


def ways(records: Records, seed: int) -> dict[str, NDArray[np.float64]]:
    """Return the scores of the records asked about, by every way of judging them."""
    detectors = {
        OURS: Detector("incontext", random_state=seed),
        "side by side": Detector("incontext", fusion="none", random_state=seed),
    }
    scores = {
        name: detector.fit(records.learnt, records.learnt_y).anomaly_score(records.asked)
        for name, detector in detectors.items()
    }
    for name, columns in records.groups.items():
        alone = Detector("incontext", fusion="none", random_state=seed)
        alone.fit(records.learnt.select(columns), records.learnt_y)
        scores[f"only {name}"] = alone.anomaly_score(records.asked.select(columns))
    learnt, asked = encoded(records, list(records.learnt.columns))
    scores["iforest"] = -IsolationForest(random_state=seed).fit(learnt).score_samples(asked)
    scores["knn5"] = neighbours(learnt, asked)
    encodings = [encoded(records, list(columns)) for columns in records.groups.values()]
    ranks = [ranked(neighbours(a, a, own=True), neighbours(a, b)) for a, b in encodings]
    scores["knn5 a modality, mean of ranks"] = np.mean(ranks, axis=0)
    scores["knn5 a modality, highest rank"] = np.max(ranks, axis=0)
    if (records.learnt_y == 1).any():
        from catboost import CatBoostClassifier

        model = CatBoostClassifier(
            random_seed=seed, verbose=False, allow_writing_files=False, thread_count=1, iterations=100
        )
        model.fit(learnt, records.learnt_y == 1)
        scores["catboost"] = model.predict_proba(asked)[:, 1]
    return scores


def encoded(records: Records, columns: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the columns as numbers of unit spread."""
    frame = records.learnt.select(columns)
    encoder = Encoder.fit(frame, infer_schema(frame))
    scale = StandardScaler().fit(encoder.transform(frame).values)
    return tuple(
        scale.transform(encoder.transform(rows.select(columns)).values) for rows in (frame, records.asked)
    )


def neighbours(known: NDArray, rows: NDArray, *, own: bool = False) -> NDArray[np.float64]:
    near = NearestNeighbors(n_neighbors=min(5 + own, len(known))).fit(known)
    return near.kneighbors(rows)[0][:, own:].mean(axis=1)


def ranked(known: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.searchsorted(np.sort(known), scores) / len(known)


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a situation: means over records sets, and p of ours against the best peer."""
    lines = []
    for situation in SITUATIONS:
        here = [row for row in rows if row["situation"] == situation]
        if not here:
            continue
        by_way: dict[str, dict[tuple[str, str, int], tuple[float, float]]] = {}
        for row in here:
            key = (row["set"], row["pattern"], row["seed"])
            by_way.setdefault("only one, the best" if row["way"].startswith("only ") else row["way"], {})
            way = by_way["only one, the best" if row["way"].startswith("only ") else row["way"]]
            way[key] = max(way.get(key, (0.0, 0.0)), (row["auroc"], row["ap"]))
        lines += [
            f"{situation}: {len(by_way[OURS])} sets of records",
            "",
            "| way | AUROC | AP |",
            "|---|---|---|",
        ]
        for way, figures in by_way.items():
            auroc, ap = np.mean(list(figures.values()), axis=0)
            lines.append(f"| {way} | {auroc:.3f} | {ap:.3f} |")
        peers = [way for way in by_way if way not in (OURS, "only one, the best")]
        best = max(peers, key=lambda way: np.mean([ap for _, ap in by_way[way].values()]))
        gap = np.array([by_way[OURS][key][1] - by_way[best][key][1] for key in by_way[OURS]])
        lines += ["", f"AP of outlearn less {best}: {gap.mean():+.3f}, p {wilcoxon(gap).pvalue:.2g}", ""]
    return "\n".join(lines)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"seeds": options.seeds}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["set"], row["pattern"], row["situation"], row["seed"]) for row in rows}
    values, more = tables(options.data), attached(options.data)
    images = [name for name in more if name not in ("ecg", "bgl", "hdfs")]
    chosen = [
        (table, *others, image)
        for place, image in enumerate(images)
        for table in [list(values)[place % len(values)]]
        for others in [(("ecg",), ("bgl",), ("hdfs",), ("ecg", "hdfs"))[place % 4]]
    ]
    for number, names in enumerate(chosen):
        name = " + ".join(names)
        parts = {modality: {**values, **more}[modality]() for modality in names}
        for pattern in PATTERNS:
            for situation in SITUATIONS:
                for seed in range(options.seeds):
                    if (name, pattern, situation, seed) in done:
                        continue
                    records = put_together(parts, pattern, situation, seed, gaps=number % 2 == 1)
                    start = time.perf_counter()
                    rows += [
                        {
                            "set": name,
                            "pattern": pattern,
                            "situation": situation,
                            "seed": seed,
                            "way": way,
                            "auroc": round(float(roc_auc_score(records.asked_y, scores)), 5),
                            "ap": round(float(average_precision_score(records.asked_y, scores)), 5),
                        }
                        for way, scores in ways(records, seed).items()
                    ]
                    rowfile.write(options.out, call.settings, rows, command=call.command)
                    spent = time.perf_counter() - start
                    print(f"{name}: {pattern}, {situation}, seed {seed}, {spent:.0f} s", flush=True)
    print(report(rows))


STUDY = Study("mixed", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
