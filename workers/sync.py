"""Bring one task and its event together: read what must be read, decide, write, store.

    message -> find the link -> lock it -> read the side that changed
            -> reconcile -> write -> store the new baseline -> history

A change of the CRM costs one read of the task and one write to Google; a change in
Google, which the pull has stored already, costs one write to the CRM. The other side is
what it was when we last wrote or read it; where that is no longer so, the conditional
write fails, and only then is that side read.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from shared.adapters.store import UnitOfWork
from shared.adapters.store.states import LinkState, Outcome
from shared.domain import errors, messages, reconcile
from shared.domain.messages import Message
from shared.domain.reasons import Reason
from shared.domain.reconcile import Decision
from workers import apply, conflicts, history, loading, parking, placing, stored, strays
from workers.crm_side import CrmSide
from workers.google_side import SILENT, GoogleSide
from workers.pair import Pair
from workers.services import Services

log = logging.getLogger(__name__)

MAX_DECISIONS = 3
"""How often a record that keeps moving is decided anew within one attempt."""


class Sync:
    """Handles the messages that name one record."""

    def __init__(self, services: Services, parked: parking.Parking) -> None:
        """Take both outside worlds, and where connections without access are parked."""
        self._store = services.store
        self._remotes = services.remotes
        self._clock = services.clock
        self._public_url = services.public_url
        self._parking = parked
        self._loader = loading.Loader(services.store, services.remotes)
        self._applier = apply.Applier(
            services.store,
            GoogleSide(services.remotes, services.clock),
            CrmSide(services.remotes),
            services.clock,
        )

    def task(self, message: Message, subject: messages.TaskDue) -> None:
        """Look at a task; raises what `workers.consumer` turns into a retry."""
        with self._locked(lambda: self._loader.key_of_task(subject)):
            self._handle(message, self._loader.by_task(subject))

    def event(self, message: Message, subject: messages.EventDue) -> None:
        """Look at an event; raises what `workers.consumer` turns into a retry."""
        with self._locked(lambda: self._loader.key_of_event(subject)):
            self._handle(message, self._loader.by_event(subject))

    @contextmanager
    def _locked(self, key_of: Callable[[], str]) -> Iterator[None]:
        """Hold the record; the key changes when a link appears, so look twice."""
        key = key_of()
        with self._store.try_lock(key) as held:
            if not held or key_of() != key:
                raise errors.RecordBusyError
            yield

    def _handle(self, message: Message, found: loading.Found) -> None:
        match found:
            case loading.Skip():
                self._skip(message, found)
            case Pair():
                self._bring_together(message, found)

    def _skip(self, message: Message, skip: loading.Skip) -> None:
        now = self._clock.now()
        with self._store.begin() as work:
            if skip.pair is not None:
                stored.settle(work, skip.pair, now, link_id=_link_id(work, skip.pair))
            history.record(work, message, skip.entry, now=now)
            work.commit()

    def _bring_together(self, message: Message, pair: Pair) -> None:
        notify = pair.settings.guest_notifications.send_updates
        send_updates = notify if message.is_live and not pair.has_moved else SILENT
        try:
            decision, entry = self._decide_and_write(pair, send_updates)
        except parking.REFUSALS as error:
            self._parking.park(pair.connection.id, error)
            decision = Decision(reason=Reason.OWNER_MUST_RECONNECT)
            entry = history.waiting(pair, Reason.OWNER_MUST_RECONNECT)
            self._remember(pair)
        except errors.SyncError:
            self._remember(pair)
            raise
        self._finish(message, pair, decision, entry)

    def _decide_and_write(
        self, pair: Pair, send_updates: str
    ) -> tuple[Decision, history.Entry]:
        for _ in range(MAX_DECISIONS):
            self._note_clocks(pair)
            decision = reconcile.reconcile(pair.situation(), pair.settings)
            if pair.has_moved and decision.target is not None:
                decision = replace(decision, reason=Reason.OWNER_CHANGED)
            writes = apply.plan(pair, decision)
            entry = history.describe(pair, decision, writes)
            try:
                self._applier.apply(pair, decision, writes, send_updates=send_updates)
            except errors.StaleStateError as error:
                log.info("Decided anew because: %s", error)
                continue
            return decision, history.naming(entry, pair)
        raise errors.ContendedRecordError

    def _note_clocks(self, pair: Pair) -> None:
        """Take in what the last answers told of the remotes' clocks."""
        crm = self._remotes.crm(pair.organization).clock_skew()
        google = self._remotes.google(pair.connection).clock_skew()
        if crm is not None:
            pair.organization.crm_skew_seconds = crm.total_seconds()
        if google is not None:
            pair.connection.google_skew_seconds = google.total_seconds()

    def _remember(self, pair: Pair) -> None:
        """Store what was written before a failure: it is true all the same."""
        with self._store.begin() as work:
            stored.save(work, pair, self._clock.now())
            work.commit()

    def _finish(
        self, message: Message, pair: Pair, decision: Decision, entry: history.Entry
    ) -> None:
        """Store what is known of both sides, and the history line, in one go."""
        now = self._clock.now()
        with self._store.begin() as work:
            if entry.outcome is not Outcome.HELD:
                _move_link(pair, decision)
                stored.settle(work, pair, now, link_id=_link_id(work, pair))
            unsettled = conflicts.store(work, pair, decision, now)
            leftovers = strays.find(work, pair)
            history.record(work, message, entry, now=now)
            work.commit()
        if unsettled is not None:
            conflicts.tell(unsettled, pair, self._remotes, public_url=self._public_url)
        for stray in leftovers:
            strays.remove(stray, self._store, self._remotes, self._clock)


def _link_id(work: UnitOfWork, pair: Pair) -> int | None:
    if pair.link is not None:
        return pair.link.id
    if pair.event.event is None:
        return None
    link = placing.link_of_event(work, pair.organization.id, pair.event.event)
    return link.id if link else None


def _move_link(pair: Pair, decision: Decision) -> None:
    """Move the link to the state that the decision leaves it in."""
    if pair.link is None:
        return
    if decision.contested:
        pair.link.state = LinkState.CONFLICT
    elif decision.detach:
        pair.link.state = LinkState.DETACHED
    elif decision.target is not None:
        pair.link.state = LinkState.ACTIVE
