"""Monitor: a fitted detector, and all stages from a source of rows to findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from outlearn import __version__
from outlearn.data.kinds.kind import RowKind
from outlearn.data.kinds.names import SESSIONS
from outlearn.data.kinds.registry import kind_named, kind_seen
from outlearn.data.readers import ReadOptions, Source
from outlearn.data.sample import sample_source
from outlearn.data.schema import Role, check_columns
from outlearn.decisions.decision import Decision
from outlearn.decisions.rule import Rule
from outlearn.detectors.base import BaseDetector
from outlearn.detectors.classical_detector import ClassicalDetector
from outlearn.detectors.committee import Committee
from outlearn.detectors.model_file import file_notes
from outlearn.detectors.provenance import Provenance
from outlearn.detectors.registry import load
from outlearn.errors import ModelError, ParameterError
from outlearn.execute import Executor
from outlearn.explain.explanation import Explanation
from outlearn.explain.text import behind
from outlearn.files import together
from outlearn.findings.table import Findings, Origin
from outlearn.paths import check_saved
from outlearn.pipeline.alerting import (
    AlertOptions,
    Handover,
    Judged,
    check_entity,
    hand_over,
    write_alerts,
)
from outlearn.pipeline.caveats import limits_of
from outlearn.pipeline.checks import check_request
from outlearn.pipeline.learn import Learnt, Reading, learn, open_table, read_as_learnt
from outlearn.pipeline.output import scored_file
from outlearn.pipeline.preview import explain_top, take_picture
from outlearn.pipeline.request import DetectRequest, FitOptions, FitRequest, Outputs
from outlearn.pipeline.rows import Spec, chunks_of, pick_rows
from outlearn.pipeline.scan import Scan, check_rule, decide_rows, score_rows
from outlearn.pipeline.stages import Stages
from outlearn.pipeline.suppression import Suppression
from outlearn.pipeline.verdict import scored_columns, with_verdict
from outlearn.progress import Progress

__all__ = ["Judging", "Monitor"]


@dataclass(frozen=True, slots=True)
class Judging:
    """How rows are judged, apart from the detector.

    rule : how to choose the rows to flag; None: as the detector was set up.
    patterns : what is known to be good.
    weigh : returns the scores (n,) to go by, from those of the detector. decide : decides in place of a rule.
    remark : what to say of a row before the reason why it is odd.
    executor : where rows are scored; see `score_rows`.
    """

    rule: Rule | None = None
    outputs: Outputs = field(default_factory=Outputs)
    patterns: Suppression = field(default_factory=Suppression)
    weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    decide: Callable[[Scan], Decision] | None = None
    remark: Callable[[int], str] | None = None
    executor: Executor | None = None


@dataclass(frozen=True, slots=True)
class Monitor:
    """A detector fitted to a source, which judges other sources.

    detector : the fitted estimator.
    learnt_from : what it was fitted to, in words.
    support_rows : (s,) row numbers, in what it was fitted to, of the rows it compares with; -1 for rows that
        were added later; None where nobody knows them, as of a model that a detector alone wrote.
    total : rows of what it was fitted to, if known.
    notes : sentences on what was set aside, repaired or sampled in the fit.
    cautions : those that should be read before the findings.
    file_notes : sentences on the file that it was read from, which go into no other.

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
    cautions: tuple[str, ...] = ()
    file_notes: tuple[str, ...] = ()

    @classmethod
    def of_learnt(cls, learnt: Learnt, name: str) -> Monitor:
        """Return the monitor of what was learnt from a source of that name."""
        return cls(
            learnt.detector,
            name,
            learnt.support_rows,
            learnt.total,
            (*learnt.notes, *learnt.repairs),
            cautions=learnt.cautions,
        )

    @property
    def kind(self) -> RowKind:
        """The kind of the rows that it judges; an older model does not name it, so its columns tell."""
        schema = self.detector.schema_
        return kind_seen(schema.names) if schema.kind is None else kind_named(schema.kind)

    @classmethod
    def fit(cls, source: Spec, *, progress: Progress | None = None, **options: Unpack[FitOptions]) -> Monitor:
        """Fit a detector to the rows of a source, of which at most 50,000 are drawn.

        Parameters
        ----------
        source : a path, ``dataset:NAME``, a database URL (with ``options.query``), or a dataframe.
        progress : called with a stage, the rows done and the rows in all.
        detector : as in `detect`: a learner, a name of the classical pool, or "committee"; "auto".
        known_normal : whether every row that has no label is known to be normal, as in a reference.
        label_column : column of labels (1/0/empty or anomaly/normal/empty); it is no feature.
        anomaly_values : labels that mean an anomaly, where words of your own stand there.
        time_column : column of date-times, wanted by a budget "20/day".
        schema : path of a TOML file that says how to read columns.
        ignore : columns to leave out.
        contamination, false_alarm_rate, random_state : as in `Detector`.
        options : how to read text files, and the query of a database.

        Raises
        ------
        InputError
            When the source cannot be read or learnt from.
        """
        return cls.of(FitRequest.of(source, **options), progress=progress)

    @classmethod
    def of(cls, request: FitRequest, *, progress: Progress | None = None) -> Monitor:
        """Fit a detector as `fit` does, by a request."""
        stages = Stages(progress)
        with stages.stage("reading"):
            opened, reading = open_table(request.source, request.reading)
        share = request.rule.contamination
        learnt = learn(
            opened,
            reading,
            detector=request.detector.name,
            known_normal=request.known_normal,
            contamination="auto" if share is None else share,
            false_alarm_rate=request.rule.false_alarm_rate,
            seed=request.detector.seed,
            stages=stages,
        )
        return cls.of_learnt(learnt, opened.name)

    @classmethod
    def load(cls, path: str | Path) -> Monitor:
        """Read a model written by `save`.

        Raises
        ------
        ModelError
            When it is none, or one of series.
        """
        detector, known = load(path)
        if not isinstance(detector, BaseDetector):
            raise ModelError(
                f"{path} is a model of series, not of rows; `outlearn score` tells why its ranges are odd"
            )
        of_file = file_notes(Path(path))
        if known is None:
            return cls(detector, f"the {len(detector.support_):,} rows kept in {path}", file_notes=of_file)
        return cls(
            detector, known.learnt_from, known.support_rows, known.total, known.notes, file_notes=of_file
        )

    def save(self, path: str | Path) -> None:
        """Write the detector, and what it learnt from, to one file, without pickle; the file holds the rows
        it compares with."""
        check_saved(self.learnt_from, path)
        known = Provenance(self.learnt_from, self.total, (*self.cautions, *self.notes), self.support_rows)
        self.detector.save(path, known)

    def update(self, source: Source, label_column: str, *, anomaly_values: Sequence[str] = ()) -> Monitor:
        """Return a monitor that has also learnt from the labelled rows of a source; without any, itself.

        anomaly_values : labels that mean an anomaly, where the user says so; every other one is normal then.
        """
        drawn = sample_source(
            source, 0, seed=self.detector.seed_, label_column=label_column, anomaly_values=anomaly_values
        ).filled(self.detector.schema_)
        labels, labelling = drawn.labels, drawn.labelling
        if labels is None or labelling is None or not (labels >= 0).any():
            return self
        check_columns(self.detector.schema_, source.columns, where=source.name)
        detector = self.detector.update(drawn.frame, labels)
        rows = self.support_rows
        if rows is not None:
            rows = np.append(rows, np.full(len(detector.support_) - len(rows), -1, dtype=np.int64))
        count = int((labels >= 0).sum())
        note = f"{count:,} labelled rows of {source.name} were learnt from as well"
        doubtful = (labelling.caution,) if labelling.caution else ()
        return replace(
            self,
            detector=detector,
            support_rows=rows,
            notes=(*self.notes, *labelling.notes, note),
            cautions=(*self.cautions, *doubtful),
        )

    def explain(
        self, source: Spec, row: int, *, columns: int = 5, options: ReadOptions | None = None
    ) -> Explanation:
        """Say why one row of a source, counted from 0, is as odd as it is.

        Raises
        ------
        InputError
            When there is no such row.
        """
        opened, _ = open_table(source, self.reading(options))
        check_columns(self.detector.schema_, opened.columns, where=opened.name)
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
        executor: Executor | None = None,
    ) -> Findings:
        """Score the rows of a source, decide, and explain the top ones.

        Parameters
        ----------
        source : as in `fit`.
        rule : how to choose the rows to flag; None: as the detector was set up when it was fitted.
        top : how many of the most abnormal rows are explained.
        out : path of a file (.parquet, .csv, .jsonl or .arrow) for all rows with what was found beside them.
        alerts : a file of alerts, how rows are grouped, and what is known to be good.
        executor : where rows are scored; on threads of this process by default.

        Raises
        ------
        InputError
            When the source cannot be read, lacks columns that the detector reads, or `out` cannot be written.
        """
        outputs = Outputs(top, out, alerts=alerts or AlertOptions())
        return self.score(source, outputs, rule=rule, options=options, progress=progress, executor=executor)

    def score(
        self,
        source: Spec,
        outputs: Outputs,
        *,
        rule: Rule | None = None,
        options: ReadOptions | None = None,
        progress: Progress | None = None,
        executor: Executor | None = None,
    ) -> Findings:
        """Score the rows of a source as `detect` does, with the outputs as one value."""
        stages = Stages(progress)
        patterns = check_request(DetectRequest(source, outputs=outputs))
        with stages.stage("reading"):
            opened, _ = open_table(source, self.reading(options))
            check_entity(outputs.alerts, patterns, opened)
        return self.judge(
            opened,
            Judging(rule, outputs, patterns, executor=executor),
            reference=Origin(self.learnt_from, self.total),
            notes=(*self.file_notes, *self.notes, *opened.notes),
            stages=stages,
        )

    def judge(
        self,
        source: Source,
        judging: Judging,
        *,
        reference: Origin | None,
        notes: tuple[str, ...],
        stages: Stages,
    ) -> Findings:
        """Score an open source as `detect` does; no `reference`: rows were compared with themselves."""
        detector, kind = self.detector, kind_named(source.kind)
        outputs, tell = judging.outputs, judging.remark
        check_rule(detector, judging.rule)
        scan = score_rows(detector, source, stages, judging.executor, learnt_from=reference is None)
        if judging.weigh is not None:
            scan = replace(scan, scores=judging.weigh(scan.scores))
        first = judging.decide(scan) if judging.decide else decide_rows(detector, scan, judging.rule)
        judged = Judged(detector, source, scan, first, self.support_rows, tell)
        handed = hand_over(judged, outputs.alerts, judging.patterns, stages)
        decision = handed.decision
        best = scan.top(outputs.top, flagged=decision.flagged, suppressed=handed.suppressed)
        with stages.stage("explaining"):
            picture = take_picture(detector, source, scan, decision, best)
            explanations = explain_top(detector, picture.top, best, self.support_rows)
        named = [kind.named(values) for values in picture.values]
        explanations = tuple(
            replace(
                why,
                score=float(scan.scores[why.row]),
                sentence=behind(f"{name}{tell(why.row) if tell else ''}", why.sentence),
            )
            for why, name in zip(explanations, named, strict=True)
        )
        with together():
            if outputs.out is not None:
                renamed = _write(Path(outputs.out), source, scan, handed, explanations, stages)
                notes = (*notes, renamed) if renamed else notes
            write_alerts(outputs.alerts, handed, source.name)
        y = detector.support_y_
        return Findings(
            source=Origin(source.name, len(scan.scores)),
            reference=reference,
            detector=_words(detector),
            schema=detector.schema_,
            scores=scan.scores,
            decision=decision,
            top=best,
            top_values=picture.values,
            explanations=explanations,
            support_size=len(detector.support_),
            labels=(int((y == 1).sum()), int((y == 0).sum()) + len(detector.calibration_)),
            map=picture.map,
            profiles=picture.profiles,
            notes=tuple(dict.fromkeys((*notes, *scan.notes, *handed.notes, *_counted(best)))),
            limits=limits_of(detector, scan, decision, self.total, around=kind.around),
            seconds=dict(stages.seconds),
            version=__version__,
            seed=detector.random_state if isinstance(detector.random_state, int) else detector.seed_,
            doubt=detector.doubt_,
            cautions=self.cautions,
            incidents=handed.incidents,
            hosts=handed.hosts,
            suppressed=int((first.flagged & ~decision.flagged).sum()),
        )

    def reading(self, options: ReadOptions | None) -> Reading:
        """Return how a source is read that the monitor judges: its label column, and rows of its kind."""
        roles = {column.role: column.name for column in self.detector.schema_.columns}
        options = read_as_learnt(options or ReadOptions(), self.detector.schema_)
        kind = self.kind.name
        if (kind == SESSIONS) != (options.session is not None):
            raise ParameterError(
                "the model was fitted to sessions of a log: say what names them by the same --session"
                if kind == SESSIONS
                else "a session pattern came, but the model was not fitted to sessions of a log; leave it out"
            )
        if options.kind is None:
            options = replace(options, kind=kind)
        return Reading(label_column=roles.get(Role.LABEL), options=options)


def _write(
    path: Path,
    source: Source,
    scan: Scan,
    handed: Handover,
    explanations: Sequence[Explanation],
    stages: Stages,
) -> str:
    """Write all rows with their verdict; return a note if our columns had to be renamed."""
    names, note = scored_columns(source.columns, suppressed=handed.suppressed is not None)
    reasons = scan.reasons(explanations)
    with stages.stage("writing", len(scan.scores)) as tick, scored_file(path) as write:
        start = 0
        for chunk in chunks_of(source):
            write(with_verdict(chunk, start, scan.scores, handed.decision, reasons, names, handed.suppressed))
            start += chunk.height
            tick(start)
    return note


def _counted(top: NDArray[np.int64]) -> tuple[str, ...]:
    return (
        ("row numbers count data rows from 0: row 0 is the first that is not a header",) if len(top) else ()
    )


def _words(detector: BaseDetector) -> str:
    if isinstance(detector, Committee):
        return f"committee of {', '.join(detector.members)}"
    if isinstance(detector, ClassicalDetector):
        params = ", ".join(f"{name} {value}" for name, value in (detector.params or {}).items())
        return f"{detector.algorithm} (classical{f': {params}' if params else ''})"
    return f"{detector.get_params()['learner']} (learnt across tables)"
