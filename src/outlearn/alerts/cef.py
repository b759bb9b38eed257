"""An incident as a line of the Common Event Format, version 0."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime

from outlearn.alerts.ecs import LONG, identity, ips_of, rule_name
from outlearn.alerts.incident import Incident, Run, moment
from outlearn.alerts.words import incident_words, reason_words, technique_words
from outlearn.shown import clean

__all__ = ["cef_line"]


def cef_line(incident: Incident, run: Run) -> str:
    r"""Return an incident as one line, without its end.

    The head is escaped by \\ and \|, values by \\ and \=; the severity is the score times ten.
    """
    technique = incident.techniques[0].id if incident.techniques else "anomaly"
    head = ("CEF:0", "outlearn", "outlearn", run.version, technique, rule_name(incident))
    values = " ".join(f"{key}={_value(text)}" for key, text in _extension(incident, run) if text)
    return "|".join([*map(_head, head), str(round(10 * incident.score)), values])


def _head(text: str) -> str:
    return clean(text, LONG).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return clean(text, LONG).replace("\\", "\\\\").replace("=", "\\=")


def _extension(incident: Incident, run: Run) -> Iterator[tuple[str, str]]:
    yield "rt", _milliseconds(run.now)
    for key, seconds in (("start", incident.start), ("end", incident.end)):
        yield key, _milliseconds(None if seconds is None else moment(seconds))
    yield "externalId", identity(incident, run)
    yield "cnt", str(incident.count)
    yield from _addresses(incident)
    for key, fact in (("spt", "source port"), ("dpt", "target port"), ("proto", "protocol")):
        yield key, _only(incident, fact)
    yield "app", _only(incident, "service")
    for key, carried in (("out", incident.sent), ("in", incident.received)):
        yield key, "" if carried is None else str(int(carried))
    yield "filePath", _only(incident, "file")
    yield from _labelled("cs1", "MITRE ATT&CK", technique_words(incident))
    yield from _labelled("cs2", "rows", ",".join(map(str, incident.rows)))
    yield from _labelled("cs3", "promise", run.promise)
    yield from _labelled("cs4", "entity", incident.entity)
    yield from _labelled("cs5", "line", incident.facts.get("line", ("",))[0])
    yield from _labelled("cs6", "source", run.source)
    yield from _labelled("cfp1", "score", f"{incident.score:.6g}")
    yield from _labelled("cfp2", "p-value", "" if incident.p_value is None else f"{incident.p_value:.6g}")
    yield "reason", reason_words(incident)
    yield "msg", incident_words(incident)


def _milliseconds(when: datetime | None) -> str:
    return "" if when is None else str(round(when.timestamp() * 1000))


def _addresses(incident: Incident) -> Iterator[tuple[str, str]]:
    """Yield the source and the target where there is one each; CEF has other keys for IPv6."""
    for fact, key, six, label in (
        ("source", "src", "c6a2", "Source IPv6 Address"),
        ("target", "dst", "c6a3", "Destination IPv6 Address"),
    ):
        addresses = ips_of(incident, fact) if incident.counts.get(fact) == 1 else []
        for address in addresses:
            if ipaddress.ip_address(address).version == 4:
                yield key, address
            else:
                yield from _labelled(six, label, address)


def _only(incident: Incident, fact: str) -> str:
    """Return the value that all rows have; nothing where they differ."""
    return incident.facts[fact][0] if incident.counts.get(fact) == 1 else ""


def _labelled(key: str, label: str, text: str) -> Iterator[tuple[str, str]]:
    if text:
        yield f"{key}Label", label
        yield key, text
