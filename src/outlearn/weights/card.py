"""Model cards of what ships: what it is, what it learnt from, how, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from outlearn.files import whole

__all__ = ["card", "figures_table", "write_card"]


def card(name: str, *, what: str, source: str, command: str, how_good: str, limits: Sequence[str]) -> str:
    """Return a card in Markdown."""
    parts = [
        f"# Model card: `{name}`",
        f"**What it is.** {what}",
        f"**What it learnt from.** {source}",
        f"**How.** `{command}`",
        f"**How good.** {how_good}",
        "**Limits.**",
        "\n".join(f"* {limit}" for limit in limits),
    ]
    return "\n\n".join(parts) + "\n"


def write_card(
    checkpoint: Path, *, what: str, source: str, command: str, how_good: str, limits: Sequence[str]
) -> None:
    """Write the card of a checkpoint beside it, whole or not at all.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    text = card(checkpoint.name, what=what, source=source, command=command, how_good=how_good, limits=limits)
    with whole(checkpoint.with_suffix(".md")) as draft:
        draft.write_text(text, encoding="utf-8")


def figures_table(columns: Sequence[str], rows: Mapping[str, Sequence[float]], digits: int = 2) -> str:
    """Return figures as a Markdown table, one line a name.

    >>> print(figures_table(["", "after 10"], {"policy": [3.0]}))
    |  | after 10 |
    |---|---|
    | policy | 3.00 |
    """
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for name, values in rows.items():
        lines.append("| " + " | ".join([name, *(f"{value:.{digits}f}" for value in values)]) + " |")
    return "\n".join(lines)
