"""The commands that train what detectors take: `outlearn learn-tuning`, `learn-asking` and so on."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say
from outlearn.paths import READ

__all__ = ["learn_asking", "learn_fleet", "learn_fusion", "learn_series", "learn_tuning"]


def learn_tuning(
    experience: Annotated[
        list[Path],
        typer.Argument(help="Folders that `outlearn performance` made, of the same candidates."),
        READ,
    ],
    out: o.Checkpoint,
    strategies: Annotated[
        str, typer.Option(help="Strategies to learn, with commas between; all by default.")
    ] = "",
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Learn strategies from a table of performance, to `tune` by without it."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline.output import check_output
    from outlearn.tuning.experience import train_tuning
    from outlearn.tuning.strategies.catalogue import STRATEGIES

    check_output(out, suffixes=(".safetensors",))
    names = [name.strip() for name in strategies.split(",") if name.strip()] or list(STRATEGIES)
    folders = " ".join(folder.name for folder in experience)
    only = f" --strategies {','.join(names)}" if strategies else ""
    command = f"outlearn learn-tuning {folders}{only} --seed {seed} --out {out.name}"
    with progress_bars(quiet) as progress:
        learnt = train_tuning(experience, out, names, seed=seed, command=command, progress=progress)
    if not quiet:
        say(f"{out}: {len(learnt.strategies)} strategies learnt from {len(learnt.tasks):,} tasks")


def learn_asking(
    out: o.Checkpoint,
    tables: Annotated[int, typer.Option(min=1, help="Synthetic tables to play on.")] = 200,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train the policy that chooses which row to show an analyst; run it again to go on."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.feedback.train import train_analyst
    from outlearn.pipeline.output import check_output

    check_output(out, suffixes=(".safetensors",))
    command = f"outlearn learn-asking --tables {tables} --seed {seed} --out {out.name}"
    with progress_bars(quiet) as progress:
        train_analyst(out, tables=tables, seed=seed, command=command, progress=progress)
    if not quiet:
        say(f"{out}: trained on {tables:,} synthetic tables; how good it is, in {out.with_suffix('.md')}")


def learn_series(
    out: o.Checkpoint,
    tasks: Annotated[int, typer.Option(min=1, help="Synthetic series to learn from.")] = 2000,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = 1000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make the series.")] = 1,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train the network that `detect` scores series by; run it again to go on."""
    from outlearn.learners.training.sequence import train_series

    _practise(train_series, "learn-series", "series", out, tasks, steps, workers, seed, quiet)


def learn_fusion(
    out: o.Checkpoint,
    tasks: Annotated[int, typer.Option(min=1, help="Synthetic records to learn from.")] = 1000,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = 3000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make the records.")] = 1,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train the network that weighs the modalities of a record; run it again to go on."""
    from outlearn.learners.training.fusion import train_fusion

    _practise(train_fusion, "learn-fusion", "records", out, tasks, steps, workers, seed, quiet)


def _practise(
    train: Callable[..., object],
    name: str,
    what: str,
    out: Path,
    tasks: int,
    steps: int,
    workers: int,
    seed: int,
    quiet: bool,
) -> None:
    """Train a network on synthetic tasks, and say where it is."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.execute import Processes
    from outlearn.pipeline.output import check_output

    check_output(out, suffixes=(".safetensors",))
    command = f"outlearn {name} --tasks {tasks} --steps {steps} --seed {seed} --out {out.name}"
    with progress_bars(quiet) as progress, Processes(workers) as pool:
        train(out, tasks=tasks, steps=steps, seed=seed, command=command, executor=pool, progress=progress)
    if not quiet:
        say(f"{out}: trained on {tasks:,} synthetic {what}; how good it is, in {out.with_suffix('.md')}")


def learn_fleet(
    tables: Annotated[
        list[str],
        typer.Argument(help="A table of all machines, with --series-column, or one a machine."),
        READ,
    ],
    out: o.Checkpoint,
    label_column: Annotated[str, typer.Option(help="Column that is 1 where a point is of a fault.")],
    anomaly_value: o.AnomalyValue = None,
    series_column: o.SeriesColumn = None,
    time_column: o.TimeColumn = None,
    ignore: o.Ignore = None,
    learner: Annotated[
        str, typer.Option(help="reptile, maml, or another that `outlearn learners` lists.")
    ] = "reptile",
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser.")] = 300,
    licence: Annotated[str, typer.Option(help="Of the tables, for the card.")] = "",
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train a learner on machines whose faults are labelled, for others like them; run it again to go on."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.pipeline.fleet import learn_fleet as learn
    from outlearn.pipeline.output import check_output

    check_output(out, suffixes=(".safetensors",))
    names = [Path(table).name for table in tables]
    given = {"--series-column": series_column, "--time-column": time_column, "--licence": licence or None}
    said = [word for name, value in given.items() if value is not None for word in (name, value)]
    said += [word for name in ignore or () for word in ("--ignore", name)]
    said += [word for value in anomaly_value or () for word in ("--anomaly-value", value)]
    words = [*names, *said, "--label-column", label_column, "--learner", learner, "--steps", str(steps)]
    command = shlex.join(["outlearn", "learn-fleet", *words, "--seed", str(seed), "--out", out.name])
    with progress_bars(quiet) as progress:
        outcome = learn(
            tables,
            out,
            label_column=label_column,
            anomaly_values=anomaly_value or (),
            series_column=series_column,
            time_column=time_column,
            ignore=tuple(ignore or ()),
            learner=learner,
            steps=steps,
            licence=licence,
            random_state=seed,
            command=command,
            progress=progress,
        )
    if not quiet:
        say(f"{out}: {outcome.sentence}")
