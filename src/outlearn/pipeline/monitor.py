"""Monitor: a fitted detector, and all stages from a source of rows to findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.data.bus import bus_words, of_bus
from outlearn.data.executables import executable_words, of_executables
from outlearn.data.flows import flow_words, of_flows
from outlearn.data.labels import parse_labels
from outlearn.data.logs import log_words, of_logs, of_sessions, session_words
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.sample import sample_source
from outlearn.data.schema import Role
from outlearn.decisions.decide import Rule
from outlearn.decisions.decision import Decision
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.committee import Committee
from outlearn.detectors.provenance import Provenance
from outlearn.detectors.registry import load
from outlearn.errors import ParameterError, ReadError
from outlearn.explain.explanation import Explanation
from outlearn.pipeline.alerting import (
    AlertOptions,
    check_alerts,
    check_columns,
    hand_over,
    write_alerts,
)
from outlearn.pipeline.learn import AUTO, Reading, learn, open_table
from outlearn.pipeline.limits import limits_of
from outlearn.pipeline.output import FORMATS, check_output, scored_file
from outlearn.pipeline.picture import explain_top, take_picture
from outlearn.pipeline.rows import Spec, chunks_of, pick_rows
from outlearn.pipeline.scan import Scan, check_rule, decide_rows, score_rows, top_rows
from outlearn.pipeline.stages import Progress, Stages
from outlearn.pipeline.suppression import Suppression
from outlearn.pipeline.verdict import scored_columns, with_verdict
from outlearn.report.findings import Findings

__all__ = ["Monitor"]


AROUND = ("flows", "logs", "sessions", "bus")  # whose columns tell of the rows around each
WORDS = {  # what names a row
    "flows": flow_words,
    "logs": log_words,
    "sessions": session_words,
    "bus": bus_words,
    "executables": executable_words,
}


@dataclass(frozen=True, slots=True)
class Monitor:
    """A detector fitted to a source, which judges other sources.

    detector : the fitted estimator.
    learnt_from : what it was fitted to, in words.
    support_rows : (s,) row numbers, in what it was fitted to, of the rows it compares with; -1 for rows that
        were added later; None where nobody knows them, as of a model that a detector alone wrote.
    total : rows of what it was fitted to, if known.
    notes : sentences on what was set aside, repaired or sampled in the fit.

    Examples
    --------
    >>> monitor = Monitor.fit("dataset:wine", detector="knn")
    >>> findings = monitor.detect("dataset:wine", rule=Rule.budget(5), top=5)
    >>> int(findings.decision.flagged.sum()), len(findings.explanations)
    (5, 5)
    """

    detector: BaseDetector
    learnt_from: str
    support_rows: NDArray[np.int64] | None = None
    total: int | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls,
        source: Spec,
        *,
        detector: str = AUTO,
        known_normal: bool = False,
        label_column: str | None = None,
        time_column: str | None = None,
        schema: str | Path | None = None,
        ignore: Sequence[str] = (),
        contamination: float | str = "auto",
        false_alarm_rate: float | None = None,
        random_state: int = 0,
        options: ReadOptions | None = None,
        progress: Progress | None = None,
    ) -> Monitor:
        """Fit a detector to the rows of a source, of which at most 50,000 are drawn.

        Parameters
        ----------
        source : a path, ``dataset:NAME``, a database URL (with ``options.query``), or a dataframe.
        detector : a learner of `learners.catalogue`, a name of the classical pool, or "committee"; "auto":
            the in-context learner, and the committee for flows that are known to be normal.
        known_normal : whether every row that has no label is known to be normal, as in a reference.
        label_column : column of labels (1/0/empty or anomaly/normal/empty); it is no feature.
        time_column : column of date-times, wanted by a budget "20/day".
        schema : path of a TOML file that says how to read columns.
        ignore : columns to leave out.
        contamination, false_alarm_rate, random_state : as in `Detector`.
        options : how to read text files, and the query of a database.
        progress : called with a stage, the rows done and the rows in all.

        Raises
        ------
        InputError
            When the source cannot be read or learnt from.
        """
        stages = Stages(progress)
        reading = Reading(label_column, time_column, tuple(ignore), schema, options)
        with stages.stage("reading"):
            opened, reading = open_table(source, reading)
        learnt = learn(
            opened,
            reading,
            detector=detector,
            known_normal=known_normal,
            contamination=contamination,
            false_alarm_rate=false_alarm_rate,
            seed=random_state,
            stages=stages,
        )
        return cls(learnt.detector, opened.name, learnt.support_rows, learnt.total, learnt.notes)

    @classmethod
    def load(cls, path: str | Path) -> Monitor:
        """Read a model written by `save`.

        Raises
        ------
        ReadError
            When it is none, or one of series.
        """
        detector, known = load(path)
        if not isinstance(detector, BaseDetector):
            raise ReadError(
                f"{path} is a model of series, not of rows; `outlearn score` tells why its ranges are odd"
            )
        if known is None:
            return cls(detector, f"the {len(detector.support_):,} rows kept in {path}")
        return cls(detector, known.learnt_from, known.support_rows, known.total, known.notes)

    def save(self, path: str | Path) -> None:
        """Write the detector, and what it learnt from, to one file, without pickle; the file holds the rows
        it compares with."""
        known = Provenance(self.learnt_from, self.total, self.notes, self.support_rows)
        self.detector.save(path, known)

    def update(self, source: Source, label_column: str) -> Monitor:
        """Return a monitor that has also learnt from the labelled rows of a source; without any, itself."""
        drawn = sample_source(source, 0, seed=self.detector.seed_, label_column=label_column)
        if not len(drawn.rows):
            return self
        labels = parse_labels(drawn.frame[label_column], name=label_column)
        detector = self.detector.update(drawn.frame, labels)
        rows = self.support_rows
        if rows is not None:
            rows = np.append(rows, np.full(len(detector.support_) - len(rows), -1, dtype=np.int64))
        note = f"{len(labels):,} labelled rows of {source.name} were learnt from as well"
        return replace(self, detector=detector, support_rows=rows, notes=(*self.notes, note))

    def explain(
        self, source: Spec, row: int, *, columns: int = 5, options: ReadOptions | None = None
    ) -> Explanation:
        """Say why one row of a source, counted from 0, is as odd as it is.

        Raises
        ------
        InputError
            When there is no such row.
        """
        opened, _ = open_table(source, self._reading(options))
        rows = np.array([row], dtype=np.int64)
        return explain_top(self.detector, pick_rows(opened, rows), rows, self.support_rows, columns)[0]

    def detect(
        self,
        source: Spec,
        *,
        rule: Rule | None = None,
        top: int = 20,
        out: str | Path | None = None,
        options: ReadOptions | None = None,
        progress: Progress | None = None,
        alerts: AlertOptions | None = None,
    ) -> Findings:
        """Score the rows of a source, decide, and explain the top ones.

        Parameters
        ----------
        source : as in `fit`.
        rule : how to choose the rows to flag; None: as the detector was told when it was fitted.
        top : how many of the most abnormal rows are explained.
        out : path of a file (.parquet, .csv, .jsonl or .arrow) for all rows with what was found beside them.
        alerts : a file of alerts, how rows are grouped, and what is known to be good.

        Raises
        ------
        InputError
            When the source cannot be read, lacks columns that the detector reads, or `out` cannot be written.
        """
        stages = Stages(progress)
        patterns = check_request(top, out, source, alerts)
        with stages.stage("reading"):
            opened, _ = open_table(source, self._reading(options))
            check_columns(alerts, patterns, opened.columns)
        return self.judge(
            opened,
            rule=rule,
            top=top,
            out=out,
            reference=self.learnt_from,
            notes=(*self.notes, *opened.notes),
            stages=stages,
            alerts=alerts,
            patterns=patterns,
        )

    def judge(
        self,
        source: Source,
        *,
        rule: Rule | None,
        top: int,
        out: str | Path | None,
        reference: str | None,
        notes: tuple[str, ...],
        stages: Stages,
        decide: Callable[[Scan], Decision] | None = None,
        tell: Callable[[int], str] | None = None,
        alerts: AlertOptions | None = None,
        patterns: Suppression | None = None,
    ) -> Findings:
        """Do what `detect` does for an open source; no `reference`: rows were compared with themselves.

        decide : decides in place of a rule. tell : what to say of a row before the reason why it is odd.
        patterns : what is known to be good.
        """
        detector, kind = self.detector, _kind(source.columns)
        alerts, patterns = alerts or AlertOptions(), patterns or Suppression()
        check_rule(detector, rule)
        scan = score_rows(detector, source, stages)
        first = decide_rows(detector, scan, rule) if decide is None else decide(scan)
        handed = hand_over(
            detector, source, scan, first, kind, alerts, patterns, self.support_rows, stages, tell
        )
        decision = handed.decision
        best = top_rows(scan.scores, top, handed.suppressed)
        with stages.stage("explaining"):
            picture = take_picture(detector, source, scan.scores, decision, best)
            told = explain_top(detector, picture.top, best, self.support_rows)
        named = [f"{WORDS[kind](values)}: " if kind in WORDS else "" for values in picture.values]
        told = tuple(
            replace(why, sentence=f"{name}{tell(why.row) if tell else ''}{why.sentence}")
            for why, name in zip(told, named, strict=True)
        )
        if out is not None:
            renamed = _write(Path(out), source, scan, decision, told, handed.suppressed, stages)
            notes = (*notes, renamed) if renamed else notes
        write_alerts(alerts, handed, source.name, decision)
        y = detector.support_y_
        return Findings(
            source=f"{source.name} ({len(scan.scores):,} rows)",
            reference=reference,
            detector=_words(detector),
            schema=detector.schema_,
            scores=scan.scores,
            decision=decision,
            top=best,
            top_values=picture.values,
            explanations=told,
            support_size=len(detector.support_),
            labels=(int((y == 1).sum()), int((y == 0).sum()) + len(detector.calibration_)),
            map=picture.map,
            profiles=picture.profiles,
            notes=tuple(dict.fromkeys((*notes, *scan.notes, *handed.notes, *_counted(best)))),
            limits=limits_of(detector, scan, decision, self.total, around=kind in AROUND),
            seconds=dict(stages.seconds),
            version=__version__,
            seed=detector.random_state if isinstance(detector.random_state, int) else detector.seed_,
            doubt=detector.doubt_,
            incidents=handed.incidents,
            hosts=handed.hosts,
            suppressed=int((first.flagged & ~decision.flagged).sum()),
        )

    def _reading(self, options: ReadOptions | None) -> Reading:
        roles = {column.role: column.name for column in self.detector.schema_.columns}
        options = options or ReadOptions()
        kind = _kind(self.detector.schema_.names)
        if (kind == "sessions") != (options.session is not None):
            raise ParameterError(
                "the model was fitted to sessions of a log: say what names them by the same --session"
                if kind == "sessions"
                else "a session pattern came, but the model was not fitted to sessions of a log; leave it out"
            )
        if options.kind is None:
            options = replace(options, kind=kind)
        return Reading(label_column=roles.get(Role.LABEL), options=options)


def _kind(columns: Sequence[str]) -> str:
    """Return what rows with these columns are."""
    kinds = {
        "flows": of_flows,
        "logs": of_logs,
        "sessions": of_sessions,
        "bus": of_bus,
        "executables": of_executables,
    }
    return next((kind for kind, tells in kinds.items() if tells(columns)), "table")


def check_request(
    top: int, out: str | Path | None, source: Spec, alerts: AlertOptions | None = None
) -> Suppression:
    """Refuse what cannot be done before any row is read; return what is known to be good."""
    if top < 0:
        raise ParameterError(f"top is {top}; wanted 0 or more rows")
    if out is not None:
        check_output(Path(out), suffixes=FORMATS, source=source)
    return check_alerts(alerts or AlertOptions(), source)


def _write(
    path: Path,
    source: Source,
    scan: Scan,
    decision: Decision,
    told: Sequence[Explanation],
    suppressed: NDArray[np.int64] | None,
    stages: Stages,
) -> str:
    """Write all rows with their verdict; return a note if our columns had to be renamed."""
    names, note = scored_columns(source.columns, suppressed=suppressed is not None)
    reasons = {why.row: (rank, why.sentence) for rank, why in enumerate(told, start=1)}
    with stages.stage("writing", len(scan.scores)) as tick, scored_file(path) as write:
        start = 0
        for chunk in chunks_of(source):
            write(with_verdict(chunk, start, scan.scores, decision, reasons, names, suppressed))
            start += chunk.height
            tick(start)
    return note


def _counted(top: NDArray[np.int64]) -> tuple[str, ...]:
    return ("row numbers count data rows from 0: row 0 is the first below the header",) if len(top) else ()


def _words(detector: BaseDetector) -> str:
    if isinstance(detector, Committee):
        return f"committee of {', '.join(detector.members)}"
    if isinstance(detector, ClassicalDetector):
        params = ", ".join(f"{name} {value}" for name, value in (detector.params or {}).items())
        return f"{detector.algorithm} (classical{f': {params}' if params else ''})"
    return f"{detector.get_params()['learner']} (learnt across tables)"
