"""The main job in one call: from a table to findings, compared with a reference or with itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

from outlearn.data.readers import ReadOptions, Source
from outlearn.data.schema import Schema, unknown_column
from outlearn.decisions.rule import Rule
from outlearn.execute import Executor
from outlearn.findings.table import Findings, Origin
from outlearn.pipeline.alerting import check_entity
from outlearn.pipeline.checks import check_request
from outlearn.pipeline.learn import AUTO, LEARNT, learn, open_table, read_as_learnt
from outlearn.pipeline.monitor import Judging, Monitor
from outlearn.pipeline.request import DetectOptions, DetectRequest
from outlearn.pipeline.rows import Spec
from outlearn.pipeline.stages import Stages
from outlearn.progress import Progress

__all__ = ["detect", "detect_rows"]


def detect(
    source: Spec,
    *,
    progress: Progress | None = None,
    executor: Executor | None = None,
    **options: Unpack[DetectOptions],
) -> Findings:
    """Find the odd rows of a table.

    Without a reference the rows are compared with themselves. With one, its rows are taken as normal (labels
    in it are honoured), and the rows of `source` are compared with those. Part of the reference is then kept
    back to calibrate on if `rule` makes a promise.

    Parameters
    ----------
    source : a path, ``dataset:NAME``, a database URL (with ``options.query``), or a dataframe.
    progress : called with a stage, the rows done and the rows in all.
    executor : where rows are scored; on threads of this process by default.
    reference : rows known to be normal.
    detector : a learner of `learners.catalogue`, a name of the classical pool, or "committee"; "auto": see
        `learn.chosen`.
    label_column : labels, in `source`, in the reference, or in both. anomaly_values : those of them that mean
        an anomaly, where words of your own stand there. time_column : date-times.
    ignore : columns to leave out. schema : path of a TOML file that says how to read columns.
    rule : how to choose the rows to flag; None leaves it to the detector.
    top : how many of the most abnormal rows are explained. out : file of all rows with what was found.
    alerts : a file of alerts, how rows are grouped, and what is known to be good.
    random_state : seed. options : how to read text files, and the query of a database.

    Raises
    ------
    InputError
        When the user can mend it: unreadable rows, no such column, an output that cannot be written, …

    >>> findings = detect("dataset:wine", detector="knn", top=3)
    >>> findings.top.shape, findings.reference
    ((3,), None)
    """
    return detect_rows(DetectRequest.of(source, **options), progress=progress, executor=executor)


def detect_rows(
    request: DetectRequest, *, progress: Progress | None = None, executor: Executor | None = None
) -> Findings:
    """Find the odd rows of a table, as `detect` does, by a request."""
    outputs, rule = request.outputs, request.rule.rule
    patterns = check_request(request)
    stages = Stages(progress)
    with stages.stage("reading"):
        opened, settled = open_table(request.source, request.reading)
        check_entity(outputs.alerts, patterns, opened)
        basis, basis_reading = opened, settled
        if request.reference is not None:
            basis, basis_reading = open_table(request.reference, request.reading)
            basis_reading = basis_reading.beside(basis, opened)
    label = settled.label_column
    if label is not None and label not in basis.columns:
        if label not in opened.columns:
            where = " or ".join(dict.fromkeys((opened.name, basis.name)))
            raise unknown_column(label, opened.columns, what="the label column", where=where)
        basis_reading = replace(basis_reading, label_column=None)
    compared = request.reference is not None
    held_out = ("false-alarm rate", "false-discovery rate") if compared else ("false-alarm rate",)
    # Labels are for a detector that learns from them.
    name = LEARNT if request.detector.name == AUTO and label is not None else request.detector.name
    learnt = learn(
        basis,
        basis_reading,
        detector=name,
        known_normal=compared,
        contamination=_value(rule, "contamination") or "auto",
        false_alarm_rate=_value(rule, *held_out),
        seed=request.detector.seed,
        stages=stages,
    )
    if compared:
        with stages.stage("reading"):
            opened = _as_learnt(request, opened, learnt.detector.schema_)
    # Rows that are compared with themselves are scanned whole, which tells of repairs.
    monitor = Monitor.of_learnt(learnt if compared else replace(learnt, repairs=()), basis.name)
    if compared and label is not None and label in opened.columns:
        with stages.stage("learning"):
            monitor = monitor.update(opened, label, anomaly_values=settled.anomaly_values)
    return monitor.judge(
        opened,
        Judging(rule, outputs, patterns, executor=executor),
        reference=Origin(basis.name, learnt.total) if compared else None,
        notes=(*opened.notes, *monitor.notes),
        stages=stages,
    )


def _as_learnt(request: DetectRequest, opened: Source, schema: Schema) -> Source:
    """Return the source with its numbers read as those of the reference are."""
    options = request.reading.options or ReadOptions()
    learnt = read_as_learnt(options, schema)
    if learnt == options:
        return opened
    return open_table(request.source, replace(request.reading, options=learnt))[0]


def _value(rule: Rule | None, *kinds: str) -> float | None:
    """Return the rate of a rule of one of these kinds.

    A promise on discoveries needs held-out rows, as one on false alarms does: its rate asks for them.
    """
    return rule.value if rule is not None and rule.kind in kinds and isinstance(rule.value, float) else None
