"""What `detect`, `fit` and `score` do once they are asked: tell rows from series, find, write and print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outlearn.data.readers import ReadOptions
    from outlearn.decisions.decide import Rule
    from outlearn.detectors.series import SeriesDetector
    from outlearn.pipeline.alerting import AlertOptions
    from outlearn.report.series import SeriesFindings

__all__ = [
    "ROWS",
    "Choice",
    "detect_ranges",
    "detect_rows",
    "fit_ranges",
    "fit_rows",
    "is_series",
    "score_ranges",
]

ROWS = "auto"  # the detector of rows where none is named


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for, as far as it tells whether the table holds series, and how they are read."""

    table: str
    kind: str | None
    series_column: str | None
    reference_until: str | None
    false_alarms: str | None
    reference: str | None
    label_column: str | None
    time_column: str | None
    ignore: tuple[str, ...]
    rule: Rule | None
    detector: str
    weights: Path | None
    schema: Path | None
    options: ReadOptions
    alerting: AlertOptions | None = None

    def of_series(self) -> list[str]:
        """Return the options given that only series have."""
        given = {
            "--series-column": self.series_column,
            "--reference-until": self.reference_until,
            "--false-alarms": self.false_alarms,
            "--weights": self.weights,
        }
        return [name for name, value in given.items() if value is not None]

    def series_detector(self, seed: int) -> SeriesDetector:
        """Return the detector of series that was asked for, not fitted; the plain one where none was."""
        from outlearn.detectors.series import SeriesDetector
        from outlearn.detectors.series_scorers import DISTANCES

        share = self.rate("contamination")
        return SeriesDetector(
            DISTANCES if self.detector == ROWS else self.detector,
            time_column=self.time_column,
            series_column=self.series_column,
            ignore=self.ignore,
            contamination="auto" if share is None else share,
            false_alarms=self.false_alarms,
            weights=self.weights,
            random_state=seed,
        )

    def rate(self, kind: str) -> float | None:
        """Return the value of the rule if it is of a kind, such as the contamination."""
        value = self.rule.value if self.rule is not None and self.rule.kind == kind else None
        return value if isinstance(value, float) else None

    def of_tables(self) -> list[str]:
        """Return the options given that only tables have."""
        rule = self.rule is not None and self.rule.kind != "contamination"
        series = self.kind == "series" or bool(self.of_series())  # which have detectors of their own
        given = {
            f"a {self.rule.kind if self.rule else 'rule'}": rule,
            "--detector": self.detector != ROWS and not series,
            "--schema": self.schema is not None,
        }
        return [name for name, there in given.items() if there]


def is_series(choice: Choice) -> bool:
    """Tell whether the table is to be read as series.

    Raises
    ------
    ParameterError
        When the options contradict one another.
    """
    from outlearn.errors import ParameterError

    ours, theirs = choice.of_series(), choice.of_tables()
    if choice.kind not in (None, "series") and ours:
        raise ParameterError(f"{', '.join(ours)}: only series have that; leave it out or say --kind series")
    if (choice.kind == "series" or ours) and theirs:
        raise ParameterError(f"{', '.join(theirs)}: only tables have that; leave it out or say --kind table")
    if choice.kind is not None or ours:
        return choice.kind in (None, "series")
    if choice.time_column is None or theirs:
        return False
    from outlearn.pipeline.learn import Reading
    from outlearn.pipeline.series import holds_series

    return holds_series(
        choice.table,
        Reading(choice.label_column, choice.time_column, choice.ignore, None, choice.options),
    )


def detect_rows(
    choice: Choice, *, top: int, out: Path | None, report: Path | None, seed: int, quiet: bool
) -> None:
    """Find odd rows, write what was asked for, and print them."""
    from outlearn.cli.terminal import progress_bars, tell
    from outlearn.pipeline.job import detect

    with progress_bars(quiet) as progress:
        findings = detect(
            choice.table,
            reference=choice.reference,
            detector=choice.detector,
            label_column=choice.label_column,
            time_column=choice.time_column,
            schema=choice.schema,
            ignore=choice.ignore,
            rule=choice.rule,
            top=top,
            out=out,
            random_state=seed,
            options=choice.options,
            progress=progress,
            alerts=choice.alerting,
        )
    file = None if choice.alerting is None else choice.alerting.file
    tell(findings, top=top, out=out, report=report, alerts=file, quiet=quiet)


