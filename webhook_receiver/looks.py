"""Queues a look at a record: level-triggered, like all that travels."""

import uuid
from collections.abc import Iterable

from shared.adapters.store import UnitOfWork, tables
from shared.domain import messages, ports
from shared.domain.messages import Message, Queue, Subject, Trigger


def subject_of_link(link: tables.Link) -> Subject | None:
    """Return what has the record of a link looked at; None if it has neither side."""
    if link.task_id is not None:
        return messages.TaskDue(
            organization_id=link.organization_id, task_id=link.task_id
        )
    if link.calendar_id is not None and link.event_id is not None:
        return messages.EventDue(
            calendar_id=link.calendar_id, event_id=link.event_id, must_read=True
        )
    return None


def subject_of_item(work: UnitOfWork, item: tables.JobItem) -> Subject | None:
    """Return what has the record, or the list, of a line of the history looked at."""
    if item.task_id is not None:
        return messages.TaskDue(
            organization_id=item.organization_id, task_id=item.task_id
        )
    if item.connection_id is None:
        return messages.OrganizationDue(organization_id=item.organization_id)
    if item.event_id is None:
        return messages.ConnectionDue(connection_id=item.connection_id)
    link = work.links.get(item.link_id)
    calendar = work.calendars.selected_of(item.connection_id)
    calendar_id = link.calendar_id if link else None
    if calendar_id is None and calendar is not None:
        calendar_id = calendar.id
    if calendar_id is None:
        return None
    return messages.EventDue(
        calendar_id=calendar_id, event_id=item.event_id, must_read=True
    )


def messages_for(
    subjects: Iterable[Subject],
    trigger: Trigger,
    clock: ports.Clock,
    *,
    job_id: int | None = None,
) -> list[Message]:
    """Return messages that somebody waits for, so that they go the quick way."""
    return [
        Message(
            id=uuid.uuid4().hex,
            queue=Queue.RECORDS,
            subject=subject,
            trigger=trigger,
            queued_at=clock.now(),
            job_id=job_id,
        )
        for subject in subjects
    ]
