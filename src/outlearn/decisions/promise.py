"""The guarantee of a decision, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Promise"]


@dataclass(frozen=True, slots=True)
class Promise:
    """Guarantee of a decision.

    holds : whether the guarantee can be made here at all.
    text : one sentence for the user, e.g. "at most 1 % of normal rows are flagged, on average, if they come
        from the same source as the reference" or "no false-alarm promise: the support may hold anomalies".
    """

    holds: bool
    text: str
