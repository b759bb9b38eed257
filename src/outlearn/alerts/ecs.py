"""An incident under the names of the Elastic Common Schema."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from datetime import datetime
from typing import Any

from outlearn.alerts.incident import Incident, Run, moment
from outlearn.alerts.words import incident_words, reason_words
from outlearn.data.kinds.registry import kind_named
from outlearn.shown import clean

__all__ = ["LONG", "ecs_line", "ecs_of", "identity", "ips_of", "rule_name", "stamp"]

ECS_VERSION = "8.17.0"
LONG = 4000  # characters of a text


def ecs_line(incident: Incident, run: Run) -> str:
    """Return an incident as one line of JSON in ASCII, without the end of the line."""
    return json.dumps(ecs_of(incident, run), allow_nan=False)


def ecs_of(incident: Incident, run: Run) -> dict[str, Any]:
    """Return an incident as nested objects under the names of ECS; what is not known is left out.

    What ECS has no name for stands under "outlearn".
    """
    start, end = stamp(incident.start), stamp(incident.end)
    document = {
        "@timestamp": start or _iso(run.now),
        "ecs": {"version": ECS_VERSION},
        "message": clean(incident_words(incident), LONG),
        "event": {
            "kind": "alert",
            "category": list(kind_named(incident.kind).category),
            "module": "outlearn",
            "dataset": f"outlearn.{incident.kind}",
            "id": identity(incident, run),
            "created": _iso(run.now),
            "start": start,
            "end": end,
            "risk_score": round(100 * incident.score, 2),
            "reason": clean(reason_words(incident), LONG),
        },
        "observer": {"vendor": "outlearn", "product": "outlearn", "version": run.version},
        "rule": {"name": rule_name(incident)},
        "threat": _threat(incident),
        "source": _end(incident, "source", "source port", incident.sent),
        "destination": _end(incident, "target", "target port", incident.received),
        "network": _network(incident),
        "file": {"path": _one_or_more(incident, "file")},
        "log": {"original": next((clean(line, LONG) for line in incident.facts.get("line", ())), None)},
        "outlearn": _ours(incident, run),
    }
    filled: dict[str, Any] = _filled(document)
    return filled


def identity(incident: Incident, run: Run) -> str:
    """Return a name of the incident that is the same whenever the same rows of a source make it."""
    key = json.dumps([run.source, incident.kind, incident.entity, incident.count, incident.rows])
    return hashlib.sha256(key.encode()).hexdigest()[:20]


def rule_name(incident: Incident) -> str:
    """Return the finding in few words: the first technique, or the column that is oddest."""
    if incident.techniques:
        return incident.techniques[0].name
    columns = [clean(contribution.column) for contribution in incident.why.contributions[:1]]
    return f"Unusual {columns[0]}" if columns else "Unusual row"


def stamp(seconds: float | None) -> str | None:
    """Return seconds since 1970 as RFC 3339 has them; None where they are no time.

    >>> stamp(0.25)
    '1970-01-01T00:00:00.250000Z'
    """
    when = None if seconds is None else moment(seconds)
    return None if when is None else _iso(when)


def ips_of(incident: Incident, fact: str) -> list[str]:
    """Return the values that are addresses of IP."""
    return [value for value in incident.facts.get(fact, ()) if _is_ip(value)]


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _is_ip(value: str) -> bool:
    try:
        # ECS has another place for a zone, and those who index addresses refuse it here.
        return "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _end(incident: Incident, end: str, port: str, sent: float | None) -> dict[str, Any]:
    return {
        "address": _one_or_more(incident, end),
        "ip": _single(ips_of(incident, end)),
        "port": _single([int(value) for value in incident.facts.get(port, ()) if _is_port(value)]),
        "bytes": None if sent is None else int(sent),
    }


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536


def _network(incident: Incident) -> dict[str, Any]:
    carried = [amount for amount in (incident.sent, incident.received) if amount is not None]
    return {
        "transport": _one_or_more(incident, "protocol"),
        "protocol": _one_or_more(incident, "service"),
        "bytes": int(sum(carried)) if carried else None,
    }


def _threat(incident: Incident) -> dict[str, Any]:
    techniques = incident.techniques
    return {
        "framework": "MITRE ATT&CK" if techniques else None,
        "technique": {
            "id": [technique.id for technique in techniques],
            "name": [technique.name for technique in techniques],
            "reference": [technique.reference for technique in techniques],
        },
    }


def _ours(incident: Incident, run: Run) -> dict[str, Any]:
    return {
        "source": clean(run.source, LONG),
        "kind": incident.kind,
        "entity": clean(incident.entity, LONG),
        "score": incident.score,
        "p_value": incident.p_value,
        "count": incident.count,
        "rows": list(incident.rows),
        "targets": incident.counts.get("target"),
        "reason_row": incident.why.row,
        "columns": [
            {
                "name": contribution.column,
                "value": contribution.shown,
                "usual": contribution.usual,
                "direction": contribution.direction,
            }
            for contribution in incident.why.contributions
        ],
        "technique_words": [technique.words for technique in incident.techniques],
        "rule": clean(run.rule, LONG),
        "promise": clean(run.promise, LONG),
    }


def _one_or_more(incident: Incident, fact: str) -> Any:
    return _single([clean(value, LONG) for value in incident.facts.get(fact, ())])


def _single(values: list[Any]) -> Any:
    """Return the only value, or all in a list, or None where there is none."""
    return values[0] if len(values) == 1 else values or None


def _filled(document: Any) -> Any:
    """Leave out what is empty, at any depth."""
    if not isinstance(document, dict):
        return document
    kept = {name: _filled(value) for name, value in document.items()}
    return {name: value for name, value in kept.items() if value not in (None, {}, [], "")}
