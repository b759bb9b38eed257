"""Attacks never seen before: one family left out, then some of its cases confirmed; peers in the same run.

    python benchmarks/zero_day.py DATA --set nsl --out zero_day-nsl.json

DATA is a folder with the sets as Parquet. *nsl*: NSL-KDD, learnt from rows of its training part, judged on
families and normal rows of its test part. *ton*, *iot*: ToN-IoT and the IoT-23 captures, read as network
flows with what their hosts do; normal rows are parted at random. *malware*: four sets of static features,
inlier-only and with 1, 5 and 10 cases. The protocol is `outlearn.evaluate.zero_day`: the detector learns
from at most 4,000 normal rows and the confirmed cases of the family; copies are removed. Detectors that take
no labels learn from the normal rows alone, once. Figures: AUROC, average precision as if 1 % were of the
family, recall at .1 % and at 1 % of false alarms; means over families. The same command goes on where it
stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import wilcoxon

import machine
import rowfile
from outlearn import Detector
from outlearn.data.flows import flow_view
from outlearn.data.readers import open_source
from outlearn.errors import InputError
from outlearn.evaluate.zero_day import CASES, figures_of, held_families, zero_day
from peers import DETECTORS, DevNet, Outlearn, Peer

OURS = "outlearn"
LEARNERS = ("siamese", "maml", "protonet")
BLIND = ("iforest", "knn5", "knn50")
ASKING = ("catboost", "devnet")  # for cases
MALWARE = ("adroit", "androcrawl_balanced10k", "clamp_integrated", "defensedroid_prs")
MAKERS: dict[str, Callable[[int], Peer]] = {
    **{name: DETECTORS[name] for name in (OURS, *BLIND, "catboost")},
    **{name: (lambda seed, name=name: Outlearn(Detector(name, random_state=seed))) for name in LEARNERS},
    "devnet": DevNet,
}


@dataclass(frozen=True)
class Attacks:
    """Rows of one set: what detectors see, the truth, names of families, and a published training part."""

    name: str
    rows: pl.DataFrame
    truth: NDArray[np.int8]
    families: NDArray[np.str_]
    earlier: NDArray[np.bool_] | None = None
    cases: tuple[int, ...] = CASES


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
        train, test = (pl.read_parquet(net / f"nsl_kdd_{part}.parquet") for part in ("train20", "test"))
        both = pl.concat([train, test.select(train.columns)])
        yield of_frame(group, both, earlier=np.arange(both.height) < train.height)
    elif group == "ton":
        yield of_frame(group, flows(net / "ton_iot_network_100k.parquet"))
    elif group == "iot":
        parts = [flows(path) for path in sorted(net.glob("iot23_*.parquet"))]
        yield of_frame(group, pl.concat(parts, how="diagonal_relaxed"))
    else:
        for name in MALWARE:
            yield of_frame(name, pl.read_parquet(data / "malware" / f"{name}.parquet"), cases=(0, 1, 5, 10))


def measure(each: Attacks, family: str, seed: int, blind: dict[tuple[str, int], Peer]) -> list[rowfile.Row]:
    """Return a row for each detector and count of cases; detectors without labels are fitted once a set."""
    rows = []
    for cases in each.cases:
        try:
            split = zero_day(
                each.rows, each.truth, each.families, seed, family=family, cases=cases, earlier=each.earlier
            )
        except InputError:
            continue
        for name in (OURS, *LEARNERS, *BLIND, *(ASKING if cases else ())):
            alone = name in BLIND or not cases
            if alone and (name, seed) in blind:
                peer = blind[name, seed]
            else:
                peer = MAKERS[name](seed)
                normal = split.train_y == 0
                if name in BLIND:
                    peer.fit(split.train_x.filter(normal), None)
                else:
                    peer.fit(split.train_x, split.train_y)
            if alone:  # the normal rows learnt from are the same for every family
                blind[name, seed] = peer
            found = figures_of(family, cases, seed, split.test_y, peer.score(split.test_x))
            rows.append({"set": each.name, "detector": name, **_rounded(asdict(found))})
    return rows


def _rounded(row: rowfile.Row) -> rowfile.Row:
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in row.items()}


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a set: means over families, and p of ours against the best peer in recall at 1 %."""
    told = []
    for name in dict.fromkeys(row["set"] for row in rows):
        here = [row for row in rows if row["set"] == name]
        families = len({row["family"] for row in here})
        told += [
            f"{name}: {families} families",
            "",
            "| cases | detector | AUROC | AP at 1 % | recall at .1 % | at 1 % |",
        ]
        told.append("|---|---|---|---|---|---|")
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
                told.append(f"| {cases} | {detector} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
            told.append(f"| {cases} | {_against(recall)} | | | | |")
        told.append("")
    return "\n".join(told)


def _against(recall: dict[str, dict[tuple[str, int], float]]) -> str:
    """Return how ours stands beside the best peer."""
    peers = [name for name in recall if name in (*BLIND, *ASKING)]
    best = max(peers, key=lambda name: np.mean(list(recall[name].values())))
    gap = np.array([recall[OURS][key] - recall[best][key] for key in recall[OURS]])
    p = wilcoxon(gap).pvalue if gap.any() else 1.0
    return f"outlearn less {best}: {gap.mean():+.3f}, p {p:.2g}"


def main() -> None:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", choices=("nsl", "ton", "iot", "malware"), required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    settings = {"set": options.set, "seeds": options.seeds}
    rows = rowfile.resume(options.out, settings)
    done = {(row["set"], row["family"], row["seed"]) for row in rows}
    for each in attacks(options.data, options.set):
        single = len(set(each.families[each.truth == 1].tolist())) == 1
        blind: dict[tuple[str, int], Peer] = {}
        for family in ["malware"] if single else held_families(each.truth, each.families):
            for seed in range(options.seeds):
                if (each.name, family, seed) in done:
                    continue
                rows += measure(each, family, seed, blind)
                rowfile.write(options.out, settings, rows, command=machine.command("zero_day.py"))
                print(f"{each.name}: {family}, seed {seed}", flush=True)
    print(report(rows))


if __name__ == "__main__":
    main()
