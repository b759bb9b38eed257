"""A verdict: who said what of which row, and when."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from outlearn.errors import ParameterError
from outlearn.shown import clean

__all__ = ["Answer", "Channel", "Verdict", "current", "make_verdict"]

_LONG, _LONGEST = 300, 2000  # characters of a name and of a note
_ID = re.compile(r"[0-9a-f]{32}")


class Answer(StrEnum):
    """An answer about a row. `UNSURE` overrules earlier ones on record; a model keeps what it learnt."""

    ANOMALY = "anomaly"
    NORMAL = "normal"
    UNSURE = "unsure"

    @property
    def label(self) -> int:
        """1 anomaly, 0 normal, -1 unsure."""
        return {"anomaly": 1, "normal": 0, "unsure": -1}[self.value]

    @classmethod
    def parse(cls, text: str) -> Answer:
        """Return the answer that a word names.

        Raises
        ------
        ParameterError
            When it names none.
        """
        try:
            return cls(text)
        except ValueError as error:
            wanted = ", ".join(cls)
            raise ParameterError(f"the verdict is {clean(text)!r}; wanted one of {wanted}") from error

    @classmethod
    def of_label(cls, label: int) -> Answer:
        """Return the answer that a label means; see `label`."""
        return {1: cls.ANOMALY, 0: cls.NORMAL, -1: cls.UNSURE}[int(label)]


class Channel(StrEnum):
    """Where a verdict was given."""

    CLI = "cli"
    FILE = "file"
    PAGE = "page"
    API = "api"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Somebody's answer about a row; `make_verdict` gives it an id and the time.

    Text is kept on one line, without control characters.

    id : 32 hexadecimal digits, unique. when : the moment, in UTC. by : who says so.
    answer : what is said. source : what the row stood in. row : its number there, from 0.
    identity : hash of its cells, see `identity.row_identities`. origin : where it was said.
    note : why, in words. score, model : the score that the row had then, in [0, 1], and what gave it.

    Raises
    ------
    ParameterError
        When a field is outside its values.
    """

    id: str
    when: datetime
    by: str
    answer: Answer
    source: str
    row: int
    identity: str
    origin: Channel
    note: str = ""
    score: float | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        _checked(self.id, "id")
        _checked(self.identity, "identity")
        if self.when.tzinfo is None:
            raise ParameterError(f"the time {self.when} of a verdict has no zone; wanted one, such as UTC")
        if self.row < 0:
            raise ParameterError(f"row {self.row} came with a verdict; rows count from 0")
        if self.score is not None and not math.isfinite(self.score):
            raise ParameterError(f"score {self.score} came with a verdict; wanted a finite number or none")
        own = {
            "when": self.when.astimezone(UTC),
            "by": clean(self.by, _LONG),
            "source": clean(self.source, _LONG),
            "note": clean(self.note, _LONGEST),
            "model": None if self.model is None else clean(self.model, _LONG),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)
        if not self.by:
            raise ParameterError("a verdict came without a name; say who gives it")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON has them; `from_dict` reads them back."""
        return {
            "id": self.id,
            "when": self.when.isoformat(),
            "by": self.by,
            "verdict": self.answer.value,
            "source": self.source,
            "row": self.row,
            "identity": self.identity,
            "origin": self.origin.value,
            "note": self.note,
            "score": self.score,
            "model": self.model,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Verdict:
        """Read what `to_dict` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            When a field is absent, of another type or outside its values.
        """
        score = fields["score"]
        return cls(
            id=_typed(fields, "id", str),
            when=datetime.fromisoformat(_typed(fields, "when", str)),
            by=_typed(fields, "by", str),
            answer=Answer(_typed(fields, "verdict", str)),
            source=_typed(fields, "source", str),
            row=_typed(fields, "row", int),
            identity=_typed(fields, "identity", str),
            origin=Channel(_typed(fields, "origin", str)),
            note=_typed(fields, "note", str),
            score=None if score is None else float(_typed(fields, "score", int, float)),
            model=None if fields["model"] is None else _typed(fields, "model", str),
        )


def make_verdict(
    answer: Answer,
    *,
    by: str,
    source: str,
    row: int,
    identity: str,
    origin: Channel,
    note: str = "",
    score: float | None = None,
    model: str | None = None,
) -> Verdict:
    """Return a verdict that is given now."""
    now = datetime.now(UTC)
    return Verdict(uuid4().hex, now, by, answer, source, row, identity, origin, note, score, model)


def current(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Return the verdict that holds for each row, by its identity: the last in the order of the store.

    Rows that somebody is unsure about are among them, with that answer.
    """
    return {verdict.identity: verdict for verdict in verdicts}


def _checked(text: str, name: str) -> None:
    if not _ID.fullmatch(text):
        raise ParameterError(f"{name} {clean(text)!r} came with a verdict; wanted 32 hexadecimal digits")


def _typed(fields: Mapping[str, Any], name: str, *kinds: type) -> Any:
    value = fields[name]
    if type(value) not in kinds:  # True is no number here
        raise TypeError(
            f"{name!r} is {clean(value)!r}; wanted {' or '.join(kind.__name__ for kind in kinds)}"
        )
    return value
