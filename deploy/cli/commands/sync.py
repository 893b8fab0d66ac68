"""`calendar-sync sync`: bring somebody's meetings in step now, and watch it."""

import sys
import time

import click

from deploy.cli import foundation, naming, output, readiness
from deploy.cli.foundation import Foundation
from shared.adapters.store import tables
from shared.adapters.store.states import JobState
from shared.domain import errors
from webhook_receiver.api.jobs import JobDocument
from webhook_receiver.syncs import NotActiveError, Syncs

_LOOK_SECONDS = 0.5
_SAY_SECONDS = 10
"""How often progress is told where nobody watches a terminal."""


@click.command("sync", short_help="Sync somebody's meetings now, and watch.")
@click.option("--org", "name", required=True, metavar="NAME", help="The organization.")
@click.option("--user", "user_id", required=True, metavar="ID", help="A CRM user.")
@click.option(
    "--wait/--no-wait",
    default=True,
    show_default=True,
    help="Show progress until the end.",
)
@output.json_option
def command(*, name: str, user_id: str, wait: bool, as_json: bool) -> None:
    """Have a connection brought in step now, and show how far it has come.

    Starts the first sync of a connection that waits for its start. Workers do the work:
    it goes on when this command is interrupted. Exits with 1 when a record failed.
    """
    with foundation.opened() as base:
        readiness.require_schema(base)
        connection = _connection(base, name, user_id)
        base.broker.declare()
        try:
            job = Syncs(base).now(connection.id)
        except NotActiveError as error:
            raise errors.ConfigurationError([str(error)]) from error
        if wait:
            job = _watched(base, job)
        document = JobDocument.of(job, base.clock.now()).model_dump(mode="json")
    if as_json:
        output.show_json(document)
    else:
        output.show_fields({k: v for k, v in document.items() if k != "progress"})
    if job.state in {JobState.FAILED, JobState.PARTIAL}:
        raise click.exceptions.Exit(1)


def _connection(base: Foundation, name: str, user_id: str) -> tables.Connection:
    with base.store.read() as work:
        organization = naming.organization(work, name)
        naming.check_user(work, organization, user_id)
        row = work.connections.of_user(organization.id, user_id)
    if row is None:
        problem = f"--user: {user_id} has not connected a Google account"
        raise errors.ConfigurationError([problem])
    return row


def _watched(base: Foundation, job: tables.Job) -> tables.Job:
    """Return the job at its end; tell meanwhile how far it has come."""
    progress = _Progress()
    while job.state == JobState.RUNNING:
        progress.tell(JobDocument.of(job, base.clock.now()))
        time.sleep(_LOOK_SECONDS)
        with base.store.read() as work:
            job = work.jobs.by_id(job.id)
    progress.end()
    return job


class _Progress:
    """Tells on standard error: one line that changes, or now and then a new one."""

    def __init__(self) -> None:
        self._is_watched = sys.stderr.isatty()
        self._said_at = time.monotonic()
        self._width = 0

    def tell(self, job: JobDocument) -> None:
        now = time.monotonic()
        if self._is_watched:
            line = _line(job)
            click.echo(f"\r{line.ljust(self._width)}", nl=False, err=True)
            self._width = len(line)
        elif now - self._said_at >= _SAY_SECONDS:
            click.echo(_line(job), err=True)
            self._said_at = now

    def end(self) -> None:
        if self._is_watched:
            click.echo(err=True)


def _line(job: JobDocument) -> str:
    progress = job.progress
    if progress is None or progress.total == 0:
        return "Listing both sides; workers must be running"
    more = " so far" if progress.is_listing else ""
    parts = [
        f"{progress.done} of {progress.total}{more}",
        f"{progress.rate_per_minute:.0f} a minute",
    ]
    if progress.remaining_seconds is not None and not progress.is_listing:
        parts.append(f"about {progress.remaining_seconds:.0f} s left")
    if job.errors:
        parts.append(f"{job.errors} failed")
    return ", ".join(parts)
