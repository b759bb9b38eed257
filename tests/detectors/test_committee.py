"""A committee: the mean of its members, kept in a file, and the choice where flows have a reference."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outlearn import detect
from outlearn.detectors import BaseDetector, ClassicalDetector, Committee, make_detector
from outlearn.errors import ParameterError
from outlearn.learners.surprisal import ScoreSurprisal

RNG = np.random.default_rng(0)
X = np.vstack([RNG.normal(size=(80, 3)), [[6.0, 6.0, 6.0]]])


def test_it_says_the_mean_of_its_members():
    together = Committee(("knn", "iforest"), random_state=0).fit(X)
    parts = []
    for name in ("knn", "iforest"):
        alone = ClassicalDetector(name, random_state=0).fit(X)
        parts.append(ScoreSurprisal.of(alone.support_raw_)(alone.support_raw_))
    np.testing.assert_allclose(together.support_raw_, np.mean(parts, axis=0), atol=1e-9)
    assert together.anomaly_score(X).argmax() == 80


def test_parameters_of_a_member_count():
    wide = Committee(("knn:k=50",), random_state=0).fit(X).support_raw_
    assert not np.allclose(wide, Committee(("knn",), random_state=0).fit(X).support_raw_)


@pytest.mark.parametrize(
    "members", ["knn", (), ("nope",), ("maml:k=5",), ("knn:k=many",), ("knn:",), (3,), None]
)
def test_what_is_no_member_is_refused(members):
    with pytest.raises(ParameterError, match="members is"):
        Committee(members).fit(X)


def test_it_is_kept_whole(tmp_path):
    fitted = make_detector("committee", random_state=0).fit(X)
    fitted.save(tmp_path / "model")
    again = BaseDetector.load(tmp_path / "model")
    np.testing.assert_array_equal(again.anomaly_score(X), fitted.anomaly_score(X))


def flows(n, seed):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "ts": np.sort(rng.uniform(1.7e9, 1.7e9 + 3600, n)),
            "src_ip": [f"10.0.0.{i}" for i in rng.integers(1, 20, n)],
            "dst_ip": [f"192.0.2.{i}" for i in rng.integers(1, 6, n)],
            "dst_port": rng.choice([53, 80, 443], n),
            "proto": "tcp",
            "bytes": rng.lognormal(7, 1, n),
        }
    )


def test_flows_beside_a_reference_are_judged_by_it():
    log, past = flows(60, 0), flows(90, 1)
    assert detect(log, reference=past, top=1).detector.startswith("committee of maml, knn")
    assert detect(log, top=1).detector.startswith("profiles")
    assert detect(log, reference=past, detector="knn", top=1).detector.startswith("knn")
    table = log.select("bytes", pl.col("bytes").sqrt().alias("root"))
    assert detect(table, reference=table, top=1).detector.startswith("profiles")
    labelled = log.with_columns(verdict=pl.Series(["anomaly"] + [None] * 59))
    assert detect(labelled, reference=past, label_column="verdict", top=1).detector.startswith("profiles")
