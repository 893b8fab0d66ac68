"""Find the pair that a message is about, and read the side that may have changed."""

from dataclasses import dataclass

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, LinkState, Outcome
from shared.domain import errors, mapping, messages, model, scope
from shared.domain.reasons import Reason
from shared.domain.settings import Settings
from workers import handover, history, holding, parking, placing, stored
from workers.google_side import GoogleSide
from workers.pair import EventNow, Pair
from workers.remotes import Remotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """There is nothing to bring together; `entry` says why."""

    entry: history.Entry
    pair: Pair | None = None


Found = Pair | Skip


class Loader:
    """Loads pairs from the store, and what may have changed from its side."""

    def __init__(
        self,
        store: Store,
        remotes: Remotes,
        google: GoogleSide,
        parked: parking.Parking,
    ) -> None:
        """Take the store, and where to read tasks and events."""
        self._store = store
        self._remotes = remotes
        self._google = google
        self._parking = parked

    # -- what to hold -------------------------------------------------------------

    def names_of_task(self, subject: messages.TaskDue) -> frozenset[str]:
        """Return what to hold while working on this task."""
        with self._store.read() as work:
            link = work.links.of_task(subject.organization_id, subject.task_id)
        return holding.names_of_task(subject, link)

    def names_of_event(self, subject: messages.EventDue) -> frozenset[str]:
        """Return what to hold while working on this event."""
        calendar_id, event_id = subject.calendar_id, subject.event_id
        with self._store.read() as work:
            link = work.links.of_event(calendar_id, event_id)
            if link is not None:
                return holding.of_link(link)
            calendar = work.calendars.by_id(calendar_id)
            copy = work.copies.of(calendar_id, event_id)
            connection = work.connections.by_id(calendar.connection_id)
        return holding.names_of_event(connection.organization_id, event_id, copy)

    # -- a task -------------------------------------------------------------------

    def by_task(self, subject: messages.TaskDue, held: frozenset[str]) -> Found:
        """Return the pair of a task, with the task as the CRM has it now.

        Raises `RecordBusyError` unless it is held by these names: they change when a
        link appears.
        """
        with self._store.read() as work:
            organization = work.organizations.by_id(subject.organization_id)
            link = work.links.of_task(organization.id, subject.task_id)
            holding.check(holding.names_of_task(subject, link), held)
            if link is not None and _is_echo(link, subject):
                pair = stored.pair_of_link(work, organization, link)
                return Skip(entry=history.unchanged(pair, Reason.ECHO))
        document = self._read_task(organization, subject.task_id)
        if link is None:
            self._join_reservation(organization, subject.task_id, document)
            return self._new_task(organization, subject.task_id, document)
        with self._store.read() as work:
            pair = stored.pair_of_link(work, organization, link)
            if document is None:
                pair.saw_no_task()
            else:
                pair.saw_task(document)
            reason = placing.place(work, pair)
        return _found(pair, reason)

    def _read_task(
        self, organization: tables.Organization, task_id: str
    ) -> model.Document | None:
        try:
            return self._remotes.crm(organization).get_task(task_id)
        except errors.RecordNotFoundError:
            return None

    def _join_reservation(
        self,
        organization: tables.Organization,
        task_id: str,
        document: model.Document | None,
    ) -> None:
        """Give a task that we made for an event to the link that waits for it.

        Its webhook can be here before the answer to whoever makes it, or instead of it.
        Raises `RecordBusyError` then, so that the message comes again for the link. A
        deleted task may be the one that is made anew just now, and is left to that.
        """
        event_id = document.get("google_event_id") if document else None
        if document is None or document.get("deleted") or not event_id:
            return
        with self._store.read() as work:
            waiting = work.links.of_event_id_in(organization.id, event_id)
        if waiting is None or waiting.task_id is not None:
            return
        names = holding.of_link(waiting)
        with holding.held(self._store, names) as is_held, self._store.begin() as work:
            link = work.links.by_id(waiting.id)
            if is_held and link.task_id is None:
                link.task_id = task_id
                work.commit()
        raise errors.RecordBusyError

    def _new_task(
        self,
        organization: tables.Organization,
        task_id: str,
        document: model.Document | None,
    ) -> Found:
        if document is None or document.get("deleted"):
            return _skip_task(organization, task_id, Reason.NOTHING_TO_CANCEL)
        settings = Settings.from_document(organization.settings)
        task = mapping.task_from_document(document)
        reason = scope.why_out_of_scope(task, settings)
        if reason is not None:
            return _skip_task(organization, task_id, reason, task)
        with self._store.read() as work:
            home = placing.home_of(work, organization.id, task.owner_id)
            if isinstance(home, Reason):
                return _skip_task(organization, task_id, home, task)
            connection, calendar = home
            pair = Pair(
                organization=organization,
                settings=settings,
                calendar=calendar,
                connection=connection,
            )
            pair.saw_task(document)
            stored.know_people(work, pair)
        return self._meet_named_event(pair, task)

    def _meet_named_event(self, pair: Pair, task: model.Task) -> Found:
        """Take in the event that an unlinked task says it has, if it is free."""
        calendar_id, event_id = task.google_calendar_id, task.google_event_id
        if not event_id or calendar_id != pair.calendar.google_calendar_id:
            return pair
        refused = self._read_event(pair, event_id)
        if refused is not None:
            return refused
        with self._store.read() as work:
            if not placing.is_free(work, pair):
                pair.event = EventNow()
        return pair

    # -- an event -----------------------------------------------------------------

    def by_event(self, subject: messages.EventDue, held: frozenset[str]) -> Found:
        """Return the pair of an event, as the last pull stored it or Google has it.

        Raises `RecordBusyError` as `by_task` does.
        """
        with self._store.read() as work:
            pair, copy = stored.pair_of_event(work, subject)
        if pair.link is not None:
            names = holding.of_link(pair.link)
        else:
            names = holding.names_of_event(pair.organization.id, subject.event_id, copy)
        holding.check(names, held)
        if pair.connection.state != ConnectionState.ACTIVE:
            reason = placing.why_inactive(pair.connection)
            return Skip(entry=history.waiting(pair, reason))
        if subject.must_read:
            refused = self._read_event(pair, subject.event_id)
            if refused is not None:
                return refused
        elif pair.link is not None and _is_settled(pair.link, copy):
            return Skip(entry=history.unchanged(pair, Reason.ECHO))
        pair = self._led_by_another(pair) or pair
        if pair.link is None:
            return self._new_event(pair)
        return self.placed(pair)

    def _led_by_another(self, pair: Pair) -> Pair | None:
        """Hand the meeting over to another user's copy, if that is to lead by now."""
        with self._store.read() as work:
            link_id, heir_id = _succession(work, pair)
        if link_id is None or heir_id is None:
            return None
        with self._store.begin() as work:
            link = work.links.by_id(link_id)
            handover.lead_by(link, work.copies.by_id(heir_id))
            work.commit()
        with self._store.read() as work:
            return stored.pair_of_link(work, pair.organization, link)

    def leader_of(self, skip: Skip) -> Pair | None:
        """Return the pair that leads instead of the one that was skipped for that."""
        if skip.entry.reason != Reason.ANOTHER_COPY_LEADS or skip.pair is None:
            return None
        with self._store.read() as work:
            return placing.leader_of(work, skip.pair)

    def placed(self, pair: Pair) -> Found:
        """Return the pair where its task's owner has it now."""
        with self._store.read() as work:
            reason_to_wait = placing.place(work, pair)
        return _found(pair, reason_to_wait)

    def _read_event(self, pair: Pair, event_id: str) -> Skip | None:
        """Read an event into the pair; return why not if Google does not let us in."""
        try:
            self._google.read(pair, event_id)
        except parking.REFUSALS as error:
            is_missing = isinstance(error, errors.CalendarMissingError)
            if is_missing and not pair.calendar.is_selected:
                # It was synced before, and says nothing about the one that is now.
                return Skip(entry=history.skipped(pair, Reason.NOT_SELECTED))
            self._parking.park(pair.connection, error)
            return Skip(entry=history.waiting(pair, Reason.OWNER_MUST_RECONNECT))
        with self._store.read() as work:
            stored.know_people(work, pair)
            if _is_yet_to_be_made(work, pair):
                pair.event = EventNow()
        return None

    def _new_event(self, pair: Pair) -> Found:
        self._join_its_link(pair)
        with self._store.read() as work:
            reason = placing.why_not_new(work, pair)
        if reason is not None:
            return Skip(entry=history.skipped(pair, reason), pair=pair)
        pair.not_imported = scope.why_not_imported(pair.known_event, pair.settings)
        self._meet_named_task(pair)
        return pair

    def stand_in_for(self, pair: Pair) -> Found | None:
        """Return another user's copy of an event that is not imported, if one can be.

        That copy was passed over because this one was to lead.
        """
        if pair.link is not None or pair.not_imported is None:
            return None
        with self._store.read() as work:
            copy = stored.stand_in_for(work, pair)
            if copy is None:
                return None
            due = messages.EventDue(
                calendar_id=copy.calendar_id, event_id=copy.event_id
            )
            other, _ = stored.pair_of_event(work, due)
        return self._new_event(other)

    def _join_its_link(self, pair: Pair) -> None:
        """Give an event that we made for a task, and never heard of, to its link.

        The task may have got another owner before, and its event another place.
        """
        with self._store.read() as work:
            link = placing.link_made_for(work, pair)
            copy = work.copies.of(pair.calendar.id, pair.event_id) if link else None
        if link is None or copy is None or copy.link_id == link.id:
            return
        with self._store.begin() as work:
            work.copies.by_id(copy.id).link_id = link.id
            work.commit()

    def _meet_named_task(self, pair: Pair) -> None:
        """Take in the task that an unlinked event says it has, if it is free.

        An event that somebody copied in Google names the task of the original.
        """
        event = pair.known_event
        if event.organization != pair.organization.name or not event.task_id:
            return
        with self._store.read() as work:
            claimed = work.links.of_task(pair.organization.id, event.task_id)
        if claimed is not None:
            return
        document = self._read_task(pair.organization, event.task_id)
        if document is None or document.get("deleted"):
            return
        task = mapping.task_from_document(document)
        if task.owner_id == pair.connection.crm_user_id:
            pair.saw_task(document)
            pair.out_of_scope = scope.why_out_of_scope(task, pair.settings)
            with self._store.read() as work:
                stored.know_people(work, pair)


