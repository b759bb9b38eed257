"""The queue of incidents: what is shown of each, verdicts, and patterns of what is known to be good."""

from outlearn.serving.triage.detail import Comment, Detail, IncidentRow
from outlearn.serving.triage.incidents import Filter, Incident, Queue
from outlearn.serving.triage.suppress import Preview, Stored
from outlearn.serving.triage.triage import Decided, Effect, Triage
from outlearn.serving.triage.verdicts import Said

__all__ = [
    "Comment",
    "Decided",
    "Detail",
    "Effect",
    "Filter",
    "Incident",
    "IncidentRow",
    "Preview",
    "Queue",
    "Said",
    "Stored",
    "Triage",
]
