"""`outlearn metatrain`: train the in-context learner anew."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o

__all__ = ["metatrain"]


def metatrain(
    out: Annotated[Path, typer.Option(help="Checkpoint to write (.safetensors).")],
    episodes: Annotated[int, typer.Option(min=10, help="Synthetic tasks to learn from.")] = 3000,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the tasks.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="Seed of tasks, initialisation and order.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that prepare tasks.")] = 1,
    folder: Annotated[
        Path | None, typer.Option(help="Where an interrupted run goes on from; beside --out by default.")
    ] = None,
    debug: o.Debug = False,
) -> None:
    """Meta-train the in-context learner on synthetic tasks; run it again to go on after an interruption."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    from outlearn.learners.metatrain import metatrain as run

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, done: int, total: int, loss: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            words = stage if isnan(loss) else f"{stage} (loss {loss:.3f})"
            bars.update(tasks[stage], completed=done, description=words)

        notes = run(
            out, episodes=episodes, epochs=epochs, seed=seed, workers=workers, folder=folder, progress=tell
        )
    before, after = notes["held-out AUROC before"], notes["held-out AUROC"]
    typer.echo(f"{out}: mean AUROC on held-out tasks {before:.3f} before training, {after:.3f} after")
