"""Pages as tests read them: their forms, links and text; nothing that a browser would not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

PASSWORD = "four plain horses run"
VOID = {"input", "meta", "link", "br", "img"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    text: str = ""
    inside: list[Element] = field(default_factory=list)

    def all(self, tag: str, **wanted: str) -> list[Element]:
        """Return the elements of a tag below this one that have some attributes."""
        found = []
        for one in self.inside:
            if one.tag == tag and all(one.attributes.get(name) == value for name, value in wanted.items()):
                found.append(one)
            found += one.all(tag, **wanted)
        return found

    def every(self) -> list[Element]:
        return [one for child in self.inside for one in (child, *child.every())]


class Page(HTMLParser):
    """A page that was read; text : all of it, with one blank between words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("", {})
        self.pieces: list[str] = []
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.inside.append(element)
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.at.tag == tag, f"</{tag}> ends <{self.at.tag}>"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
        self.at.text += data

    def links(self) -> list[str]:
        return [one.attributes["href"] for one in self.root.all("a")]

    def form(self, action: str) -> dict[str, str]:
        """Return the hidden fields of the form with an action."""
        (form, *_) = self.root.all("form", action=action)
        return {one.attributes["name"]: one.attributes["value"] for one in form.all("input", type="hidden")}


@dataclass
class Visit:
    """A browser without script."""

    client: TestClient

    def get(self, path: str) -> tuple[int, Page]:
        answer = self.client.get(path, follow_redirects=True)
        return answer.status_code, Page(answer.text)

    def page(self, path: str) -> Page:
        status, page = self.get(path)
        assert status == 200, page.text
        return page

    def send(self, page: str, action: str, **fields: Any) -> Any:
        """Send the form of a page with an action, with its hidden fields and some more."""
        return self.client.post(action, data={**self.page(page).form(action), **fields})
