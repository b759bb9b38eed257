"""Every page keeps to a policy that lets nothing in but the style and the script that stand in it."""

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from outlearn.report import render_html
from outlearn.report.series import render_series
from outlearn.report.tuning import render_tuning
from tests.report import test_series, test_tuning

EVIL = "</script><style>*{}</style><img src=x onerror=alert(1) style=color:red>"


class Page(HTMLParser):
    """The policy, the texts of styles and of scripts that run, and all attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.policy, self.attributes, self.texts, self._inside = "", set(), [], None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.attributes |= given.keys()
        if given.get("http-equiv") == "Content-Security-Policy":
            assert not self.texts  # or what stands before it would be let in
            self.policy = given["content"]
        if tag == "style" or (tag == "script" and given.get("type") != "application/json"):
            assert "src" not in given
            self._inside = tag
            self.texts.append((tag, ""))

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        self._inside = None if tag == self._inside else self._inside

    def handle_data(self, data):
        if self._inside:
            tag, before = self.texts[-1]
            self.texts[-1] = (tag, before + data)


def _strict(html: str) -> Page:
    page = Page(html)
    allowed = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
    assert allowed.pop("default-src") == "'none'"
    for tag, text in page.texts:
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert allowed.pop(f"{tag}-src") == f"'sha256-{digest}'"
    assert allowed == {"base-uri": "'none'", "form-action": "'none'"}
    assert not {name for name in page.attributes if name.startswith("on")} | {"style"} & page.attributes
    return page


@pytest.mark.parametrize("word", ["amount", EVIL])
def test_a_page_of_rows_runs_nothing(make_findings, word):
    page = _strict(render_html(make_findings(word=word, cell=word)))
    assert [tag for tag, _ in page.texts] == ["style"]


def test_a_page_of_a_search_runs_nothing():
    page = _strict(render_tuning(test_tuning.FOUND))
    assert [tag for tag, _ in page.texts] == ["style"]


@pytest.mark.parametrize("word", ["amount", EVIL])
def test_a_page_of_series_runs_its_own_script_alone(word):
    page = _strict(render_series(test_series.findings(name=word, key=word)))
    assert [tag for tag, _ in page.texts] == ["style", "script"]


@pytest.mark.parametrize(
    "harm",
    ["<script>alert(1)</script>", "<style>p {}</style>", "<p onclick='a()'>", "<p style='color: red'>"],
)
def test_the_check_sees_what_a_policy_forbids(harm):
    html = render_series(test_series.findings())
    with pytest.raises((AssertionError, KeyError)):
        _strict(html.replace("</body>", f"{harm}</body>"))
