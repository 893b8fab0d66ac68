"""Whether, and in whose calendar, the event of a pair has its place."""

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, LinkState
from shared.domain import identifiers, model, scope
from shared.domain.reasons import Reason
from shared.domain.reconcile import Presence
from workers import situation, stored
from workers.pair import Pair

Home = tuple[tables.Connection, tables.Calendar]


def place(work: UnitOfWork, pair: Pair) -> Reason | None:
    """Bring the pair to where its task's owner has it; return why it must wait, if so.

    Sets `out_of_scope` of a task that is not to be in any calendar.
    """
    stored.know_people(work, pair)
    task = pair.task.task
    if task is not None and (pair.task.presence is Presence.LIVE or pair.is_detached):
        pair.out_of_scope = scope.why_out_of_scope(task, pair.settings)
        is_to_move = pair.out_of_scope is None and _is_to_move(pair, task)
        pair.moves_later = is_to_move and _was_edited_here(pair)
        if is_to_move and not pair.moves_later:
            must_wait = _move(work, pair, task)
            if must_wait is not None:
                return must_wait
    if pair.connection.state != ConnectionState.ACTIVE:
        return why_inactive(pair.connection)
    return None


def _move(work: UnitOfWork, pair: Pair, task: model.Task) -> Reason | None:
    home = home_of(work, pair.organization.id, task.owner_id)
    if home is Reason.OWNER_MUST_RECONNECT:
        return home
    if isinstance(home, Reason):
        pair.out_of_scope = home
    elif _stays(pair, task):
        pair.out_of_scope = Reason.NOT_SELECTED
    elif pair.is_redacted():
        pair.out_of_scope = Reason.PRIVATE_EVENT
    else:
        pair.move_to(*home)
        stored.know_people(work, pair)
    return None


def _is_to_move(pair: Pair, task: model.Task) -> bool:
    """Tell whether the event's place is in another calendar by now.

    An event whose task is over is cancelled where it is; one that is not synced any
    more is not even that.
    """
    is_over = task.status is model.TaskStatus.CANCELLED and not pair.is_detached
    return not is_over and _is_elsewhere(pair, task)


def demand(pair: Pair) -> tuple[object, ...]:
    """Return what the place depends on: while that stays, so does the place."""
    task = pair.task.task
    if task is None or pair.task.presence is not Presence.LIVE:
        return ()
    return task.owner_id, task.status, scope.why_out_of_scope(task, pair.settings)


def _is_elsewhere(pair: Pair, task: model.Task) -> bool:
    """Tell whether the task's owner has its events in another calendar by now."""
    return not (_is_with_its_owner(pair, task) and pair.calendar.is_selected)


def _is_with_its_owner(pair: Pair, task: model.Task) -> bool:
    led_for = {pair.connection.crm_user_id, pair.link.led_for if pair.link else None}
    is_own = task.owner_id in led_for
    return is_own and pair.calendar.google_sub == pair.connection.google_sub


def _was_edited_here(pair: Pair) -> bool:
    """Tell whether the event, where it is, has an edit that its task does not have.

    Only where the account that has it is still connected. What became of it while its
    link was out of use, or about to be, reaches nobody.
    """
    is_active = pair.connection.state == ConnectionState.ACTIVE
    is_within_reach = pair.calendar.google_sub == pair.connection.google_sub
    settled = {LinkState.ACTIVE, LinkState.CONFLICT}
    in_use = pair.link is not None and pair.link.state in settled
    return is_active and is_within_reach and in_use and situation.has_event_news(pair)


def _stays(pair: Pair, task: model.Task) -> bool:
    """Tell whether it is the user's own event, in a calendar that was synced before."""
    is_imported = pair.created_by() is model.Side.GOOGLE
    return is_imported and _is_with_its_owner(pair, task)


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
    if _another_copy_leads(work, pair):
        return Reason.ANOTHER_COPY_LEADS
    return None


def is_free(work: UnitOfWork, pair: Pair) -> bool:
    """Tell whether an event that a task names can become its event."""
    event = pair.event.event
    if event is None or event.is_cancelled:
        return False
    return link_of_event(work, pair) is None


def _another_copy_leads(work: UnitOfWork, pair: Pair) -> bool:
    """Tell whether the meeting is, or will be, synced through another calendar."""
    event = pair.known_event
    if link_of_event(work, pair) is not None:
        return True
    if event.is_organizer or event.organizer is None:
        return False
    organizer = work.connections.of_google_address(
        pair.organization.id, event.organizer
    )
    if organizer is None:
        return False
    # What its user organizes is in the main calendar, which need not be the synced one.
    selected = work.calendars.selected_of(organizer.id)
    if selected is None or not selected.is_primary:
        return selected is None
    copy = stored.copy_on(work, pair, selected)
    if copy is None or copy.is_series:
        return True
    return stored.why_not_imported(work, copy, pair.settings) is None


def link_of_event(work: UnitOfWork, pair: Pair) -> tables.Link | None:
    """Return the link of the meeting that an event is, or once was, a copy of."""
    event, organization_id = pair.known_event, pair.organization.id
    by_uid = work.links.of_ical(
        organization_id, event.ical_uid or "", event.original_start or ""
    )
    named = by_uid or work.links.of_event_id_in(organization_id, event.id)
    if named is not None:
        return named
    copy = work.copies.of(pair.calendar.id, event.id)
    return work.links.get(copy.link_id) if copy else None


def link_made_for(work: UnitOfWork, pair: Pair) -> tables.Link | None:
    """Return the link of the task that we have made an event for, by the event's id."""
    event, organization = pair.event.event, pair.organization
    if event is None or event.task_id is None:
        return None
    generation = identifiers.generation_of(
        event.id, organization.name, event.task_id, pair.calendar.google_calendar_id
    )
    if generation is None:
        return None
    return work.links.of_task(organization.id, event.task_id)


def leader_of(work: UnitOfWork, pair: Pair) -> Pair | None:
    """Return the pair through which the meeting of a copy is synced."""
    link = link_of_event(work, pair)
    return stored.pair_of_link(work, pair.organization, link) if link else None
