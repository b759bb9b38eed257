"""Words that people use for labels, and what a set of them means."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

__all__ = ["NORMAL_GROUPS", "UNLABELLED", "calls_normal", "fold", "meanings_of", "words_of"]


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, between blanks."""
    return frozenset(text.split())


#: Words for rows of which nothing is said.
UNLABELLED = words_of("? n/a na nan null unknown unlabelled unlabeled unsure undecided pending") | {
    "",
    "no label",
    "not labeled",
    "not labelled",
}
_TRUE, _FALSE = frozenset(("true", "yes", "1")), frozenset(("false", "no", "0"))
_LETTERS = (frozenset(("y", "n", "yes", "no")), frozenset(("t", "f", "true", "false")))
# Kinds of attack: they say that a row is an anomaly, and leave room for other kinds beside them.
_ATTACKS = words_of(
    """
    attack attacks backdoor botnet bruteforce ddos dos exploit exploits infiltration injection
    malware phishing portscan ransomware rootkit spoofing spyware trojan worm worms xss
    """
)
# The opposite of a normal word, beside which a third word is neither.
_ANOMALY = words_of(
    """
    abnormal anomalies anomalous anomaly bad broken defect defective error fail failed failure fault
    faulty fraud fraudulent intrusion malicious outlier outliers scam spam
    """
)
_NORMAL = words_of(
    """
    background benign clean fine genuine good goodware ham healthy inlier inliers legit legitimate
    nominal normal ok okay pass passed regular usual valid
    """
)
#: Normal words beside which names of several kinds of anomaly stand.
NORMAL_GROUPS = words_of(
    """
    background benign clean goodware healthy legit legitimate normal
    """
)
_PHRASES = {"true positive": 1, "false positive": 0, "false alarm": 0}
_NOT = frozenset(("no", "not", "non", "without"))
# What people write when they are not sure, and classes between two others: no names of anomalies.
_HEDGES = words_of(
    """
    ask average between borderline check closed comment doubtful done duplicate high low maybe
    medium mixed none note open other others partial perhaps possible possibly probable resolved
    retest review same see suspicious ticket todo unclear uncertain unknown warning
    """
)
_ALIKE = 0.8  # likeness from which on a word is taken for a misspelt one, which names nothing


def fold(word: str) -> str:
    """Return a word in lower case, with single blanks for the signs between its parts.

    >>> fold("Non-Fraud"), fold("normal."), fold("-1")
    ('non fraud', 'normal', '-1')
    """
    text = word.strip().lower()
    return text if _is_number(text) else re.sub(r"[\s_.–—-]+", " ", text).strip()


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text) is not None


def meanings_of(words: Collection[str], *, kinds: bool = True) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return what words (folded) mean together, 1 anomaly, 0 normal and -1 not said; and the other words.

    A letter counts beside words of its pair only. With `kinds`, beside a normal word such as "benign" every
    other word names a kind of anomaly, unless the opposite of normal is there too, or one may be a slip.

    >>> meanings_of(["ok", "fraud", ""])
    ({'ok': 0, 'fraud': 1, '': -1}, ())
    >>> meanings_of(["benign", "heartbleed", "bot"])
    ({'benign': 0, 'heartbleed': 1, 'bot': 1}, ())
    >>> meanings_of(["normal", "abnormal", "borderline"])[1]
    ('borderline',)
    """
    known = {word: label for word in words if (label := _meaning(word)) is not None}
    rest = [word for word in words if word not in known]
    letters = {word for word in rest if word in ("y", "n", "t", "f")}
    said = {word for word in words if known.get(word) != -1}
    if letters and any(said <= pair for pair in _LETTERS):
        known |= {word: int(word in ("y", "t")) for word in letters}
        rest = [word for word in rest if word not in letters]
    if rest and kinds and _are_kinds(rest, known):
        known |= dict.fromkeys(rest, 1)
        rest = []
    return {word: known[word] for word in words if word in known}, tuple(rest)


def _meaning(word: str) -> int | None:
    """Return what a word means whatever stands beside it; None where that is not certain."""
    if word in UNLABELLED or word == "-1":
        return -1
    if word in _TRUE or word in _FALSE:
        return int(word in _TRUE)
    if word in _PHRASES:
        return _PHRASES[word]
    parts = word.split()
    if parts and parts[0] in _NOT:
        return _negated(" ".join(parts[1:]))
    if word.startswith("non") and word[3:] in _ANOMALY | _ATTACKS:
        return 0
    odd, usual = not (_ANOMALY | _ATTACKS).isdisjoint(parts), not _NORMAL.isdisjoint(parts)
    return int(odd) if odd != usual and _NOT.isdisjoint(parts) and _HEDGES.isdisjoint(parts) else None


def _negated(word: str) -> int | None:
    label = _meaning(word) if word and word not in _TRUE | _FALSE else None
    return None if label is None or label < 0 else 1 - label


def _are_kinds(words: Collection[str], known: dict[str, int]) -> bool:
    """Tell whether words that mean nothing alone are names of kinds of anomaly."""
    grouped = any(label == 0 and not NORMAL_GROUPS.isdisjoint(word.split()) for word, label in known.items())
    opposed = any(word in _ANOMALY or word in _TRUE or word in _FALSE for word in known)
    return grouped and not opposed and not any(map(_is_doubtful, words))


def _is_doubtful(word: str) -> bool:
    """Tell whether a word may be a slip, a number or a hedge."""
    if not any(sign.isalpha() for sign in word) or len(word) == 1 or not _HEDGES.isdisjoint(word.split()):
        return True
    return bool(get_close_matches(word, [*_ANOMALY, *_NORMAL, *_HEDGES, *UNLABELLED], 1, _ALIKE))


def calls_normal(name: str) -> bool:
    """Tell whether the name of a column says that "yes" means normal.

    >>> calls_normal("is_normal"), calls_normal("testPassed"), calls_normal("not_ok"), calls_normal("fraud")
    (True, True, False, False)
    """
    parts = fold(re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)).split()
    return not _NORMAL.isdisjoint(parts) and _NOT.isdisjoint(parts)
