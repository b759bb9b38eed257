"""Which incidents an address asks for: filters, order and place, as they stand in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends
from starlette.requests import Request

from outlearn.errors import ParameterError
from outlearn.serving.triage.incidents import ORDERS, Filter, Queue

__all__ = ["ANY", "Asked", "Wanted"]

ANY = "any"
FIELDS = ("state", "job", "entity", "answer", "assigned", "pattern", "text", "since", "before")
LONGEST = 500  # characters of a value


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks of the queue: texts by field, without empty ones.

    >>> wanted = Wanted.parse("state=quiet&job=&order=newest&after=1.5_7")
    >>> wanted.query(), wanted.filter("ana").state, wanted.after
    ('state=quiet&order=newest', 'quiet', (1.5, 7))
    """

    fields: Mapping[str, str]
    order: str = "gravest"
    after: tuple[float, int] | None = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """Read the parameters of an address; those of other things are left alone.

        Raises
        ------
        ParameterError
            For an order or a place that cannot be.
        """
        order = given.get("order") or "gravest"
        if order not in ORDERS:
            raise ParameterError(f"the order is {order[:40]!r}; wanted one of {', '.join(ORDERS)}")
        fields = {name: given[name][:LONGEST] for name in FIELDS if given.get(name)}
        return cls(fields, order, _place(given["after"]) if given.get("after") else None)

    @classmethod
    def parse(cls, query: str) -> Wanted:
        """Read the text of a query, such as a form carries it."""
        return cls.of(dict(parse_qsl(query[:4_000], max_num_fields=50)))

    def filter(self, name: str) -> Filter:
        """Return the filter; "me" is the name of whoever looks."""
        fields = dict(self.fields)
        state = fields.pop("state", "open")
        moments = {key: _moment(fields.pop(key)) for key in ("since", "before") if key in fields}
        if fields.get("assigned") == "me":
            fields["assigned"] = name
        return Filter(state=None if state == ANY else state, **fields, **moments)  # type: ignore[arg-type]

    def get(self, name: str, default: str = "") -> str:
        return self.fields.get(name, default)

    def query(self, **changes: str | None) -> str:
        """Return the text of a query with some fields changed; None leaves one out. The place begins anew."""
        fields: dict[str, str | None] = {**self.fields, "order": self.order, **changes}
        if fields["order"] == "gravest":
            fields["order"] = None
        names = (*FIELDS, "order", "after")
        return urlencode([(name, str(fields[name])) for name in names if fields.get(name)])

    def at(self, path: str, **changes: str | None) -> str:
        """Return an address with this query."""
        query = self.query(**changes)
        return f"{path}?{query}" if query else path

    def following(self, found: Queue) -> str | None:
        """Return the address of the next page of the queue, None after the last."""
        if found.after is None:
            return None
        value, id = found.after
        return self.at("/queue", after=f"{value!r}_{id}")

    @property
    def narrowed(self) -> list[tuple[str, str]]:
        """The filters that no field of the form shows."""
        return [(name, self.fields[name]) for name in ("pattern", "entity") if name in self.fields]


def _place(text: str) -> tuple[float, int]:
    value, _, id = text.partition("_")
    try:
        place = float(value), int(id)
    except ValueError as error:
        raise ParameterError(f"the place in the queue is {text[:60]!r}; begin with the first page") from error
    if not 0 <= place[1] < 2**63:
        raise ParameterError(f"the place in the queue is {text[:60]!r}; begin with the first page")
    return place


def _moment(text: str) -> float:
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"the day is {text[:40]!r}; wanted one such as 2026-11-30") from error
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _asked(request: Request) -> Wanted:
    return Wanted.of(dict(request.query_params))


Asked = Annotated[Wanted, Depends(_asked)]
