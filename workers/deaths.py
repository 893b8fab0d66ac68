"""The dead letters' queue: file what failed for good, so that it can be browsed."""

import logging

from shared.adapters.store import Store, tables
from shared.domain import messages, ports
from shared.domain.messages import Message
from shared.domain.ports import Disposition, Done
from workers import history, subjects

log = logging.getLogger(__name__)


class Deaths:
    """Files dead letters (`ports.Handler` of their queue)."""

    def __init__(self, store: Store, clock: ports.Clock) -> None:
        """Take where to file them."""
        self._store = store
        self._clock = clock

    def __call__(self, message: Message) -> Disposition:
        """File a message with its last failure; raises when the store is away.

        The broker then delivers it again: a dead letter is not lost for that. One about
        what is not there any more is: nobody could do anything about it.
        """
        last = message.failures[-1]
        now = self._clock.now()
        with self._store.begin() as work:
            if subjects.is_gone(work, message):
                log.info("Dropped a dead letter about what is not there any more")
                return Done()
            known = subjects.about(work, message)
            work.dead_letters.file(
                tables.DeadLetter(
                    organization_id=known.organization_id,
                    delivery_id=message.id,
                    queue=message.queue,
                    reason=last.reason,
                    error=last.error,
                    task_id=known.task_id,
                    event_id=known.event_id,
                    attempts=message.attempt,
                    message=messages.encode(message).decode(),
                    created_at=now,
                )
            )
            history.record_failure(
                work, message, last.reason, last.error, now=now, next_attempt_at=None
            )
            work.commit()
        log.warning("Filed a dead letter: %s (%s)", message.id, last.reason)
        return Done()
