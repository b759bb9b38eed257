"""Incidents and hosts, as the page and the terminal show them."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from outlearn.alerts.words import incident_words
from outlearn.findings.table import Findings
from outlearn.report.words import score
from outlearn.shown import clean

__all__ = ["host_view", "incident_view", "print_hosts", "print_incidents"]

_SHOWN_HOSTS, _SHOWN_INCIDENTS = 10, 20
_LONG, _ADDRESS = 900, 60  # characters of an incident in words, and of the address of a host


def incident_view(findings: Findings) -> dict[str, Any] | None:
    """Return the incidents for the page; None where rows were not grouped."""
    if findings.incidents is None:
        return None
    shown = findings.incidents[:_SHOWN_INCIDENTS]
    return {
        "all": [
            {
                "score": score(incident.score),
                "words": clean(incident_words(incident), _LONG),
                "techniques": [
                    {"id": technique.id, "name": technique.name} for technique in incident.techniques
                ],
            }
            for incident in shown
        ],
        "left": len(findings.incidents) - len(shown),
    }


def host_view(findings: Findings) -> list[dict[str, str]]:
    """Return the first ten hosts in words, none where the rows are no flows."""
    return [
        {
            "score": score(host.score),
            "address": clean(host.address, _ADDRESS),
            "role": host.role,
            "flows": f"{host.flows:,}",
            "flagged": f"{host.flagged:,}",
        }
        for host in findings.hosts[:_SHOWN_HOSTS]
    ]


def print_incidents(findings: Findings, table: Table, out: Console, count: int) -> None:
    """Print incidents in a table without columns yet; a sentence where there is none."""
    if findings.incidents is None or count < 1:
        return
    out.print()
    many = len(findings.incidents)
    if not many:
        out.print(Text("No row is flagged, so there is no incident."))
        return
    shown = f", the first {count}" if many > count else ""
    out.print(Text(f"{many:,} incident{'' if many == 1 else 's'}{shown}", style="bold"))
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("What", overflow="fold", ratio=1)
    for incident in findings.incidents[:count]:
        words = clean(incident_words(incident), _LONG)
        table.add_row(Text(score(incident.score)), Text(_shown(words, out)))
    out.print(table)


def print_hosts(findings: Findings, table: Table, out: Console) -> None:
    """Print the first ten hosts in a table without columns yet; nothing where the rows are no flows."""
    hosts = host_view(findings)
    if not hosts:
        return
    out.print()
    out.print(Text("Hosts", style="bold"))
    for title in ("Score", "Host", "As", "Flows", "Flagged"):
        table.add_column(title, justify="left" if title in ("Host", "As") else "right", no_wrap=True)
    for host in hosts:
        cells = (host["score"], host["address"], host["role"], host["flows"], host["flagged"])
        table.add_row(*(Text(_shown(cell, out)) for cell in cells))
    out.print(table)


def _shown(text: str, out: Console) -> str:
    """Return text that this console can show."""
    return text.encode(out.encoding, "replace").decode(out.encoding)
