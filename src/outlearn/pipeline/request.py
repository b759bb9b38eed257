"""Requests, as values that are checked once: the command line, job files and services fill them.

A request of plain values goes into JSON or TOML and back::

    source = "payments.csv"
    reference = "last_year.parquet"

    [table]
    label_column = "fraud"

    [rule]
    budget = "20/day"

    [outputs]
    out = "scored.parquet"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypedDict

from outlearn.data.kinds.names import KINDS
from outlearn.data.named import settle_names
from outlearn.data.readers import ReadOptions
from outlearn.decisions.alarms import AlarmRate
from outlearn.decisions.budget import Budget
from outlearn.decisions.rule import Rule
from outlearn.errors import ParameterError
from outlearn.paths import READ, WRITTEN, use
from outlearn.pipeline.alerting import AlertOptions
from outlearn.pipeline.learn import AUTO, Reading
from outlearn.pipeline.request_codec import by_parts, structured, without_defaults
from outlearn.pipeline.rows import Spec

__all__ = [
    "AUTO",
    "SERIES",
    "DetectOptions",
    "DetectRequest",
    "DetectorSpec",
    "FitOptions",
    "FitRequest",
    "HuntOptions",
    "HuntRequest",
    "Outputs",
    "RuleSpec",
    "TableSpec",
    "option",
]

SERIES = "series"  # the kind of a table whose rows are points in time


@dataclass(frozen=True, slots=True)
class TableSpec:
    """The roles of the columns of a table, in whichever place it is read.

    label_column : labels, 1/0/empty or anomaly/normal/empty; no feature. anomaly_values : those of them that
    mean an anomaly, where the user says so; every other one is normal then. time_column : date-times.
    series_column : tells several series apart. ignore : columns to leave out.
    schema : path of a TOML file that says how to read columns.
    missing_values : those that stand for missing, in all columns but that of labels.
    kind : "series", or as in `ReadOptions`; None: as the table itself says.
    """

    label_column: str | None = None
    time_column: str | None = None
    series_column: str | None = None
    ignore: tuple[str, ...] = ()
    schema: str | Path | None = field(default=None, metadata=use(READ))
    kind: str | None = None
    anomaly_values: tuple[str, ...] = ()
    missing_values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("anomaly_values", "missing_values"):
            values: object = getattr(self, name)
            listed = values if isinstance(values, Sequence) and not isinstance(values, str) else (values,)
            object.__setattr__(self, name, tuple(map(str, listed)))
        names: object = self.ignore
        if isinstance(names, str):
            raise ParameterError(f"ignore is {names!r}; wanted a list of columns")
        settle_names(self, "label_column", "time_column", "series_column", "ignore")
        if self.kind not in (None, SERIES, *KINDS):
            raise ParameterError(f"kind is {self.kind!r}; wanted one of {', '.join((SERIES, *KINDS))}")

    def reading(self, read: ReadOptions) -> Reading:
        """Return how to read the table; that of series is read as any other, its numbers as they are."""
        if self.kind is not None:
            kind = "table" if self.kind == SERIES else self.kind
            if read.kind not in (None, kind):
                raise ParameterError(
                    f"the table is of kind {self.kind!r} and is read as {read.kind!r}; say one"
                )
            read = replace(read, kind=kind)
        return Reading(
            self.label_column,
            self.time_column,
            self.ignore,
            self.schema,
            read,
            self.anomaly_values,
            self.missing_values,
        )


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """A detector by name, with its weights and seed.

    name : a learner, an algorithm of the classical pool or "committee"; of series one of
        `detectors.series`; "auto": see `learn.chosen`.
    weights : a checkpoint of one's own, of series alone. seed : of all randomness.
    """

    name: str = AUTO
    weights: str | Path | None = field(default=None, metadata=use(READ))
    seed: int = 0

    @property
    def is_named(self) -> bool:
        return self.name != AUTO


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """Which rows to flag, by one rule at most; see the class methods of `Rule`.

    false_alarms : of series, such as "1/day". tail_model : as in `Rule.false_discovery_rate`.

    Raises
    ------
    ParameterError
        When several rules came, or one is out of range.

    >>> str(RuleSpec(budget="20/day").rule)
    'budget 20/day'
    """

    contamination: float | None = None
    false_alarm_rate: float | None = None
    budget: str | int | None = None
    fdr: float | None = None
    false_alarms: str | None = None
    tail_model: bool = False

    def __post_init__(self) -> None:
        if self.false_alarms is not None:
            AlarmRate.parse(self.false_alarms)
        named = [name for name in _RULES if getattr(self, name) is not None]
        if len(named) > 1:
            raise ParameterError(f"{' and '.join(map(option, named))} were given; wanted one of them")
        if self.tail_model and self.fdr is None:
            raise ParameterError("tail_model came without fdr, whose p-values it is for")
        _ = self.rule

    @classmethod
    def of(cls, rule: Rule | None) -> Self:
        """Return the options that a rule is made from."""
        if rule is None:
            return cls()
        name = next(name for name, kind in _RULES.items() if kind == rule.kind)
        value = str(rule.value) if isinstance(rule.value, Budget) else rule.value
        given: dict[str, Any] = {name: value, "tail_model": rule.tail_model}
        return cls(**given)

    @property
    def rule(self) -> Rule | None:
        """The rule; None where none came, which leaves it to the detector."""
        if self.contamination is not None:
            return Rule.contamination(self.contamination)
        if self.false_alarm_rate is not None:
            return Rule.false_alarm_rate(self.false_alarm_rate)
        if self.budget is not None:
            return Rule.budget(self.budget)
        return None if self.fdr is None else Rule.false_discovery_rate(self.fdr, tail_model=self.tail_model)


_RULES = {
    "contamination": "contamination",
    "false_alarm_rate": "false-alarm rate",
    "budget": "budget",
    "fdr": "false-discovery rate",
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where findings go, and how many rows are explained.

    top : how many of the most abnormal rows are explained. out : file of all rows with what was found beside
    them, .parquet, .csv, .jsonl or .arrow. report : HTML page. alerts : for a security team.
    """

    top: int = 20
    out: str | Path | None = field(default=None, metadata=use(WRITTEN))
    report: str | Path | None = field(default=None, metadata=use(WRITTEN))
    alerts: AlertOptions = field(default_factory=AlertOptions)


