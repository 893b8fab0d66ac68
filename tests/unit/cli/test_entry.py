"""The command line as a whole: help, errors, exit codes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deploy.cli import entry, main
from shared.domain import errors
from tests.unit.cli.console import Console, lines

HEAVY = ("sqlalchemy", "flask", "pika", "pydantic", "googleapiclient", "gunicorn")


def commands() -> Iterator[tuple[list[str], click.Command]]:
    """Yield every command that exists by now with the words that name it."""
    context = click.Context(main)
    for name in entry.COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield [name], command
        if isinstance(command, click.Group):
            for sub in command.commands.values():
                yield [name, str(sub.name)], sub


def test_the_list_of_commands_says_of_each_what_its_own_help_does() -> None:
    told = {
        words[0]: command.short_help for words, command in commands() if len(words) == 1
    }

    assert told == entry.COMMANDS


@pytest.mark.parametrize("words", [words for words, _ in commands()])
def test_every_command_has_help(words: list[str]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"], prog_name="calendar-sync")

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: calendar-sync {' '.join(words)}")


def test_help_lists_the_commands_without_importing_them() -> None:
    heavy = ", ".join(map(repr, HEAVY))
    program = (
        "import sys; from deploy.cli import main; main(['--help'], standalone_mode=0);"
        f"print([name for name in ({heavy},) if name in sys.modules])"
    )

    printed = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert all(name in printed for name in entry.COMMANDS)
    assert lines(printed)[-1] == "[]"


@pytest.mark.parametrize("words", [["dance"], ["org", "dance"], ["work", "dance"]])
def test_what_is_no_command_is_wrong_usage(words: list[str]) -> None:
    result = CliRunner().invoke(main, words)

    assert result.exit_code == 2
    assert "dance" in result.stderr


def test_every_problem_of_the_configuration_is_told_with_its_variable(
    console: Console,
) -> None:
    result = console.run(
        "org",
        "list",
        DATABASE_URL="mysql://x",
        AMQP_URL="http://x",
        SAFETY_POLL_SECONDS="0",
    )

    assert result.exit_code == 2
    assert sorted(line.split(": ")[1] for line in lines(result.stderr)) == [
        "AMQP_URL",
        "DATABASE_URL",
        "SAFETY_POLL_SECONDS",
    ]


def test_keys_and_broker_are_found_wrong_together(console: Console) -> None:
    wrong = {"SECRET_KEYS": "short", "AMQP_URL": "amqp://host:port/"}

    result = console.run("org", "list", **wrong)

    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in lines(result.stderr)] == [
        "AMQP_URL",
        "SECRET_KEYS",
    ]


def test_a_folder_that_cannot_be_made_is_a_problem_of_the_configuration(
    console: Console,
) -> None:
    file = console.folder / "file"
    file.touch()

    result = console.run("org", "list", DATABASE_URL=f"sqlite:///{file}/new/sync.db")

    assert result.exit_code == 2
    (line,) = lines(result.stderr)
    assert line.startswith("Error: DATABASE_URL: ")
    assert line.endswith("cannot be written (Not a directory)")


def test_a_database_that_is_none_ends_a_command_with_one_line(
    console: Console,
) -> None:
    folder = console.folder / "folder.db"
    folder.mkdir()

    result = console.run("org", "list", DATABASE_URL=f"sqlite:///{folder}")

    assert result.exit_code == 1
    (line,) = lines(result.stderr)
    assert line.startswith("Error: the database cannot be used")


def test_in_production_an_old_schema_is_left_to_migrate(console: Console) -> None:
    new = {
        "DATABASE_URL": f"sqlite:///{console.folder}/new.db",
        "AMQP_URL": "amqp://localhost:1/",
    }

    result = console.run("org", "list", **new)

    assert result.exit_code == 1
    (line,) = lines(result.stderr)
    assert line.endswith("run: calendar-sync migrate")


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (
            errors.ConfigurationError(["A: is bad", "B: too"]),
            2,
            ["A: is bad", "B: too"],
        ),
        (
            errors.RemoteUnavailableError("it is away"),
            1,
            ["it is away; see: calendar-sync doctor"],
        ),
        (errors.SyncError("it says what to do"), 1, ["it says what to do"]),
        (errors.TopologyError(["AMQP_URL: differs"]), 2, ["AMQP_URL: differs"]),
        (KeyboardInterrupt(), 1, []),
    ],
)
def test_errors_are_told_in_one_line_each(
    raised: BaseException, code: int, told: list[str]
) -> None:
    @click.group(cls=_One)
    def group() -> None: ...

    def fail() -> None:
        raise raised

    group.add_command(click.Command("fail", callback=fail))

    result = CliRunner().invoke(group, ["fail"])

    assert result.exit_code == code
    assert lines(result.stderr) == [f"Error: {text}" for text in told]


class _One(entry.Commands):
    """Commands that a test added itself."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return click.Group.get_command(self, ctx, cmd_name)
