"""outlearn schema: how a table is read, to look at and to correct."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say, say_lines
from outlearn.paths import WRITTEN

__all__ = ["schema"]


def schema(
    table: o.Table,
    out: Annotated[
        Path | None, typer.Option(help="Write it as a TOML file, to edit and to give to --schema."), WRITTEN
    ] = None,
    label_column: o.LabelColumn = None,
    time_column: o.TimeColumn = None,
    ignore: o.Ignore = None,
    missing_value: o.MissingValue = None,
    overrides: o.SchemaFile = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
    seed: o.Seed = 0,
    debug: o.Debug = False,
) -> None:
    """Show what is taken for the kind and role of each column of a table."""
    from outlearn.pipeline.output import check_output
    from outlearn.pipeline.schema import read_schema, schema_toml, write_new

    if out is not None:
        check_output(out)
    reading = o.read_options(
        separator,
        encoding,
        decimal,
        thousands,
        query,
        header=header,
        sheet=sheet,
        query_timeout=query_timeout,
    )
    inferred, notes = read_schema(
        table,
        label_column=label_column,
        time_column=time_column,
        ignore=ignore or (),
        missing_values=missing_value or (),
        schema=overrides,
        options=reading,
        seed=seed,
    )
    say_lines(str(inferred))
    for note in notes:
        say(f" - {note}")
    if out is not None:
        write_new(out, schema_toml(inferred))
        say(f"Schema: {out} (edit it, then give it to --schema)")
