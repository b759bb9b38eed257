"""Foreign text as it may be shown: without what moves the cursor, hides, turns the direction, ends a line."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "as_text", "clean", "shown", "unbroken"]

# Control characters break terminals, direction marks make text look like other text, what has no width hides,
# and lone surrogates cannot be written as UTF-8. Joiners stay: several scripts need them.
HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
"""Characters that are not shown, as the inside of a class of a regular expression."""
_HIDDEN = re.compile(f"[{HIDDEN}]+")
_JOINERS = "\u200c\u200d"
LONGEST = 60  # characters of a cell that are shown


def shown(text: str) -> str:
    """Return text with a blank in the place of hidden characters, its lines kept apart.

    >>> shown("error: a\\x1b[31mb\\n\\u202eend")
    'error: a [31mb\\n end'
    """
    return "\n".join(map(unbroken, text.split("\n")))


def unbroken(text: str) -> str:
    """Return text as one line: a blank in the place of line breaks and other hidden characters.

    >>> unbroken("a  b\\nerror: c\\u2028d\\x85e")
    'a  b error: c d e'
    """
    return _HIDDEN.sub(" ", text)


def clean(value: object, limit: int = LONGEST) -> str:
    """Return a value as short text on one line, without hidden characters, of at most `limit` characters.

    Whatever Unicode counts as control, format, surrogate, private or unassigned, but for joiners, and runs
    of white space become one blank. Nothing is escaped: that is for whoever writes it into a page or a file.

    >>> clean("a\\x1b[31mb\\n  \\u202ec", 20), clean("abcdefgh", 5)
    ('a [31mb c', 'abcd…')
    """
    text = as_text(value)
    head = text[: 8 * limit]  # a cell may be megabytes long; only its beginning is looked at
    if not head.isprintable():
        head = "".join(sign if sign.isprintable() or sign in _JOINERS else " " for sign in head)
    line = " ".join(head.split())
    if len(line) <= limit and len(head) == len(text):
        return line
    return line[: limit - 1].rstrip() + "…"


def as_text(value: object) -> str:
    """Return a cell as text; an integer beyond 64 bits, which may not even be printable, by its size.

    >>> as_text(2**70), as_text(7)
    ('integer of 71 bits', '7')
    """
    if isinstance(value, int) and value.bit_length() > 64:
        return f"integer of {value.bit_length()} bits"
    return str(value)
