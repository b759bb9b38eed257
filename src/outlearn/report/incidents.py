"""Incidents and hosts, as the page and the terminal tell of them."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from outlearn.alerts.words import incident_words
from outlearn.findings.table import Findings
from outlearn.report.words import clean, score

__all__ = ["HOSTS", "host_view", "incident_view", "print_hosts", "print_incidents"]

HOSTS = 10
_INCIDENTS, _LONG, _ADDRESS = 20, 900, 60


def incident_view(findings: Findings) -> dict[str, Any] | None:
    """Return what the page shows of incidents; None where rows were not grouped."""
    if findings.incidents is None:
        return None
    shown = findings.incidents[:_INCIDENTS]
    return {
        "all": [
            {
                "score": score(each.score),
                "words": clean(incident_words(each), _LONG),
                "techniques": [{"id": one.id, "name": one.name} for one in each.techniques],
            }
            for each in shown
        ],
        "left": len(findings.incidents) - len(shown),
    }


def host_view(findings: Findings) -> list[dict[str, str]]:
    """Return what is shown of the first ten hosts, none where the rows are no flows."""
    return [
        {
            "score": score(host.score),
            "address": clean(host.address, _ADDRESS),
            "role": host.role,
            "flows": f"{host.flows:,}",
            "flagged": f"{host.flagged:,}",
        }
        for host in findings.hosts[:HOSTS]
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
    for each in findings.incidents[:count]:
        table.add_row(Text(score(each.score)), Text(_shown(clean(incident_words(each), _LONG), out)))
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
