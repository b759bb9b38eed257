"""Learners trained on attack families: those of other networks, or other families of all networks.

    python -m benchmarks run cross_network DATA --work WORK --out cross_network.json

DATA is a folder with the sets of `zero_day`. Of three networks (NSL-KDD, ToN-IoT, IoT-23) each attack
family with normal rows of its own is a set to learn from; learners are meta-trained on such sets, alone and
beside synthetic tasks. *network*: on all families of the two other networks. *family*: in three parts, on all
families of the three but those of one part, and on normal rows of the training side alone. They are judged on
families that took no part by `outlearn.evaluate.zero_day`, beside the same learners with the weights that
ship, which saw synthetic tasks only, the detector by default, and peers. WORK keeps the sets and the trained
learners. The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from benchmarks.harness import rowfile
from benchmarks.harness.peers import DETECTORS, Outlearn, Peer
from benchmarks.harness.study import Call, Study, on_rows
from benchmarks.studies.zero_day import Attacks, attacks
from outlearn import Detector
from outlearn.data.encode import Encoder
from outlearn.data.infer import infer_schema
from outlearn.errors import InputError
from outlearn.evaluate.rows import distinct
from outlearn.evaluate.zero_day import figures_of, held_families, zero_day
from outlearn.execute import Processes
from outlearn.files import whole
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig
from outlearn.learners.training.metatrain import metatrain
from outlearn.rng import derive

NETWORKS = ("nsl", "ton", "iot")
LEARNERS = ("maml", "protonet")
PEERS = ("outlearn", "knn5", "knn50", "catboost")
BLIND = ("knn5", "knn50")
PROTOCOLS = ("network", "family")
EITHER = "either"  # protocol of what was not trained here: the rows it is judged on are the same
CASES = (0, 1, 5)
PARTS = 3
SITUATIONS = ("normal", "labelled", "clean", "labelled")
#: Rows of a set to learn from: normal ones at most, and of the family; fewer than the least make no set.
NORMALS, OF_FAMILY, LEAST = 1000, 500, 10
_STREAM = 0xC105
_SEEN = 4000  # normal rows that the encoding is learnt from, as a detector's


@dataclass(frozen=True)
class Network:
    """A network's rows, each of them distinct and on the training side or not."""

    attacks: Attacks
    earlier: NDArray[np.bool_]

    @property
    def name(self) -> str:
        return self.attacks.name

    @property
    def families(self) -> list[str]:
        return held_families(self.attacks.truth, self.attacks.families)


def networks(data: Path) -> list[Network]:
    """Read the networks; where none is published, half of the rows are the training side."""
    nets = []
    for name in NETWORKS:
        (group,) = attacks(data, name)
        earlier = group.earlier
        if earlier is None:
            earlier = derive(0, _STREAM).random(len(group.truth)) < 0.5
        nets.append(Network(group, earlier))
    return nets


def write_sets(folder: Path, taught: Sequence[tuple[Network, Sequence[str], bool]]) -> None:
    """Write a corpus: a set a family, with normal rows that no other set has.

    taught : networks, which of their families, and whether rows of the training side alone may be used.
    """
    lines = []
    folder.mkdir(parents=True, exist_ok=True)
    for network, families, first in taught:
        group = network.attacks
        rows = derive(1, _STREAM).permutation(distinct(group.rows))
        if first:
            rows = rows[network.earlier[rows]]
        normal = rows[group.truth[rows] == 0]
        seen = group.rows[normal[:_SEEN]]
        encoder = Encoder.fit(seen, infer_schema(seen))
        share = min(len(normal) // max(len(families), 1), NORMALS)
        for place, family in enumerate(families):
            theirs = rows[(group.truth[rows] == 1) & (group.families[rows] == family)][:OF_FAMILY]
            if len(theirs) < LEAST or share < LEAST:
                continue
            usual = normal[place * share : (place + 1) * share]
            chosen = np.concatenate([usual, theirs])
            values = encoder.transform(group.rows[chosen]).values
            file = f"{network.name}-{place}.npz"
            with whole(folder / file) as target, target.open("wb") as stream:
                np.savez_compressed(stream, X=values.astype(np.float32), y=group.truth[chosen])
            lines.append({"file": file, "family": f"{network.name}: {family}"})
    with whole(folder / "manifest.csv") as target, target.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["file", "family"])
        writer.writeheader()
        writer.writerows(lines)


