"""How a command ends: one line for an error, and an exit code that says whose it was.

======  ==========================================================================
0       done
1       outlearn cannot go on, and no other input would help (a damaged checkpoint)
2       the user can mend it: input, options, an optional package that is missing
70      a bug in outlearn
130     Ctrl-C
======  ==========================================================================
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from outlearn.errors import InputError, MissingExtraError, OutlearnError

__all__ = ["guarded"]


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with errors turned into a line on standard error and an exit code.

    With the option ``--debug``, which every guarded command has, the traceback is printed as well.
    """

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except BrokenPipeError:  # the reader has seen enough, as with `outlearn detect x.csv | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            typer.echo("interrupted: no file is left half-written", err=True)
            raise typer.Exit(130) from None
        except Exception as error:
            if isinstance(error, typer.Exit):
                raise
            if options.get("debug"):
                traceback.print_exc()
            typer.echo(_line(error), err=True)
            raise typer.Exit(_code(error)) from None

    return run


def _line(error: Exception) -> str:
    if isinstance(error, OutlearnError):
        return f"error: {error}"
    message = " ".join(str(error).split())
    return f"internal error: {type(error).__name__}: {message}; run again with --debug"


def _code(error: Exception) -> int:
    if isinstance(error, InputError | MissingExtraError):
        return 2
    return 1 if isinstance(error, OutlearnError) else 70
