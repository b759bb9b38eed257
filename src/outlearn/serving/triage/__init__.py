"""The queue of incidents: what is shown of each, verdicts, and patterns of what is known to be good."""

from outlearn.serving.triage.detail import Comment, Detail, IncidentRow
from outlearn.serving.triage.incidents import Filter, Queue, QueuedIncident
from outlearn.serving.triage.suppress import Preview, Stored
from outlearn.serving.triage.triage import Decided, Triage, VerdictEffect
from outlearn.serving.triage.verdicts import Opinion

__all__ = [
    "Comment",
    "Decided",
    "Detail",
    "Filter",
    "IncidentRow",
    "Opinion",
    "Preview",
    "Queue",
    "QueuedIncident",
    "Stored",
    "Triage",
    "VerdictEffect",
]