def taught(folder: Path, learner: str, synthetic: int, options: argparse.Namespace) -> Path:
    """Return the weights of a learner trained on the corpus of a folder, trained unless they are there."""
    weights = folder / f"{learner}-{synthetic}-{options.steps}.safetensors"
    if not weights.exists():
        config = MetatrainConfig(
            learner=learner,
            tasks=TaskConfig(
                synthetic=synthetic, corpus=folder, situations=SITUATIONS, per_set=options.per_set
            ),
            training=TrainingConfig(steps=options.steps),
        )
        # Tasks of one corpus are profiled once for all learners.
        with Processes(2, keep=False) as pool:
            outcome = metatrain(config, weights, executor=pool, folder=folder / "work")
        aurocs = {when: figures[0].auroc for when, figures in outcome.figures.items()}
        print(f"{weights}: {aurocs}", flush=True)
    return weights


def detectors(trained: dict[str, Path]) -> dict[str, Callable[[int], Peer]]:
    """Return what is judged, by name, each made from a seed."""

    def made(seed: int, learner: str, weights: Path | None = None) -> Peer:
        return Outlearn(Detector(learner, weights=weights, random_state=seed))

    ours = {name: partial(made, learner=name) for name in LEARNERS}
    by_name = {
        name: partial(made, learner=name.split(",")[0], weights=path) for name, path in trained.items()
    }
    return {**{name: DETECTORS[name] for name in PEERS}, **ours, **by_name}


def measure(
    network: Network,
    family: str,
    makers: dict[str, Callable[[int], Peer]],
    fitted: dict[str, Peer],
    seed: int,
) -> list[rowfile.Row]:
    """Return a row a detector and count of cases; `fitted` keeps what was fitted to normal rows alone."""
    group, rows = network.attacks, []
    for cases in CASES:
        try:
            split = zero_day(
                group.rows,
                group.truth,
                group.families,
                seed,
                family=family,
                cases=cases,
                earlier=network.earlier,
            )
        except InputError:
            continue
        for name, make in makers.items():
            if cases == 0 and name == "catboost":
                continue
            peer = fitted.get(name)
            if peer is None or (cases and name not in BLIND):
                peer = make(seed)
                peer.fit(split.train_x, split.train_y)
                if not cases:
                    fitted[name] = peer
            figures = figures_of(family, cases, seed, split.test_y, peer.score(split.test_x))
            rounded = {key: round(v, 5) if isinstance(v, float) else v for key, v in asdict(figures).items()}
            rows.append({"network": network.name, "detector": name, **rounded})
    return rows


