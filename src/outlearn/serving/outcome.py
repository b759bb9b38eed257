"""What came of a run that judges rows, over all of its batches, as the result of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from outlearn.serving.found import Found

__all__ = ["RunOutcome"]

MOST_NOTES = 50


@dataclass(slots=True)
class RunOutcome:
    """Counts over the batches of a run, which go on where an earlier worker left them.

    incidents, hidden : how many came, and flagged rows that patterns hide. histogram : (50,) rows by score.
    model : number of the version that judged last, with its threshold and promise.
    shadow : the number of the version beside it, and how many rows both flag, or one of them alone.
    notes : sentences on what was repaired, left out, or waits.
    """

    batches: int = 0
    incidents: int = 0
    hidden: int = 0
    model: int | None = None
    threshold: float | None = None
    promise: dict[str, Any] = field(default_factory=dict)
    histogram: list[int] = field(default_factory=list)
    shadow: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    more_notes: int = 0

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Self:
        """Return what `document` gave, or an empty one."""
        return cls(**(document or {}))

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    def note(self, text: str) -> None:
        """Add a sentence, once; of very many the number alone."""
        if text in self.notes:
            return
        if len(self.notes) < MOST_NOTES:
            self.notes.append(text)
        else:
            self.more_notes += 1

    def add(self, found: Found, model: int) -> None:
        """Count a batch that a version judged."""
        self.batches += 1
        self.incidents += len(found.incidents)
        self.hidden += sum(found.hidden.values())
        self.model, self.threshold, self.promise = model, found.threshold, asdict(found.promise)
        before = self.histogram or [0] * len(found.histogram)
        self.histogram = [old + new for old, new in zip(before, found.histogram, strict=True)]
        for text in found.notes:
            self.note(text)

    def compare(self, shadow: int, live: NDArray[np.bool_], beside: NDArray[np.bool_]) -> None:
        """Count rows (n,) by who flags them: the live version, the shadow, or both."""
        if self.shadow.get("model") != shadow:
            self.shadow = {"model": shadow, "rows": 0, "both": 0, "live_only": 0, "shadow_only": 0}
        counts = {
            "rows": len(live),
            "both": (live & beside).sum(),
            "live_only": (live & ~beside).sum(),
            "shadow_only": (~live & beside).sum(),
        }
        for name, count in counts.items():
            self.shadow[name] += int(count)
