"""Foreign text as a terminal may show it: without what moves the cursor, hides, or turns the direction."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "shown"]

# Control characters break terminals, direction marks make text look like other text, what has no width hides,
# and lone surrogates cannot be written as UTF-8. Joiners stay: several scripts need them.
HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
"""Characters that are not shown, as the inside of a class of a regular expression."""
_HIDDEN = re.compile(f"[{HIDDEN}]+")


def shown(text: str) -> str:
    """Return text with a blank in the place of hidden characters, its lines kept apart.

    >>> shown("error: a\\x1b[31mb\\n\\u202eend")
    'error: a [31mb\\n end'
    """
    return "\n".join(_HIDDEN.sub(" ", line) for line in text.split("\n"))
