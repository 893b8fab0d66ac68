"""Starts the sync of whole connections: a job in the history, and a message for it."""

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from shared.adapters.store import Store, UnitOfWork, tables
from shared.adapters.store.states import ConnectionState, Direction
from shared.domain import errors, messages, ports
from shared.domain.access import Problem
from shared.domain.messages import Message, Queue, Trigger

log = logging.getLogger(__name__)


_PATIENCE = timedelta(minutes=10)
"""How long a sync may take to begin; one that is older was lost on the way."""


class NotActiveError(errors.PermanentError):
    """The connection is not active."""

    def __init__(self, state: str) -> None:
        """Take the state that it is in instead."""
        super().__init__(f"The connection is not active: {state}.")


class Parts(Protocol):
    """What syncs are started with."""

    @property
    def store(self) -> Store:
        """Where jobs are."""
        ...

    @property
    def broker(self) -> ports.Broker:
        """What workers listen to."""
        ...

    @property
    def clock(self) -> ports.Clock:
        """The time of day."""
        ...


class Syncs:
    """Opens jobs in a unit of work, and queues them once that is committed."""

    def __init__(self, parts: Parts) -> None:
        """Take the store and the broker."""
        self._store = parts.store
        self._broker = parts.broker
        self._clock = parts.clock

    def now(self, connection_id: int) -> tables.Job:
        """Bring a connection in step now; return the job that does.

        That is one which is about to begin, if there is one. What waits for its start
        is started. Raises `NotActiveError`, and what `queue` raises.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            connection = work.connections.locked(connection_id)
            trigger = Trigger.MANUAL
            if connection.problem == Problem.NOT_STARTED:
                work.connections.let_in(connection, at=now)
                trigger = Trigger.BACKFILL
            if connection.state != ConnectionState.ACTIVE:
                raise NotActiveError(connection.state)
            before = work.jobs.still_listing(connection.id, Trigger.MANUAL)
            if before is not None and before.started_at > now - _PATIENCE:
                return before
            job = self.open(work, connection, trigger)
            work.commit()
        self.queue([job])
        return job

    def open(
        self, work: UnitOfWork, connection: tables.Connection, trigger: Trigger
    ) -> tables.Job:
        """Store the job of bringing a connection in step."""
        return work.jobs.start(
            organization_id=connection.organization_id,
            connection_id=connection.id,
            trigger=trigger,
            direction=Direction.BOTH,
            now=self._clock.now(),
        )

    def queue(self, jobs: Sequence[tables.Job]) -> None:
        """Queue what the jobs stand for; their unit of work must be committed.

        Raises `BrokerConnectionError`; the jobs have failed then.
        """
        self.publish([self._message(job) for job in jobs], jobs)

    def publish(self, due: Sequence[Message], jobs: Sequence[tables.Job]) -> None:
        """Queue the messages of jobs, as above."""
        try:
            self._broker.publish(*due)
        except errors.BrokerConnectionError:
            now = self._clock.now()
            with self._store.begin() as work:
                for job in jobs:
                    work.jobs.fail(job.id, now=now)
                work.commit()
            raise

    def _message(self, job: tables.Job) -> Message:
        return Message(
            id=uuid.uuid4().hex,
            queue=_QUEUES.get(Trigger(job.trigger), Queue.BACKFILL),
            subject=messages.ConnectionDue(connection_id=job.connection_id or 0),
            trigger=Trigger(job.trigger),
            queued_at=self._clock.now(),
            job_id=job.id,
        )


_QUEUES = {Trigger.MANUAL: Queue.RECORDS}
"""Somebody waits for it: it must not queue behind first syncs and repairs."""