def report(rows: Sequence[rowfile.Row]) -> str:
    """Return a table a protocol: means over families, and what training on families adds to each learner."""
    lines = []
    for protocol in (name for name in PROTOCOLS if any(row["protocol"] == name for row in rows)):
        judged = {(row["network"], row["family"]) for row in rows if row["protocol"] == protocol}
        lines += [
            f"{protocol}: recall at 1 % (at .1 %)",
            "",
            "| cases | detector | " + " | ".join(NETWORKS) + " | all | less shipped, p |",
        ]
        lines.append("|---" * (len(NETWORKS) + 4) + "|")
        for cases in CASES:
            here = [
                row
                for row in rows
                if row["protocol"] in (protocol, EITHER)
                and row["cases"] == cases
                and (row["network"], row["family"]) in judged
            ]
            by_name: dict[str, dict[tuple[str, str, int], tuple[float, float]]] = {}
            for row in here:
                key = (row["network"], row["family"], row["seed"])
                by_name.setdefault(row["detector"], {})[key] = (row["recall_1"], row["recall_01"])
            for name, reached in by_name.items():
                means = []
                for network in (*NETWORKS, None):
                    mine = [value for key, value in reached.items() if network in (None, key[0])]
                    one, tenth = np.mean(mine, axis=0) if mine else (np.nan, np.nan)
                    means.append(f"{one:.3f} ({tenth:.3f})")
                plain = by_name.get(name.split(",")[0], {}) if "," in name else {}
                gap = np.array([reached[key][0] - plain[key][0] for key in reached if key in plain])
                beside = f"{gap.mean():+.3f}, {wilcoxon(gap).pvalue:.2g}" if gap.any() else ""
                lines.append(f"| {cases} | {name} | {' | '.join(means)} | {beside} |")
        lines.append("")
    return "\n".join(lines)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--protocols", default=",".join(PROTOCOLS))
    parser.add_argument("--learners", default=",".join(LEARNERS))
    parser.add_argument(
        "--synthetic", type=int, default=1000, help="synthetic tasks beside those of families"
    )
    parser.add_argument("--per-set", type=int, default=16)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)


def settings(options: argparse.Namespace) -> rowfile.Row:
    return {key: getattr(options, key) for key in ("learners", "synthetic", "per_set", "steps", "seed")}


def conduct(call: Call) -> None:
    options = call.options
    rows = rowfile.resume(options.out, call.settings)
    nets = networks(options.data)
    for protocol in options.protocols.split(","):
        for place in range(len(nets) if protocol == "network" else PARTS):
            folder = options.work / f"{protocol}-{place}"
            judged = of_part(nets, protocol, place)
            if all(done(rows, protocol, network, family) for network, family in judged):
                continue
            if not (folder / "manifest.csv").exists():
                write_sets(folder, learnt_from(nets, protocol, place))
            trained = {
                f"{learner}, {'families and synthetic' if synthetic else 'families'}": taught(
                    folder, learner, synthetic, options
                )
                for learner in options.learners.split(",")
                for synthetic in dict.fromkeys((0, options.synthetic))
            }
            makers = detectors(trained)
            fitted: dict[str, dict[str, Peer]] = {}
            for network, family in judged:
                if done(rows, protocol, network, family):
                    continue
                known = done(rows, EITHER, network, family)
                wanted = {name: make for name, make in makers.items() if name in trained or not known}
                fresh = measure(network, family, wanted, fitted.setdefault(network.name, {}), options.seed)
                rows += [
                    {"protocol": protocol if row["detector"] in trained else EITHER, **row} for row in fresh
                ]
                rowfile.write(options.out, call.settings, rows, command=call.command)
                print(f"{protocol} {place}: {network.name}, {family}", flush=True)
    print(report(rows))


def of_part(nets: Sequence[Network], protocol: str, place: int) -> list[tuple[Network, str]]:
    """Return the families that a part is judged on."""
    if protocol == "network":
        return [(nets[place], family) for family in nets[place].families]
    return [(network, family) for network in nets for family in network.families[place::PARTS]]


def learnt_from(
    nets: Sequence[Network], protocol: str, place: int
) -> list[tuple[Network, Sequence[str], bool]]:
    """Return what a part is learnt from; see `write_sets`."""
    if protocol == "network":
        return [(network, network.families, False) for network in nets if network is not nets[place]]
    judged = {(network.name, family) for network, family in of_part(nets, protocol, place)}
    return [
        (network, [family for family in network.families if (network.name, family) not in judged], True)
        for network in nets
    ]


def done(rows: Sequence[rowfile.Row], protocol: str, network: Network, family: str) -> bool:
    wanted = (protocol, network.name, family)
    return any((row["protocol"], row["network"], row["family"]) == wanted for row in rows)


STUDY = Study("cross_network", __doc__, arguments, conduct, settings=settings, report=on_rows(report))