def detect_ranges(
    choice: Choice, *, top: int, out: Path | None, report: Path | None, seed: int, quiet: bool
) -> None:
    """Find odd ranges, write what was asked for, and print them."""
    from outlearn.cli.options import refuse_alerts
    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline.series import detect_series

    if choice.alerting is not None:
        refuse_alerts(choice.alerting)
    with progress_bars(quiet) as progress:
        findings = detect_series(
            choice.table,
            choice.series_detector(seed),
            reference=choice.reference,
            reference_until=choice.reference_until,
            label_column=choice.label_column,
            top=top,
            out=out,
            options=choice.options,
            progress=progress,
        )
    _tell_ranges(findings, top=top, out=out, report=report, quiet=quiet)


def fit_rows(choice: Choice, out: Path, *, known_normal: bool, seed: int, quiet: bool) -> None:
    """Learn from rows, write the model, and say what was learnt from."""
    import typer

    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline.monitor import Monitor

    share = choice.rate("contamination")
    with progress_bars(quiet) as progress:
        monitor = Monitor.fit(
            choice.table,
            detector=choice.detector,
            known_normal=known_normal,
            label_column=choice.label_column,
            time_column=choice.time_column,
            schema=choice.schema,
            ignore=choice.ignore,
            contamination="auto" if share is None else share,
            false_alarm_rate=choice.rate("false-alarm rate"),
            random_state=seed,
            options=choice.options,
            progress=progress,
        )
        monitor.save(out)
    if quiet:
        return
    typer.echo(f"learnt from {monitor.learnt_from} ({monitor.total:,} rows)")
    promise = monitor.detector.promise_
    for line in (*monitor.notes, *(() if promise is None else (promise.text,))):
        typer.echo(f" - {line}")
    kept = len(monitor.detector.support_)
    typer.echo(f"Model: {out} (it holds {kept:,} rows of the table: treat it with the same care)")


def fit_ranges(choice: Choice, out: Path, *, known_normal: bool, seed: int, quiet: bool) -> None:
    """Learn from series, write the model, and say what was learnt from."""
    import typer

    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline.series import fit_series

    with progress_bars(quiet) as progress:
        fitted = fit_series(
            choice.table,
            choice.series_detector(seed),
            out,
            known_normal=known_normal,
            label_column=choice.label_column,
            options=choice.options,
            progress=progress,
        )
    if quiet:
        return
    points = sum(len(each.series) for each in (*fitted.known_, *fitted.calibration_))
    typer.echo(f"learnt from {len(fitted.known_)} series of {points:,} points")
    for line in (*fitted.notes_, *(() if fitted.promise_ is None else (fitted.promise_.text,))):
        typer.echo(f" - {line}")
    typer.echo(f"Model: {out} (it holds these series: treat it with the same care)")


def score_ranges(
    model: Path,
    table: str,
    options: ReadOptions,
    *,
    top: int,
    out: Path | None,
    report: Path | None,
    quiet: bool,
) -> None:
    """Find odd ranges by a model of series, write what was asked for, and print them."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline.series import score_series

    with progress_bars(quiet) as progress:
        findings = score_series(model, table, top=top, out=out, options=options, progress=progress)
    _tell_ranges(findings, top=top, out=out, report=report, quiet=quiet)


def _tell_ranges(
    findings: SeriesFindings, *, top: int, out: Path | None, report: Path | None, quiet: bool
) -> None:
    import typer

    from outlearn.report.page import write_page
    from outlearn.report.series import render_series, series_text

    if report is not None:
        write_page(render_series(findings), report)
    if quiet:
        return
    typer.echo(series_text(findings, top))
    for what, path in (("Scored rows", out), ("Report", report)):
        if path is not None:
            typer.echo(f"{what}: {path}")
