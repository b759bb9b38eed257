"""Oddities of one free text beside the usual ones: new words, or more or fewer digits and capitals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from outlearn.explain.words import MIDDLE, percent
from outlearn.shown import clean

__all__ = ["oddity_of_text"]

CHARACTERS_READ = 200  # of each text
WORDS_NAMED = 3  # new words, at most
ALWAYS_NEW = 0.2  # share of usual texts with a word of their own, above which new words say nothing
LEAST_CELLS = 20  # usual texts, of fewer nothing is said
_WORD = re.compile(r"[^\W\d_]{2,}")


def oddity_of_text(text: str, usual: Sequence[str]) -> str:
    """Return what usual texts have or lack where this one differs, in words; nothing if it does not.

    Words that no usual text has count only where usual texts seldom bring new words, as names do. The first
    200 characters of each text are read.

    >>> usual = [f"monthly rent {i}" for i in range(100, 150)]
    >>> oddity_of_text("monthly voucher 123", usual)
    "none with 'voucher'"
    >>> oddity_of_text("rent monthly", usual), oddity_of_text("monthly rent 777", usual)
    ('19 % digits', '')
    """
    if len(usual) < LEAST_CELLS:
        return ""
    heads = [cell[:CHARACTERS_READ] for cell in usual]
    new = _new_words(text[:CHARACTERS_READ], heads)
    if new:
        return f"none with {', '.join(repr(clean(word)) for word in new[:WORDS_NAMED])}"
    for name, test in (("digits", str.isdigit), ("capitals", str.isupper)):
        own = _share(text[:CHARACTERS_READ], test)
        low, high = np.quantile([_share(head, test) for head in heads], MIDDLE)
        if not low <= own <= high:
            least, most = percent(float(low)), percent(float(high))
            return f"{least} {name}" if least == most else f"{least} to {most} {name}"
    return ""


def _new_words(text: str, heads: Sequence[str]) -> list[str]:
    """Return the words of a text that no other has, in order; none where others often have such."""
    words = [set(_words(head)) for head in heads]
    counts = Counter(word for some in words for word in some)
    alone = sum(any(counts[word] == 1 for word in some) for some in words)
    if alone > ALWAYS_NEW * len(heads):
        return []
    return [word for word in dict.fromkeys(_words(text)) if word not in counts]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _share(text: str, test: Callable[[str], bool]) -> float:
    return sum(map(test, text)) / max(len(text), 1)
