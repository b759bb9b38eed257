"""Passwords: which are good enough, and argon2id hashes of them (RFC 9106)."""

from __future__ import annotations

import re
from functools import cache
from secrets import token_urlsafe
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from unicodedata import normalize

from outlearn.errors import ParameterError, StoreError
from outlearn.extras import require

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["check_password", "hashed", "is_outdated", "matches"]

FEWEST, MOST = 12, 128  # characters
ROUNDS, MEMORY = 3, 64 * 1024  # passes and KiB: the second recommended choice of RFC 9106, in one lane
_AT_ONCE = BoundedSemaphore(4)  # hashes, so that a rush of log-ins does not take all memory
_DISTINCT = 5
# What remains of the passwords of 12 and more characters that most lists of leaked ones begin with.
_COMMON = re.compile(
    r"pass(wor[dt]|phrase)?|qwert[yz](uiop)?|asdf(gh)?(jkl)?|[yz]xcv(bnm)?|iloveyou|letmein|welcome|admin"
    r"(istrator)?|abc(def)?(ghi)?|login|monkey|dragon|sunshine|princess|football|baseball|superman|trustno|master"
    r"|secret|changeme|default|test(ing)?|user|root|hello|shadow|michael|jordan|outlearn|anomaly"
)


def check_password(password: str, name: str) -> None:
    """Refuse a new password that is guessed soon.

    Raises
    ------
    ParameterError
        With what is wrong with it, and never with the password.
    """
    plain = _plain(password)
    if not FEWEST <= len(plain) <= MOST:
        raise ParameterError(
            f"the password has {len(plain)} characters; wanted {FEWEST} to {MOST}: "
            "a few words in a row do well"
        )
    lower = plain.lower()
    rest = _COMMON.sub("", lower.replace(name.lower(), ""))
    if len(set(lower)) < _DISTINCT or len(re.sub(r"[\W\d_]", "", rest)) < 4 or _repeats(lower):
        raise ParameterError(
            "the password is one of those that are tried first: the name, common words, rows of keys or "
            "digits, or the same again and again; take a few words that have nothing to do with one another"
        )


def hashed(password: str) -> str:
    """Return the hash of a password, with its salt and settings in it."""
    with _AT_ONCE:
        return _hasher().hash(_encoded(password))


def matches(password: str, known: str | None) -> bool:
    """Return whether a password is that of a hash; it takes the same time where there is none.

    known : None where nobody of that name may log in with a password.

    Raises
    ------
    StoreError
        When the hash is damaged.
    """
    argon2 = require("argon2", extra="serve")
    if len(password) > 4 * MOST:  # none of ours; not worth the time
        password, known = "", None
    decoy = _decoy(ROUNDS, MEMORY)  # made before, whatever follows, so that no name is slower than another
    with _AT_ONCE:
        try:
            right = _hasher().verify(known or decoy, _encoded(password))
        except argon2.exceptions.VerifyMismatchError:
            return False
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError) as error:
            raise StoreError("the hash of a password is damaged; set the password anew") from error
    return bool(right) and known is not None


def is_outdated(known: str) -> bool:
    """Return whether a hash was made with other settings than those of today."""
    return _hasher().check_needs_rehash(known)


def _hasher() -> PasswordHasher:
    hasher = require("argon2", extra="serve").PasswordHasher
    made: PasswordHasher = hasher(time_cost=ROUNDS, memory_cost=MEMORY, parallelism=1)
    return made


@cache
def _decoy(rounds: int, memory: int) -> str:
    """Return the hash of a password that nobody knows. rounds, memory : of the hashes of today."""
    return hashed(token_urlsafe(32))


def _plain(password: str) -> str:
    """Return a password as one of its forms in Unicode, for keyboards differ in them."""
    return normalize("NFKC", password)


def _encoded(password: str) -> bytes:
    return _plain(password).encode("utf-8", "surrogatepass")


def _repeats(text: str) -> bool:
    """Return whether text is a shorter one again and again."""
    return text in (text + text)[1:-1]
