"""Output for a security team: incidents, hosts, techniques, alerts, and patterns of known-good rows."""

from outlearn.alerts.grouping import GAP, incidents_of
from outlearn.alerts.hosts import Host, HostTally
from outlearn.alerts.incident import FlaggedRows, Incident, Run
from outlearn.alerts.ledger import pattern_line, read_patterns, revocation_line
from outlearn.alerts.lines import ALERT_FORMATS
from outlearn.alerts.patterns import Condition, Pattern, parse_condition
from outlearn.alerts.techniques import RULES, Technique, technique_masks, techniques_of
from outlearn.alerts.words import incident_words

__all__ = [
    "ALERT_FORMATS",
    "GAP",
    "RULES",
    "Condition",
    "FlaggedRows",
    "Host",
    "HostTally",
    "Incident",
    "Pattern",
    "Run",
    "Technique",
    "incident_words",
    "incidents_of",
    "parse_condition",
    "pattern_line",
    "read_patterns",
    "revocation_line",
    "technique_masks",
    "techniques_of",
]
