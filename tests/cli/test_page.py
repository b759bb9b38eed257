"""The page on the command line: every command, and no option that there is not."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from outlearn.cli.app import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
COMMANDS = get_command(app).commands


def options(command) -> set[str]:
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return own.union(*map(options, getattr(command, "commands", {}).values()))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_on_the_page_with_options_that_it_has(name):
    rows = [line for line in PAGE.splitlines() if re.match(rf"\| `{name}\b", line)]
    assert rows, f"docs/cli.md has no row for {name}"
    usage = [row.split("|")[1] for row in rows]
    assert {each for cell in usage for each in re.findall(r"--[a-z][a-z-]*", cell)} <= options(COMMANDS[name])


def test_every_option_on_the_page_is_one_of_some_command():
    known = {"--help"}.union(*map(options, COMMANDS.values()))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE)) <= known
