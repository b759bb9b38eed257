"""An incident as a line of syslog, RFC 5424."""

from __future__ import annotations

from outlearn.alerts.ecs import LONG, identity, stamp
from outlearn.alerts.incident import Incident, Run
from outlearn.alerts.words import incident_words, reason_words
from outlearn.shown import clean

__all__ = ["syslog_line"]

FACILITY = 16  # local0
SEVERITIES = ((0.9, 2), (0.7, 3), (0.5, 4), (0.0, 5))  # from a score on: critical, error, warning, notice
#: 32473 is the number that RFC 5612 keeps for examples; a name without a number needs one of IANA.
NAME = "outlearn@32473"


def syslog_line(incident: Incident, run: Run) -> str:
    r"""Return an incident as one line, without its end.

    Values of the structured data are escaped by \\, \" and \]. The name of the host is left to who sends it.
    """
    severity = next(level for least, level in SEVERITIES if incident.score >= least)
    when = stamp(incident.start) or stamp(run.now.timestamp())
    kind = incident.techniques[0].id if incident.techniques else incident.kind
    fields = {
        "id": identity(incident, run),
        "score": f"{incident.score:.6g}",
        "p_value": "" if incident.p_value is None else f"{incident.p_value:.6g}",
        "count": str(incident.count),
        "rows": ",".join(map(str, incident.rows)),
        "entity": incident.entity,
        "start": stamp(incident.start) or "",
        "end": stamp(incident.end) or "",
        "targets": ",".join(incident.facts.get("target", ())),
        "ports": ",".join(incident.facts.get("target port", ())),
        "technique": ",".join(technique.id for technique in incident.techniques),
        "reason": reason_words(incident),
        "promise": run.promise,
    }
    data = " ".join(f'{name}="{_value(text)}"' for name, text in fields.items() if text)
    message = clean(incident_words(incident), LONG)
    return f"<{8 * FACILITY + severity}>1 {when} - outlearn - {kind} [{NAME} {data}] {message}"


def _value(text: str) -> str:
    shown = clean(text, LONG)
    for sign in ("\\", '"', "]"):
        shown = shown.replace(sign, f"\\{sign}")
    return shown
