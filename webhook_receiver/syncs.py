"""Starts the sync of whole connections: a job in the history, and a message for it."""

import logging
import uuid
from collections.abc import Sequence

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Direction
from shared.domain import errors, messages
from shared.domain.messages import Message, Queue, Trigger
from webhook_receiver.services import Services

log = logging.getLogger(__name__)


class Syncs:
    """Opens jobs in a unit of work, and queues them once that is committed."""

    def __init__(self, services: Services) -> None:
        """Take the store and the broker."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock

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
