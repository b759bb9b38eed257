"""The profile of a column in words: its bins named, and each group of rows in a short sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outlearn.explain.quantities import CLOCK, SPAN, in_unit
from outlearn.explain.words import percent
from outlearn.findings.table import Bin, CategorySummary, ColumnProfile, NumberSummary
from outlearn.report.words import number, unique
from outlearn.shown import clean

__all__ = ["ProfileWords", "profile_words"]

_LABEL_LENGTH, _UNIT_LENGTH = 28, 12  # characters
_LEFT = {"other": "other values", "missing": "missing"}

Say = Callable[[float], str]
_SAY: dict[str, Say] = {
    "number": number,
    "category": number,
    "span": lambda seconds: in_unit(seconds, SPAN, number),
    "clock": lambda seconds: in_unit(seconds, CLOCK, number),
}


@dataclass(frozen=True, slots=True)
class ProfileWords:
    """The profile of a column in words.

    `usual` and `flagged` are short words: "median 12 (5–95 %: 3 to 40)" or "DE 61 %, FR 20 %".
    `bins` and the two share vectors draw it: labels (b,), each once, and shares (b,) of the usual and of the
    flagged rows.
    """

    column: str
    kind: str
    usual: str
    flagged: str
    bins: tuple[str, ...]
    usual_share: tuple[float, ...]
    flagged_share: tuple[float, ...]


def profile_words(profile: ColumnProfile) -> ProfileWords:
    """Return a profile in words that are safe to show."""
    say = _SAY.get(profile.scale) or _say_instant(profile.scale)
    unit = clean(profile.unit, _UNIT_LENGTH)
    return ProfileWords(
        profile.column,
        profile.kind,
        _group(profile.usual, say, unit),
        _group(profile.flagged, say, unit),
        unique(tuple(_label(bin, say) for bin in profile.bins)),
        tuple(bin.usual for bin in profile.bins),
        tuple(bin.flagged for bin in profile.bins),
    )


def _say_instant(scale: str) -> Say:
    unit = "D" if scale == "day" else "m"
    return lambda seconds: np.datetime_as_string(
        np.datetime64(int(seconds), "s").astype(f"datetime64[{unit}]")
    ).replace("T", " ")


def _label(bin: Bin, say: Say) -> str:
    if bin.kind in _LEFT:
        return _LEFT[bin.kind]
    if bin.kind == "value":
        return _category(bin.value) if isinstance(bin.value, str) else say(bin.value or 0.0)
    if bin.low is None:
        return f"under {say(bin.high or 0.0)}"
    return f"{say(bin.low)} or more" if bin.high is None else f"{say(bin.low)} to {say(bin.high)}"


def _category(value: str) -> str:
    return clean(value, _LABEL_LENGTH) or "(blank)"


def _group(summary: NumberSummary | CategorySummary, say: Say, unit: str) -> str:
    """Return a group of rows in words."""
    missing = f"{percent(summary.missing)} missing" if summary.missing else ""
    if isinstance(summary, CategorySummary):
        common = [f"{_category(value)} {percent(share)}" for value, share in summary.common]
        return ", ".join([*common, missing] if missing else common)
    if summary.low is None or summary.middle is None or summary.high is None:
        return "all missing" if summary.missing == 1 else "no finite values"
    middle = in_unit(summary.middle, unit, say)
    reach = f"median {middle} (5–95 %: {say(summary.low)} to {say(summary.high)})"
    words = f"all {middle}" if summary.constant else reach
    return f"{words}, {missing}" if missing else words
