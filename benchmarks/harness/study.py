"""A study as a value: what it is called and takes, how it measures, and how its results are shown.

This module imports nothing that counts threads when it loads: studies set the environment before they import
numpy.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import machine

Settings = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A study as it is asked for: its options, what its figures depend on, and the command line."""

    options: argparse.Namespace
    settings: Settings
    command: str


def no_settings(options: argparse.Namespace) -> Settings:
    return {}


@dataclass(frozen=True)
class Study:
    """A question with the measurements that answer it.

    Parameters
    ----------
    name : the module's name; permanent, because results and documents refer to it.
    about : the module's docstring, whose first line is the purpose.
    arguments : adds the options to a parser.
    measure : measures what is missing from the result file, writes it and prints the report.
    settings : what the figures depend on, of the options; a run does not go on with a file of other settings.
    report : returns the report on a stored result, the whole document; None if it is not kept as JSON.
    """

    name: str
    about: str | None
    arguments: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[Call], None]
    settings: Callable[[argparse.Namespace], Settings] = no_settings
    report: Callable[[dict[str, Any]], str] | None = None

    @property
    def purpose(self) -> str:
        return (self.about or "").partition("\n")[0]

    def parser(self) -> argparse.ArgumentParser:
        """Return what reads the words behind the study's name."""
        parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks run {self.name}",
            description=self.about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.arguments(parser)
        return parser

    def run(self, words: Sequence[str]) -> None:
        """Measure what a command line asks for."""
        options = self.parser().parse_args(words)
        self.measure(Call(options, self.settings(options), machine.command(self.name, words)))


def on_rows(report: Callable[[Sequence[Any]], str]) -> Callable[[dict[str, Any]], str]:
    """Return the report on a stored result of a report on its rows."""
    return lambda stored: report(stored["rows"])


def listed(known: Collection[str], kind: str) -> Callable[[str], list[str]]:
    """Return a type of argument: names of one kind, comma-separated, all of them known."""

    def names(text: str) -> list[str]:
        chosen = text.split(",")
        unknown = sorted(set(chosen) - set(known))
        if unknown:
            raise argparse.ArgumentTypeError(
                f"no {kind} is called {', '.join(unknown)}; there are {', '.join(known)}"
            )
        return chosen

    return names


def integers(text: str) -> list[int]:
    """Return comma-separated whole numbers: a type of argument."""
    return [int(number) for number in text.split(",")]
