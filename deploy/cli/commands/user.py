"""`calendar-sync user`: a copy of what is stored about somebody, and its deletion."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from deploy.cli import (
    agreement,
    filing,
    foundation,
    naming,
    output,
    readiness,
    user_copy,
    worker_parts,
)
from deploy.cli.foundation import Foundation
from shared.adapters.store import Owner
from shared.domain import errors
from workers.forgetting import Forgetting

_org_option = click.option(
    "--org", "name", required=True, metavar="NAME", help="The organization."
)
_user_option = click.option(
    "--user", "user_id", required=True, metavar="ID", help="A CRM user."
)
_STANDARD_OUTPUT = "-"
_GRANTS = "https://myaccount.google.com/connections"


@click.group("user", short_help="Copy or delete what is stored about somebody.")
def command() -> None:
    """Copy or delete what is stored about somebody."""


@command.command("export")
@_org_option
@_user_option
@click.option(
    "--output",
    "path",
    required=True,
    metavar="FILE",
    help="Where to write; - is the standard output.",
)
def export(*, name: str, user_id: str, path: str) -> None:
    """Write all that is stored about a user, as JSON.

    The user and the connection, calendars, links, copies of events, conflicts, jobs
    with the history, dead letters. No secret and no token is in it, yet it is personal:
    only its owner can read the file. A file that is there is not overwritten.
    """
    with foundation.opened() as base:
        readiness.require_schema(base)
        owner = _owner(base, name, user_id)
        _file_waiting(base)
        with _opened(path) as file:
            file.writelines(user_copy.written(base.store, owner, organization=name))


@command.command("delete")
@_org_option
@_user_option
@agreement.option
def delete(*, name: str, user_id: str, yes: bool) -> None:
    """Delete all that is stored about a user, and end the access to Google.

    Events and tasks stay where they are. A meeting that another connected user comes to
    stays in step, through that user's calendar. Everything else may go on running.
    Interrupted, the same command goes on.

    While the CRM has the user, so does our copy of its list of users. Whoever is to
    leave for good is deleted there as well.
    """
    with foundation.opened() as base:
        readiness.require_schema(base)
        owner = _owner(base, name, user_id)
        _file_waiting(base)
        forgetting = Forgetting(worker_parts.services(base))
        if not yes:
            _tell(owner, forgetting.count(owner))
        if not agreement.is_given(f"Delete what is stored about {user_id}?", yes=yes):
            raise click.Abort
        try:
            gone = forgetting.user(owner)
        except (KeyboardInterrupt, errors.SyncError) as error:
            why = str(error) or "interrupted"
            message = f"{why}; not all is deleted yet: the same command goes on"
            raise click.ClickException(message) from error
        if forgetting.is_grant_left:
            click.echo(
                f"Google did not end the access: {user_id} can, at {_GRANTS}", err=True
            )
    click.echo(f"Deleted what was stored about {user_id}: {gone.total()} rows.")


def _owner(base: Foundation, name: str, user_id: str) -> Owner:
    """Return whom the options name; raises `ConfigurationError` if nobody knows."""
    with base.store.read() as work:
        organization = naming.organization(work, name)
        owner = work.belongings.owner(organization.id, user_id)
        # Who has left the CRM may have a connection still.
        if owner.connection_id is None:
            naming.check_user(work, organization, user_id)
    return owner


def _file_waiting(base: Foundation) -> None:
    """File the dead letters that wait in their queue: some may be about the user."""
    try:
        filing.file_waiting(base)
    except errors.BrokerConnectionError as error:
        click.echo(f"Left out dead letters that are not filed: {error}", err=True)


def _tell(owner: Owner, counted: Mapping[str, int]) -> None:
    rows = [(part.replace("_", " "), count) for part, count in counted.items()]
    if owner.connection_id is not None:
        rows.append(("connection", 1))
    output.show_table(("WHAT", "ROWS"), rows)


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Open a new file that only its owner can read; it goes if it is not complete."""
    if path == _STANDARD_OUTPUT:
        yield sys.stdout
        return
    new = Path(path)
    try:
        # Before anything is in it: others must not read it for as much as a moment.
        new.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        problem = f"--output: {path} cannot be written ({error.strerror})"
        raise errors.ConfigurationError([problem]) from error
    try:
        with new.open("w", encoding="utf-8") as file:
            yield file
    except BaseException:
        new.unlink(missing_ok=True)
        raise
