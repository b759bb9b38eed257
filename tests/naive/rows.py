"""Plain oracle for outlearn.data.rows: Python integers, one cell at a time."""

from __future__ import annotations

import struct

_WORD = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


def row_hash(row: list[float]) -> int:
    total = 0
    for place, value in enumerate(row, start=1):
        bits = struct.unpack("<I", struct.pack("<f", value + 0.0))[0]
        total += mix((bits + mix((place * _GOLDEN) & _WORD)) & _WORD)
    return mix(total & _WORD)
