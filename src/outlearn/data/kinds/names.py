"""Names of the kinds of rows, for readers that must not load what the kinds themselves need."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["KINDS", "SESSIONS", "TABLE", "WHERE"]

SESSIONS, TABLE = "sessions", "table"

#: The place of each kind, from this folder on. Kinds are loaded when they are asked for: readers, from which
#: they are made, know the names alone. What is to be recognised by its columns is tried in this order.
WHERE: Mapping[str, str] = MappingProxyType(
    {
        "flows": "flows.kind:FLOWS",
        "logs": "logs.kind:LOGS",
        SESSIONS: "logs.kind:SESSIONS",
        "bus": "bus.kind:BUS",
        "executables": "executables.kind:EXECUTABLES",
        TABLE: "kind:PLAIN",
    }
)
KINDS = tuple(name for name in WHERE if name != SESSIONS)  # sessions are asked for by what names them
