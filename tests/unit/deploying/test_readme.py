"""The commands that an operator is told to run are there."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from deploy.cli import entry
from tests import deployment

README = (deployment.DEPLOY / "README.md").read_text()
WATCHING = (deployment.DEPLOY / "watching" / "README.md").read_text()
_QUOTED = re.compile(r"^ *(calendar-sync .*)$|`(calendar-sync [^`]*)`", re.MULTILINE)


def commands() -> Iterator[str]:
    """Yield the lines of calendar-sync, from blocks and from sentences."""
    for found in _QUOTED.finditer(README + WATCHING):
        line = found[1] or found[2]
        if line.split()[1] != "COMMAND":
            yield line


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_a_command_is_there_and_knows_its_options(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = entry.main
    context = click.Context(command)
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    known = {name for one in command.params for name in one.opts}

    assert {word for word in words if word.startswith("--")} <= known


def test_every_folder_of_the_deployment_is_in_the_readme() -> None:
    ours = ["container", "compose", "kubernetes", "systemd", "nginx"]

    assert [name for name in ours if f"`{name}/`" not in README] == []
