"""Message -> handler -> done, later or dead: the one place that catches everything.

A handler returns when its message is dealt with, and raises otherwise; the class of the
error decides what becomes of the message (`shared.domain.retry`).
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from shared import metrics
from shared.domain import errors, messages, retry
from shared.domain.messages import Message, Queue
from shared.domain.ports import Broker, Consumer, Dead, Disposition, Done, Later
from shared.domain.settings import Frequency, Settings
from shared.log import bound
from workers import (
    backfill,
    checking,
    deaths,
    handover,
    history,
    inviting,
    leaving,
    pacing,
    parking,
    polling,
    previewing,
    probing,
    pull,
    rolling,
    searching,
    subjects,
    sync,
)
from workers.services import Services
from workers.watching import Watching

log = logging.getLogger(__name__)


class Dispatcher:
    """Handles messages of every queue (`ports.Handler`); safe from any thread."""

    def __init__(self, services: Services) -> None:
        """Take what the workers need from outside."""
        self._store = services.store
        self._clock = services.clock
        parked = parking.Parking(
            services.store,
            services.remotes,
            services.clock,
            public_url=services.public_url,
        )
        watching = Watching(services, parked)
        self._watching = watching
        self._sync = sync.Sync(services, parked)
        self._pull = pull.Pull(services, parked, watching)
        self._polling = polling.Polling(services)
        self._backfill = backfill.Backfill(services, parked, watching)
        self._rolling = rolling.Rolling(services, parked)
        self._probing = probing.Probing(services, parked)
        self._previewing = previewing.Previewing(services)
        self._inviting = inviting.Inviting(services)
        self._checking = checking.Checking(services)
        self._searching = searching.Searching(services)
        self._handover = handover.Handover(services)
        self._leaving = leaving.Leaving(services, parked)

    def __call__(self, message: Message) -> Disposition:
        """Deal with a message of a work queue and return what becomes of it."""
        began = time.monotonic()
        queue = message.queue
        about = bound(delivery=message.id, queue=queue, attempt=message.attempt)
        with about, pacing.lane_of(queue):
            disposition = self._attempt(message)
        outcome = type(disposition).__name__.lower()
        metrics.messages.labels(queue, outcome).inc()
        metrics.handling_seconds.labels(queue).observe(time.monotonic() - began)
        if isinstance(disposition, Done):
            lasted = self._clock.now() - message.queued_at
            metrics.delivery_seconds.labels(queue).observe(lasted.total_seconds())
        return disposition

    def _attempt(self, message: Message) -> Disposition:
        try:
            self._handle(message)
        except Exception as error:  # noqa: BLE001 - the boundary
            if not self._is_about_nothing(message):
                return self._failed(message, error)
            why = type(error).__name__
            log.info("Dropped a message about what is not there any more: %s", why)
        return Done()

    def _handle(self, message: Message) -> None:  # noqa: C901, PLR0912, PLR0915 - one case per subject
        subject = message.subject
        match subject:
            case messages.TaskChanged():
                self._task_changed(message, subject)
            case messages.TaskDue():
                self._sync.task(message, subject)
            case messages.EventDue():
                self._sync.event(message, subject)
            case messages.ChannelNotified():
                self._pull.notified(message, subject)
            case messages.CalendarDue():
                self._pull.calendar(message, subject)
            case messages.OrganizationDue():
                self._polling.organization(message, subject)
            case messages.ConnectionDue():
                self._backfill.connection(message, subject)
            case messages.PreviewDue():
                self._previewing.connection(message, subject)
            case messages.InvitationDue():
                self._inviting.user(subject)
            case messages.CheckDue():
                self._checking.organization(subject)
            case messages.SearchDue():
                self._searching.search(message, subject)
            case messages.RepairDue():
                self._searching.repair(subject)
            case messages.HandoverDue():
                self._handover.connection(message, subject)
            case messages.RemovalDue():
                self._leaving.connection(message, subject)
            case messages.AccessDue():
                self._probing.connection(message, subject)
            case messages.WindowDue():
                self._rolling.calendar(message, subject)
            case messages.WatchDue():
                self._watching.renew(subject.calendar_id, wished_at=message.queued_at)
            case messages.Unreadable():
                raise errors.MessageDecodeError
            case _:  # pragma: no cover
                assert_never(subject)

    def _task_changed(self, message: Message, subject: messages.TaskChanged) -> None:
        with self._store.read() as work:
            organization = work.organizations.by_name(subject.organization)
        if organization is None:
            text = f"there is no organization {subject.organization}"
            raise errors.RemoteRejectedError(text)
        settings = Settings.from_document(organization.settings)
        if settings.frequency is not Frequency.REALTIME:
            return  # The next poll finds it.
        due = messages.TaskDue(
            organization_id=organization.id,
            task_id=subject.task_id,
            version=subject.version,
        )
        self._sync.task(message, due)

    # -- what failed --------------------------------------------------------------

    def _failed(self, message: Message, error: Exception) -> Disposition:
        match retry.decide(error, message.attempt):
            case retry.Wait(delay=delay):
                return Later(message=message, delay=delay)
            case retry.Again(delay=delay):
                then = self._clock.now() + timedelta(seconds=delay.seconds)
                log.warning("Put off until %s: %s", then.isoformat(), error)
                failed = self._note(message, error, next_attempt_at=then)
                again = replace(failed, attempt=message.attempt + 1)
                return Later(message=again, delay=delay)
            case retry.GiveUp():
                self._log_end(error)
                return Dead(message=self._note(message, error, next_attempt_at=None))

    def _is_about_nothing(self, message: Message) -> bool:
        """Tell whether what a message names was deleted, which is why it failed."""
        try:
            with self._store.read() as work:
                return subjects.is_gone(work, message)
        except errors.SyncError:
            return False

    @staticmethod
    def _log_end(error: Exception) -> None:
        if isinstance(error, errors.SyncError):
            log.error("Gave up: %s", error)
        else:
            log.error("Gave up because of a mistake in this program", exc_info=error)

    def _note(
        self, message: Message, error: Exception, *, next_attempt_at: datetime | None
    ) -> Message:
        """Return the message with its failure, which is in the history from now on."""
        now = self._clock.now()
        reason, text = _told(error)
        failed = messages.failed(message, reason, text, at=now)
        try:
            with self._store.begin() as work:
                job_id = history.record_failure(
                    work, failed, reason, text, now=now, next_attempt_at=next_attempt_at
                )
                work.commit()
        except errors.SyncError as trouble:
            # The message keeps its failures; a later line of the history has them.
            log.warning("Could not write the history: %s", trouble)
            return failed
        return replace(failed, job_id=job_id)


def _told(error: Exception) -> tuple[str, str]:
    if isinstance(error, errors.SyncError):
        return error.reason, str(error)
    # The text of an unknown error may carry anything; its traceback is in the log.
    return "unexpected", type(error).__name__


def consumers(
    services: Services, broker: Broker, queues: Sequence[Queue], *, concurrency: int
) -> list[Consumer]:
    """Return the consumers that work on these queues, each to be run in a thread.

    First syncs have threads of their own, fewer than the others, so that a change that
    a user makes just now never waits behind them.
    """
    dispatcher = Dispatcher(services)
    live = [q for q in queues if q not in {Queue.BACKFILL, Queue.DEAD_LETTERS}]
    found = []
    if live:
        found.append(broker.consumer(live, dispatcher, concurrency=concurrency))
    if Queue.BACKFILL in queues:
        bulk = max(1, concurrency // 2)
        found.append(broker.consumer([Queue.BACKFILL], dispatcher, concurrency=bulk))
    if Queue.DEAD_LETTERS in queues:
        filing = deaths.Deaths(services.store, services.clock)
        found.append(broker.consumer([Queue.DEAD_LETTERS], filing, concurrency=1))
    return found
