"""A real browser: log in, triage by keyboard, see the queue move and what was learnt, take it back."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time

import pytest
import uvicorn

from tests.serving.page.app import app_of
from tests.serving.page.visits import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
sync = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed here (Debian: chromium)")


@pytest.fixture
def address(made):
    """The address of a running service, whose work is done as it comes."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app_of(made.service), log_level="error", lifespan="off")
    server, ended = uvicorn.Server(config), threading.Event()

    def work():
        while not ended.wait(0.05):
            made.work()

    threads = [threading.Thread(target=server.run, args=([listener],)), threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit, server.force_exit = True, True
    ended.set()
    for thread in threads:
        thread.join(20)
    listener.close()


@pytest.fixture
def browser():
    with sync.sync_playwright() as play:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = play.chromium.launch(executable_path=CHROMIUM, args=[*options, "--disable-gpu"])
        yield opened
        opened.close()


def _log_in(page, address):
    page.goto(f"{address}/queue")
    page.fill("[name=name]", "ana")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue")


def _marked(page):
    return page.locator(".queue > li[aria-current]").get_attribute("data-incident")


def test_triage_by_keyboard(browser, address, made):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if "Content Security" in message.text else None
    )
    _log_in(page, address)
    total = int(page.inner_text("#total"))
    first = _marked(page)
    page.keyboard.press("j")
    second = _marked(page)
    page.keyboard.press("k")
    assert (_marked(page), first != second) == (first, True)

    page.keyboard.press("a")  # the first is an anomaly, and the second moves up
    status = page.locator("#status")
    sync.expect(status).to_contain_text(f"Incident {first} is an anomaly")
    sync.expect(page.locator(f'[data-incident="{first}"]')).to_have_count(0)
    assert _marked(page) == second
    sync.expect(status).to_contain_text("fell below the threshold")
    sync.expect(page.locator("#total")).not_to_have_text(str(total))

    page.keyboard.press("z")  # it is taken back
    sync.expect(status).to_contain_text("taken back")
    sync.expect(page.locator(f'[data-incident="{first}"]')).to_have_count(1)
    assert made.service.triage.get(int(first)).holding == {}

    page.locator(f'[data-incident="{first}"] a.title').focus()  # on its own page, and on to the next
    page.keyboard.press("o")
    page.wait_for_selector("article[data-single]")
    page.keyboard.press("n")
    sync.expect(page.locator("h1")).to_be_focused()
    sync.expect(page.locator(f'article[data-incident="{second}"]')).to_have_count(1)
    page.keyboard.press("?")
    sync.expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+A")
    page.keyboard.press("Control+n")
    assert made.service.triage.get(int(second)).holding == {}

    page.fill("textarea", "nazu")  # keys are text in a field
    page.keyboard.type("n")
    assert made.service.triage.get(int(second)).holding == {}
    page.close()
    assert errors == []


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_pages_fit_narrow_screens(browser, address, made, scheme):
    page = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    _log_in(page, address)
    id = page.locator(".queue > li").first.get_attribute("data-incident")
    for path in (
        "queue",
        f"incidents/{id}",
        "jobs",
        "jobs/payments",
        "jobs/payments/patterns/new",
        "account",
    ):
        page.goto(f"{address}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, path
    page.close()


def test_pages_work_without_script(browser, address, made):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    _log_in(page, address)
    id = page.locator(".queue > li").first.get_attribute("data-incident")
    page.locator(f'[data-incident="{id}"] button.normal').click()
    assert f"Incident {id} is normal" in page.inner_text("#status")
    page.get_by_role("button", name="Undo").click()
    assert "taken back" in page.inner_text("#status")
    deadline = time.monotonic() + 10
    while made.service.triage.get(int(id)).incident.state != "open" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert made.service.triage.get(int(id)).incident.state == "open"
    context.close()
