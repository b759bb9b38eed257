"""Findings through JSON and back, whatever they hold."""

import json
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_wine

from outlearn.alerts.hosts import Host
from outlearn.alerts.incident import Incident
from outlearn.alerts.techniques import Technique
from outlearn.data.schema import Column, Kind, Role, Schema
from outlearn.decisions import Budget, Decision, OwnRule, Promise, Rule
from outlearn.decisions.alarms import Segment
from outlearn.errors import ReadError
from outlearn.explain import Contribution, Explanation, LabelEffect
from outlearn.findings import (
    Bin,
    CategorySummary,
    ColumnProfile,
    Findings,
    MapSample,
    NumberSummary,
    Origin,
)
from outlearn.findings.cells import cell_in, cell_out
from outlearn.findings.codec import FORMAT, dumps, from_document, loads, to_document
from outlearn.findings.series import Panel, SeriesFindings
from outlearn.findings.tuning import Tried, TuningFindings
from outlearn.pipeline.detection import detect

# A failing example is large, and making it small takes minutes.
QUICK = (Phase.explicit, Phase.generate)
TEXT = st.text(max_size=12)
WHOLE = st.integers(-(2**53), 2**53)
NUMBER = st.floats(width=64)
SHARE = st.floats(0, 1)
CELLS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | NUMBER
    | TEXT
    | st.binary(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.decimals(allow_nan=False)
    | st.timedeltas(timedelta(days=-999), timedelta(days=999)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


def unlike(a, b, path=""):
    """Return where two values differ, "" for nowhere; arrays and numbers that are none are compared too."""
    if type(a) is not type(b):
        return f"{path}: {type(a).__name__} and {type(b).__name__}"
    if is_dataclass(a):
        pairs = {f.name: (getattr(a, f.name), getattr(b, f.name)) for f in fields(a)}
    elif isinstance(a, np.ndarray):
        alike = a.dtype.kind == b.dtype.kind and np.array_equal(a, b, equal_nan=a.dtype.kind in "fM")
        return "" if alike else f"{path}: {a!r} and {b!r}"
    elif isinstance(a, list | tuple) and len(a) == len(b):
        pairs = dict(enumerate(zip(a, b, strict=True)))
    elif isinstance(a, dict) and list(a) == list(b):
        pairs = {key: (a[key], b[key]) for key in a}
    else:
        return "" if a == b or a != a else f"{path}: {a!r} and {b!r}"
    return next(filter(None, (unlike(*pair, f"{path}.{key}") for key, pair in pairs.items())), "")


def several(of):
    return st.lists(of, max_size=3).map(tuple)


def optional(of):
    return st.none() | of


PROMISES = st.builds(Promise, st.booleans(), TEXT)
RULES = st.sampled_from(
    [
        Rule.contamination(0.1),
        Rule.false_alarm_rate(0.01),
        Rule.budget(5),
        Rule("budget", Budget(20, "day")),
        Rule.false_discovery_rate(0.2, tail_model=True),
        OwnRule("expected F1", 0.3),
        OwnRule("likeness"),
    ]
)
EXPLANATIONS = st.builds(
    Explanation,
    WHOLE,
    NUMBER,
    several(st.builds(Contribution, TEXT, CELLS, TEXT, TEXT, NUMBER)),
    several(WHOLE),
    TEXT,
    several(st.builds(LabelEffect, WHOLE, st.sampled_from([0, 1]), NUMBER)),
    st.booleans(),
)
SUMMARIES = st.builds(NumberSummary, NUMBER, NUMBER, optional(NUMBER), st.booleans(), SHARE) | st.builds(
    CategorySummary, several(st.tuples(TEXT, SHARE)), SHARE
)
BINS = st.builds(
    Bin,
    st.sampled_from(["value", "range", "other", "missing"]),
    SHARE,
    SHARE,
    optional(TEXT | st.floats(-1e9, 1e9)),
    optional(st.floats(allow_nan=False)),
)
PROFILES = st.builds(
    ColumnProfile, TEXT, TEXT, st.sampled_from(["number", "day"]), TEXT, several(BINS), SUMMARIES, SUMMARIES
)
INCIDENTS = st.builds(
    Incident, TEXT, TEXT, WHOLE, several(WHOLE), NUMBER, optional(SHARE), optional(st.floats(0, 9e9)),
    optional(st.floats(0, 9e9)), EXPLANATIONS, several(st.builds(Technique, TEXT, TEXT, TEXT)),
    st.dictionaries(TEXT, several(TEXT), max_size=2), st.dictionaries(TEXT, WHOLE, max_size=2),
    optional(st.floats(0, 9e9)), optional(st.floats(0, 9e9)), TEXT,
)  # fmt: skip


@st.composite
def table_findings(draw):
    n = draw(st.integers(0, 5))
    scores, flags = draw(arrays(np.float64, n)), draw(arrays(np.bool_, n))
    p = draw(optional(arrays(np.float64, n, elements=SHARE)))
    columns = several(st.builds(Column, TEXT, st.sampled_from(Kind), st.sampled_from(Role), optional(TEXT)))
    return Findings(
        source=Origin(draw(TEXT), n),
        reference=draw(optional(st.builds(Origin, TEXT, optional(WHOLE)))),
        detector=draw(TEXT),
        schema=Schema(draw(columns)),
        scores=scores,
        decision=Decision(flags, draw(NUMBER), draw(RULES), draw(PROMISES), p),
        top=np.arange(min(n, 2)),
        top_values=draw(several(st.dictionaries(TEXT, CELLS, max_size=2))),
        explanations=draw(several(EXPLANATIONS)),
        support_size=draw(WHOLE),
        labels=(draw(WHOLE), 0),
        map=MapSample(np.ones((n, 2)), np.arange(n), scores, flags) if n else None,
        profiles=draw(several(PROFILES)),
        notes=draw(several(TEXT)),
        limits=draw(several(TEXT)),
        seconds=draw(st.dictionaries(TEXT, st.floats(0, 9), max_size=2)),
        version="0",
        seed=draw(optional(WHOLE)),
        doubt=draw(TEXT),
        incidents=draw(optional(several(INCIDENTS))),
        hosts=draw(several(st.builds(Host, TEXT, TEXT, WHOLE, WHOLE, NUMBER))),
        suppressed=draw(WHOLE),
    )


@given(table_findings())
@settings(max_examples=60, deadline=None, phases=QUICK)
def test_findings_of_a_table_come_back_as_they_were(findings):
    assert not unlike(loads(dumps(findings)), findings)


@given(CELLS)
def test_cells_come_back_with_their_types(cell):
    written = json.loads(json.dumps(cell_out(cell), allow_nan=False))
    assert not unlike(cell_in(written), cell)


MOMENT = np.datetime64("2026-01-01T00:00:00.5", "us")


@given(st.lists(NUMBER, min_size=1, max_size=4), st.booleans())
@settings(max_examples=20, deadline=None, phases=QUICK)
def test_findings_of_series_come_back_as_they_were(values, timed):
    channel = np.array(values)[:, None]
    times = MOMENT + np.arange(len(values)) if timed else None
    panel = Panel("k", ("a",), channel, channel, channel[:, 0], np.arange(len(values)), times, ((0, 1),))
    segment = Segment("k", 0, 1, 0, 0.5, MOMENT if timed else None, None, (("a", 1.0),))
    found = SeriesFindings(
        Origin("s", 9), None, 9, 1, 2, 0.5, (segment,), ("why",), (panel,), Promise(True, "p"), ("n",), 0.1
    )
    assert not unlike(loads(dumps(found)), found)


def test_findings_of_a_search_come_back_as_they_were():
    found = TuningFindings(
        Origin("s", 9), "maml", "why", 1.0, ("a", "b"), (float("nan"), 0.5), (1,), 0,
        (Tried(0, None, None, 0.1, "fault"), Tried(1, 0.5, 0.25, 0.1)), ("note",), Tried(0, 0.1, None, 0.2),
    )  # fmt: skip
    assert not unlike(loads(dumps(found)), found)


def test_what_detect_finds_comes_back_as_it_was():
    found = detect(load_wine(as_frame=True).data, detector="knn", rule=Rule.budget(5), top=3)
    assert not unlike(loads(dumps(found)), found)
    document = to_document(found)
    assert document["format"] == FORMAT and document["findings"]["decision"]["rule"]["kind"] == "budget"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": FORMAT + 1}, "upgrade"),
        ({"format": "1"}, "format '1'"),
        ({"kind": "song"}, "wanted one of table, series, tuning"),
        ({"findings": {}}, "required field missing"),
        ({"findings": 7}, "kind tuning"),
    ],
)
def test_what_is_no_findings_is_refused_with_a_reason(change, words):
    found = TuningFindings(Origin("s"), "maml", "", 1.0, (), (), (), 0, (), ())
    with pytest.raises(ReadError, match=words):
        from_document({**to_document(found), **change})


def test_a_field_of_another_type_or_an_unknown_one_is_named():
    document = to_document(TuningFindings(Origin("s"), "maml", "", 1.0, (), (), (), 0, (), ()))
    document["findings"]["seconds"] = "soon"
    with pytest.raises(ReadError, match=r"expected float @ .*seconds"):
        from_document(document)
    document["findings"] |= {"seconds": 1.0, "sceonds": 2.0}
    with pytest.raises(ReadError, match="sceonds"):
        from_document(document)
    with pytest.raises(ReadError, match="no JSON"):
        loads("{")


def test_cells_of_known_types_read_well():
    assert cell_out(datetime(2026, 1, 2, 3)) == {"$datetime": "2026-01-02T03:00:00"}
    assert cell_out([date(2026, 1, 2), time(3)]) == [{"$date": "2026-01-02"}, {"$time": "03:00:00"}]
    assert cell_out(Decimal("1.50")) == {"$decimal": "1.50"} and cell_out(np.int8(3)) == 3
    with pytest.raises(ReadError, match="no cell"):
        cell_in({"$evil": 1})
    assert replace(Origin("a"), rows=3) == Origin("a", 3)
