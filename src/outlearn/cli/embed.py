"""outlearn embed: vectors beside the rows of a table, so that detectors see its images too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outlearn.cli import options as o
from outlearn.cli.say import say
from outlearn.paths import READ, WRITTEN

__all__ = ["embed"]


def embed(
    table: o.Table,
    column: Annotated[
        str,
        typer.Option(help="With --model the column of paths of images; with --array a name for the vectors."),
    ],
    out: Annotated[Path, typer.Option(help="Table to write: .parquet or .arrow."), WRITTEN],
    model: Annotated[
        Path | None, typer.Option(help="Network as .onnx that turns images into vectors."), READ
    ] = None,
    array: Annotated[Path | None, typer.Option(help="Vectors as .npy, one a row of TABLE."), READ] = None,
    separator: o.Separator = None,
    header: o.Header = None,
    sheet: o.Sheet = None,
    encoding: o.Encoding = None,
    decimal: o.DecimalSign = None,
    thousands: o.ThousandsSign = None,
    query: o.Query = None,
    query_timeout: o.QueryTimeout = 600.0,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Put a vector beside each row: what a network sees of an image, or a row of an array."""
    from outlearn.cli.terminal import progress_bars
    from outlearn.data.embed import Images, with_array, with_images
    from outlearn.data.readers import open_source
    from outlearn.errors import ParameterError
    from outlearn.pipeline.output import check_output, scored_file

    if (model is None) == (array is None):
        raise ParameterError("give either --model, a network that looks at images, or --array, the vectors")
    check_output(out, suffixes=(".parquet", ".arrow"))
    source = open_source(
        table,
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
    unread = [0]
    if model is not None:
        source, unread = with_images(source, column, Images(model), Path(table).parent)
    elif array is not None:
        source = with_array(source, column, array)
    rows = 0
    with progress_bars(quiet) as progress, scored_file(out) as write:
        for chunk in source.chunks(1_000):
            write(chunk)
            rows += chunk.height
            if progress is not None:
                progress("embedding", rows, source.rows)
    if not quiet:
        say(f"{out}: {rows:,} rows, with vectors in {column!r}")
        if unread[0]:
            say(f" - {unread[0]:,} images could not be read; their vectors are missing")
