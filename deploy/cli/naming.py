"""Finding what the options of a command name."""

import click

from shared.adapters.store import UnitOfWork, tables
from shared.domain import errors


def organization(work: UnitOfWork, name: str) -> tables.Organization:
    """Return the organization; raises `ConfigurationError` when there is none."""
    row = work.organizations.by_name(name)
    if row is None:
        problem = f"there is no organization {name}; see: calendar-sync org list"
        raise errors.ConfigurationError([problem])
    return row


def check_user(work: UnitOfWork, row: tables.Organization, user_id: str | None) -> None:
    """Return when the CRM has this user, as far as we know.

    Raises `ConfigurationError` when it has not.
    """
    if user_id is None or work.users.of(row.id, user_id) is not None:
        return
    if row.users_read_at is not None:
        problem = f"--user: the CRM of {row.name} has no user {user_id}"
        raise errors.ConfigurationError([problem])
    click.echo("The users of the CRM have not been read yet.", err=True)
