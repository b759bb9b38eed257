"""Attacks never seen before: one family left out, then some of its cases confirmed; peers in the same run.

    python -m benchmarks run zero_day DATA --set nsl --out zero_day-nsl.json

DATA is a folder with the sets as Parquet. *nsl*: NSL-KDD, learnt from rows of its training part, judged on
families and normal rows of its test part. *ton*, *iot*: ToN-IoT and the IoT-23 captures, read as network
flows with what their hosts do; normal rows are parted at random. *across*: learnt from normal flows of three
captures of IoT-23, judged on the two others. *malware*: four sets of static features,
inlier-only and with 1, 5 and 10 cases. *fraud*: card transactions of the Fraud Detection Handbook without
identifiers and times, learnt from one week and judged on a later one; the same cases. *bus*: frames of a
truck's CAN bus as the kind "bus" sees them, all columns and once more without those that tell an identifier.
*beats*: heart beats of ECG5000 as 140 columns, and once more with ours seeing each as one series, peers the
columns. The protocol is `outlearn.evaluate.zero_day`: the detector learns
from at most 4,000 normal rows and the confirmed cases of the family; copies are removed. Detectors that take
no labels learn from the normal rows alone, once. Figures: AUROC, average precision as if 1 % were of the
family, recall at .1 % and at 1 % of false alarms; means over families. The same command goes on where it
stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from benchmarks.harness import rowfile
from benchmarks.harness.peers import DETECTORS, DevNet, Outlearn, Peer
from benchmarks.harness.study import Call, Study, on_rows
from outlearn import Detector
from outlearn.data.kinds.bus import IDENTITY, bus_view
from outlearn.data.kinds.flows import flow_view
from outlearn.data.readers import open_source
from outlearn.errors import InputError
from outlearn.evaluate.zero_day import CASES, figures_of, held_families, zero_day

SETS = ("nsl", "ton", "iot", "across", "malware", "fraud", "bus", "beats")
OURS = "outlearn"
LEARNERS = ("siamese", "maml", "protonet")
TOGETHER = ("committee",)  # what flows are judged by beside a reference, where no case is known
BLIND = ("iforest", "knn5", "knn50")
ASKING = ("catboost", "devnet")  # for cases
MORE = (*CASES, 10)
#: Columns of a card transaction that name it, or tell when it was.
NAMING = ("TRANSACTION_ID", "CUSTOMER_ID", "TERMINAL_ID", "TX_TIME_SECONDS", "TX_TIME_DAYS", "time")
#: Columns of frames that someone read from their identifiers.
OF_THE_ID = ("priority", "pgn", "pgn_label", "destination", "source")
JUDGED = ("iot23_malware_21_1", "iot23_malware_34_1")  # captures that nothing is learnt from
MALWARE = ("adroit", "androcrawl_balanced10k", "clamp_integrated", "defensedroid_prs")
MAKERS: dict[str, Callable[[int], Peer]] = {
    **{name: DETECTORS[name] for name in (OURS, *TOGETHER, *BLIND, "catboost")},
    **{name: (lambda seed, name=name: Outlearn(Detector(name, random_state=seed))) for name in LEARNERS},
    "devnet": DevNet,
}


@dataclass(frozen=True)
class Attacks:
    """Rows of one set: what detectors see, the truth, names of families, and a published training part.

    ours : columns that only our own detectors see, in place of the others, which peers see.
    """

    name: str
    rows: pl.DataFrame
    truth: NDArray[np.int8]
    families: NDArray[np.str_]
    earlier: NDArray[np.bool_] | None = None
    cases: tuple[int, ...] = CASES
    ours: tuple[str, ...] = ()

    def seen_by(self, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows with the columns that a detector sees."""
        return (
            rows.select(self.ours)
            if self.ours and name in (OURS, *LEARNERS, *TOGETHER)
            else rows.drop(self.ours)
        )


def of_frame(name: str, frame: pl.DataFrame, **more: Any) -> Attacks:
    """Part a labelled frame into rows and truth."""
    truth = frame["label"].to_numpy().astype(np.int8)
    families = frame["family"].fill_null("").to_numpy().astype(str) if "family" in frame.columns else None
    rows = frame.drop("label", "family", "split", strict=False)
    return Attacks(
        name, rows, truth, np.where(truth == 1, "malware", "") if families is None else families, **more
    )


def flows(path: Path) -> pl.DataFrame:
    """Return the flows of a file as what is seen of them, without what names them."""
    view, aside = flow_view(open_source(path))
    return view.read().drop(aside)


