"""How a command ends: one line for an error, and an exit code that says whose it was.

======  ==========================================================================
0       done
1       outlearn cannot go on, and no other input would help (a damaged checkpoint)
2       the user can mend it: input, options, an optional package that is missing
70      a bug in outlearn
129     SIGHUP, as of a terminal that is closed
130     Ctrl-C
143     SIGTERM
======  ==========================================================================
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from outlearn.cli.say import complain
from outlearn.cli.signals import code_of, ended_by_signals, words_of
from outlearn.errors import InputError, MissingExtraError, OutlearnError
from outlearn.panics import without_panics
from outlearn.paths import Named, PathUse, check_apart

__all__ = ["end_of", "guarded"]


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with errors turned into a line on standard error and an exit code.

    With the option ``--debug``, which every guarded command has, the traceback is printed as well.
    """

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        with ended_by_signals():
            try:
                check_apart(_paths(command, options))
                with without_panics("the input"):
                    command(*args, **options)
            except BrokenPipeError:  # the reader has seen enough, as with `outlearn detect x.csv | head`
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise typer.Exit(0) from None
            except KeyboardInterrupt as interrupt:
                raise end_of(interrupt, "no file is left half-written") from None
            except Exception as error:
                if isinstance(error, typer.Exit):
                    raise
                if options.get("debug"):
                    complain(traceback.format_exc())
                complain(_line(error))
                raise typer.Exit(_code(error)) from None

    return run


def end_of(interrupt: KeyboardInterrupt, state: str) -> typer.Exit:
    """Return how a command ends after Ctrl-C or a signal, having said in which state it leaves things."""
    with suppress(OSError):  # the terminal may be closed
        complain(f"{words_of(interrupt)}: {state}")
    return typer.Exit(code_of(interrupt))


def _paths(command: Callable[..., None], values: Mapping[str, Any]) -> list[Named]:
    """Return the paths that came for the parameters of a command that are marked with a `PathUse`."""
    paths: list[Named] = []
    for name, hint in get_type_hints(command, include_extras=True).items():
        marks = get_args(hint) if get_origin(hint) is Annotated else ()
        uses = [mark for mark in marks if isinstance(mark, PathUse)]
        given = values.get(name)
        if uses and given is not None:
            several = given if isinstance(given, list) else [given]
            paths += [Named(_shown(name, marks), path, uses[0]) for path in several]
    return paths


def _shown(name: str, marks: Iterable[Any]) -> str:
    """Return a parameter as its user knows it: TABLE, or --out."""
    info = next(mark for mark in marks if isinstance(mark, ArgumentInfo | OptionInfo))
    if isinstance(info, ArgumentInfo):
        return info.metavar or name.upper()
    named = [word for word in info.param_decls or () if word.startswith("--")]
    return named[0] if named else f"--{name.replace('_', '-')}"


def _line(error: Exception) -> str:
    if isinstance(error, OutlearnError):
        return f"error: {error}"
    message = " ".join(str(error).split())
    return f"internal error: {type(error).__name__}: {message}; run again with --debug"


def _code(error: Exception) -> int:
    if isinstance(error, InputError | MissingExtraError):
        return 2
    return 1 if isinstance(error, OutlearnError) else 70
