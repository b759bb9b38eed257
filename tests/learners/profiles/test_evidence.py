"""Evidence: how far labels bear each other out."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from outlearn.learners.profiles.evidence import EVIDENCE, TRUTH, USUAL, WITNESSES, Evidence
from outlearn.learners.profiles.lean import LEAN_LABELS


def support(known: int, n: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.full(n, -1, dtype=np.int8)
    y[:known] = 1
    return rng.normal(size=n), rng.normal(size=(n, len(LEAN_LABELS))), y


def trust(inputs: np.ndarray, name: str) -> float:
    return float(inputs[0, EVIDENCE.index(f"{name}, trust")])


def test_trust_is_the_shrunken_auroc_on_the_known_anomalies():
    order, labels, y = support(known=6)
    told = Evidence(order, labels, y).inputs(order, labels)
    assert told.shape == (80, len(EVIDENCE)) and np.isfinite(told).all()
    reached = roc_auc_score(y == 1, order)
    wanted = (6 * reached + TRUTH * USUAL) / (6 + TRUTH) - 0.5
    assert trust(told, "order") == pytest.approx(wanted, abs=1e-6)
    near = roc_auc_score(y == 1, -labels[:, LEAN_LABELS.index("log.anomaly1")])
    assert trust(told, "log.anomaly1") == pytest.approx(
        (5 * near + TRUTH * USUAL) / (5 + TRUTH) - 0.5, abs=1e-6
    )


def test_of_a_single_label_only_the_order_is_judged():
    order, labels, y = support(known=1)
    told = Evidence(order, labels, y).inputs(order, labels)
    assert all(trust(told, name) == pytest.approx(USUAL - 0.5) for name in WITNESSES[1:])
    assert trust(told, "order") != pytest.approx(USUAL - 0.5)


def test_a_row_is_read_alike_alone_and_in_a_batch():
    order, labels, y = support(known=4)
    evidence = Evidence(order, labels, y)
    whole = evidence.inputs(order, labels)
    alone = np.vstack([evidence.inputs(order[[i]], labels[[i]]) for i in range(len(y))])
    assert np.array_equal(whole, alone)


def test_known_normals_and_references_are_counted():
    order, labels, y = support(known=2)
    y[10:15] = 0
    few = Evidence(order, labels, y).inputs(order, labels)[0]
    y[2:] = 0
    reference = Evidence(order, labels, y).inputs(order, labels)[0]
    place = {name: EVIDENCE.index(name) for name in ("normals", "reference", "one anomaly")}
    assert few[place["normals"]] == pytest.approx(np.log1p(5) / 3) and few[place["reference"]] == 0
    assert reference[place["normals"]] == 0 and reference[place["reference"]] == 1
    assert few[place["one anomaly"]] == reference[place["one anomaly"]] == 0
