"""Carry out a decision: reserve the ids, write to Google, write to the CRM."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, identifiers, mapping, model, ports, reconcile
from shared.domain.reconcile import Decision, Presence, Write
from workers import guests, situation
from workers.crm_side import CrmSide
from workers.google_side import SILENT, GoogleSide
from workers.pair import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """What each side needs to get to the target."""

    event: Write = Write.NOTHING
    task: Write = Write.NOTHING

    @property
    def action(self) -> str:
        """Name them for the history: `create_event`, `update_task`, `none`."""
        sides = {"event": self.event, "task": self.task}
        done = [f"{w}_{side}" for side, w in sides.items() if w is not Write.NOTHING]
        return "+".join(done) or "none"


def plan(pair: Pair, decision: Decision) -> Writes:
    """Return what both sides need to get to the decision's target."""
    if decision.remove_event:
        event = pair.event.event
        live = event is not None and not event.is_cancelled
        return Writes(event=Write.CANCEL if live else Write.NOTHING)
    if decision.target is None:
        return Writes()
    now = situation.of(pair)
    needed = reconcile.event_write(now, decision.target)
    task = reconcile.task_write(now, decision.target)
    if task is Write.NOTHING and (
        _answers_are_new(pair, decision) or _names_what_was(pair, needed)
    ):
        task = Write.UPDATE
    if needed is Write.NOTHING and is_to_invite(pair, decision):
        needed = Write.UPDATE
    return Writes(event=needed, task=task)


def is_to_invite(pair: Pair, decision: Decision) -> bool:
    """Tell whether guests that were held back are to be invited now."""
    is_on = decision.target is not None and not decision.target.cancelled
    is_wanted = pair.is_inviting and bool(pair.held_guests)
    return is_on and is_wanted and not pair.is_read_only()


def _names_what_was(pair: Pair, needed: Write) -> bool:
    """Tell whether the task names an event that will not be the meeting's."""
    task = pair.task.task
    if needed is not Write.CREATE:
        return pair.names_another_event()
    return task is not None and task.google_event_id is not None


def _answers_are_new(pair: Pair, decision: Decision) -> bool:
    before = pair.baseline.responses if pair.baseline else {}
    live = pair.task.presence is Presence.LIVE
    return live and dict(decision.responses) != dict(before)


