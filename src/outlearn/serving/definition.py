"""What a job is: rows from somewhere, what is usual among them, how they are judged, and how often.

As TOML or JSON::

    name = "payments"
    entity = "card"             # flagged rows of one card, at most a gap apart, are one incident
    gap = "1h"

    [source]                    # one of three
    files = "payments-*.csv"
    root = "landing"
    # query = "select * from payments", database = "shop", watermark = "id"
    # push = true

    [past]                      # what rows are compared with
    rolling = "30d"
    # reference = "good/2025.csv", root = "landing"

    [table]
    time_column = "paid_at"

    [rule]
    false_alarm_rate = 0.001

    [schedule]
    score_every = "1m"
    fit_every = "1d"
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePosixPath
from typing import Any, Self

from outlearn.data.named import settle_names
from outlearn.data.readers import ReadOptions
from outlearn.errors import ParameterError
from outlearn.pipeline.learn import Reading
from outlearn.pipeline.request import SERIES, DetectorSpec, RuleSpec, TableSpec
from outlearn.pipeline.request_codec import structured, without_defaults
from outlearn.serving.settings import Settings
from outlearn.serving.spans import parse_seconds

__all__ = ["JobSpec", "KeepSpec", "PastSpec", "ScheduleSpec", "SourceSpec", "VerdictsSpec", "check_relative"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
LARGEST = 100_000  # characters of a definition
_AT_ONCE = {  # rules that want all rows before the first is decided on
    "budget": "it takes the most abnormal rows of a whole table",
    "fdr": "it weighs all rows of a table against one another",
    "false_alarms": "it is of series",
}


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where rows come from: files of a root, a query, or whoever pushes them.

    files : pattern of paths below the root, as ``payments-*.csv`` or ``**/*.jsonl``. query : SQL text that
    reads. watermark : its column that only grows, by which new rows are told from those that were read.
    """

    files: str | None = None
    root: str | None = None
    query: str | None = None
    database: str | None = None
    watermark: str | None = None
    push: bool = False

    def __post_init__(self) -> None:
        settle_names(self, "watermark")
        given = [name for name in ("files", "query", "push") if getattr(self, name)]
        if len(given) != 1:
            came = f"{' and '.join(given)} came" if given else "none came"
            raise ParameterError(f"the source is one of files, query and push; {came}")
        wanted = {"files": ("root",), "query": ("database", "watermark"), "push": ()}[given[0]]
        for name in ("root", "database", "watermark"):
            if name in wanted and not getattr(self, name):
                raise ParameterError(f"the source has {given[0]} and no {name}; wanted both")
            if name not in wanted and getattr(self, name) is not None:
                raise ParameterError(
                    f"the source has {given[0]}, to which {name} does not belong; leave it out"
                )
        if self.files is not None:
            check_relative(self.files, "files")

    @property
    def of(self) -> str:
        """Which of the three: "files", "query" or "push"."""
        return "files" if self.files else "query" if self.query else "push"


@dataclass(frozen=True, slots=True)
class PastSpec:
    """Rows that a model is fitted to.

    reference, root : pattern of files whose rows are known to be normal. rolling : rows of the source itself
    that are no older, by the time column, or the files they are in. most : of the rows of the source, the
    newest. Neither: as rolling, of any age.
    """

    reference: str | None = None
    root: str | None = None
    rolling: str | None = None
    most: int = 50_000

    def __post_init__(self) -> None:
        if self.reference is not None and self.rolling is not None:
            raise ParameterError("the past has a reference and is rolling; wanted one of them")
        if (self.reference is None) != (self.root is None):
            raise ParameterError("a reference of the past is named by two: reference and root")
        if self.reference is not None:
            check_relative(self.reference, "reference")
        if self.rolling is not None:
            parse_seconds(self.rolling, "rolling")
        if not 2 <= self.most <= 1_000_000:
            raise ParameterError(f"most is {self.most}; wanted rows from 2 to 1,000,000")

    @property
    def seconds(self) -> float | None:
        """How far back rows of the source go; None: to its beginning."""
        return None if self.rolling is None else parse_seconds(self.rolling, "rolling")


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """How often new rows are looked for, and how often a model is fitted; None: when somebody asks for it."""

    score_every: str | None = "1m"
    fit_every: str | None = None

    def __post_init__(self) -> None:
        for name in ("score_every", "fit_every"):
            value = getattr(self, name)
            if value is not None and parse_seconds(value, name) < 1:
                raise ParameterError(f"{name} is {value!r}; wanted at least a second")

    @property
    def score_seconds(self) -> float | None:
        return None if self.score_every is None else parse_seconds(self.score_every, "score_every")

    @property
    def fit_seconds(self) -> float | None:
        return None if self.fit_every is None else parse_seconds(self.fit_every, "fit_every")


@dataclass(frozen=True, slots=True)
class KeepSpec:
    """How long is kept what a job found: closed incidents, rows, and events; megabytes : of rows at most.

    Verdicts, models that are live and the audit stay whatever their age.
    """

    incidents: str = "90d"
    rows: str = "30d"
    events: str = "7d"
    megabytes: int = 500

    def __post_init__(self) -> None:
        for name in ("incidents", "rows", "events"):
            parse_seconds(getattr(self, name), f"keep {name}")
        if self.megabytes < 1:
            raise ParameterError(f"keep megabytes is {self.megabytes}; wanted at least 1")

    def seconds(self, name: str) -> float:
        """Return how long incidents, rows or events are kept."""
        return parse_seconds(getattr(self, name), f"keep {name}")


