"""What `outlearn detect` does once it is asked: tell rows from series, find, write and print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outlearn.data.readers import ReadOptions
    from outlearn.decisions.decide import Rule

__all__ = ["Choice", "detect_ranges", "detect_rows", "is_series"]

KINDS = ("series", "table")
ROWS = "incontext"  # the detector of rows where none is named


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

    def of_series(self) -> list[str]:
        """Return the options given that only series have."""
        given = {
            "--series-column": self.series_column,
            "--reference-until": self.reference_until,
            "--false-alarms": self.false_alarms,
            "--weights": self.weights,
        }
        return [name for name, value in given.items() if value is not None]

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

    if choice.kind is not None and choice.kind not in KINDS:
        raise ParameterError(f"--kind is {choice.kind!r}; wanted one of {', '.join(KINDS)}")
    ours, theirs = choice.of_series(), choice.of_tables()
    if choice.kind == "table" and ours:
        raise ParameterError(f"{', '.join(ours)}: only series have that; leave it out or say --kind series")
    if (choice.kind == "series" or ours) and theirs:
        raise ParameterError(f"{', '.join(theirs)}: only tables have that; leave it out or say --kind table")
    if choice.kind is not None or ours:
        return choice.kind != "table"
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
        )
    tell(findings, top=top, out=out, report=report, quiet=quiet)


def detect_ranges(
    choice: Choice, *, top: int, out: Path | None, report: Path | None, seed: int, quiet: bool
) -> None:
    """Find odd ranges, write what was asked for, and print them."""
    import typer

    from outlearn.cli.terminal import progress_bars
    from outlearn.detectors.series import DISTANCES
    from outlearn.pipeline.series import detect_series
    from outlearn.report.page import write_page
    from outlearn.report.series import render_series, series_text

    value = None if choice.rule is None else choice.rule.value
    named = DISTANCES if choice.detector == ROWS else choice.detector
    with progress_bars(quiet) as progress:
        findings = detect_series(
            choice.table,
            time_column=choice.time_column,
            series_column=choice.series_column,
            reference=choice.reference,
            reference_until=choice.reference_until,
            label_column=choice.label_column,
            ignore=choice.ignore,
            detector=named,
            weights=choice.weights,
            false_alarms=choice.false_alarms,
            contamination=value if isinstance(value, float) else None,
            top=top,
            out=out,
            options=choice.options,
            random_state=seed,
            progress=progress,
        )
    if report is not None:
        write_page(render_series(findings), report)
    if quiet:
        return
    typer.echo(series_text(findings, top))
    for what, path in (("Scored rows", out), ("Report", report)):
        if path is not None:
            typer.echo(f"{what}: {path}")
