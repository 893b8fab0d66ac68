"""Whom a message is about: for the history of a failure, and for its dead letter."""

from dataclasses import dataclass

from shared.adapters.store import UnitOfWork, tables
from shared.domain import messages
from shared.domain.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The parties of a message, as far as the store knows them."""

    organization_id: int | None = None
    connection_id: int | None = None
    link_id: int | None = None
    task_id: str | None = None
    event_id: str | None = None


def about(work: UnitOfWork, message: Message) -> About:
    """Return whom a message is about; empty for what cannot be read.

    A message can be older than a database that was restored: what that does not have is
    nobody's.
    """
    known = _named(work, message)
    if work.organizations.get(known.organization_id) is None:
        return About(task_id=known.task_id, event_id=known.event_id)
    return known


def is_gone(work: UnitOfWork, message: Message) -> bool:
    """Tell whether the connection or calendar that a message names is not there.

    It was deleted, or is younger than a database that was restored.
    """
    match message.subject:
        case (
            messages.EventDue()
            | messages.CalendarDue()
            | messages.WatchDue()
            | messages.WindowDue()
        ):
            return work.calendars.get(message.subject.calendar_id) is None
        case (
            messages.ConnectionDue()
            | messages.AccessDue()
            | messages.PreviewDue()
            | messages.HandoverDue()
            | messages.RemovalDue()
        ):
            return work.connections.get(message.subject.connection_id) is None
        case _:
            return False


def _named(work: UnitOfWork, message: Message) -> About:  # noqa: C901, PLR0911 - one case per subject
    match message.subject:
        case messages.TaskChanged(organization=name, task_id=task_id):
            organization = work.organizations.by_name(name)
            if organization is None:
                return About(task_id=task_id)
            return _of_task(work, organization.id, task_id)
        case messages.TaskDue(organization_id=organization_id, task_id=task_id):
            return _of_task(work, organization_id, task_id)
        case messages.EventDue(calendar_id=calendar_id, event_id=event_id):
            link = work.links.of_event(calendar_id, event_id)
            calendar = work.calendars.get(calendar_id)
            return _of_calendar(work, calendar, link=link, event_id=event_id)
        case messages.ChannelNotified(channel_id=channel_id):
            channel = work.channels.get(channel_id)
            calendar = work.calendars.get(channel.calendar_id) if channel else None
            return _of_calendar(work, calendar)
        case messages.CalendarDue() | messages.WatchDue() | messages.WindowDue():
            calendar = work.calendars.get(message.subject.calendar_id)
            return _of_calendar(work, calendar)
        case (
            messages.ConnectionDue()
            | messages.AccessDue()
            | messages.PreviewDue()
            | messages.HandoverDue()
            | messages.RemovalDue()
        ):
            return _of_connection(work, message.subject.connection_id)
        case (
            messages.OrganizationDue()
            | messages.InvitationDue()
            | messages.CheckDue()
            | messages.SearchDue()
            | messages.RepairDue()
        ):
            return About(organization_id=message.subject.organization_id)
        case messages.Unreadable():
            return About()


def _of_task(work: UnitOfWork, organization_id: int, task_id: str) -> About:
    link = work.links.of_task(organization_id, task_id)
    if link is None:
        return About(organization_id=organization_id, task_id=task_id)
    calendar = work.calendars.get(link.calendar_id)
    return About(
        organization_id=organization_id,
        connection_id=calendar.connection_id if calendar else None,
        link_id=link.id,
        task_id=task_id,
        event_id=link.event_id,
    )


def _of_calendar(
    work: UnitOfWork,
    calendar: tables.Calendar | None,
    *,
    link: tables.Link | None = None,
    event_id: str | None = None,
) -> About:
    if calendar is None:
        return About(event_id=event_id)
    known = _of_connection(work, calendar.connection_id)
    return About(
        organization_id=known.organization_id,
        connection_id=known.connection_id,
        link_id=link.id if link else None,
        task_id=link.task_id if link else None,
        event_id=event_id,
    )


def _of_connection(work: UnitOfWork, connection_id: int) -> About:
    connection = work.connections.get(connection_id)
    if connection is None:
        return About()
    return About(
        organization_id=connection.organization_id, connection_id=connection.id
    )
