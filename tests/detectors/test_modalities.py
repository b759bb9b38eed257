"""Records of several modalities through the detector: judged apart, explained, kept, and told of labels."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outlearn import Detector
from outlearn.errors import ParameterError
from outlearn.learners.incontext.fusion import FusedScorer

USUAL, ODD = 80, 4


def incidents(seed=0):
    """Records of numbers, vectors, curves and events; of the last four each is odd in one of them."""
    rng = np.random.default_rng(seed)
    n = USUAL + ODD
    amount, vectors = rng.lognormal(3, 0.4, n), rng.normal(size=(n, 24))
    curves = np.sin(np.linspace(0, 6, 40)) + 0.1 * rng.normal(size=(n, 40))
    events = [" ".join(rng.choice(["open", "read", "write"], 8)) + " close" for _ in range(n)]
    amount[-4], vectors[-3], curves[-2] = 5000, vectors[-3] + 5, curves[-2][::-1] * 4
    events[-1] = "delete delete chmod delete open"
    return pl.DataFrame(
        {"amount": amount, "vector": vectors.tolist(), "load": curves.tolist(), "calls": events}
    )


@pytest.fixture(scope="module")
def fitted():
    return Detector(random_state=0).fit(incidents()[:USUAL], np.zeros(USUAL))


def test_what_is_odd_in_any_modality_is_found(fitted):
    assert isinstance(fitted.scorer_, FusedScorer)
    scores = fitted.anomaly_score(incidents())
    assert set(np.argsort(-scores)[:ODD].tolist()) == set(range(USUAL, USUAL + ODD))
    alone = [fitted.anomaly_score(incidents()[row : row + 1])[0] for row in range(USUAL - 2, USUAL + ODD)]
    np.testing.assert_allclose(alone, scores[USUAL - 2 :], atol=1e-6)


def test_reasons_name_the_modality(fitted):
    explanations = fitted.explain(incidents(), rows=range(USUAL, USUAL + ODD))
    assert [why.contributions[0].column for why in explanations] == ["amount", "vector", "load", "calls"]
    assert (
        "list of 24 numbers from" in explanations[1].sentence
        and "list of 40 numbers" in explanations[2].sentence
    )


def test_a_record_may_lack_any_part(fitted):
    frame = incidents()[USUAL - 1 :]
    for name in ("vector", "load", "calls"):
        without = frame.with_columns(pl.lit(None, dtype=frame[name].dtype).alias(name))
        scores = fitted.anomaly_score(without)
        assert np.isfinite(scores).all() and scores[1:].max() > scores[0]


def test_it_is_kept_whole(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again = Detector.load(tmp_path / "model")
    np.testing.assert_array_equal(again.anomaly_score(incidents()), fitted.anomaly_score(incidents()))


def test_a_label_moves_what_resembles_it():
    frame = pl.concat([incidents(), incidents(1)[USUAL:]])
    blind = Detector(random_state=0).fit(frame)
    updated = blind.update(frame[USUAL + 1 : USUAL + 2], [1])
    assert 1 in updated.support_y_
    like = frame[-3:-2]  # odd in its vector too
    assert updated.anomaly_score(like)[0] >= Detector(random_state=0).fit(frame).anomaly_score(like)[0]


def test_a_column_of_vectors_alone_is_as_an_array():
    rows = np.random.default_rng(0).normal(size=(60, 12))
    rows[-1] += 4
    column = pl.DataFrame({"v": rows.tolist()})
    of_column = Detector(random_state=0).fit(column).anomaly_score(column)
    of_array = Detector(random_state=0).fit(rows).anomaly_score(rows)
    assert of_column.argmax() == of_array.argmax() == 59
    assert np.corrcoef(np.argsort(np.argsort(of_column)), np.argsort(np.argsort(of_array)))[0, 1] > 0.8


def test_side_by_side_where_it_is_asked_for():
    frame = incidents()
    plain = Detector(fusion="none", random_state=0).fit(frame)
    assert not isinstance(plain.scorer_, FusedScorer)
    assert not isinstance(Detector("protonet", random_state=0).fit(frame).scorer_, FusedScorer)
    with pytest.raises(ParameterError, match="fusion is 'late'"):
        Detector(fusion="late").fit(frame)
