"""Dead letters, dealt with in batches: the API, the pages and the command share this.

A replay publishes first and forgets then. Whoever is killed in between leaves messages
that are queued and dead letters as well; replayed again, their records are looked at
once more, and found to be as they should be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.adapters.store import Store, UnitOfWork, tables
from shared.domain import errors, messages, ports
from shared.domain.messages import Message, Trigger

AT_ONCE = 100
"""How many are replayed, or discarded, before the next ones are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Some dead letters: those with these ids, or all of a reason and of a queue.

    Without an organization, those of all; `with_nobodys`: those, too, of which nobody
    knows whose they are.
    """

    organization_id: int | None = None
    with_nobodys: bool = False
    ids: frozenset[int] | None = None
    reason: str | None = None
    queue: str | None = None


class DeadLetters:
    """Chooses, replays and discards dead letters.

    Raises `RemoteUnavailableError` when the database is away.
    """

    def __init__(self, store: Store, broker: ports.Publisher) -> None:
        """Take where they are filed, and where replays go."""
        self._store = store
        self._broker = broker

    def count(self, selection: Selection) -> int:
        """Return how many dead letters are selected."""
        if selection.ids is not None:
            return sum(len(rows) for rows in self._named(selection, selection.ids))
        with self._store.read() as work:
            return work.dead_letters.count(
                selection.organization_id,
                with_nobodys=selection.with_nobodys,
                reason=selection.reason,
                queue=selection.queue,
            )

    def missing(self, selection: Selection) -> Sequence[int]:
        """Return the selected ids that no dead letter has, in their order."""
        ids = selection.ids or frozenset()
        found = {row.id for rows in self._named(selection, ids) for row in rows}
        return sorted(ids - found)

    def batches(self, selection: Selection) -> Iterator[Sequence[tables.DeadLetter]]:
        """Yield the selected dead letters, at most `AT_ONCE` at a time.

        One that is filed while this goes on is not met again: so a replay ends, however
        fast its messages fail.
        """
        if selection.ids is not None:
            yield from self._named(selection, selection.ids)
            return
        cursor, is_more = None, True
        while is_more:
            with self._store.read() as work:
                page = work.dead_letters.page(
                    selection.organization_id,
                    with_nobodys=selection.with_nobodys,
                    reason=selection.reason,
                    queue=selection.queue,
                    limit=AT_ONCE,
                    cursor=cursor,
                )
            yield page.rows
            cursor = page.next_cursor
            is_more = cursor is not None

    def replay(self, rows: Sequence[tables.DeadLetter]) -> Sequence[int]:
        """Put the messages of a batch back into their queues; they keep their history.

        Returns the ids of those that cannot be read: they stay. Raises
        `BrokerConnectionError`; all stay then.
        """
        with self._store.read() as work:
            found = [(row, _in_its_job(work, replayable(row))) for row in rows]
        self._broker.publish(*(message for _, message in found if message))
        with self._store.begin() as work:
            for row, message in found:
                if message:
                    # One that has failed again meanwhile stays.
                    work.dead_letters.forget(row)
            work.commit()
        return [row.id for row, message in found if message is None]

    def discard(self, rows: Sequence[tables.DeadLetter]) -> int:
        """Forget a batch for good; return how many there still were."""
        with self._store.begin() as work:
            discarded = sum(work.dead_letters.forget(row) for row in rows)
            work.commit()
        return discarded

    def _named(
        self, selection: Selection, ids: frozenset[int]
    ) -> Iterator[Sequence[tables.DeadLetter]]:
        ordered = sorted(ids)
        for start in range(0, len(ordered), AT_ONCE):
            with self._store.read() as work:
                rows = work.dead_letters.by_ids(
                    selection.organization_id,
                    ordered[start : start + AT_ONCE],
                    with_nobodys=selection.with_nobodys,
                )
            yield rows


def _in_its_job(work: UnitOfWork, message: Message | None) -> Message | None:
    """Return the message without its job, if that was pruned meanwhile."""
    if message is None or message.job_id is None or work.jobs.get(message.job_id):
        return message
    return replace(message, job_id=None)


def replayable(row: tables.DeadLetter) -> Message | None:
    """Return the message as it goes back, or None when it cannot be read.

    It begins anew, as a retry: so it never sends guest mail (`Message.is_live`). It is
    the same delivery as before, with the failures that it had.
    """
    try:
        message = messages.decode(row.message.encode())
    except errors.MessageDecodeError:
        return None
    if isinstance(message.subject, messages.Unreadable):
        return None
    return replace(message, trigger=Trigger.RETRY, attempt=1)
