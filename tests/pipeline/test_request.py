"""Requests: checked once, and the same through a document and back."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlearn.data.readers import ReadOptions
from outlearn.decisions import Rule
from outlearn.errors import ParameterError
from outlearn.pipeline.alerting import AlertOptions
from outlearn.pipeline.engine import is_series
from outlearn.pipeline.request import DetectorSpec, DetectRequest, FitRequest, Outputs, RuleSpec, TableSpec

NAMES = st.none() | st.text(min_size=1, max_size=8)
RULES = st.one_of(
    st.just(RuleSpec()),
    st.builds(RuleSpec, contamination=st.floats(0.01, 0.5)),
    st.builds(RuleSpec, budget=st.integers(1, 99) | st.sampled_from(["20/day", "3"])),
    st.builds(RuleSpec, fdr=st.floats(0.01, 0.5), tail_model=st.booleans()),
    st.builds(RuleSpec, false_alarms=st.just("1/day")),
)
REQUESTS = st.builds(
    DetectRequest,
    st.text(min_size=1),
    NAMES,
    NAMES,
    st.builds(TableSpec, NAMES, NAMES, NAMES, st.lists(st.text(max_size=4), max_size=2), NAMES,
              st.sampled_from([None, "series", "flows", "table"]), st.lists(st.text(max_size=4), max_size=2)),
    st.builds(ReadOptions, st.sampled_from([None, ";"]), NAMES),
    st.builds(DetectorSpec, st.text(max_size=5), NAMES, st.integers(0, 9)),
    RULES,
    st.builds(Outputs, st.integers(0, 50), NAMES, NAMES, st.builds(AlertOptions, NAMES, entity=NAMES)),
)  # fmt: skip


@given(REQUESTS)
@settings(deadline=None, max_examples=50)
def test_a_request_comes_back_from_its_document(request_):
    assert DetectRequest.from_document(request_.to_document()) == request_


def test_a_document_holds_what_differs_from_the_defaults():
    made = DetectRequest.of("a.csv", label_column="y", rule=Rule.budget("20/day"), top=3, random_state=1)
    assert made.to_document() == {
        "source": "a.csv", "table": {"label_column": "y"}, "detector": {"seed": 1},
        "rule": {"budget": "20/day"}, "outputs": {"top": 3},
    }  # fmt: skip
    with pytest.raises(ParameterError, match="in memory"):
        DetectRequest.of(pl.DataFrame({"a": [1]})).to_document()


@pytest.mark.parametrize("rule", [Rule.contamination(0.1), Rule.budget("2/hour"), Rule.false_alarm_rate(0.1)])
def test_a_rule_is_made_from_what_it_was_made_into(rule):
    assert RuleSpec.of(rule).rule == rule
    strict = Rule.false_discovery_rate(0.1, tail_model=True)
    assert RuleSpec.of(strict).rule == strict and RuleSpec.of(None).rule is None


def test_a_contamination_may_be_auto_and_a_kind_is_said_once():
    assert FitRequest.of("a.csv", contamination="auto") == FitRequest("a.csv")
    twice = DetectRequest("a.csv", table=TableSpec(kind="flows"), read=ReadOptions(kind="logs"))
    with pytest.raises(ParameterError, match="of kind 'flows' and is read as 'logs'"):
        _ = twice.reading
    assert DetectRequest("a.csv", table=TableSpec(kind="series")).reading.options.kind == "table"


def test_values_that_mean_an_anomaly_may_be_numbers():
    made = DetectRequest.of("a.csv", label_column="y", anomaly_values=-1)
    assert made == DetectRequest.of("a.csv", label_column="y", anomaly_values=["-1"])
    assert made.to_document()["table"] == {"label_column": "y", "anomaly_values": ["-1"]}


def test_unknown_parts_are_named():
    with pytest.raises(ParameterError, match=r"tpo is no part of a request; there are .*top"):
        DetectRequest.of("a.csv", tpo=3)
    with pytest.raises(ParameterError, match="reference is no part"):
        FitRequest.of("a.csv", reference="b.csv")
    with pytest.raises(ParameterError, match="wanted one of them"):
        RuleSpec(budget=3, contamination=0.1)


def test_rows_or_series_is_told_by_the_request_or_by_the_table():
    steps = pl.DataFrame(
        {"t": [f"2026-01-01 {i // 60:02d}:{i % 60:02d}:00" for i in range(200)], "v": range(200)}
    )
    named = TableSpec(time_column="t")
    assert is_series(DetectRequest(steps, table=named))
    assert not is_series(DetectRequest(steps))
    assert not is_series(DetectRequest(steps, table=TableSpec(time_column="t", kind="table")))
    assert not is_series(DetectRequest(steps, table=named, rule=RuleSpec(budget=5)))
    assert is_series(FitRequest(steps, rule=RuleSpec(false_alarms="1/day")))
    with pytest.raises(ParameterError, match="--series-column: only series have that"):
        is_series(DetectRequest(steps, table=TableSpec(series_column="v", kind="flows")))
    with pytest.raises(ParameterError, match="a budget: only tables have that"):
        is_series(DetectRequest(steps, table=TableSpec(kind="series"), rule=RuleSpec(budget=5)))
