"""The console that everything formatted is printed on: it shows foreign text, and does not obey it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from outlearn.shown import HIDDEN

__all__ = ["clean_console"]

_HIDDEN = re.compile(f"(?!\n)[{HIDDEN}]+")


class _CleanConsole(Console):
    """A console that drops hidden characters of whatever is printed, once it is known where it stands."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the pieces of text of what is printed."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(_HIDDEN.sub("", piece.text), piece.style)


def clean_console(**options: Any) -> Console:
    """Return a console on which no text is markup, and none holds hidden characters.

    >>> clean_console(width=40).print("[red]a\\x1b[31mb[/red]")
    [red]a[31mb[/red]
    """
    return _CleanConsole(markup=False, emoji=False, highlight=False, **options)
