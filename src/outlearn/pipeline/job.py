"""The main job in one call: from a table to findings, compared with a reference or with itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from outlearn.data.readers import ReadOptions
from outlearn.data.schema import unknown_column
from outlearn.decisions.rule import Rule
from outlearn.findings.table import Findings, Origin
from outlearn.pipeline.alerting import AlertOptions, check_columns
from outlearn.pipeline.learn import AUTO, LEARNT, Reading, learn, open_table
from outlearn.pipeline.monitor import Monitor, check_request
from outlearn.pipeline.rows import Spec
from outlearn.pipeline.stages import Progress, Stages

__all__ = ["detect"]


def detect(
    source: Spec,
    *,
    reference: Spec | None = None,
    detector: str = AUTO,
    label_column: str | None = None,
    time_column: str | None = None,
    schema: str | Path | None = None,
    ignore: Sequence[str] = (),
    rule: Rule | None = None,
    top: int = 20,
    out: str | Path | None = None,
    random_state: int = 0,
    options: ReadOptions | None = None,
    progress: Progress | None = None,
    alerts: AlertOptions | None = None,
) -> Findings:
    """Find the odd rows of a table.

    Without a reference the rows are compared with themselves. With one, its rows are taken as normal (labels
    in it are honoured), and the rows of `source` are compared with those. Part of the reference is then kept
    back to calibrate on if `rule` makes a promise.

    Parameters
    ----------
    reference : rows known to be normal.
    rule : how to choose the rows to flag; None leaves it to the detector.
    label_column : in `source`, in the reference, or in both.
    alerts : a file of alerts, how rows are grouped, and what is known to be good.

    The others are those of `Monitor.fit` and `Monitor.detect`.

    Raises
    ------
    InputError
        When the user can mend it: unreadable rows, no such column, an output that cannot be written, …

    >>> findings = detect("dataset:wine", detector="knn", top=3)
    >>> findings.top.shape, findings.reference
    ((3,), None)
    """
    patterns = check_request(top, out, source, alerts)
    stages = Stages(progress)
    reading = Reading(label_column, time_column, tuple(ignore), schema, options)
    with stages.stage("reading"):
        opened, settled = open_table(source, reading)
        check_columns(alerts, patterns, opened)
        basis, basis_reading = (opened, settled) if reference is None else open_table(reference, reading)
    label = settled.label_column
    if label is not None and label not in basis.columns:
        if label not in opened.columns:
            raise unknown_column(label, opened.columns, what="the label column")
        basis_reading = replace(basis_reading, label_column=None)
    if detector == AUTO and label is not None:  # which learns from labels
        detector = LEARNT
    learnt = learn(
        basis,
        basis_reading,
        detector=detector,
        known_normal=reference is not None,
        contamination=_value(rule, "contamination") or "auto",
        false_alarm_rate=_value(
            rule, "false-alarm rate", *(() if reference is None else ("false-discovery rate",))
        ),
        seed=random_state,
        stages=stages,
    )
    monitor = Monitor(learnt.detector, basis.name, learnt.support_rows, learnt.total, learnt.notes)
    if reference is not None and label is not None and label in opened.columns:
        with stages.stage("learning"):
            monitor = monitor.update(opened, label)
    return monitor.judge(
        opened,
        rule=rule,
        top=top,
        out=out,
        reference=None if reference is None else Origin(basis.name, learnt.total),
        notes=(*opened.notes, *monitor.notes),
        stages=stages,
        alerts=alerts,
        patterns=patterns,
    )


def _value(rule: Rule | None, *kinds: str) -> float | None:
    """Return the rate of a rule of one of these kinds.

    A promise on discoveries needs held-out rows, as one on false alarms does: its rate asks for them.
    """
    return rule.value if rule is not None and rule.kind in kinds and isinstance(rule.value, float) else None
