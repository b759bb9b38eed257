"""Plain oracle for the text encoder: one character at a time, with a Counter for the hashed table."""

from __future__ import annotations

import math
from collections import Counter

_BUCKETS = 4096


def trigrams(cell: str) -> list[int]:
    folded = b"\x02\x02" + cell.encode() + b"\x03"
    folded = bytes(ord("0") if chr(b).isascii() and chr(b).isdigit() else b for b in folded)
    folded = bytes(b + 32 if ord("A") <= b <= ord("Z") else b for b in folded)
    packed = [int.from_bytes(folded[at : at + 3], "little") for at in range(len(folded) - 2)]
    return [(value * 0x9E3779B1 & 0xFFFFFFFF) >> 20 for value in packed]


def describe(fitted: list[str], cell: str) -> list[float]:
    """Return log length, shares of digits, capitals and punctuation, mean rarity."""
    table = Counter(bucket for other in fitted for bucket in trigrams(other))
    total = sum(table.values()) + 0.5 * _BUCKETS
    rarities = [-math.log((table[bucket] + 0.5) / total) for bucket in trigrams(cell)]
    size = len(cell.encode())
    ascii_only = [c for c in cell if c.isascii()]
    digits = sum(c.isdigit() for c in ascii_only)
    capitals = sum(c.isupper() for c in ascii_only)
    signs = sum(c.isprintable() and not c.isalnum() and c != " " for c in ascii_only)
    shares = [count / size for count in (digits, capitals, signs)]
    return [math.log1p(len(cell)), *shares, sum(rarities) / len(rarities)]
