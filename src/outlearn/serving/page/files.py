"""Style, script and icon of the pages: files beside this one, each under an address of its content."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

__all__ = ["MEDIA", "address", "content"]

_FOLDER = Path(__file__).parent / "static"
MEDIA = {
    "style.css": "text/css; charset=utf-8",
    "triage.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@cache
def content(name: str) -> tuple[bytes, str]:
    """Return what is in a file of `MEDIA`, and the digest by which it is addressed."""
    read = (_FOLDER / name).read_bytes()
    return read, sha256(read).hexdigest()[:16]


def address(name: str) -> str:
    """Return where a file is served; another content has another address, so browsers may keep it."""
    return f"/assets/{content(name)[1]}/{name}"
