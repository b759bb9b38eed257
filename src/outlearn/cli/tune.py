"""`outlearn tune` and `outlearn performance`: classical detectors, set by what worked on other tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say, say_lines
from outlearn.files import together
from outlearn.paths import READ, WRITTEN, WRITTEN_FOLDER

if TYPE_CHECKING:
    from outlearn.pipeline.tune import TunedSource
    from outlearn.tuning.tuner import MetaTuner

__all__ = ["performance", "tune"]

_FOUR = "iforest,lof,ocsvm,kmeans"
Detectors = Annotated[str, typer.Option("--detector", help="Detectors to choose among, with commas between.")]


def performance(
    out: Annotated[
        Path, typer.Option(help="Folder for the table; an interrupted run goes on from it."), WRITTEN_FOLDER
    ],
    corpus: o.Corpus = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(help="Shell pattern that the paths of sets must match; may be given again."),
    ] = None,
    splits: Annotated[int, typer.Option(min=1, help="Splits of each set.")] = 1,
    first_split: Annotated[int, typer.Option(min=0, help="Number of the first, to make more later.")] = 0,
    labels: Annotated[int, typer.Option(min=0, help="Anomalies of each support that are labelled.")] = 0,
    synthetic: Annotated[int, typer.Option(min=0, help="Synthetic tasks beside them.")] = 60,
    detectors: Detectors = _FOUR,
    candidates: Annotated[int, typer.Option(min=1, help="Configurations of each detector.")] = 32,
    workers: Annotated[int, typer.Option(min=1, help="Processes that compute.")] = 1,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Try configurations of classical detectors on many tasks, for `tune` to learn from."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.errors import ParameterError
    from outlearn.execute import Processes
    from outlearn.tasks.corpus import Corpus
    from outlearn.tuning.source import TaskSource, usable
    from outlearn.tuning.space import configurations
    from outlearn.tuning.table import build_table

    names = detectors.split(",")
    configs = [config for name in names for config in configurations(name.strip(), candidates, seed)]
    patterns = sets or ["*"]
    matching = [e for pattern in patterns for e in Corpus.read(corpus, pattern=pattern)] if corpus else []
    entries = Corpus(tuple(usable(dict.fromkeys(matching)))).joined()
    source = TaskSource(
        tuple(entries), synthetic=synthetic, splits=splits, first=first_split, labels=labels, seed=seed
    )
    if not len(source):
        raise ParameterError("no task to try anything on; give --corpus with labelled sets, or --synthetic")
    with progress_bars(quiet) as progress, Processes(workers) as pool:
        table = build_table(
            out,
            source,
            len(source),
            configs,
            about=source.about(),
            executor=pool,
            progress=None if progress is None else partial(progress, "trying"),
        )
    if not quiet:
        failed = f", {table.failed.sum():,} trials failed" if table.failed.any() else ""
        say(f"{out}: {len(configs):,} configurations on {len(table.tasks):,} tasks{failed}")


def tune(
    table: o.Table,
    experience: Annotated[
        Path | None,
        typer.Option(
            help="Folder that `outlearn performance` made, or file of `outlearn learn-tuning`; what ships "
            "with the package by default."
        ),
        READ,
    ] = None,
    detectors: Detectors = _FOUR,
    strategy: Annotated[
        str, typer.Option(help="portfolio, maml, policy, adversarial, single, default or random.")
    ] = "maml",
    budget: Annotated[int, typer.Option(min=0, help="Configurations that may be tried on the table.")] = 25,
    seconds: Annotated[float, typer.Option(help="After these no further one is tried.")] = 30.0,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds one may take; each is then tried in a process of its own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for the scores of the rows."), WRITTEN] = None,
    report: o.Report = None,
    label_column: o.LabelColumn = None,
    anomaly_value: o.AnomalyValue = None,
    time_column: o.TimeColumn = None,
    ignore: o.Ignore = None,
    missing_value: o.MissingValue = None,
    schema: o.SchemaFile = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
    seed: o.Seed = 0,
    quiet: o.Quiet = False,
    as_json: o.AsJson = False,
    debug: o.Debug = False,
) -> None:
    """Choose and set a classical detector for a table, with few or no labels."""
    from outlearn.cli.terminal import check_report, print_lines
    from outlearn.pipeline.output import check_output
    from outlearn.pipeline.tune import tune as run
    from outlearn.report.page import write_page
    from outlearn.report.tuning import render_tuning, tuning_text

    check_report(report)
    if out is not None:
        check_output(out, suffixes=(".csv",))
    names = [name.strip() for name in detectors.split(",")]
    result = run(
        table,
        _tuner(experience, strategy, names, seed),
        detectors=names,
        budget=budget,
        seconds=seconds,
        time_limit=time_limit,
        label_column=label_column,
        anomaly_values=anomaly_value or (),
        time_column=time_column,
        ignore=ignore or (),
        missing_values=missing_value or (),
        schema=schema,
        options=o.read_options(
            separator,
            encoding,
            decimal,
            thousands,
            query,
            header=header,
            sheet=sheet,
            query_timeout=query_timeout,
        ),
    )
    findings = result.findings()
    with together():
        if out is not None:
            _write_scores(result, out)
        if report is not None:
            write_page(render_tuning(findings), report)
    if quiet:
        return
    if as_json:
        print_lines(findings)
    else:
        say_lines(tuning_text(findings))


def _tuner(experience: Path | None, strategy: str, detectors: list[str], seed: int) -> MetaTuner:
    from outlearn.tuning.table import read_table
    from outlearn.tuning.trials.candidate import recognise
    from outlearn.tuning.tuner import MetaTuner, configurations_of

    if experience is not None and not experience.is_file():
        tuner, learnt_from = MetaTuner(strategy, random_state=seed), read_table(experience)
        # What is asked for wrongly is said before learning, which can take minutes.
        configurations_of([recognise(name)[0] for name in detectors], learnt_from.configs)
        return tuner.fit(learnt_from)
    return MetaTuner.pretrained(strategy, path=experience, random_state=seed)


def _write_scores(result: TunedSource, out: Path) -> None:
    import polars as pl

    from outlearn.files import whole

    frame = pl.DataFrame({"row": result.rows, "score": result.scores})
    with whole(out) as temporary:
        frame.sort("score", descending=True).write_csv(temporary)
