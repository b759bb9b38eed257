"""From the verdict on rows to incidents, hosts and a file of alerts, for a security team."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.alerts.grouping import GAP, incidents_of
from outlearn.alerts.hosts import Host
from outlearn.alerts.incident import FlaggedRows, Incident, Run
from outlearn.alerts.lines import ALERT_FORMATS
from outlearn.alerts.techniques import technique_masks
from outlearn.data.kinds.names import TABLE
from outlearn.data.kinds.registry import kind_named
from outlearn.data.named import settle_names
from outlearn.data.readers import Source
from outlearn.data.schema import unknown_column
from outlearn.decisions.decision import Decision
from outlearn.detectors.base import BaseDetector
from outlearn.errors import ParameterError
from outlearn.explain.explanation import Explanation
from outlearn.files import whole, writing
from outlearn.paths import READ, WRITTEN, use
from outlearn.pipeline.collect import Gathered, gather, sighted
from outlearn.pipeline.output import check_output
from outlearn.pipeline.reasons import reasons_of
from outlearn.pipeline.scan import Scan, beside_normals
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.suppression import Suppression

__all__ = [
    "AlertOptions",
    "Handover",
    "Judged",
    "check_alerts",
    "check_entity",
    "flagged_rows",
    "hand_over",
    "write_alerts",
]

OF = ("incidents", "rows")
MOST_HOSTS = 100  # in the findings of a run


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """How alerts are made for a security team.

    file : path of the alerts; its suffix, of `ALERT_FORMATS`, says in which form. of : "incidents" or "rows",
    what a line of it is about. entity : a column that says whose a row is; None: what the kind of the rows
    says. gap : seconds from one row of an incident to the next, at most. suppress : path of known-good
    patterns.
    """

    file: str | Path | None = field(default=None, metadata=use(WRITTEN))
    of: str = "incidents"
    entity: str | None = None
    gap: float = GAP
    suppress: str | Path | None = field(default=None, metadata=use(READ))

    def __post_init__(self) -> None:
        settle_names(self, "entity")


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows with the verdict on them.

    support_rows : as in `Monitor`. remark : what to say of a row before the reason why it is odd.
    """

    detector: BaseDetector
    source: Source
    scan: Scan
    decision: Decision
    support_rows: NDArray[np.int64] | None
    remark: Callable[[int], str] | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """The outcome for a security team: the decision without suppressed rows, incidents, hosts, and notes.

    suppressed : (n,) the id of the pattern that a row matches, 0 where it matches none; None without
        patterns. flagged : the rows that stay flagged; flagged, incidents : None where rows are not grouped.
    """

    decision: Decision
    suppressed: NDArray[np.int64] | None
    flagged: FlaggedRows | None
    incidents: tuple[Incident, ...] | None
    hosts: tuple[Host, ...]
    notes: tuple[str, ...]


def check_alerts(options: AlertOptions) -> Suppression:
    """Refuse, before any work, alerts that could not be written, and read the patterns.

    Raises
    ------
    InputError
        Also for patterns that cannot be read.
    """
    if options.of not in OF:
        raise ParameterError(f"alerts of {options.of!r} were asked for; wanted {' or '.join(OF)}")
    if not options.gap >= 0:
        raise ParameterError(f"gap is {options.gap!r}; wanted 0 seconds or more")
    if options.file is not None:
        check_output(Path(options.file), suffixes=tuple(ALERT_FORMATS))
    return Suppression.of_file(options.suppress)


def check_entity(options: AlertOptions | None, patterns: Suppression, source: Source) -> None:
    """Refuse columns that a source does not have.

    Raises
    ------
    SchemaError
        With the names that are close.
    """
    if options is not None and options.entity is not None and options.entity not in source.columns:
        raise unknown_column(options.entity, source.columns, what="the entity", where=source.name)
    patterns.check(source.columns, kind_named(source.kind), source.name)