@dataclass(frozen=True, slots=True)
class VerdictsSpec:
    """What verdicts do. act : a model that learnt from them is at once "live", or beside it as "shadow"."""

    act: str = "live"

    def __post_init__(self) -> None:
        if self.act not in ("live", "shadow"):
            raise ParameterError(f"verdicts act {self.act!r}; wanted live or shadow")


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The definition of a job; see above.

    Raises
    ------
    ParameterError
        For what cannot be, with what was wanted.
    """

    name: str
    source: SourceSpec
    entity: str | None = None
    gap: str = "1h"
    past: PastSpec = field(default_factory=PastSpec)
    table: TableSpec = field(default_factory=TableSpec)
    read: ReadOptions = field(default_factory=ReadOptions)
    detector: DetectorSpec = field(default_factory=DetectorSpec)
    rule: RuleSpec = field(default_factory=RuleSpec)
    schedule: ScheduleSpec = field(default_factory=ScheduleSpec)
    keep: KeepSpec = field(default_factory=KeepSpec)
    verdicts: VerdictsSpec = field(default_factory=VerdictsSpec)

    def __post_init__(self) -> None:
        settle_names(self, "entity")
        if not _NAME.fullmatch(self.name):
            raise ParameterError(
                f"the job is called {self.name[:100]!r}; wanted up to 100 of a-z, 0-9, _ and -, a letter or "
                "digit first"
            )
        parse_seconds(self.gap, "gap")
        self._check_rule()
        self._check_reading()
        if len(json.dumps(self.to_document())) > LARGEST:
            raise ParameterError(f"the definition has over {LARGEST:,} characters; wanted a shorter one")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the definition of an object, as JSON or TOML gives it.

        Raises
        ------
        ParameterError
            For a key that there is not, one that is missing, and a value out of its range.
        """
        if not isinstance(document, Mapping):
            raise ParameterError(f"a job came as {type(document).__name__}; wanted a table of its settings")
        for name in ("name", "source"):
            if name not in document:
                raise ParameterError(f"the job has no {name}; {_EXAMPLES[name]}")
        known = {entry.name for entry in fields(cls)}
        for name in document:
            if name not in known:
                raise ParameterError(f"{name} is no part of a job; there are {', '.join(sorted(known))}")
        spec: Self = structured(document, cls)
        return spec

    def to_document(self) -> dict[str, Any]:
        """Return the definition as plain values, without those that are as by default."""
        return without_defaults(self)

    @property
    def gap_seconds(self) -> float:
        return parse_seconds(self.gap, "gap")

    def check(self, settings: Settings) -> None:
        """Refuse a job of folders or databases that the operator did not name.

        Raises
        ------
        ParameterError
            With the names that there are.
        """
        if self.source.of == "files":
            settings.root(self.source.root)
        if self.source.of == "query":
            settings.database(self.source.database)
        if self.past.reference is not None:
            settings.root(self.past.root)
        self.settled_table(settings)

    def settled_table(self, settings: Settings) -> TableSpec:
        """Return the roles of columns with the file of overrides as a path; it is below a root.

        Raises
        ------
        ParameterError
            When there is no such root, or the path leads out of it.
        """
        if self.table.schema is None:
            return self.table
        name, _, inner = str(self.table.schema).partition("/")
        root = settings.root(name)
        path = (root / inner).resolve()
        if not inner or not path.is_relative_to(root):
            raise ParameterError(f"the schema {str(self.table.schema)!r} is not below the root {name}")
        return replace(self.table, schema=path)

    def reading(self, settings: Settings) -> Reading:
        """Return how rows are read as long as no model says so."""
        return self.settled_table(settings).reading(self.read)

    def _check_rule(self) -> None:
        for name, why in _AT_ONCE.items():
            if getattr(self.rule, name) is not None:
                raise ParameterError(
                    f"a job judges rows as they come, and {name} cannot: {why}; wanted false_alarm_rate or "
                    "contamination"
                )

    def _check_reading(self) -> None:
        if self.table.kind == SERIES or self.read.session is not None:
            what = "points of a series" if self.table.kind == SERIES else "sessions of a log"
            raise ParameterError(f"a job judges rows as they come, and {what} want those around them")
        if "executables" in (self.table.kind, self.read.kind):
            raise ParameterError("a folder of executables is no source of a job; use outlearn detect on it")
        if self.read.query is not None:
            raise ParameterError("read.query came; the query of a job is that of its source")
        if self.detector.weights is not None:
            raise ParameterError("detector.weights came, which are of series; leave them out")
        if self.table.schema is not None:
            check_relative(str(self.table.schema), "table.schema")
        self.table.reading(self.read)


_EXAMPLES = {
    "name": 'wanted a line such as name = "payments"',
    "source": "wanted a part [source] with files and root, query, database and watermark, or push = true",
}


def check_relative(pattern: str, what: str) -> None:
    """Refuse a path, or pattern of paths, that could lead out of its root, before any file is looked at.

    Raises
    ------
    ParameterError
        For one that is absolute, goes up, or has characters that no path has.
    """
    path = PurePosixPath(pattern)
    control = any(ord(sign) < 32 for sign in pattern)
    if not pattern.strip() or control or path.is_absolute() or "\\" in pattern or pattern.startswith("~"):
        raise ParameterError(f"{what} is {pattern!r}; wanted a path below the root, such as in/*.csv")
    if ".." in path.parts:
        raise ParameterError(f"{what} is {pattern!r}, which leads out of the root; wanted a path below it")
