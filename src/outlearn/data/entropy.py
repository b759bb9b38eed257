"""How much bytes say: their Shannon entropy."""

from __future__ import annotations

import numpy as np

__all__ = ["entropy"]


def entropy(data: bytes | bytearray) -> float:
    """Return bits a byte; 0 for nothing.

    >>> entropy(b"abab"), entropy(b"")
    (1.0, 0.0)
    """
    if not data:
        return 0.0
    counts = np.bincount(np.frombuffer(data, dtype=np.uint8), minlength=256)
    shares = counts[counts > 0] / len(data)
    return float(-(shares * np.log2(shares)).sum())
