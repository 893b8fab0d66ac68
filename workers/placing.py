"""Whether, and in whose calendar, the event of a pair has its place."""

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import model, scope
from shared.domain.reasons import Reason
from shared.domain.reconcile import Presence
from workers import stored
from workers.pair import Pair

Home = tuple[tables.Connection, tables.Calendar]


def place(work: UnitOfWork, pair: Pair) -> Reason | None:
    """Bring the pair to where its task's owner has it; return why it must wait, if so.

    Sets `out_of_scope` of a task that is not to be in any calendar.
    """
    pair.directory = stored.directory(work, pair)
    task = pair.task.task
    if task is not None and pair.task.presence is Presence.LIVE:
        pair.out_of_scope = scope.why_out_of_scope(task, pair.settings)
        if pair.out_of_scope is None and _is_elsewhere(pair, task):
            home = home_of(work, pair.organization.id, task.owner_id)
            if home is Reason.OWNER_MUST_RECONNECT:
                return home
            if isinstance(home, Reason):
                pair.out_of_scope = home
            else:
                pair.move_to(*home)
                pair.directory = stored.directory(work, pair)
    if pair.connection.state != ConnectionState.ACTIVE:
        return why_inactive(pair.connection)
    return None


def _is_elsewhere(pair: Pair, task: model.Task) -> bool:
    """Tell whether the task has another owner, or its owner another Google account."""
    return (
        task.owner_id != pair.connection.crm_user_id
        or pair.calendar.google_sub != pair.connection.google_sub
    )


def home_of(work: UnitOfWork, organization_id: int, owner_id: str) -> Home | Reason:
    """Return where the events of a user's tasks are, or why there is no such place."""
    connection = work.connections.of_user(organization_id, owner_id)
    if connection is None:
        return Reason.OWNER_NOT_CONNECTED
    if connection.state != ConnectionState.ACTIVE:
        return why_inactive(connection)
    calendar = work.calendars.selected_of(connection.id)
    if calendar is None or calendar.google_sub != connection.google_sub:
        # The first sync, which selects a calendar, looks at this task too.
        return Reason.OWNER_MUST_RECONNECT
    return connection, calendar


def why_inactive(connection: tables.Connection) -> Reason:
    """Return why nothing is synced through a connection that is not active."""
    if connection.state == ConnectionState.DISCONNECTED:
        return Reason.OWNER_NOT_CONNECTED
    return Reason.OWNER_MUST_RECONNECT


def why_not_new(work: UnitOfWork, pair: Pair) -> Reason | None:
    """Return why an event without a link is not to have one."""
    if pair.event.event is None or pair.event.event.is_cancelled:
        return Reason.NOTHING_TO_CANCEL
    if not pair.calendar.is_selected:
        return Reason.NOT_SELECTED
    if _another_copy_leads(work, pair, pair.event.event):
        return Reason.ANOTHER_COPY_LEADS
    return None


def _another_copy_leads(work: UnitOfWork, pair: Pair, event: model.Event) -> bool:
    """Tell whether the meeting is, or will be, synced through another calendar."""
    if link_of_event(work, pair.organization.id, event) is not None:
        return True
    if event.is_organizer or event.organizer is None:
        return False
    organizer = work.connections.of_google_address(
        pair.organization.id, event.organizer
    )
    return organizer is not None


def link_of_event(
    work: UnitOfWork, organization_id: int, event: model.Event
) -> tables.Link | None:
    """Return the link of the meeting that an event is a copy of."""
    by_uid = work.links.of_ical(
        organization_id, event.ical_uid or "", event.original_start or ""
    )
    return by_uid or work.links.of_event_id_in(organization_id, event.id)
