"""Secrets that are shown once: of each a SHA-256 is kept, which is enough where 256 bits are random."""

from __future__ import annotations

from hashlib import sha256
from secrets import token_urlsafe

__all__ = ["KEY_PREFIX", "digest_of", "new_token"]

KEY_PREFIX = "olk_"  # so that scanners for leaked secrets know a key
_BYTES = 32


def new_token(prefix: str = "") -> str:
    """Return a prefix and 43 characters that hold 256 random bits."""
    return prefix + token_urlsafe(_BYTES)


def digest_of(token: str) -> str:
    """Return what is kept of a token: a SHA-256, in hexadecimal."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
