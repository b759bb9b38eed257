"""An incident in one line."""

from __future__ import annotations

from outlearn.alerts.incident import Incident, moment
from outlearn.data.kinds.registry import kind_named
from outlearn.explain.text import behind, telling
from outlearn.shown import clean

__all__ = ["incident_words", "reason_words", "span", "technique_words"]

_LINE = 160  # characters of a line of a log
_ROWS = 3  # row numbers that are named


def incident_words(incident: Incident) -> str:
    """Return whose rows, how many, when, to where, why, by which technique, and which rows."""
    count, one = incident.count, kind_named(incident.kind).one
    what = f"{count:,} {one}{'' if count == 1 else 's'}"
    if "line" in incident.facts:
        line = f"“{clean(incident.facts['line'][0], _LINE)}”"
        what = line if count == 1 else f"{what} such as {line}"
    elif incident.entity:
        what = f"{clean(incident.entity)}: {what}"
    parts = (what, span(incident.start, incident.end), _aim(incident))
    named = ", ".join(str(row) for row in incident.rows[:_ROWS])
    more = ", …" if count > _ROWS else ""
    which = f"score {incident.score:.3f}, row {named}" if count == 1 else ""
    which = which or f"highest score {incident.score:.3f}, rows {named}{more}"
    why = "; ".join(phrase for phrase in (technique_words(incident), _in_short(incident)) if phrase)
    return f"{', '.join(phrase for phrase in parts if phrase)}: {why}; {which}"


def technique_words(incident: Incident) -> str:
    """Return the techniques with the words of their rules; nothing where there is none."""
    return "; ".join(
        f"{technique.id} {technique.name} ({technique.words})" for technique in incident.techniques
    )


def reason_words(incident: Incident) -> str:
    """Return why the row with the highest score is odd; of another row's reason, whose it is."""
    return f"{behind(incident.remark, incident.why.sentence).rstrip('.')}{_borrowed(incident)}"


def _in_short(incident: Incident) -> str:
    """Return the reason without what is usual of categories, which takes more room than all the rest."""
    parts = []
    for contribution in telling(incident.why.contributions):
        named = f"{clean(contribution.column)} {contribution.shown}"
        beside = ", ".join(contribution.beside)
        odd = {
            "high": f"{named}, above the usual {contribution.usual}",
            "low": f"{named}, below the usual {contribution.usual}",
            "rare": f"{named}, which is rare",
            "missing": f"{named}",
            "never seen": f"{named}, never seen before",
            "unusual here": f"{named}, odd beside {beside}" if beside else f"{named}, unusual",
            "in combination": f"{named}, odd beside {beside or 'the others'}",
        }
        parts.append(odd[contribution.direction])
    return f"{incident.remark}{'; '.join(parts) or 'no column explains it'}{_borrowed(incident)}"


def _borrowed(incident: Incident) -> str:
    row = incident.why.row
    return "" if row == incident.rows[0] else f" (as told of row {row}, the most alike)"


def span(start: float | None, end: float | None) -> str:
    """Return a span of time in UTC, to the second.

    >>> span(0.0, 61.5)
    '1970-01-01 00:00:00–00:01:01'
    >>> span(0.0, 86400.0), span(5.0, 5.0), span(None, None)
    ('1970-01-01 00:00:00–1970-01-02 00:00:00', '1970-01-01 00:00:05', '')
    """
    first, last = (None if seconds is None else moment(seconds) for seconds in (start, end))
    if first is None or last is None:
        return ""
    begin = f"{first:%Y-%m-%d %H:%M:%S}"
    if f"{last:%Y-%m-%d %H:%M:%S}" == begin:
        return begin
    return f"{begin}–{last:%H:%M:%S}" if first.date() == last.date() else f"{begin}–{last:%Y-%m-%d %H:%M:%S}"


def _aim(incident: Incident) -> str:
    """Return the targets of flows, and their port or ports."""
    targets, ports = incident.counts.get("target", 0), incident.counts.get("target port", 0)
    if not targets:
        return ""
    to = f"to {clean(incident.facts['target'][0])}" if targets == 1 else f"to {targets:,} targets"
    if not ports:
        return to
    return f"{to} port {clean(incident.facts['target port'][0])}" if ports == 1 else f"{to}, {ports:,} ports"