def attacks(data: Path, group: str) -> Iterator[Attacks]:
    """Yield the sets of a group."""
    net = data / "netflow"
    if group == "nsl":
        train, test = (pl.read_parquet(net / f"nsl_kdd_{half}.parquet") for half in ("train20", "test"))
        both = pl.concat([train, test.select(train.columns)])
        yield of_frame(group, both, earlier=np.arange(both.height) < train.height)
    elif group == "ton":
        yield of_frame(group, flows(net / "ton_iot_network_100k.parquet"))
    elif group == "iot":
        parts = [flows(path) for path in sorted(net.glob("iot23_*.parquet"))]
        yield of_frame(group, pl.concat(parts, how="diagonal_relaxed"))
    elif group == "across":
        captures = {path.stem: flows(path) for path in sorted(net.glob("iot23_*.parquet"))}
        judged = np.repeat(
            [name in JUDGED for name in captures], [capture.height for capture in captures.values()]
        )
        yield of_frame(group, pl.concat(captures.values(), how="diagonal_relaxed"), earlier=~judged)
    elif group == "fraud":
        paid = pl.read_parquet(data / "tabular" / "fdh_card_fraud_100k.parquet")
        earlier = (paid["split"] == "train").to_numpy()
        yield of_frame(group, paid.drop(NAMING), earlier=earlier, cases=MORE)
    elif group == "bus":
        frames = pl.read_parquet(data / "other" / "can_j1939_tsc1.parquet").drop(OF_THE_ID)
        view, aside = bus_view(open_source(frames), keep=("label", "family"))
        seen = view.read().drop(aside)
        yield of_frame(group, seen)
        yield of_frame("bus-blind", seen.drop(IDENTITY))
    elif group == "beats":
        beats = pl.read_parquet(data / "other" / "ecg5000_train500.parquet")
        points = beats.drop("label", "family")
        yield of_frame(group, beats)
        series = beats.with_columns(pl.concat_list(points.columns).alias("beat"))
        yield of_frame("beats-series", series, ours=("beat",))
    else:
        for name in MALWARE:
            yield of_frame(name, pl.read_parquet(data / "malware" / f"{name}.parquet"), cases=MORE)


def measure(
    group: Attacks,
    family: str,
    seed: int,
    blind: dict[tuple[str, int], Peer],
    done: Collection[tuple[str, str, int, int, str]],
) -> list[rowfile.Row]:
    """Return a row for each detector and count of cases; detectors without labels are fitted once a set."""
    rows = []
    for cases in group.cases:
        names = (OURS, *LEARNERS, *BLIND, *(ASKING if cases else TOGETHER))
        left = [name for name in names if (group.name, family, seed, cases, name) not in done]
        if not left:
            continue
        try:
            split = zero_day(
                group.rows,
                group.truth,
                group.families,
                seed,
                family=family,
                cases=cases,
                earlier=group.earlier,
            )
        except InputError:
            continue
        for name in left:
            alone = name in BLIND or not cases
            if alone and (name, seed) in blind:
                peer = blind[name, seed]
            else:
                peer = MAKERS[name](seed)
                normal = split.train_y == 0
                learnt_from = group.seen_by(name, split.train_x)
                if name in BLIND:
                    peer.fit(learnt_from.filter(normal), None)
                else:
                    peer.fit(learnt_from, split.train_y)
            if alone:  # the normal rows learnt from are the same for every family
                blind[name, seed] = peer
            scores = peer.score(group.seen_by(name, split.test_x))
            figures = figures_of(family, cases, seed, split.test_y, scores)
            rows.append({"set": group.name, "detector": name, **_rounded(asdict(figures))})
    return rows


def _rounded(row: rowfile.Row) -> rowfile.Row:
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in row.items()}


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a set: means over families, and p of ours against the best peer in recall at 1 %."""
    lines = []
    for name in dict.fromkeys(row["set"] for row in rows):
        here = [row for row in rows if row["set"] == name]
        families = len({row["family"] for row in here})
        lines += [
            f"{name}: {families} families",
            "",
            "| cases | detector | AUROC | AP at 1 % | recall at .1 % | at 1 % |",
        ]
        lines.append("|---|---|---|---|---|---|")
        for cases in sorted({row["cases"] for row in here}):
            recall: dict[str, dict[tuple[str, int], float]] = {}
            for row in here:
                if row["cases"] == cases:
                    recall.setdefault(row["detector"], {})[row["family"], row["seed"]] = row["recall_1"]
            for detector in recall:
                mine = [row for row in here if (row["detector"], row["cases"]) == (detector, cases)]
                means = [
                    np.mean([row[key] for row in mine])
                    for key in ("auroc", "precision_1", "recall_01", "recall_1")
                ]
                lines.append(
                    f"| {cases} | {detector} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |"
                )
            lines.append(f"| {cases} | {_against(recall)} | | | | |")
        lines.append("")
    return "\n".join(lines)


def _against(recall: dict[str, dict[tuple[str, int], float]]) -> str:
    """Return how ours stands beside the best peer."""
    peers = [name for name in recall if name in (*BLIND, *ASKING)]
    best = max(peers, key=lambda name: np.mean(list(recall[name].values())))
    gap = np.array([recall[OURS][key] - recall[best][key] for key in recall[OURS]])
    p = wilcoxon(gap).pvalue if gap.any() else 1.0
    return f"outlearn less {best}: {gap.mean():+.3f}, p {p:.2g}"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", choices=SETS, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {"set": options.set, "seeds": options.seeds}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    done = {(row["set"], row["family"], row["seed"], row["cases"], row["detector"]) for row in rows}
    for group in attacks(options.data, options.set):
        single = set(group.families[group.truth == 1].tolist())
        blind: dict[tuple[str, int], Peer] = {}
        for family in single if len(single) == 1 else held_families(group.truth, group.families):
            for seed in range(options.seeds):
                fresh = measure(group, family, seed, blind, done)
                if not fresh:
                    continue
                rows += fresh
                rowfile.write(options.out, call.settings, rows, command=call.command)
                print(f"{group.name}: {family}, seed {seed}", flush=True)
    print(report(rows))


STUDY = Study("zero_day", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
