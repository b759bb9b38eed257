"""`outlearn metatrain`: train a learner anew, on synthetic tasks and on one's own sets."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outlearn.cli import options as o
from outlearn.cli.guard import end_of
from outlearn.cli.say import say
from outlearn.paths import READ, WRITTEN_FOLDER

if TYPE_CHECKING:
    from outlearn.learners.training.config import MetatrainConfig
    from outlearn.learners.training.metatrain import Outcome

__all__ = ["metatrain"]


def metatrain(
    out: o.Checkpoint,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings; options override it."), READ
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Settings by name, in place of a file: default, as shipped.")
    ] = None,
    learner: Annotated[
        str | None, typer.Option(help="profiles, incontext, or another name of a learner.")
    ] = None,
    corpus: o.Corpus = None,
    episodes: Annotated[int | None, typer.Option(min=0, help="Synthetic tasks; 3000 by default.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the tasks.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of the optimiser, in place of epochs.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of tasks, initialisation and order.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that prepare tasks.")] = 1,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where an interrupted run goes on from; beside --out by default."),
        WRITTEN_FOLDER,
    ] = None,
    log: Annotated[Path | None, typer.Option(help="Folder for a TensorBoard log."), WRITTEN_FOLDER] = None,
    debug: o.Debug = False,
) -> None:
    """Meta-train a learner; run it again to go on after an interruption."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from outlearn.cli.terminal import progress_on
    from outlearn.execute import Processes, Serial
    from outlearn.learners.training.metatrain import metatrain as run
    from outlearn.learners.training.metatrain import work_folder
    from outlearn.report.console import clean_console

    given = {"learner": learner, "seed": seed}
    tasks, training = (
        {"synthetic": episodes, "corpus": corpus},
        {"epochs": epochs, "steps": steps, "log": log},
    )
    settings = _settings(config, preset, given, tasks, training)
    console = clean_console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    try:
        with (
            Progress(*columns, console=console, disable=not console.is_terminal) as bars,
            # The processes end when tasks are prepared, before the network trains.
            Processes(workers, keep=False) if workers > 1 else nullcontext(Serial()) as pool,
        ):
            outcome = run(settings, out, executor=pool, folder=folder, progress=progress_on(bars))
    except KeyboardInterrupt as interrupt:
        kept = work_folder(out) if folder is None else folder
        raise end_of(interrupt, f"the same command goes on from what is kept in {kept}") from None
    _print(outcome)


def _settings(
    path: Path | None, preset: str | None, given: dict[str, Any], *sections: dict[str, Any]
) -> MetatrainConfig:
    """Return the settings of file or preset with the options that were given in their place."""
    from outlearn.learners.training.presets import base_config

    config = base_config(path, preset)
    given, tasks, training = (
        {name: value for name, value in section.items() if value is not None}
        for section in (given, *sections)
    )
    if {"epochs", "steps"} & set(training):  # the length of the file does not count beside another
        training = {"epochs": None, "steps": None, **training}
    return replace(
        config, **given, tasks=replace(config.tasks, **tasks), training=replace(config.training, **training)
    )


def _print(outcome: Outcome) -> None:
    before, after = (outcome.figures[f"{when} training"][0] for when in ("before", "after"))
    say(
        f"{outcome.checkpoint}: mean AUROC on {after.tasks:,} held-out tasks {before.auroc:.3f} before "
        f"training, {after.auroc:.3f} after; more in {outcome.card}"
    )
