"""`calendar-sync links`: what ties tasks to events, restored and put in order."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import click

from deploy.cli import (
    agreement,
    foundation,
    naming,
    output,
    readiness,
    worker_parts,
)
from deploy.cli.foundation import Foundation
from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors
from workers import rebuilding, search
from workers.census import Unread
from workers.claims import FoundBy
from workers.mending import Mending
from workers.orphans import Kind, Orphan
from workers.relinking import Made

_org_option = click.option(
    "--org", "name", required=True, metavar="NAME", help="The organization."
)


@click.group("links", short_help="Restore lost links, find orphans and duplicates.")
def command() -> None:
    """Restore lost links, find orphans and duplicates.

    A link says which task and which event are one meeting.
    """


@command.command("rebuild")
@_org_option
@output.json_option
def rebuild(*, name: str, as_json: bool) -> None:
    """Restore the links that are missing from the database.

    Reads the whole CRM and every connected calendar, and writes to neither. Links that
    are there stay as they are, unless they come from a backup and their tasks got other
    events since. So it can be run again, and while everything else runs; of a restored
    database, run it before the workers. Exits with 1 when a calendar could not be read.
    """
    with foundation.opened() as base:
        readiness.require_schema(base)
        organization = _organization(base, name)
        services = worker_parts.services(base)
        report = rebuilding.rebuild(services, organization)
        _tell_inactive(base, organization)
    if as_json:
        output.show_json(
            {
                "organization": name,
                "kept": report.kept,
                "made": [_made_document(each) for each in report.made],
                "renewed": [_made_document(each) for each in report.renewed],
                "unread": _unread_documents(report.unread),
            }
        )
    else:
        _show_report(report)
    _tell_unread(report.unread)
    if report.unread:
        raise click.exceptions.Exit(1)


def _made_document(made: Made) -> dict[str, object]:
    return {
        "task_id": made.task_id,
        "event_id": made.event_id,
        "found_by": made.found_by,
        "equal": made.is_equal,
    }


def _show_report(report: rebuilding.Report) -> None:
    found = Counter(each.found_by for each in report.made)
    click.echo(f"{report.kept} links were there, {len(report.made)} were made:")
    for found_by, told in _FOUND_BY.items():
        click.echo(f"{found[found_by]:>8}  {told}")
    if report.renewed:
        click.echo(
            f"{len(report.renewed)} of those that were there were older than their "
            "events, and lead to them again."
        )
    differing = sum(not each.is_equal for each in [*report.made, *report.renewed])
    if differing:
        click.echo(
            f"Of {differing} the two sides differ: "
            "the next sync settles them as the conflict policy says."
        )


_FOUND_BY = {
    FoundBy.TASK: "because the task names its event",
    FoundBy.EVENT: "because the event names its task",
    FoundBy.LIKENESS: "because they have the same user, title and time",
}


# -- orphans ----------------------------------------------------------------------


class State(StrEnum):
    """What has become of a finding."""

    FOUND = "found"
    REPAIRED = "repaired"
    QUEUED = "queued"
    """A worker finishes the repair."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A finding and what has become of it."""

    orphan: Orphan
    state: State = State.FOUND
    error: str | None = None

    def to_document(self) -> dict[str, object]:
        orphan = self.orphan
        return {
            "kind": orphan.kind,
            "task_id": orphan.task_id,
            "event_id": orphan.event_id,
            "title": orphan.title,
            "crm_user_id": orphan.crm_user_id,
            "calendar_id": orphan.calendar,
            "like": orphan.like,
            "repair": orphan.repair,
            "state": self.state,
            "error": self.error,
        }


