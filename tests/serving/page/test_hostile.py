"""What comes from outside is shown as text, and pages load and run nothing but their own files."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

import outlearn.serving.page
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.page.files import address
from outlearn.serving.page.rendering import POLICY
from tests.serving.page.made import OPERATOR, payments

BAD = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'\u202e}}{{7*7}}"
FOLDER = Path(outlearn.serving.page.__file__).parent
PATHS = (
    "/login",
    "/welcome?token=made-up",
    "/queue?state=any",
    "/keys",
    "/jobs",
    "/jobs/payments",
    "/jobs/payments/patterns/new?incident=1",
    "/audit",
    "/people",
    "/account",
    "/incidents/999",
)


@pytest.fixture
def hostile(made):
    """The id of an incident whose cells, column names, comments, notes and patterns are hostile."""
    service, frame = made.service, payments(60, 3, fraud=1)
    frame = frame.with_columns(
        pl.lit(BAD + "x" * 100_000).alias("card"), pl.lit(BAD).alias(BAD), pl.lit(BAD).alias("country")
    )
    id = made.score(service.jobs.get("payments"), frame)[0]
    service.triage.comment(OPERATOR, id, BAD)
    bad = Actor(BAD[:90], UserRole.ANALYST, Via.API)
    service.triage.decide(bad, [id], "unsure", note=BAD)
    service.triage.suppress(OPERATOR, "payments", [f"country={BAD[:60]}*"], BAD)
    return id


def _check(page):
    for one in page.root.every():
        handlers = [name for name in one.attributes if name.startswith("on") or name == "style"]
        assert not handlers and one.tag not in ("style", "iframe", "img", "object", "base"), one
        if one.tag == "script":
            assert one.attributes["src"] == address("triage.js") and not one.text
        for name in ("href", "src", "action", "formaction"):
            value = one.attributes.get(name, "/")
            assert value.startswith(("/", "#", "?")) and not value.startswith("//"), value
    labelled = {label.attributes.get("for") for label in page.root.all("label")}
    within = {id(field) for label in page.root.all("label") for field in label.every()}
    for field in [*page.root.all("input"), *page.root.all("select"), *page.root.all("textarea")]:
        named = {"aria-label", "aria-labelledby"} & set(field.attributes)
        hidden = field.attributes.get("type") == "hidden"
        assert hidden or named or id(field) in within or field.attributes.get("id") in labelled, field
    for heading in page.root.all("thead"):
        assert all(cell.attributes.get("scope") == "col" for cell in heading.all("th"))
    assert len(page.root.all("h1")) == 1 or page.root.all("h2")
    assert len(page.root.all("main")) == 1


def test_hostile_text_stays_text(visit, hostile):
    browser = visit("ada")
    page = browser.page(f"/incidents/{hostile}")
    _check(page)
    assert page.text.count("<script>alert(1)</script>") >= 5
    assert "\u202e" not in page.text
    assert "{{7*7}}" in page.text and "49" not in page.text.split("{{7*7}}")[1][:3]
    assert len(page.text) < 60_000
    for path in PATHS:
        _check(browser.get(path)[1])


def test_texts_in_the_address_stay_text(visit):
    browser = visit("ada")
    for path in (
        "/queue?text=%3Cscript%3Ealert(1)%3C/script%3E&entity=%22%3E%3Cb%3E",
        "/queue?order=%3Cscript%3E",
        "/jobs/%3Cscript%3E",
        "/login?next=%22%3E%3Cscript%3E",
        "/welcome?token=%22%3E%3Cscript%3E",
        "/jobs/payments/patterns/new?condition=%3Cscript%3E",
        "/audit?verify=%3Cscript%3E",
    ):
        _check(browser.get(path)[1])


def test_the_policy_is_on_every_page_and_lets_in_the_own_files_alone(visit):
    for browser in (visit("ada"), visit("")):
        for path in PATHS:
            headers = browser.client.get(path).headers
            if "location" not in headers:
                assert headers["content-security-policy"] == POLICY, path
                assert headers["cache-control"] == "no-store"
                assert headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY and "script-src 'self'" in POLICY and "default-src 'none'" in POLICY


def test_files_of_the_pages_are_kept_by_their_content(visit):
    client = visit("").client
    for name in ("style.css", "triage.js", "icon.svg"):
        kept = client.get(address(name))
        assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
        assert client.get(f"/assets/old/{name}").headers["cache-control"] == "no-store"
    assert client.get("/assets/old/..%2Frouter.py").status_code == 404
    assert client.get("/assets/old/router.py").status_code == 404


def test_no_template_marks_foreign_text_as_safe():
    for path in (FOLDER / "templates").glob("*.html"):
        marked = re.findall(r"\{\{[^}]*\| safe[^}]*\}\}", path.read_text())
        assert all(re.fullmatch(r"\{\{ ' class=\"\w+\"' \| safe if .* \}\}", one) for one in marked), path


def test_a_failure_tells_its_number_and_no_more(visit, made, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(made.service.triage, "queue", fail)
    status, page = visit("ana").get("/queue")
    assert status == 500
    (number,) = re.findall(r"has this as ([0-9a-f]{16})", page.text)
    assert "secret" not in page.text and number in caplog.text


def test_colours_of_text_have_the_contrast_that_is_asked_for():
    style = (FOLDER / "static" / "style.css").read_text()
    for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        grounds = [colours[name] for name in ("page", "card", "faint", "current")]
        for name in ("ink", "soft", "flag", "link", "good", "bad"):
            for ground in grounds:
                assert _contrast(colours[name], ground) >= 4.5, (name, ground)
        for name in ("good", "warn", "bad"):
            assert _contrast(colours[name], colours[f"{name}-wash"]) >= 4.5, name
        assert all(_contrast(colours["edge"], ground) >= 3 for ground in grounds[:2])


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
