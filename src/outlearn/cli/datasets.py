"""outlearn datasets: what can be tried at once."""

from __future__ import annotations

from outlearn.cli import options as o

__all__ = ["datasets"]


def datasets(debug: o.Debug = False) -> None:
    """List the bundled data sets, each usable as dataset:NAME wherever a table is wanted."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from outlearn.data.datasets import datasets as bundled
    from outlearn.report.console import clean_console

    console = clean_console()
    lines = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for title in ("Name", "Rows", "Columns", "Anomalies", "What they are"):
        lines.add_column(title, justify="right" if title in ("Rows", "Columns", "Anomalies") else "left")
    for one in bundled():
        sampling = f"; {one.sampling}" if one.sampling else ""
        lines.add_row(
            f"dataset:{one.name}",
            f"{one.rows:,}",
            str(one.columns),
            f"{one.share:.0%}",
            f"{one.anomaly} ({one.title}{sampling})",
        )
    console.print(lines)
