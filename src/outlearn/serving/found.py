"""What is worth a look in a batch of rows: incidents with their reasons, and rows that came near to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.alerts.grouping import GAP, incidents_of
from outlearn.alerts.incident import LISTED, Incident
from outlearn.alerts.techniques import Technique
from outlearn.data.kinds.names import TABLE
from outlearn.data.kinds.registry import kind_named
from outlearn.data.named import written
from outlearn.data.readers import Source
from outlearn.decisions.conformal import p_values
from outlearn.decisions.decision import Decision
from outlearn.decisions.promise import Promise
from outlearn.detectors.base import BaseDetector
from outlearn.explain.explanation import Explanation
from outlearn.explain.text import telling
from outlearn.findings.cells import cell_out
from outlearn.pipeline.alerting import Judged, flagged_rows
from outlearn.pipeline.collect import gather
from outlearn.pipeline.labelled import identities_of
from outlearn.pipeline.monitor import Monitor
from outlearn.pipeline.rows import pick_rows
from outlearn.pipeline.scan import Scan, own_rule, score_rows, top_rows
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.suppression import Suppression

__all__ = ["Found", "FoundIncident", "Grouping", "KeptRow", "judge", "standing_decision"]

NEAR = 25  # rows just below the threshold that a batch keeps, to be judged again when verdicts came
STRIP = 60  # usual values that a reason is drawn among
BINS = 50  # of the scores of a batch, for the history of a job


@dataclass(frozen=True, slots=True)
class Grouping:
    """How flagged rows make incidents.

    entity : the column that says whose a row is; None: as the kind of the rows says, and of a table each row
    is an incident of its own. gap : seconds from one row of an incident to the next, at most.
    """

    entity: str | None = None
    gap: float = GAP


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row that is kept: number in its source, identity, score, time (seconds since 1970) and cells.

    cells : by column, as `findings.cells.cell_out` writes them. source : what it is of, where that is not
    what all rows beside it are of.
    """

    row: int
    identity: str
    score: float
    time: float | None
    cells: dict[str, Any]
    source: str | None = None


