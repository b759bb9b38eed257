import numpy as np
import pytest

from outlearn.alerts import incident_words, incidents_of
from outlearn.errors import ParameterError

from .conftest import reason


def test_a_thousand_alike_rows_are_one_line(make_rows):
    facts = {"target": [f"10.1.0.{i % 40}" for i in range(1000)], "target port": ["445"] * 1000}
    flagged = make_rows(1000, facts, rows=np.arange(600, 1600), masks=np.ones(1000, np.uint32))
    (only,) = incidents_of(flagged)
    words = incident_words(only)
    assert "10.0.0.7: 1,000 flows, 1970-01-01 00:00:00–00:16:39, to 40 targets port 445: T1046" in words
    assert "highest score 0.900, rows 1599, 1598, 1597, …" in words
    assert len(only.rows) == 100 and only.techniques[0].words in words


@pytest.mark.parametrize(
    ("other", "incidents"),
    [
        ({}, 1),
        ({"entities": ("a", "a", "b", "b")}, 2),
        ({"times": np.array([0.0, 600.0, 1201.0, 1202.0])}, 2),
        ({"times": np.array([0.0, 600.0, 1200.0, 1800.0])}, 1),  # each is near the next
        ({"times": np.full(4, np.nan)}, 1),
        ({"times": np.array([0.0, np.nan, 1.0, 2.0])}, 2),
        ({"masks": np.array([0, 1, 1, 0], np.uint32)}, 2),
        ({"masks": np.array([1, 2, 1, 3], np.uint32)}, 1),  # two rules of one technique
    ],
)
def test_rows_are_together_by_entity_cause_and_time(make_rows, other, incidents):
    assert len(incidents_of(make_rows(**other))) == incidents


def test_reasons_are_one_where_the_strongest_column_of_either_is_in_the_other(make_rows):
    reasons = (reason(0, "bytes", "duration"), reason(1, "duration", "packets"), reason(2, "port"))
    flagged = make_rows(reasons=reasons, reason_of=np.array([0, 1, 2, 2]))
    assert sorted(incident.count for incident in incidents_of(flagged)) == [2, 2]


def test_the_order_is_highest_score_then_size_and_rows_do_not_depend_on_it(make_rows):
    scores = np.array([0.9, 0.7, 0.9, 0.8])
    order = incidents_of(make_rows(scores=scores, entities=("a", "b", "c", "c")))
    assert [(incident.entity, incident.score, incident.count) for incident in order] == [
        ("c", 0.9, 2), ("a", 0.9, 1), ("b", 0.7, 1),
    ]  # fmt: skip


def test_a_borrowed_reason_says_whose_it_is_and_a_remark_comes_first(make_rows):
    flagged = make_rows(reasons=(reason(2, "bytes"),), remarks=("", "", "", "like the case; "))
    (only,) = incidents_of(flagged)
    assert only.rows[0] == 3 and "like the case; bytes 9" in incident_words(only)
    assert "(as told of row 2, the most alike)" in incident_words(only)


def test_single_rows_and_none(make_rows):
    assert [incident.rows for incident in incidents_of(make_rows(), single=True)] == [(3,), (2,), (1,), (0,)]
    assert incidents_of(make_rows(0, reasons=())) == ()


def test_bytes_are_summed_whatever_they_are(make_rows):
    facts = {"sent bytes": [1.0, float("inf"), None, 2.0], "received bytes": [None] * 4}
    (only,) = incidents_of(make_rows(facts=facts))
    assert only.sent == 3.0 and only.received is None
    (huge,) = incidents_of(make_rows(facts={"sent bytes": [1e300] * 4}))
    assert huge.sent == 9e18


@pytest.mark.parametrize("gap", [-1.0, float("nan")])
def test_a_gap_is_a_time(make_rows, gap):
    with pytest.raises(ParameterError, match="wanted 0 seconds or more"):
        incidents_of(make_rows(), gap=gap)
