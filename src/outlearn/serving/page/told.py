"""What a verdict did, in words: at once, and again when learning from it has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from outlearn.errors import AbsentError
from outlearn.serving.page.visitor import id_of
from outlearn.serving.page.wanted import Wanted
from outlearn.serving.page.words import count
from outlearn.serving.triage import VerdictEffect

if TYPE_CHECKING:
    from outlearn.serving.service import Service

__all__ = ["ANSWERS", "Change", "Deed", "changes_of"]

ANSWERS = ("anomaly", "normal", "unsure")
ENDED = ("done", "failed", "cancelled")
NAMED = 5  # incidents of an effect that are links
_KINDS = (*ANSWERS, "snooze", "undone")


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did to incidents: a verdict, a snooze, or that they took one back.

    kind : an answer, "snooze" or "undone". runs : that learn from it. wanted : the queue that they are in.
    """

    kind: str
    ids: tuple[int, ...]
    runs: tuple[int, ...] = ()
    wanted: Wanted = field(default_factory=lambda: Wanted({}))

    @classmethod
    def of(cls, given: Mapping[str, str], wanted: Wanted) -> Deed | None:
        """Read it from the parameters of an address; None where they have none."""
        kind, ids = given.get("did", ""), given.get("ids", "")
        if kind not in _KINDS or not ids:
            return None
        runs = given.get("runs", "")
        return cls(kind, _ids(ids), _ids(runs) if runs else (), wanted)

    def query(self) -> str:
        """Return it as parameters of an address, with those of the queue."""
        parts = {"did": self.kind, "ids": ".".join(map(str, self.ids))}
        if self.runs:
            parts["runs"] = ".".join(map(str, self.runs))
        return "&".join(part for part in (self.wanted.query(), urlencode(parts)) if part)

    def at(self, path: str) -> str:
        return f"{path}?{self.query()}"

    @property
    def undoable(self) -> bool:
        return self.kind != "undone"

    @property
    def what(self) -> str:
        """The incidents, in words."""
        return f"Incident {self.ids[0]}" if len(self.ids) == 1 else count(len(self.ids), "incident")

    @property
    def words(self) -> str:
        plural = len(self.ids) > 1
        return {
            "anomaly": "anomalies" if plural else "an anomaly",
            "normal": "normal",
            "unsure": "left to others: you are unsure",
            "snooze": "snoozed",
            "undone": "as before: it was taken back",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Change:
    """What a run that learns has changed. pending : it has not ended.

    incidents : what became of them, how many, the first ids, and the address of all.
    """

    job: str
    pending: bool
    sentence: str
    incidents: tuple[tuple[str, int, tuple[int, ...], str], ...] = ()
    notes: tuple[str, ...] = ()


def changes_of(service: Service, runs: Sequence[int]) -> list[Change]:
    """Return what runs that learn have changed, as far as they are."""
    found = []
    for id in runs[:50]:
        try:
            effect, job = service.triage.effect(id), service.runs.get(id).job
        except AbsentError:
            continue  # retention took it
        found.append(_change(effect, job))
    return found


def _change(effect: VerdictEffect, job: str) -> Change:
    if effect.state not in ENDED:
        return Change(job, True, "Learning from it …")
    if effect.state != "done":
        why = effect.error or "nobody said why"
        return Change(job, False, f"Nothing was learnt: the run is {effect.state} ({why}).")
    if effect.model is None:
        return Change(job, False, "Nothing changed: the model knew it already.")
    if not effect.live:
        would = f"{count(effect.fell, 'row')} would fall below the threshold, {effect.rose:,} would rise"
        return Change(job, False, f"Version {effect.model} is the shadow: {would}. Nothing changed yet.")
    told = f"{count(effect.fell, 'row')} fell below the threshold, {effect.rose:,} rose"
    learnt = f"Version {effect.model} has learnt from {count(effect.labels, 'row')}"
    if not effect.labels:
        learnt = f"Version {effect.model} judges again, without verdicts"
    return Change(job, False, f"{learnt}: {told}.", _incidents(effect, job), tuple(effect.notes))


def _incidents(effect: VerdictEffect, job: str) -> tuple[tuple[str, int, tuple[int, ...], str], ...]:
    groups = (
        ("went quiet", effect.quiet, "quiet"),
        ("came back", effect.reopened, "open"),
        ("new", effect.opened, "open"),
    )
    return tuple(
        (words, len(ids), ids[:NAMED], Wanted({"state": state, "job": job}, "newest").at("/queue"))
        for words, ids, state in groups
        if ids
    )


def _ids(text: str) -> tuple[int, ...]:
    return tuple(map(id_of, text.split(".")[:500]))