@dataclass(frozen=True, slots=True)
class FoundIncident:
    """An incident with the rows that are kept of it.

    pattern : the columns of its reason with their directions: alike incidents have the same one.
    finding : what a page shows of it, as plain values.
    """

    incident: Incident
    pattern: str
    title: str
    finding: dict[str, Any]
    rows: tuple[KeptRow, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a batch of n rows.

    source : what the rows are of. flagged : how many are, without the suppressed ones.
    incidents : gravest first. near : unflagged rows with the highest scores.
    hidden : flagged rows by the id of the pattern that hides them.
    threshold : a row is flagged from this score on. promise : what holds of it.
    histogram : (50,) rows by their score. above : (n,) whether a row is from the threshold on, suppressed or
    not. notes : sentences on what was repaired or left out.
    """

    source: str
    rows: int
    flagged: int
    incidents: tuple[FoundIncident, ...]
    near: tuple[KeptRow, ...]
    hidden: dict[int, int]
    threshold: float
    promise: Promise
    histogram: tuple[int, ...]
    above: NDArray[np.bool_]
    notes: tuple[str, ...]

    def placed(self, place: Callable[[int], tuple[str, int]]) -> Found:
        """Return it with rows as of several sources: `place` gives the source and number of a row."""

        def moved(rows: tuple[KeptRow, ...]) -> tuple[KeptRow, ...]:
            places = [place(row.row) for row in rows]
            return tuple(
                replace(row, source=name, row=number)
                for row, (name, number) in zip(rows, places, strict=True)
            )

        incidents = tuple(replace(one, rows=moved(one.rows)) for one in self.incidents)
        return replace(self, incidents=incidents, near=moved(self.near))


def judge(
    monitor: Monitor, source: Source, grouping: Grouping | None = None, patterns: Suppression | None = None
) -> Found:
    """Score the rows of a source against the standing threshold of a monitor, and gather what is flagged.

    Raises
    ------
    InputError
        When the source lacks columns that the detector reads.
    """
    grouping, patterns = grouping or Grouping(), patterns or Suppression()
    stages, detector = Stages(None), monitor.detector
    scan = score_rows(detector, source, stages)
    decision = standing_decision(detector, scan)
    gathered = gather(source, scan, decision, patterns, stages)
    gone = decision.flagged & (gathered.suppressed > 0)
    judged = Judged(detector, source, scan, decision, None)  # neighbours as places in the support
    flagged = flagged_rows(judged, gathered, decision, grouping.entity)
    single = grouping.entity is None and kind_named(source.kind).name == TABLE
    incidents = incidents_of(flagged, gap=grouping.gap, single=single)
    notes = [*source.notes, *scan.notes]
    if gathered.left:
        notes.append(f"{gathered.left:,} more rows are flagged; those with the highest scores are incidents")
    near = top_rows(scan.scores, NEAR, without=(decision.flagged | scan.empty).astype(np.int64))
    keep = np.unique(np.concatenate([near, *[np.array(i.rows, np.int64) for i in incidents]]))
    rows = _kept_rows(monitor, pick_rows(source, keep), keep, scan)
    strips = _Strips(detector)
    return Found(
        source=source.name,
        rows=len(scan.scores),
        flagged=int((decision.flagged & ~gone).sum()),
        incidents=tuple(_found(incident, rows, strips) for incident in incidents),
        near=tuple(rows[int(row)] for row in near),
        hidden={
            int(i): int((gathered.suppressed[gone] == i).sum()) for i in np.unique(gathered.suppressed[gone])
        },
        threshold=decision.threshold,
        promise=decision.promise,
        histogram=tuple(np.histogram(scan.scores, BINS, (0.0, 1.0))[0].tolist()),
        above=decision.flagged,
        notes=tuple(dict.fromkeys(notes)),
    )


def standing_decision(detector: BaseDetector, scan: Scan) -> Decision:
    """Flag rows from the threshold of the fit on, so that a row is judged alike whatever comes beside it."""
    held_out = detector.calibration_scores_
    return Decision(
        flagged=(scan.scores >= detector.threshold_) & ~scan.empty,
        threshold=float(detector.threshold_),
        rule=detector.rule_ or own_rule(detector),
        promise=detector.promise_ or Promise(False, "no rate of false alarms was asked for"),
        p_values=p_values(scan.scores, held_out) if len(held_out) else None,
    )


def _kept_rows(
    monitor: Monitor, frame: pl.DataFrame, rows: NDArray[np.int64], scan: Scan
) -> dict[int, KeptRow]:
    """Return rows (k, …) with their numbers (k,) as they are kept, by number."""
    names = [written(name) for name in frame.columns]
    identities = identities_of(frame, monitor.detector.schema_)
    times = [None] * len(rows) if scan.times is None else _seconds(scan.times[rows])
    return {
        int(row): KeptRow(
            int(row),
            identity,
            float(scan.scores[row]),
            time,
            {name: cell_out(cell) for name, cell in zip(names, cells, strict=True)},
        )
        for row, identity, time, cells in zip(rows, identities, times, frame.iter_rows(), strict=True)
    }


def _seconds(times: NDArray[np.datetime64]) -> list[float | None]:
    stamps = times.astype("datetime64[us]")
    return [None if np.isnat(time) else float(time.astype(np.int64)) / 1e6 for time in stamps]


def _found(incident: Incident, rows: dict[int, KeptRow], strips: _Strips) -> FoundIncident:
    why = incident.why
    return FoundIncident(
        incident,
        pattern_of(why, incident.techniques),
        f"{incident.remark}{why.sentence}",
        {
            "reasons": [strips.reason(contribution) for contribution in why.contributions],
            "techniques": [{"id": t.id, "name": t.name} for t in incident.techniques],
            "facts": {name: list(values) for name, values in incident.facts.items()},
            "counts": dict(incident.counts),
            "sent": incident.sent,
            "received": incident.received,
            "nearest": strips.nearest(why),
        },
        tuple(rows[row] for row in incident.rows[:LISTED]),
    )


def pattern_of(why: Explanation, techniques: Sequence[Technique] = ()) -> str:
    """Return what alike incidents share: the first technique, else up to three columns of the reason."""
    if techniques:
        return techniques[0].id
    parts = [f"{reason.column}: {reason.direction}" for reason in telling(why.contributions)]
    return "; ".join(sorted(parts[:3]))[:300] or "no single column"


class _Strips:
    """The usual values of columns, beside which the value of a row is drawn."""

    def __init__(self, detector: BaseDetector) -> None:
        self._cells = detector.support_cells_
        self._usual = np.flatnonzero(detector.support_y_ != 1)
        self._drawn: dict[str, list[float]] = {}

    def reason(self, contribution: Any) -> dict[str, Any]:
        value = contribution.value
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return {
            "column": contribution.column,
            "value": cell_out(value),
            "shown": contribution.shown,
            "usual": contribution.usual,
            "direction": contribution.direction,
            "drop": contribution.drop,
            "beside": list(contribution.beside),
            "strip": self._strip(contribution.column) if number else [],
        }

    def _strip(self, column: str) -> list[float]:
        """Return up to 60 usual values of a column of numbers, evenly over their order."""
        if column not in self._drawn:
            self._drawn[column] = self._numbers(column)
        return self._drawn[column]

    def _numbers(self, column: str) -> list[float]:
        if column not in self._cells.columns or not self._cells[column].dtype.is_numeric():
            return []
        cells = self._cells[column][self._usual].cast(pl.Float64)
        numbers = np.sort(cells.filter(cells.is_finite()).to_numpy())
        places = np.linspace(0, len(numbers) - 1, min(len(numbers), STRIP)).round().astype(np.int64)
        return [float(number) for number in numbers[places]]

    def nearest(self, why: Explanation) -> list[dict[str, Any]]:
        """Return the cells of the nearest usual rows."""
        rows = [place for place in why.neighbours[:3] if 0 <= place < self._cells.height]
        names = [written(name) for name in self._cells.columns]
        return [
            {name: cell_out(cell) for name, cell in zip(names, self._cells.row(row), strict=True)}
            for row in rows
        ]
