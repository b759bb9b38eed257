"""The page of series: it holds what was found, thinned, and no foreign word is read as markup."""

import base64
import json
import re

import numpy as np

from outlearn.decisions.alarms import Segment
from outlearn.decisions.promise import Promise
from outlearn.findings import Origin
from outlearn.findings.series import BINS, SeriesFindings, panel_of
from outlearn.report.series import render_series, series_text

EVIL = "</script><img src=x onerror=alert(1)>"


def findings(n=1000, name="pressure", key="", times=True):
    values = np.column_stack([np.sin(np.arange(n) / 9), np.arange(n) / n])
    scores = np.zeros(n)
    scores[400:450] = 0.9
    stamps = np.datetime64("2026-01-01") + np.arange(n) * np.timedelta64(60, "s") if times else None
    since = (stamps[400], stamps[449]) if times else (None, None)
    segment = Segment(key, 400, 449, 420, 0.9, *since, ((name, 0.8), ("level", 0.2)))
    panel = panel_of(key, (name, "level"), values, scores, np.arange(n), stamps, [(400, 450)], [0])
    return SeriesFindings(
        Origin("made.csv", 1000), None, n, 1, 50, 0.5, (segment,), ("it stood still",), (panel,),
        Promise(True, "1 a day at most"), ("a note",), 1.5,
    )  # fmt: skip


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_tells_what_was_found_and_loads_nothing():
    page = render_series(findings())
    for words in (
        "1 range of 1,000 points flagged",
        "2026-01-01 06:40:00",
        "pressure 80%",
        "it stood still",
        "a note",
    ):
        assert words in page
    assert "Promise: 1 a day at most" in page
    assert "http" not in page.replace("http-equiv", "")


def test_foreign_words_are_never_markup():
    page = render_series(findings(name=EVIL, key=EVIL))
    assert "<img" not in page
    assert data_of(page)[0]["channels"][0]["name"].startswith("</script>")


def test_a_long_series_is_thinned_to_its_lowest_and_highest_values():
    n = 5 * BINS
    values = np.zeros((n, 1))
    values[123_456] = 7.0
    panel = panel_of("", ("a",), values, np.zeros(n), np.arange(n), None, [(123_456, 123_457)], [])
    assert len(panel.low) == BINS
    assert panel.high.max() == 7.0 and panel.low.max() == 0.0
    start, end = panel.ranges[0]
    assert panel.high[start:end].max() == 7.0


def test_what_the_script_draws_comes_back_to_the_values():
    channel = data_of(render_series(findings()))[0]["channels"][0]
    levels = np.frombuffer(base64.b64decode(channel["high"]), dtype="<u2")
    values = channel["from"] + levels / 65535 * (channel["to"] - channel["from"])
    assert np.abs(values - np.sin(np.arange(1000) / 9)).max() < 1e-4


def test_the_same_in_a_few_lines():
    told = series_text(findings(times=False), top=5)
    assert "rows 400 to 449" in told and "it stood still" in told and " - a note" in told
    assert "1 range of 1,000 points" in told
