"""Bring one task and its event together: read what must be read, decide, write, store.

    message -> find the link -> lock it -> read the side that changed
            -> reconcile -> write -> store the new baseline -> history

A change of the CRM costs one read of the task and one write to Google; a change in
Google, which the pull has stored already, costs one write to the CRM. The other side is
what it was when we last wrote or read it; where that is no longer so, the conditional
write fails, and only then is that side read.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from shared.adapters.store import UnitOfWork
from shared.adapters.store.states import LinkState, Outcome
from shared.domain import errors, messages, reconcile
from shared.domain.messages import Message, Trigger
from shared.domain.reasons import Reason
from shared.domain.reconcile import Decision
from workers import (
    apply,
    conflicts,
    history,
    holding,
    loading,
    parking,
    placing,
    quarantine,
    situation,
    stored,
    strays,
)
from workers.crm_side import CrmSide
from workers.google_side import SILENT, GoogleSide
from workers.pair import Pair
from workers.services import Services

log = logging.getLogger(__name__)

Done = tuple[Decision, history.Entry]
"""What was decided and carried out, and the line of the history that says so."""

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
        google = GoogleSide(services.remotes, services.clock)
        crm = CrmSide(services.remotes)
        self._loader = loading.Loader(services.store, services.remotes, google, parked)
        self._applier = apply.Applier(services.store, google, crm, services.clock)

    def task(self, message: Message, subject: messages.TaskDue) -> None:
        """Look at a task; raises what `workers.consumer` turns into a retry."""
        with self._holding(self._loader.names_of_task(subject)) as names:
            self._handle(message, self._loader.by_task(subject, names))

    def event(self, message: Message, subject: messages.EventDue) -> None:
        """Look at an event; raises what `workers.consumer` turns into a retry."""
        with self._holding(self._loader.names_of_event(subject)) as names:
            self._handle(message, self._loader.by_event(subject, names))

    @contextmanager
    def _holding(self, names: frozenset[str]) -> Iterator[frozenset[str]]:
        """Hold the record, whose names may have changed until then."""
        with holding.held(self._store, names) as is_held:
            if not is_held:
                raise errors.RecordBusyError
            yield names

    def _handle(self, message: Message, found: loading.Found) -> None:
        match found:
            case loading.Skip():
                self._skip(message, found)
            case Pair():
                self._bring_together(message, found)

    def _skip(self, message: Message, skip: loading.Skip) -> None:
        leader = self._loader.leader_of(skip)
        if leader is not None:
            self._clear_away(leader)
        # Where the leader's user does not come, the others decide what becomes of it.
        hangs_on_others = leader is not None and leader.is_declined()
        now = self._clock.now()
        with self._store.begin() as work:
            if skip.pair is not None:
                stored.settle(work, skip.pair, now, link_id=_link_id(work, skip.pair))
            if not hangs_on_others:
                history.record(work, message, skip.entry, now=now)
            work.commit()
        if leader is not None and hangs_on_others:
            self._handle(message, self._loader.placed(leader))

    def _bring_together(self, message: Message, pair: Pair) -> None:
        if quarantine.holds(pair, message, self._clock.now()):
            decision = Decision(reason=Reason.QUARANTINED)
            entry = history.waiting(pair, Reason.QUARANTINED)
            self._finish(message, pair, decision, entry)
            return
        try:
            decision, entry = self._decide_and_write(message, pair)
            self._clear_away(pair)
        except parking.REFUSALS as error:
            self._parking.park(pair.connection, error)
            decision = Decision(reason=Reason.OWNER_MUST_RECONNECT)
            entry = history.waiting(pair, Reason.OWNER_MUST_RECONNECT)
            self._remember(pair)
        except errors.SyncError:
            self._remember(pair)
            raise
        self._finish(message, pair, decision, entry)
        other = self._loader.stand_in_for(pair)
        if other is not None:
            self._handle(message, other)

    def _clear_away(self, pair: Pair) -> None:
        """Remove the copies of the event that have no place any more."""
        if not strays.are_possible(pair):
            return
        with self._store.read() as work:
            leftovers = strays.find(work, pair)
        for stray in leftovers:
            with self._parking.instead_of_failing(stray.connection):
                strays.remove(stray, self._store, self._remotes)

    def _decide_and_write(self, message: Message, pair: Pair) -> Done:
        """Decide and write until both sides, and the place, are what they should be."""
        demand = placing.demand(pair)
        for _ in range(MAX_DECISIONS):
            try:
                done = self._attempt(message, pair)
            except errors.StaleStateError as error:
                log.info("Decided anew because: %s", error)
                self._know_all(pair)
                continue
            is_in_place = placing.demand(pair) == demand and not pair.moves_later
            if is_in_place or done[0].contested:
                return done
            # It belongs elsewhere by now: the edit first, then the move.
            demand = placing.demand(pair)
            done_instead = self._place_anew(pair, done)
            if done_instead is not None:
                return done_instead
        raise errors.ContendedRecordError

    def _attempt(self, message: Message, pair: Pair) -> Done:
        """Decide once, and write; raises `StaleStateError` if a side had moved on."""
        notify = pair.settings.guest_notifications.send_updates
        send_updates = notify if message.is_live and not pair.is_repeated else SILENT
        self._note_clocks(pair)
        with self._store.read() as work:
            if pair.is_declined():
                pair.others_come = stored.others_come(work, pair)
            pair.choice = conflicts.choice_for(work, pair)
            pair.hold = stored.hold_on(work, pair)
        decision = reconcile.reconcile(situation.of(pair), pair.settings)
        if pair.has_moved and decision.target is not None:
            decision = replace(decision, reason=Reason.OWNER_CHANGED)
        pair.is_inviting = message.trigger is Trigger.RETRY
        if decision.reason is Reason.UNCHANGED and apply.is_to_invite(pair, decision):
            decision = replace(decision, reason=Reason.GUESTS_INVITED)
        writes = apply.plan(pair, decision)
        entry = history.describe(pair, decision, writes)
        self._applier.apply(pair, decision, writes, send_updates=send_updates)
        return decision, history.naming(entry, pair)

    def _know_all(self, pair: Pair) -> None:
        """Learn who is who among the people that were read meanwhile."""
        with self._store.read() as work:
            stored.know_people(work, pair)

    def _place_anew(self, pair: Pair, done: Done) -> Done | None:
        """Bring the pair to its place; return None if something is to be done there."""
        self._remember(pair)
        before = (pair.calendar.id, pair.out_of_scope)
        with self._store.read() as work:
            must_wait = placing.place(work, pair)
        if must_wait is not None:
            return Decision(reason=must_wait), history.waiting(pair, must_wait)
        is_there = before == (pair.calendar.id, pair.out_of_scope)
        return done if is_there else None

    def _note_clocks(self, pair: Pair) -> None:
        """Take in what the last answers told of the remotes' clocks."""
        crm = self._remotes.crm(pair.organization).clock_skew()
        google = self._remotes.google(pair.connection).clock_skew()
        pair.saw_clocks(crm=crm, google=google)

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
        if decision.contested:
            self._flag(pair, decision, now)
        with self._store.begin() as work:
            if entry.outcome is not Outcome.HELD:
                _move_link(pair, decision)
                _settle(work, pair, decision, now)
                _end_what_waited(work, pair, decision, now)
            looping = quarantine.note(work, pair, entry, now)
            history.record(work, message, entry, now=now)
            work.commit()
        if looping is not None:
            quarantine.tell(looping, pair, self._remotes, public_url=self._public_url)

    def _flag(self, pair: Pair, decision: Decision, now: datetime) -> None:
        """Store a conflict and tell its user, before the record counts as dealt with.

        Whoever dies on the way leaves both to the next look.
        """
        with self._store.begin() as work:
            unsettled = conflicts.store(work, pair, decision, now)
            work.commit()
        if unsettled is not None:
            conflicts.tell(unsettled, pair, self._remotes, public_url=self._public_url)


def _settle(work: UnitOfWork, pair: Pair, decision: Decision, now: datetime) -> None:
    waits = decision.target is None and not decision.detach
    if waits and decision.reason is pair.on_hold():
        # Another setting, which changes no version, lets the work go on.
        stored.save(work, pair, now)
    else:
        stored.settle(work, pair, now, link_id=_link_id(work, pair))


def _end_what_waited(
    work: UnitOfWork, pair: Pair, decision: Decision, now: datetime
) -> None:
    """Note that nobody has to say a word on the record any more."""
    if pair.link is None:
        return
    if decision.target is not None:
        stored.end_hold(work, pair)
    if decision.target is not None or decision.detach:
        work.conflicts.resolve(pair.link.id, now=now)


def _link_id(work: UnitOfWork, pair: Pair) -> int | None:
    if pair.link is not None:
        return pair.link.id
    if pair.event.event is None:
        return None
    link = placing.link_of_event(work, pair)
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