def hand_over(judged: Judged, options: AlertOptions, patterns: Suppression, stages: Stages) -> Handover:
    """Suppress rows that are known to be good, and group those that stay flagged."""
    source, scan, decision = judged.source, judged.scan, judged.decision
    kind = kind_named(source.kind)
    grouped = kind.name != TABLE or options.file is not None or options.entity is not None
    if not grouped and not patterns.patterns:
        return Handover(decision, None, None, None, (), patterns.notes)
    gathered = gather(source, scan, decision, patterns, stages, grouped=grouped)
    notes = patterns.counted(gathered.suppressed, decision.flagged)
    gone = decision.flagged & (gathered.suppressed > 0)
    decision = replace(decision, flagged=decision.flagged & ~gone)
    if gone.any() and decision.rule.kind == "false-discovery rate":
        # The share among fewer rows is another, and may be larger.
        promise = replace(
            decision.promise, text=f"{decision.promise.text}; that counts the suppressed rows too"
        )
        decision = replace(decision, promise=promise)
    suppressed = gathered.suppressed if patterns.patterns else None
    if not grouped:
        return Handover(decision, suppressed, None, None, (), notes)
    with stages.stage("grouping"):
        flagged = flagged_rows(judged, gathered, decision, options.entity)
        incidents = incidents_of(flagged, gap=options.gap)
        # A strict rule flags few; the detector's own line, at a half, says which usual scores are high.
        high = max(float(decision.flagged.mean()), float((scan.scores >= 0.5).mean()))
        usual, hunted = float(np.median(scan.scores)), judged.remark is not None
        hosts = gathered.hosts.hosts(usual, high, MOST_HOSTS, flagged=hunted) if kind.ends is not None else ()
    notes = (*notes, *_notes(gathered, flagged, incidents, compared=beside_normals(judged.detector)))
    return Handover(decision, suppressed, flagged, incidents, hosts, notes)


def write_alerts(options: AlertOptions, handed: Handover, run_of: str) -> None:
    """Write the file of alerts, where one was asked for: all of it, or nothing.

    run_of : what was read, in words.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    if options.file is None or handed.flagged is None or handed.incidents is None:
        return
    path, decision = Path(options.file), handed.decision
    line = ALERT_FORMATS[path.suffix.lower()]
    run = Run(run_of, str(decision.rule), decision.promise.text, __version__, datetime.now(UTC))
    incidents = handed.incidents if options.of == "incidents" else incidents_of(handed.flagged, single=True)
    with (
        whole(path) as temporary,
        writing(path),
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        stream.writelines(f"{line(incident, run)}\n" for incident in incidents)


def flagged_rows(judged: Judged, gathered: Gathered, decision: Decision, entity: str | None) -> FlaggedRows:
    """Return the rows that stay flagged with their facts and reasons.

    decision : that without suppressed rows.
    """
    kind, tell = kind_named(judged.source.kind), judged.remark
    frame, rows = gathered.frame, gathered.rows
    seen = sighted(frame, kind, entity, gathered.clock, gathered.times)
    masks = technique_masks(frame) if kind.ends is not None else np.zeros(frame.height, np.uint32)
    groups = list(zip(seen.entities, masks.tolist(), strict=True))
    explanations, reason_of = reasons_of(
        judged.detector, frame, rows, gathered.scores, groups, judged.support_rows
    )
    remarks = () if tell is None else tuple(tell(int(row)) for row in rows)
    p_values = None if decision.p_values is None else decision.p_values[rows]
    return FlaggedRows(
        kind=kind.name,
        rows=rows,
        scores=gathered.scores,
        p_values=p_values,
        times=seen.times,
        entities=seen.entities,
        facts=seen.facts,
        masks=masks,
        reasons=explanations,
        reason_of=reason_of,
        remarks=remarks,
    )


def _notes(
    gathered: Gathered, flagged: FlaggedRows, incidents: tuple[Incident, ...], *, compared: bool
) -> list[str]:
    """Say what the incidents leave out. compared : whether rows are compared with known normal ones."""
    notes = []
    if not len(flagged.rows):
        notes.append("no row is flagged, so there is no incident and no alert")
    if gathered.left:
        notes.append(
            f"incidents hold the {len(flagged.rows):,} flagged rows with the highest scores; "
            f"{gathered.left:,} more are flagged: a stricter rule{'' if compared else ', or a reference,'} "
            "flags fewer"
        )
    borrowed = len(flagged.rows) - len(_own(flagged.reasons, flagged))
    if borrowed:
        notes.append(
            f"reasons were computed for {len(flagged.reasons):,} flagged rows; {borrowed:,} more have that "
            "of the row most like them"
        )
    if gathered.unflagged:
        usual = "; what fills a table is usual in it, so compare with a reference of normal rows"
        usual = "" if compared else usual
        counts = ", ".join(f"{id} of {rows:,}" for id, rows in sorted(gathered.unflagged.items()))
        notes.append(f"rules of ATT&CK techniques hold for rows that are not flagged too: {counts}{usual}")
    if gathered.hosts.cut:
        notes.append("there are too many hosts to count all; those with low scores were let go of")
    if kind_named(flagged.kind).yearless and any(
        incident.start is not None and _of_2000(incident.start) for incident in incidents
    ):
        notes.append("where the log tells no year, times of alerts are in the year 2000")
    return notes


def _own(reasons: Sequence[Explanation], flagged: FlaggedRows) -> NDArray[np.int64]:
    """Return the rows that are explained themselves."""
    return np.intersect1d([why.row for why in reasons], flagged.rows)


def _of_2000(seconds: float) -> bool:
    return 946_684_800 <= seconds < 978_307_200
