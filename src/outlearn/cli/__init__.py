"""The command line: one file a subcommand. Each reads its options, calls the pipeline and prints.

Whatever takes time to import is imported inside the commands, so that ``outlearn --help`` answers at once.
"""

from __future__ import annotations

import sys
import warnings

__all__ = ["main"]


def main() -> None:
    """Run the command line; the exit codes are those of `outlearn.cli.guard`."""
    warnings.formatwarning = _one_line
    try:
        from outlearn.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command has begun
        sys.exit(130)
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        sys.exit(0)  # who reads has seen enough, as `head` has; rich and click would end with 1


def _one_line(message: Warning | str, category: type[Warning], *_: object, **__: object) -> str:
    """Return a warning as a line of its own, as errors are told."""
    from outlearn.masked import masked
    from outlearn.shown import shown

    return f"warning: {shown(masked(' '.join(str(message).split())))}\n"
