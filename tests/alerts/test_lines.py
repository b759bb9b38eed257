"""Lines stay lines, whatever stands in the cells, and say what was found."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outlearn.alerts import ALERT_FORMATS, incidents_of
from outlearn.explain import Contribution, Explanation

from .conftest import reason

NASTY = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    st.sampled_from(
        [
            "a\nb",
            "a\r\n<34>1 - - -",
            "\x1b[2J",
            "a|b\\c=d",
            '"]\\',
            "\ud800",
            "\u2028\u0085",
            "x" * 100_000,
            "cs1=x",
        ]
    ),
)
SYSLOG = re.compile(
    r"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) "
    r"\[(\S+)((?: [\w@.]{1,32}=\"(?:[^\"\\\]]|\\[\"\\\]])*\")+)\] (.*)"
)


def cef(line):
    """Read a line of CEF as a receiver does: seven bars that are not escaped, then keys and values."""
    *head, rest = re.split(r"(?<!\\)(?:\\\\)*\|", line, maxsplit=7)
    fields = re.split(r"(?:^| )([A-Za-z0-9]+)(?<!\\)=", rest)
    values = [re.sub(r"\\(.)", r"\1", value) for value in fields[2::2]]
    assert len(head) == 7 and fields[0] == ""
    return head, dict(zip(fields[1::2], values, strict=True))


def facts(text, number=1.0):
    names = ("source", "source port", "target", "target port", "protocol", "service", "line", "file")
    return {name: [text] for name in names} | {"sent bytes": [number]}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=NASTY,
    number=st.floats(),
    seconds=st.floats(),
    score=st.floats(0, 1),
    kind=st.sampled_from(["flows", "logs", "table"]),
)
def test_hostile_cells_break_no_line(make_rows, run, text, number, seconds, score, kind):
    why = Explanation(0, score, (Contribution(text, text, text, "rare", 1.0),), (), f"{text} is odd.")
    plain = text.encode("utf-8", "replace").decode()  # a frame holds no half of a surrogate pair
    flagged = make_rows(
        1,
        facts(plain, number),
        kind=kind,
        times=np.array([seconds]),
        scores=np.array([score]),
        reasons=(why,),
    )
    (incident,) = incidents_of(flagged)
    halves = dict.fromkeys(incident.facts, (text,))
    hostile = replace(incident, entity=text, remark=text, facts=halves)
    hostile_run = replace(run, source=text, promise=text)
    lines = {suffix: make(hostile, hostile_run) for suffix, make in ALERT_FORMATS.items()}
    for line in lines.values():
        assert line.splitlines() == [line] and not re.search("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", line)
        assert len(line.encode()) < 300_000
    assert json.loads(lines[".jsonl"])["event"]["kind"] == "alert" and lines[".jsonl"].isascii()
    head, values = cef(lines[".cef"])
    assert head[0] == "CEF:0" and 0 <= int(head[6]) <= 10 and values["cnt"] == "1"
    assert SYSLOG.fullmatch(lines[".syslog"])


@pytest.fixture
def incident(make_rows):
    cells = {
        "source": ["10.0.0.7"] * 4, "source port": ["5", "6", "x", "70000"],
        "target": ["10.1.0.1", "fe80::1", "b", "b"],
        "target port": ["445"] * 4, "protocol": ["tcp"] * 4, "service": ["smb"] * 4, "sent bytes": [1.0] * 4,
        "received bytes": [2.0] * 4,
    }  # fmt: skip
    flagged = make_rows(facts=cells, masks=np.ones(4, np.uint32), p_values=np.full(4, 0.01))
    (only,) = incidents_of(flagged)
    return only


def test_ecs_has_its_names_nested(incident, run):
    document = json.loads(ALERT_FORMATS[".jsonl"](incident, run))
    assert document["@timestamp"] == document["event"]["start"] == "1970-01-01T00:00:00.000000Z"
    assert document["event"]["risk_score"] == 90.0 and document["event"]["category"] == ["network"]
    assert document["source"] == {"address": "10.0.0.7", "ip": "10.0.0.7", "port": [6, 5], "bytes": 4}
    assert (
        set(document["destination"]["ip"]) == {"10.1.0.1", "fe80::1"}
        and "b" in document["destination"]["address"]
    )
    assert document["network"] == {"transport": "tcp", "protocol": "smb", "bytes": 12}
    technique = document["threat"]["technique"]
    assert technique["id"] == ["T1046"] and technique["reference"][0].endswith("/T1046/")
    assert document["rule"]["name"] == "Network Service Discovery"
    assert document["outlearn"]["rows"] == [3, 2, 1, 0] and document["outlearn"]["p_value"] == 0.01
    assert document["outlearn"]["promise"] == "never more than 5"


def test_what_is_not_known_is_left_out(make_rows, run):
    (table,) = incidents_of(make_rows(1, kind="table", times=np.array([np.nan]), entities=("",)))
    document = json.loads(ALERT_FORMATS[".jsonl"](table, run))
    assert document["@timestamp"] == "2026-01-01T00:00:00.000000Z" and "start" not in document["event"]
    assert not {"source", "destination", "network", "threat", "file", "log"} & set(document)
    (line,) = incidents_of(make_rows(1, {"line": ["a\tb"]}, kind="logs"))
    assert json.loads(ALERT_FORMATS[".jsonl"](line, run))["log"]["original"] == "a b"
    (file,) = incidents_of(make_rows(1, {"file": ["a/b.exe"]}, kind="executables"))
    assert json.loads(ALERT_FORMATS[".jsonl"](file, run))["file"]["path"] == "a/b.exe"


def test_cef_and_syslog_say_the_same(incident, run):
    head, values = cef(ALERT_FORMATS[".cef"](incident, run))
    assert head[4:] == ["T1046", "Network Service Discovery", "9"]
    assert values["src"] == "10.0.0.7" and "dst" not in values and values["dpt"] == "445"  # there are several
    assert values["out"] == "4" and values["in"] == "8" and values["cs2"] == "3,2,1,0"
    line = ALERT_FORMATS[".syslog"](incident, run)
    assert line.startswith("<130>1 1970-01-01T00:00:00.000000Z - outlearn - T1046 [outlearn@32473 ")
    assert 'technique="T1046"' in line and 'ports="445"' in line


def test_an_address_of_six_has_a_key_of_its_own_in_cef(make_rows, run):
    (only,) = incidents_of(make_rows(1, {"source": ["fe80::1"], "target": ["10.0.0.1"]}))
    _, values = cef(ALERT_FORMATS[".cef"](only, run))
    assert values["c6a2"] == "fe80::1" and values["dst"] == "10.0.0.1" and "src" not in values


def test_signs_are_escaped(make_rows, run):
    (only,) = incidents_of(make_rows(1, reasons=(reason(0, 'a|b=c\\d"]'),)))
    head, values = cef(ALERT_FORMATS[".cef"](only, run))
    assert head[5] == 'Unusual a\\|b=c\\\\d"]' and values["reason"] == 'a|b=c\\d"] odd'
    assert 'reason="a|b=c\\\\d\\"\\] odd"' in ALERT_FORMATS[".syslog"](only, run)


def test_the_id_tells_incidents_apart_and_is_the_same_again(make_rows, run):
    first, second = incidents_of(make_rows(entities=("a", "a", "b", "b")))
    ids = [
        json.loads(ALERT_FORMATS[".jsonl"](incident, run))["event"]["id"]
        for incident in (first, second, first)
    ]
    assert ids[0] == ids[2] != ids[1]