class Applier:
    """Carries out decisions on both sides."""

    def __init__(
        self, store: Store, google: GoogleSide, crm: CrmSide, clock: ports.Clock
    ) -> None:
        """Take the two sides, and the store for reservations."""
        self._store = store
        self._google = google
        self._guests = guests.Guests(store, google, clock)
        self._crm = crm
        self._clock = clock

    def apply(
        self, pair: Pair, decision: Decision, writes: Writes, *, send_updates: str
    ) -> None:
        """Write to both sides; raises `StaleStateError` when one had moved on.

        What is there by then is taken in, and where that is not the target, it was
        edited after all: say, a record that an earlier attempt made unheard.
        """
        if decision.remove_event:
            if writes.event is Write.CANCEL:
                self._announce_removal(pair)
            self._google.cancel(pair, send_updates=SILENT)
        if decision.target is None:
            if decision.contested and pair.link is None:
                # A conflict needs a link to wait at.
                self._reserve(pair, None, writes)
            return
        is_new = pair.link is None
        if is_new or Write.CREATE in {writes.event, writes.task}:
            self._reserve(pair, decision.target, writes)
        target = decision.target
        with self._giving_up_what_nobody_asked_for(pair, is_new=is_new):
            self._guests.write(pair, writes.event, target, send_updates=send_updates)
        # The CRM has not been told of the answers yet, and may not take them now.
        told = pair.baseline.responses if pair.baseline else {}
        situation.agree(pair, target, told)
        self._write_task(pair, writes.task, decision, target)
        if not situation.agree(pair, target, pair.responses()):
            message = "a side is not where it was to get to"
            raise errors.StaleStateError(message)

    def _write_task(
        self, pair: Pair, write: Write, decision: Decision, target: model.Meeting
    ) -> None:
        try:
            self._crm.write(pair, write, target, responses=decision.responses)
        except errors.DuplicateRecordError as error:
            if error.existing_id is None:
                raise
            with self._store.read() as work:
                link = work.links.of_task(pair.organization.id, error.existing_id)
            if link is not None:
                message = f"task {link.task_id} names the event of another meeting"
                raise errors.RemoteRejectedError(message) from error
            self._crm.adopt(pair, error.existing_id)
            raise

    def _reserve(
        self, pair: Pair, target: model.Meeting | None, writes: Writes
    ) -> None:
        """Commit the link with its ids before the call that makes them real.

        A crash after the call then finds, by these ids, what the call made.
        """
        with self._store.begin() as work:
            link = self._link(work, pair)
            is_first_try = link.state != LinkState.PENDING or pair.has_moved
            if is_first_try or _is_spent(pair, writes):
                link.generation += _generations_spent(pair)
                link.state = LinkState.PENDING
                link.pending_since = self._clock.now()
            pair.is_first_try = is_first_try
            if is_first_try and target is not None and not _is_known(pair):
                # What the call is going to make: if its answer is lost, this tells
                # whether the record was edited before we meet it again.
                responses = pair.responses()
                pair.baseline = model.Baseline(meeting=target, responses=responses)
                link.baseline = mapping.baseline_to_document(pair.baseline)
            if writes.event is Write.CREATE:
                _reserve_event(pair, link)
            else:
                _name_event(pair, link)
            if pair.task.presence is Presence.LIVE:
                link.task_id = pair.known_task.id
                link.task = dict(pair.task.document or {})
            elif writes.task is Write.CREATE:
                # The task made anew finds the link by its event.
                link.task_id = link.task = link.task_version = None
            work.commit()
            pair.link = link

    @contextmanager
    def _giving_up_what_nobody_asked_for(
        self, pair: Pair, *, is_new: bool
    ) -> Iterator[None]:
        """Forget a new link where Google was not called after all.

        The next attempt is the first one then, and may mail the guests.
        """
        try:
            yield
        except errors.BudgetSpentError:
            if is_new and pair.link is not None:
                with self._store.begin() as work:
                    work.links.forget(pair.link.id)
                    work.commit()
                pair.link = pair.baseline = None
            raise

    def _announce_removal(self, pair: Pair) -> None:
        """Commit why the event goes, before the call that removes it.

        After a crash its end would otherwise look like its user's wish.
        """
        if pair.link is None:
            return
        with self._store.begin() as work:
            link = work.links.by_id(pair.link.id)
            link.state = LinkState.PENDING
            link.pending_since = self._clock.now()
            link.task = dict(pair.task.document or {})
            work.commit()
        pair.link = link

    def _link(self, work: UnitOfWork, pair: Pair) -> tables.Link:
        if pair.link is not None:
            return work.links.by_id(pair.link.id)
        now = self._clock.now()
        return work.links.add(
            tables.Link(
                organization_id=pair.organization.id,
                origin=pair.created_by(),
                generation=0,
                original_start="",
                state=LinkState.ACTIVE,
                created_at=now,
                updated_at=now,
            )
        )


def _is_known(pair: Pair) -> bool:
    """Tell whether both sides have their record already: nothing is made then."""
    both = (pair.task.presence, pair.event.presence)
    return all(presence is Presence.LIVE for presence in both)


def _is_spent(pair: Pair, writes: Writes) -> bool:
    """Tell whether the id that was reserved is that of an event Google has purged."""
    return writes.event is Write.CREATE and pair.event.presence is Presence.GONE


def _generations_spent(pair: Pair) -> int:
    """A record made anew needs an id that the one before it did not have."""
    return int(pair.link is not None and pair.link.event_id is not None)


def _reserve_event(pair: Pair, link: tables.Link) -> None:
    event_id = identifiers.event_id(
        pair.organization.name,
        pair.known_task.id,
        pair.calendar.google_calendar_id,
        link.generation,
    )
    # Whoever made the meeting, this event of it is ours.
    link.origin = model.Side.CRM
    link.calendar_id = pair.calendar.id
    link.event_id = event_id
    link.ical_uid = identifiers.ical_uid(event_id)
    link.original_start = ""


def _name_event(pair: Pair, link: tables.Link) -> None:
    event = pair.known_event
    link.calendar_id = pair.calendar.id
    link.event_id = event.id
    link.ical_uid = event.ical_uid
    link.original_start = event.original_start or ""