class FitOptions(TypedDict, total=False):
    """Fields of a `FitRequest` and its parts by their names."""

    detector: str
    known_normal: bool
    label_column: str | None
    anomaly_values: Sequence[str]
    missing_values: Sequence[str]
    time_column: str | None
    schema: str | Path | None
    ignore: Sequence[str]
    contamination: float | str | None
    false_alarm_rate: float | None
    random_state: int
    options: ReadOptions | None


class DetectOptions(TypedDict, total=False):
    """Fields of a `DetectRequest` and its parts by their names."""

    reference: Spec | None
    detector: str
    label_column: str | None
    anomaly_values: Sequence[str]
    missing_values: Sequence[str]
    time_column: str | None
    schema: str | Path | None
    ignore: Sequence[str]
    rule: Rule | None
    top: int
    out: str | Path | None
    random_state: int
    options: ReadOptions | None
    alerts: AlertOptions | None


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """A table in which odd rows, or odd ranges of series, are to be found.

    source : a path, ``dataset:NAME``, a database URL (with ``read.query``), or a dataframe.
    reference : rows known to be normal. reference_until : of series, the moment before which they are.
    read : how to read text files, and the query of a database.
    """

    source: Spec = field(metadata=use(READ))
    reference: Spec | None = field(default=None, metadata=use(READ))
    reference_until: str | None = None
    table: TableSpec = field(default_factory=TableSpec)
    read: ReadOptions = field(default_factory=ReadOptions)
    detector: DetectorSpec = field(default_factory=DetectorSpec)
    rule: RuleSpec = field(default_factory=RuleSpec)
    outputs: Outputs = field(default_factory=Outputs)

    @classmethod
    def of(cls, source: Spec, **options: Any) -> Self:
        """Return a request from the fields of its parts by their names, such as ``label_column`` or ``top``.

        ``rule`` is a `Rule`, ``detector`` a name, ``random_state`` the seed, ``options`` how to read.

        Raises
        ------
        ParameterError
            For a name that none has.

        >>> request = DetectRequest.of("a.csv", label_column="y", rule=Rule.budget(5), random_state=3)
        >>> request.table.label_column, request.rule.budget, request.detector.seed
        ('y', '5', 3)
        """
        return cls(source, **_fields(cls, options))

    @property
    def reading(self) -> Reading:
        return self.table.reading(self.read)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the request of an object, as JSON or TOML gives it.

        Raises
        ------
        ParameterError
            For a key that there is not, and for a value out of its range.
        """
        request: Self = structured(document, cls)
        return request

    def to_document(self) -> dict[str, Any]:
        """Return the request as plain values, without those that are as by default.

        Raises
        ------
        ParameterError
            When the rows are in memory: they have no name that a document could hold.
        """
        for name in ("source", "reference"):
            value = getattr(self, name)
            if not isinstance(value, str | Path | None):
                raise ParameterError(f"{name} is a {type(value).__name__} in memory; a document names files")
        return without_defaults(self)


@dataclass(frozen=True, slots=True)
class FitRequest:
    """A table that a model is to be fitted to, for later ones.

    known_normal : whether every row that has no label is known to be normal, as in a reference.
    """

    source: Spec = field(metadata=use(READ))
    known_normal: bool = False
    table: TableSpec = field(default_factory=TableSpec)
    read: ReadOptions = field(default_factory=ReadOptions)
    detector: DetectorSpec = field(default_factory=DetectorSpec)
    rule: RuleSpec = field(default_factory=RuleSpec)

    @classmethod
    def of(cls, source: Spec, **options: Any) -> Self:
        """Return a request from the fields of its parts; see `DetectRequest.of`."""
        return cls(source, **_fields(cls, options))

    @property
    def reading(self) -> Reading:
        return self.table.reading(self.read)


class HuntOptions(TypedDict, total=False):
    """Fields of a `HuntRequest` and its parts by their names."""

    reference: Spec | None
    learner: str
    ignore: Sequence[str]
    schema: str | Path | None
    missing_values: Sequence[str]
    top: int
    out: str | Path | None
    options: ReadOptions | None
    random_state: int
    alerts: AlertOptions | None


@dataclass(frozen=True, slots=True)
class HuntRequest:
    """A table in which rows that resemble confirmed cases are to be found.

    like : the cases, with the columns of the source; one to a thousand rows. reference : rows known to be
    normal, with the same columns. detector : its name is of `hunt.LEARNERS`, or "auto".
    """

    source: Spec = field(metadata=use(READ))
    like: Spec = field(metadata=use(READ))
    reference: Spec | None = field(default=None, metadata=use(READ))
    table: TableSpec = field(default_factory=TableSpec)
    read: ReadOptions = field(default_factory=ReadOptions)
    detector: DetectorSpec = field(default_factory=DetectorSpec)
    outputs: Outputs = field(default_factory=Outputs)

    @classmethod
    def of(cls, source: Spec, like: Spec, **options: Any) -> Self:
        """Return a request from the fields of its parts; the name of the detector is its ``learner``."""
        if "learner" in options:
            options["detector"] = options.pop("learner")
        return cls(source, like, **_fields(cls, options))

    @property
    def reading(self) -> Reading:
        return self.table.reading(self.read)


_PARTS: dict[str, type] = {
    "table": TableSpec,
    "read": ReadOptions,
    "detector": DetectorSpec,
    "rule": RuleSpec,
    "outputs": Outputs,
}


def _fields(of: type, options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a request; a rule may come as the `Rule` it makes, a contamination as "auto"."""
    if options.get("contamination") == "auto":
        options = {**options, "contamination": None}
    if "rule" in options and not isinstance(options["rule"], RuleSpec):
        options = {**options, "rule": RuleSpec.of(options["rule"])}
    if options.get("alerts", ...) is None:
        options = {**options, "alerts": AlertOptions()}
    return by_parts(of, options, _PARTS)


def option(name: str) -> str:
    """Return a field as the command line calls it.

    >>> option("label_column")
    '--label-column'
    """
    return "--" + name.replace("_", "-")
