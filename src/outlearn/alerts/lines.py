"""The forms that alerts are written in, by the end of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from outlearn.alerts.cef import cef_line
from outlearn.alerts.ecs import ecs_line
from outlearn.alerts.incident import Incident, Run
from outlearn.alerts.syslog import syslog_line

__all__ = ["ALERT_FORMATS"]

#: Suffix → the function that makes one line of an incident.
ALERT_FORMATS: Mapping[str, Callable[[Incident, Run], str]] = MappingProxyType(
    {".jsonl": ecs_line, ".cef": cef_line, ".syslog": syslog_line}
)
