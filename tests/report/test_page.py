import re
import stat
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from outlearn.data.schema import Column, Kind, Schema
from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.decisions.rule import Rule
from outlearn.errors import MissingExtraError, OutputError
from outlearn.explain import LabelEffect
from outlearn.findings import CategorySummary, ColumnProfile, Origin
from outlearn.report import page, render_html, write_report

VOID = {"meta", "br", "img", "link", "input", "hr"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]></svg></style><b>",
    "\x00\x1b[31m\u202ered\ud800",
)


class Balance(HTMLParser):
    """Checks that every tag that opens also closes, and gathers tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(html: str) -> Balance:
    parsed = Balance(html)
    assert parsed.open == []
    assert not {"script", "iframe", "object", "embed", "base", "link", "img"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    fetching = [v for name, v in parsed.attributes if name in ("src", "href", "xlink:href", "srcset", "data")]
    assert all(value.startswith("#") for value in fetching)
    assert not re.search(r"https?://(?!www\.w3\.org/)", html)
    assert "url(" not in html
    assert "@import" not in html
    return parsed


def test_page_tells_everything(make_findings):
    findings = make_findings(labels=(3, 1), reference=Origin("march.csv"), seed=7)
    parsed = read(render_html(findings))
    for words in (
        "3 of 40 rows flagged",
        "Promise amount.",
        "march.csv",
        "note amount",
        "3 anomalies and 1 normal",
        "false-alarm rate 0.01",
        *findings.notes,
        *findings.limits,
        *(told.sentence for told in findings.explanations),
    ):
        assert words in parsed.text
    assert {"h1", "h2", "h3", "svg"} <= set(parsed.tags)
    labels = [value for name, value in parsed.attributes if name == "aria-label"]
    assert len([label for label in labels if label.startswith(("Distribution", "Map of", "Shares"))]) == 3
    assert ("http-equiv", "Content-Security-Policy") in parsed.attributes


def test_a_doubt_and_the_labels_that_moved_a_row_are_told(make_findings):
    findings = make_findings(doubt="only <3> rows")
    first = replace(findings.explanations[0], labels=(LabelEffect(7, 1, 1.24),))
    html = render_html(replace(findings, explanations=(first, *findings.explanations[1:])))
    assert "<strong>I can&#39;t tell</strong>Only &lt;3&gt; rows." in html
    assert html.count("row 7 (anomaly) raised it by 1.2") == 1
    assert "t tell" not in render_html(make_findings())


def test_a_neighbour_with_copies_is_named_once(make_findings):
    findings = make_findings()
    why = replace(findings.explanations[0], neighbours=(21, 4, 21, 4, 4))
    html = render_html(replace(findings, explanations=(why, *findings.explanations[1:])))
    assert "those compared with, by their place among them: 21, 4." in html
    why = replace(why, of_source=True)
    html = render_html(replace(findings, explanations=(why, *findings.explanations[1:])))
    assert "those compared with: 21, 4." in html


def test_promise_that_cannot_be_made_is_said(make_findings):
    findings = make_findings()
    kept = render_html(findings)
    decision = Decision(
        findings.decision.flagged, 0.5, Rule.contamination(0.1), Promise(False, "no false-alarm promise")
    )
    broken = read(render_html(make_findings(decision=decision))).text
    assert "No promise can be made" in broken
    assert "No false-alarm promise." in broken
    assert "No promise can be made" not in kept


def test_what_may_make_the_findings_wrong_stands_before_the_promise(make_findings):
    told = read(render_html(make_findings(cautions=("column 'y' looks like the answer",)))).text
    assert told.index("Look at this first") < told.index("Promise") and "Column 'y' looks like" in told
    assert "Look at this first" not in read(render_html(make_findings())).text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_foreign_words_are_escaped(make_findings, hostile):
    html = render_html(make_findings(word=hostile, cell=hostile, version=hostile))
    read(html).text.encode("utf-8")
    assert hostile not in html
    assert "<b>" not in html.replace("<b>1.000</b>", "").replace("<b>0.", "")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\ud800]", html)


def test_foreign_words_are_no_template(make_findings):
    assert "{{ 6 * 111 }}.csv" in read(render_html(make_findings(word="{{ 6 * 111 }}"))).text


def test_long_cell_is_cut(make_findings):
    html = render_html(make_findings(word="é" * 1000, cell="日本" * 500_000))
    read(html)
    assert len(html.encode()) < 300_000
    assert "日本日本" in html
    assert "…" in html


def test_million_rows_make_a_small_page(make_findings):
    html = render_html(make_findings(n=1_000_000, flagged=100))
    assert len(html.encode()) < 2_000_000
    assert "100 of 1,000,000 rows flagged" in read(html).text


@pytest.mark.parametrize("n", [1, 20])
def test_few_rows_and_none_flagged(make_findings, n):
    parsed = read(render_html(make_findings(n=n, flagged=0, map=None)))
    assert f"0 of {n} row" in parsed.text
    assert "Highest scores" in parsed.text
    assert "Map of the rows" not in parsed.text
    assert "How flagged rows differ" not in parsed.text


def test_no_rows_at_all(make_findings):
    empty = np.empty(0)
    decision = Decision(empty.astype(bool), np.inf, Rule.budget(5), Promise(False, "none"))
    findings = make_findings(
        scores=empty, decision=decision, top=empty.astype(np.int64), top_values=(), explanations=(), map=None
    )
    assert "There are no rows to show." in read(render_html(findings)).text


def test_thousand_columns_are_counted_not_listed(make_findings):
    nothing = CategorySummary((), 0.0)
    profiles = tuple(
        ColumnProfile(f"c{i}", "numeric", "category", "", (), nothing, nothing) for i in range(1000)
    )
    schema = Schema(tuple(Column(f"c{i}", Kind.CONSTANT) for i in range(1000)))
    values = ({f"c{i}": i for i in range(1000)},) * 5
    html = render_html(make_findings(profiles=profiles, schema=schema, top_values=values))
    text = read(html).text
    assert "988 more columns differ less and are left out" in text
    assert "970 more columns were set aside" in text
    assert "940 more columns are not shown" in text
    assert len(html) < 500_000


def test_same_findings_same_page(make_findings):
    assert render_html(make_findings()) == render_html(make_findings())


def test_write_is_whole_and_leaves_nothing_else(make_findings, tmp_path):
    target = tmp_path / "über.html"
    target.write_text("old")
    write_report(make_findings(), target)
    assert target.read_text(encoding="utf-8") == render_html(make_findings())
    assert stat.S_IMODE(target.stat().st_mode) & stat.S_IRUSR
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["missing/report.html", "", "nul\0.html"])
def test_unwritable_path_is_an_output_error(make_findings, tmp_path, name):
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(make_findings(), f"{tmp_path}/{name}")
    assert list(tmp_path.iterdir()) == []


def test_broken_write_keeps_the_old_report(make_findings, tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_text("old")
    write = page.Path.write_text

    def full_disk(path, text, **options):
        write(path, text[:100], **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page.Path, "write_text", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_report(make_findings(), target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_missing_extra_is_named(make_findings, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(MissingExtraError, match=r"outlearn\[report\]"):
        render_html(make_findings())