def _succession(work: UnitOfWork, pair: Pair) -> tuple[int | None, int | None]:
    """Return the link that gets another leader, and the copy that is to lead."""
    if pair.link is not None:
        heir = handover.heir_of(work, pair.link) if handover.leaves(pair) else None
        return pair.link.id, heir.id if heir else None
    leader = placing.leader_of(work, pair) if pair.event.event else None
    if leader is None or leader.link is None or not handover.outranks(pair, leader):
        return None, None
    heir = work.copies.of(pair.calendar.id, pair.known_event.id)
    return leader.link.id, heir.id if heir else None


def _found(pair: Pair, reason_to_wait: Reason | None) -> Found:
    if reason_to_wait is None:
        return pair
    # What was read is not stored: it counts as unseen until the work goes on.
    return Skip(entry=history.waiting(pair, reason_to_wait))


def _skip_task(
    organization: tables.Organization,
    task_id: str,
    reason: Reason,
    task: model.Task | None = None,
) -> Skip:
    waits = reason is Reason.OWNER_MUST_RECONNECT
    return Skip(
        entry=history.Entry(
            organization_id=organization.id,
            outcome=Outcome.HELD if waits else Outcome.SKIPPED,
            reason=reason,
            task_id=task_id,
            # The user's name says whose line it is: there is no connection to say it.
            crm={"title": task.title, "owner_id": task.owner_id} if task else None,
        )
    )


def _is_yet_to_be_made(work: UnitOfWork, pair: Pair) -> bool:
    """Tell whether Google has refused so far to make an event, or never heard of it.

    Nobody has deleted it then. Of one that was made and deleted, something is left.
    """
    link = pair.link
    if link is None or link.state != LinkState.PENDING or link.event_id is None:
        return False
    if pair.event.event is not None:
        return False
    return work.copies.of(link.calendar_id, link.event_id) is None


def _is_echo(link: tables.Link, subject: messages.TaskDue) -> bool:
    if subject.version is None or link.task_version is None:
        return False
    return link.state != LinkState.PENDING and subject.version <= link.task_version


def _is_settled(link: tables.Link, copy: tables.Copy | None) -> bool:
    if copy is None or link.state == LinkState.PENDING:
        return False
    return copy.settled_etag == copy.etag
