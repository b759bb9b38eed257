import numpy as np
import polars as pl
import pytest

from outlearn.alerts import hosts as module
from outlearn.alerts.hosts import HostTally


def hosts_of(sources, scores, threshold=0.5, targets=None, pieces=1, count=10):
    flows = pl.DataFrame(
        {"source": sources, "target": targets or [None] * len(sources)},
        schema_overrides={"target": pl.String},
    )
    scores, tally = np.asarray(scores, dtype=float), HostTally()
    flagged = scores >= threshold
    for piece in np.array_split(np.arange(len(scores)), pieces):
        tally.add(flows[piece], scores[piece], flagged[piece])
    return tally.hosts(float(np.median(scores)), float(flagged.mean()), count)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1])  # of usual flows that are flagged
def test_five_odd_flows_of_six_are_above_a_thousand_usual_ones(share):
    rng = np.random.default_rng(0)
    for _ in range(100):
        usual = rng.beta(2, 6, 3000)
        usual *= 0.5 / np.quantile(usual, 1 - share)  # the detector puts its threshold at .5
        busy = np.clip(usual, 0, 1)
        odd = [*rng.uniform(0.9, 0.99, 5), 0.2]
        names = ["busy"] * 1000 + ["also"] * 2000 + ["odd"] * 6
        first, *rest = hosts_of(names, np.concatenate([busy, odd]))
        assert first.address == "odd" and first.flagged == 5 and first.flows == 6
        assert first.score > 0.7 and all(host.score < 0.65 for host in rest)


def test_a_scanning_source_is_above_its_thousand_targets_and_one_odd_flow_is_half_odd():
    rng = np.random.default_rng(1)
    sources = ["scan"] * 1000 + [f"u{i % 50}" for i in range(9000)]
    targets = [f"t{i}" for i in range(1000)] + [f"s{i % 20}" for i in range(9000)]
    scores = np.concatenate([rng.uniform(0.9, 1.0, 1000), rng.uniform(0, 0.45, 9000)])
    first, second, *_ = hosts_of(sources, scores, targets=targets)
    assert (first.address, first.role) == ("scan", "source") and first.score > 0.9
    assert second.role == "target" and 0.5 < second.score < 0.7


def test_an_odd_hour_of_a_busy_host_is_seen():
    rng = np.random.default_rng(2)
    scores = np.concatenate([rng.uniform(0, 0.45, 4000), rng.uniform(0.9, 1.0, 100)])
    names = ["quiet"] * 2000 + ["busy"] * 2100
    assert hosts_of(names, scores)[0].score > 2 * hosts_of(names, scores)[1].score * 0.9
    assert hosts_of(names, scores)[0].address == "busy"


def test_pieces_make_no_difference():
    rng = np.random.default_rng(3)
    names, scores = [f"h{i}" for i in rng.integers(0, 30, 2000)], rng.uniform(size=2000)
    whole, parts = hosts_of(names, scores, count=30), hosts_of(names, scores, count=30, pieces=9)
    assert [(h.address, h.flows, h.flagged) for h in whole] == [
        (h.address, h.flows, h.flagged) for h in parts
    ]
    assert np.allclose([h.score for h in whole], [h.score for h in parts])
    assert sum(h.flows for h in whole) == 2000 and all(0 <= h.score <= 1 for h in whole)


def test_memory_is_bounded_and_said_to_be(monkeypatch):
    monkeypatch.setattr(module, "MOST_HOSTS", 100)
    tally = HostTally()
    for start in range(0, 1000, 50):
        flows = pl.DataFrame(
            {"source": [f"h{i}" for i in range(start, start + 49)] + ["odd"], "target": ["t"] * 50}
        )
        scores = np.array([0.1] * 49 + [0.9])
        tally.add(flows, scores, scores > 0.5)
    hosts = tally.hosts(0.1, 0.02, 10**6)
    assert tally.cut and len(hosts) <= 200
    assert next(h for h in hosts if h.address == "odd").flows == 20


def test_of_what_is_hunted_for_hosts_with_flagged_flows_are_told_of():
    tally = HostTally()
    flows = pl.DataFrame({"source": ["loud"] * 3 + ["few", "many", "many"], "target": [None] * 6})
    scores = np.array([0.9, 0.9, 0.9, 0.5, 0.4, 0.3])
    tally.add(flows.cast(pl.String), scores, np.array([False] * 3 + [True] * 3))
    assert [host.address for host in tally.hosts(0.4, 0.0, 9, flagged=True)] == ["many", "few"]
    assert tally.hosts(0.4, 0.0, 1)[0].address == "loud"
