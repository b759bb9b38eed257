"""Options that several commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.paths import CHECKPOINT, READ, RENEWAL, RENEWED, WRITTEN

if TYPE_CHECKING:
    from outlearn.data.readers import ReadOptions
    from outlearn.pipeline.alerting import AlertOptions
    from outlearn.pipeline.request import RuleSpec, TableSpec

__all__ = [
    "AUTO",
    "Alerts",
    "AlertsOf",
    "AnomalyValue",
    "AsJson",
    "Budget",
    "Checkpoint",
    "Contamination",
    "Corpus",
    "Debug",
    "DecimalSign",
    "DetectorName",
    "DiscoveryRate",
    "Encoding",
    "Entity",
    "FalseAlarmRate",
    "FalseAlarms",
    "Gap",
    "Header",
    "Ignore",
    "Kind",
    "LabelColumn",
    "MissingValue",
    "Model",
    "NewModel",
    "OptionalTable",
    "Out",
    "Query",
    "QueryTimeout",
    "Quiet",
    "ReferenceUntil",
    "RenewedModel",
    "Report",
    "SchemaFile",
    "Seed",
    "Separator",
    "SeriesColumn",
    "Session",
    "Sheet",
    "Suppress",
    "Table",
    "ThousandsSign",
    "TimeColumn",
    "Top",
    "Weights",
    "alert_options",
    "read_options",
    "rule_spec",
    "table_spec",
]

_READING, _RULES, _SERIES = "How to read", "Which rows to flag (one of these)", "Series"
_ALERTS = "For a security team"
AUTO = "auto"  # the detector where none is named

Table = Annotated[
    str,
    typer.Argument(
        help="CSV, Parquet, JSON, Arrow or Excel file, dataset:NAME, or database URL.", metavar="TABLE"
    ),
    READ,
]
OptionalTable = Annotated[
    str | None,
    typer.Argument(
        help="CSV, Parquet, JSON, Arrow or Excel file, dataset:NAME, or database URL.", metavar="TABLE"
    ),
    READ,
]
Model = Annotated[Path, typer.Argument(help="File written by `outlearn fit`."), READ]
RenewedModel = Annotated[Path, typer.Argument(help="File written by `outlearn fit`."), RENEWED]
NewModel = Annotated[
    Path | None,
    typer.Option(help="Where to write the new model; else it takes the place of MODEL."),
    RENEWAL,
]
LabelColumn = Annotated[
    str | None, typer.Option(help="Column of labels: 1/0/empty or anomaly/normal/empty.", metavar="NAME")
]
AnomalyValue = Annotated[
    list[str] | None,
    typer.Option(
        help="Value of the label column that marks an anomaly, all others being normal; may be repeated.",
        metavar="VALUE",
    ),
]
MissingValue = Annotated[
    list[str] | None,
    typer.Option(help="Value that stands for missing, such as -999; may be repeated.", metavar="VALUE"),
]
TimeColumn = Annotated[str | None, typer.Option(help="Column of date-times.", metavar="NAME")]
Ignore = Annotated[
    list[str] | None, typer.Option(help="Column to leave out; may be repeated.", metavar="NAME")
]
SchemaFile = Annotated[
    Path | None,
    typer.Option("--schema", help="TOML file that says how to read columns; see `outlearn schema`."),
    READ,
]
DetectorName = Annotated[
    str,
    typer.Option(
        "--detector",
        help="A learner that `outlearn learners` lists, a classical one such as iforest, knn, lof, or "
        "committee (several together); auto is profiles, and committee for flows beside a reference; with "
        "--kind series distances, matrix-profile, … (docs/series.md).",
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(help="Series: a checkpoint for `--detector`, of `outlearn learn-fleet` or `learn-series`."),
    READ,
]
Corpus = Annotated[
    Path | None, typer.Option(help="Folder of labelled sets with a manifest.csv to learn from."), READ
]
Checkpoint = Annotated[
    Path, typer.Option(help="Checkpoint to write (.safetensors); its card goes beside it."), CHECKPOINT
]
Seed = Annotated[int, typer.Option(help="Seed of all randomness.", min=0)]
Top = Annotated[int, typer.Option(help="How many of the most abnormal rows to show and explain.", min=0)]
Out = Annotated[
    Path | None,
    typer.Option(help="Write all rows with score, flag and reason to .parquet, .csv, .jsonl or .arrow."),
    WRITTEN,
]
Report = Annotated[
    Path | None, typer.Option(help="Write a report, one HTML page that opens offline."), WRITTEN
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print JSON lines for other programs: a summary, then one object a finding."),
]
Debug = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]

Alerts = Annotated[
    Path | None,
    typer.Option(
        help="Write alerts to .jsonl (Elastic Common Schema), .cef or .syslog.", rich_help_panel=_ALERTS
    ),
    WRITTEN,
]
AlertsOf = Annotated[
    str, typer.Option(help="What a line of it tells of: incidents or rows.", rich_help_panel=_ALERTS)
]
Entity = Annotated[
    str | None,
    typer.Option(
        help="Column that says whose a row is; else the source of a flow, the process of a line, the id of a "
        "frame.",
        rich_help_panel=_ALERTS,
        metavar="NAME",
    ),
]
Gap = Annotated[
    float,
    typer.Option(help="Minutes between two rows of an incident, at most.", min=0.0, rich_help_panel=_ALERTS),
]
Suppress = Annotated[
    Path | None,
    typer.Option(help="What is known to be good; see `outlearn suppress`.", rich_help_panel=_ALERTS),
    READ,
]

Separator = Annotated[
    str | None,
    typer.Option(
        help="Sign between fields; tab is \\t, whitespace any run of blanks, fixed-width the same places of "
        "every line.",
        rich_help_panel=_READING,
        metavar="SIGN",
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first row of a text file names the columns; else it is told by the rows below.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Sheet = Annotated[
    str | None,
    typer.Option(help="Sheet of a workbook; else the first that is not empty.", rich_help_panel=_READING),
]
Encoding = Annotated[
    str | None,
    typer.Option(help="Codec of a text file, e.g. cp1252.", rich_help_panel=_READING, metavar="NAME"),
]
DecimalSign = Annotated[
    str | None, typer.Option("--decimal", help="Decimal sign.", rich_help_panel=_READING, metavar="SIGN")
]
ThousandsSign = Annotated[
    str | None, typer.Option("--thousands", help="Thousands sign.", rich_help_panel=_READING, metavar="SIGN")
]
Query = Annotated[
    str | None,
    typer.Option(
        help="SQL to run, where TABLE is a database URL: one statement, which only reads.",
        rich_help_panel=_READING,
        metavar="SQL",
    ),
]
QueryTimeout = Annotated[
    float,
    typer.Option(
        help="Time that the query may take, in seconds.", rich_help_panel=_READING, metavar="SECONDS"
    ),
]

Session = Annotated[
    str | None,
    typer.Option(
        help="Logs: regular expression of what names the session of a line; rows are sessions then.",
        rich_help_panel=_READING,
        metavar="REGEX",
    ),
]

Contamination = Annotated[
    float | None, typer.Option(help="Share of the rows that is odd, e.g. 0.02.", rich_help_panel=_RULES)
]
FalseAlarmRate = Annotated[
    float | None,
    typer.Option(
        help="Flag at most this share of normal rows; a promise given a reference.", rich_help_panel=_RULES
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        help='Rows that can be looked at: 20, or "20/day" of the time column.', rich_help_panel=_RULES
    ),
]
Kind = Annotated[
    str | None,
    typer.Option(
        help="series, flows, logs, bus (frames of a vehicle's CAN bus), executables or table; without it a "
        "table of numbers at even steps of the time column is a series, and one of addresses and bytes or "
        "packets holds network flows.",
        rich_help_panel=_SERIES,
        metavar="KIND",
    ),
]
SeriesColumn = Annotated[
    str | None,
    typer.Option(help="Column that tells several series apart.", rich_help_panel=_SERIES, metavar="NAME"),
]
ReferenceUntil = Annotated[
    str | None,
    typer.Option(
        help="Moment before which the series is known to be normal.", rich_help_panel=_SERIES, metavar="TIME"
    ),
]
FalseAlarms = Annotated[
    str | None,
    typer.Option(
        help='False alarms in a time, at most: 1/day, "2/hour"; needs a reference.',
        rich_help_panel=_SERIES,
        metavar="RATE",
    ),
]

DiscoveryRate = Annotated[
    float | None,
    typer.Option(
        "--fdr", help="Share of false alarms among the flagged rows, at most.", rich_help_panel=_RULES
    ),
]


def read_options(
    separator: str | None,
    encoding: str | None,
    decimal: str | None,
    thousands: str | None,
    query: str | None,
    kind: str | None = None,
    session: str | None = None,
    *,
    header: bool | None = None,
    sheet: str | None = None,
    query_timeout: float = 600.0,
) -> ReadOptions:
    """Return how to read, as the user said it; of series the numbers are taken as they are.

    Raises
    ------
    ParameterError
        For a kind that there is not, or a session pattern that is no regular expression.
    """
    from outlearn.data.kinds.names import KINDS
    from outlearn.data.readers import ReadOptions
    from outlearn.errors import ParameterError

    if kind not in (None, "series", *KINDS):
        raise ParameterError(f"--kind is {kind!r}; wanted one of {', '.join(('series', *KINDS))}")
    sign = "\t" if separator == "\\t" else separator
    return ReadOptions(
        sign,
        encoding,
        decimal,
        thousands,
        query,
        "table" if kind == "series" else kind,
        session=session,
        header=header,
        sheet=sheet,
        query_timeout=query_timeout,
    )


def alert_options(
    alerts: Path | None, of: str, entity: str | None, gap: float, suppress: Path | None
) -> AlertOptions:
    """Return how alerts are made, from the options."""
    from outlearn.pipeline.alerting import AlertOptions

    return AlertOptions(alerts, of, entity, 60.0 * gap, suppress)


def table_spec(
    label_column: str | None,
    time_column: str | None,
    series_column: str | None,
    ignore: list[str] | None,
    schema: Path | None,
    kind: str | None,
    anomaly_value: list[str] | None,
    missing_value: list[str] | None,
) -> TableSpec:
    """Return the roles of columns, from the options."""
    from outlearn.pipeline.request import TableSpec

    return TableSpec(
        label_column,
        time_column,
        series_column,
        tuple(ignore or ()),
        schema,
        kind,
        tuple(anomaly_value or ()),
        tuple(missing_value or ()),
    )


def rule_spec(
    contamination: float | None,
    false_alarm_rate: float | None,
    budget: str | None,
    fdr: float | None,
    false_alarms: str | None = None,
) -> RuleSpec:
    """Return which rows to flag, from the options.

    Raises
    ------
    ParameterError
        When more than one rule came, or its value is out of range.
    """
    from outlearn.pipeline.request import RuleSpec

    return RuleSpec(contamination, false_alarm_rate, budget, fdr, false_alarms)
