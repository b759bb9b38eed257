"""All subcommands under one name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from outlearn import __version__
from outlearn.cli.ask import ask
from outlearn.cli.audit import audit
from outlearn.cli.backup import whole_store
from outlearn.cli.datasets import datasets
from outlearn.cli.detect import detect
from outlearn.cli.embed import embed
from outlearn.cli.evaluate import evaluate
from outlearn.cli.explain import explain
from outlearn.cli.fit import fit
from outlearn.cli.guard import guarded
from outlearn.cli.hunt import hunt
from outlearn.cli.job import job
from outlearn.cli.key import key
from outlearn.cli.label import label
from outlearn.cli.learners import learners
from outlearn.cli.mcp import mcp
from outlearn.cli.metatrain import metatrain
from outlearn.cli.practice import learn_asking, learn_fleet, learn_fusion, learn_series, learn_tuning
from outlearn.cli.schema import schema
from outlearn.cli.score import score
from outlearn.cli.serve import serve
from outlearn.cli.suppress import suppress
from outlearn.cli.tune import performance, tune
from outlearn.cli.user import user
from outlearn.masked import masked
from outlearn.shown import unbroken

__all__ = ["app"]


class _Commands(TyperGroup):
    """The commands; what is wrong with arguments is told without their hidden characters and passwords."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command of the arguments."""
        with _cleaned():
            return super().invoke(ctx)

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the arguments before the command."""
        with _cleaned():
            return super().make_context(*args, **options)


@contextmanager
def _cleaned() -> Iterator[None]:
    """Clean the message of an error that repeats arguments, as those of the command line's parser do."""
    try:
        yield
    except Exception as error:
        message = getattr(error, "message", None)
        if isinstance(message, str):
            error.message = unbroken(masked(message))  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find the odd rows of a table, and say why they are odd.",
)

for command in (
    detect,
    fit,
    score,
    explain,
    label,
    ask,
    hunt,
    suppress,
    evaluate,
    embed,
    datasets,
    learners,
    schema,
    metatrain,
    tune,
    performance,
    learn_tuning,
    learn_asking,
    learn_series,
    learn_fusion,
    learn_fleet,
    serve,
    mcp,
):
    app.command()(guarded(command))


for group, title in (
    (job, "job"),
    (user, "user"),
    (key, "key"),
    (audit, "audit"),
    (whole_store, "store"),
):
    app.add_typer(group, name=title)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Find the odd rows of a table, and say why they are odd."""
