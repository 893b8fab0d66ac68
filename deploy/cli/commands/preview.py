"""`calendar-sync preview`: what a sync would do, with nothing written."""

from collections.abc import Sequence

import click

from deploy.cli import foundation, naming, output, readiness, worker_parts
from deploy.cli.foundation import Foundation
from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, reasons
from shared.domain.access import Problem
from workers import previewing
from workers.previewing import Preview

Found = tuple[tables.Connection, Preview | str]
"""A connection, and what its sync would do or why that cannot be told."""

_HEADINGS = ("USER", "GOOGLE ACCOUNT", "GOOGLE", "CRM", "LINKED", "GUESTS", "MAILED")


@click.command(
    "preview", short_help="Show what a sync of somebody's meetings would do."
)
@click.option("--org", "name", required=True, metavar="NAME", help="The organization.")
@click.option("--user", "user_id", metavar="ID", help="Only this user of the CRM.")
@output.json_option
def command(*, name: str, user_id: str | None, as_json: bool) -> None:
    """Show what a sync of each connected user would do; nothing is written.

    Reads both sides as a first sync does. GOOGLE and CRM are what would be created,
    updated and cancelled there; LINKED what is the same on both sides and not linked
    yet; GUESTS the people on the events that would be written, and MAILED those Google
    would mail.

    Exits with 1 when a side could not be read.
    """
    with foundation.opened() as base:
        readiness.require_schema(base)
        found = [(each, _preview(base, each)) for each in _chosen(base, name, user_id)]
    if as_json:
        output.show_json({"organization": name, "previews": _documents(found)})
    else:
        output.show_table(_HEADINGS, [_row(*each) for each in found])
        _tell_left(found)
    for connection, preview in found:
        if isinstance(preview, str):
            click.echo(f"{connection.crm_user_id}: {preview}", err=True)
    if any(isinstance(preview, str) for _, preview in found):
        raise click.exceptions.Exit(1)


def _chosen(
    base: Foundation, name: str, user_id: str | None
) -> Sequence[tables.Connection]:
    with base.store.read() as work:
        organization = naming.organization(work, name)
        naming.check_user(work, organization, user_id)
        rows = work.connections.all_of(organization.id)
    found = [
        row
        for row in rows
        if user_id in {None, row.crm_user_id}
        and (row.state == ConnectionState.ACTIVE or row.problem == Problem.NOT_STARTED)
    ]
    if not found:
        whom = f"{user_id} of {name}" if user_id else name
        problem = f"there is no active connection of {whom}"
        raise errors.ConfigurationError([problem])
    return found


def _preview(base: Foundation, connection: tables.Connection) -> Preview | str:
    try:
        return previewing.preview(worker_parts.services(base), connection)
    except errors.SyncError as error:
        return str(error)


def _documents(found: Sequence[Found]) -> list[dict[str, object]]:
    return [
        {
            "crm_user_id": connection.crm_user_id,
            "counts": None if isinstance(preview, str) else preview.to_document(),
            "error": preview if isinstance(preview, str) else None,
        }
        for connection, preview in found
    ]


def _row(connection: tables.Connection, preview: Preview | str) -> Sequence[object]:
    who = (connection.crm_user_id, connection.google_address)
    if isinstance(preview, str):
        return (*who, "not read", "", "", "", "")
    return (
        *who,
        preview.google,
        preview.crm,
        preview.linked,
        preview.guests,
        preview.mailed,
    )


def _tell_left(found: Sequence[Found]) -> None:
    for connection, preview in found:
        if isinstance(preview, str):
            continue
        who = connection.crm_user_id
        for left in preview.left:
            why = reasons.explain(left.reason)
            click.echo(f"{who}: {left.count} left as they are. {why}")
        if preview.failed:
            click.echo(f"{who}: {preview.failed} could not be looked at.")
