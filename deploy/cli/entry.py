"""The command line: which commands there are, and how their errors are told.

Exit codes: 0 done, 1 it ran and found a problem, 2 wrong usage or configuration.
"""

import importlib
from collections.abc import Mapping
from typing import IO, Any

import click

from shared.domain import errors

COMMANDS: Mapping[str, str] = {
    "migrate": "Bring the database and the broker to this release.",
    "serve": "Run the receiver: webhooks, API and pages.",
    "work": "Run workers on some queues, or on all.",
    "periodic": "Run the timers.",
    "run": "Run serve, work and periodic together.",
    "demo": "Run everything with a simulated Google and CRM.",
    "org": "Set up organizations.",
    "token": "Make tokens for the JSON API.",
    "login-link": "Print a one-time address that signs somebody in.",
    "preview": "Show what a sync of somebody's meetings would do.",
    "sync": "Sync somebody's meetings now, and watch.",
    "links": "Restore lost links, find orphans and duplicates.",
    "dead-letters": "See, replay or discard what failed for good.",
    "user": "Copy or delete what is stored about somebody.",
    "keys": "Replace the keys that encrypt secrets.",
    "doctor": "Check everything, and say what to do.",
}
"""The commands with their short help; each one's module is imported when it runs."""


_FROM_ELSEWHERE = (
    errors.BrokerConnectionError,
    errors.RemoteUnavailableError,
    errors.RemoteAuthError,
    errors.RemoteRejectedError,
)
"""They say what another system answered, and not what to do."""


class MisconfiguredError(click.ClickException):
    """Shows every problem of a `ConfigurationError` on a line of its own."""

    exit_code = 2

    def __init__(self, problems: list[str]) -> None:
        """Take the problems."""
        super().__init__("; ".join(problems))
        self._problems = problems

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the problems to standard error."""
        for problem in self._problems:
            click.echo(f"Error: {problem}", file=file, err=file is None)


class Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"deploy.cli.commands.{name}")
        command: click.Command = module.command
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's
        try:
            return super().invoke(ctx)
        except errors.ConfigurationError as error:
            raise MisconfiguredError(error.problems) from error
        except _FROM_ELSEWHERE as error:
            message = f"{error}; see: calendar-sync doctor"
            raise click.ClickException(message) from error
        except errors.SyncError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(1) from None


@click.group(cls=Commands, name="calendar-sync")
@click.version_option(package_name="calendar-sync")
def main() -> None:
    """Keep a CRM's tasks and its users' Google Calendars in step.

    Configured by environment variables; .env is read as well.
    """