@command.command("orphans")
@_org_option
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in Kind]),
    help="Only this kind; may be given more than once.",
)
@click.option("--repair", "repairs", is_flag=True, help="Repair what can be repaired.")
@agreement.option
@output.json_option
def orphans(
    *, name: str, kinds: tuple[str, ...], repairs: bool, yes: bool, as_json: bool
) -> None:
    """Find orphans and duplicates, and repair them if asked to.

    \b
    events-without-task   events that we made, whose task is deleted
    tasks-without-event   tasks in scope, whose event is deleted
    duplicate-events      events of one task, or alike on one calendar
    duplicate-tasks       tasks of one user that look alike
    dead-links            links whose task and event nobody knows any more

    Reads the whole CRM and every connected calendar. A repair mails nobody, deletes no
    task, and no event that we did not make; workers finish what it queues. Of two that
    a user made, somebody has to delete one by hand.

    Exits with 1 when something was found and is not repaired.
    """
    with foundation.opened() as base:
        readiness.require_schema(base)
        organization = _organization(base, name)
        services = worker_parts.services(base)
        findings = search.find(services, organization)
        lines = [
            _Line(orphan=each)
            for each in findings.orphans
            if not kinds or each.kind in kinds
        ]
        if repairs and _is_confirmed(lines, yes=yes):
            base.broker.declare()
            mending = Mending(services, organization)
            lines = [_repaired(line, mending) for line in lines]
        _tell_inactive(base, organization)
    if as_json:
        documents = [line.to_document() for line in lines]
        unread = _unread_documents(findings.unread)
        output.show_json({"orphans": documents, "unread": unread})
    else:
        _show_lines(lines)
    _tell_unread(findings.unread)
    if findings.unread or _are_open(lines):
        raise click.exceptions.Exit(1)


def _is_confirmed(lines: Iterable[_Line], *, yes: bool) -> bool:
    count = sum(line.orphan.repair is not None for line in lines)
    return count > 0 and agreement.is_given(f"Repair {count}?", yes=yes)


def _repaired(line: _Line, mending: Mending) -> _Line:
    if line.orphan.repair is None:
        return line
    try:
        is_queued = mending.repair(line.orphan)
    except errors.SyncError as error:
        # The others are repaired all the same.
        return _Line(orphan=line.orphan, state=State.FAILED, error=str(error))
    state = State.QUEUED if is_queued else State.REPAIRED
    return _Line(orphan=line.orphan, state=state)


def _are_open(lines: Iterable[_Line]) -> bool:
    return any(line.state in {State.FOUND, State.FAILED} for line in lines)


def _show_lines(lines: Sequence[_Line]) -> None:
    if not lines:
        click.echo("Nothing was found.")
        return
    headings = ("KIND", "TASK", "EVENT", "USER", "TITLE", "REPAIR", "STATE")
    output.show_table(headings, [_row(line) for line in lines])
    for line in lines:
        if line.error:
            click.echo(f"{_name(line.orphan)}: {line.error}", err=True)


def _row(line: _Line) -> Sequence[object]:
    orphan = line.orphan
    by_hand = f"delete it, or {orphan.like}, by hand"
    return (
        orphan.kind,
        orphan.task_id,
        orphan.event_id,
        orphan.crm_user_id,
        orphan.title,
        orphan.repair or by_hand,
        line.state,
    )


def _name(orphan: Orphan) -> str:
    return f"{orphan.kind} {orphan.task_id or orphan.event_id}"


# -- both -------------------------------------------------------------------------


def _organization(base: Foundation, name: str) -> tables.Organization:
    with base.store.read() as work:
        return naming.organization(work, name)


def _unread_documents(unread: Iterable[Unread]) -> Sequence[object]:
    return [{"crm_user_id": each.crm_user_id, "error": each.error} for each in unread]


def _tell_unread(unread: Collection[Unread]) -> None:
    for each in unread:
        click.echo(
            f"The calendar of {each.crm_user_id} could not be read: {each.error}",
            err=True,
        )


def _tell_inactive(base: Foundation, organization: tables.Organization) -> None:
    with base.store.read() as work:
        counted = work.connections.count_by_state(organization.id)
    inactive = sum(counted.values()) - counted.get(ConnectionState.ACTIVE, 0)
    if inactive:
        click.echo(
            f"Connections that are not active, and left out: {inactive}", err=True
        )
