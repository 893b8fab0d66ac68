"""Which tasks and events are synced at all."""

from shared.domain import recurrence
from shared.domain.model import AllDay, Event, Response, Task
from shared.domain.reasons import Reason
from shared.domain.settings import Settings

WRITABLE_ROLES = frozenset({"owner", "writer"})
NO_ACCESS = "none"
"""What a calendar has for a role once its account's list has it no more."""
FROM_MAIL = "fromGmail"
SYNCED_EVENT_TYPES = frozenset({"default", FROM_MAIL})
"""The others (fact 105) say where somebody is, not whom they meet."""


def why_out_of_scope(task: Task, settings: Settings) -> Reason | None:
    """Return why a task has no place in a calendar, or None if it has one."""
    if not settings.is_synced(task.type):
        return Reason.TYPE_SWITCHED_OFF
    if task.due_at is None and task.due_date is None:
        return Reason.NO_DUE_DATE
    if task.due_date is not None and not settings.include_all_day:
        return Reason.ALL_DAY_SWITCHED_OFF
    return None


def why_not_imported(event: Event, settings: Settings) -> Reason | None:
    """Return why an event without a task shall not get one, or None if it shall."""
    if not settings.create_tasks_from_google:
        return Reason.IMPORT_SWITCHED_OFF
    if event.event_type not in SYNCED_EVENT_TYPES:
        return Reason.EVENT_TYPE
    if is_private(event) and not settings.import_private_events:
        return Reason.PRIVATE_EVENT
    if has_declined(event):
        return Reason.DECLINED
    return why_on_hold(event, settings)


def is_private(event: Event) -> bool:
    """Tell whether the calendar's user keeps the event's details to themselves."""
    return event.visibility in {"private", "confidential"}


def has_declined(event: Event) -> bool:
    """Tell whether the calendar's user has declined the event."""
    answers = {guest.response for guest in event.guests if guest.is_self}
    return Response.DECLINED in answers


def why_on_hold(event: Event, settings: Settings) -> Reason | None:
    """Return why an event, linked or not, cannot be mapped at present."""
    if recurrence.is_series(event):
        return Reason.RECURRING_EVENT
    if isinstance(event.when, AllDay) and not settings.include_all_day:
        return Reason.ALL_DAY_SWITCHED_OFF
    return None


def is_read_only(event: Event, access_role: str) -> bool:
    """Tell whether the calendar's user may not edit the event (facts 99, 125-126).

    Of an event made from a mail, Google does not take what is synced (fact 106).
    """
    is_fixed = event.locked or event.event_type == FROM_MAIL
    may_edit = event.is_organizer or event.guests_can_modify
    return is_fixed or not may_edit or access_role not in WRITABLE_ROLES
