"""What a first sync would do, found out by letting it happen where nothing is written.

The very sync that would run works on a scratch store, on remotes that only count: so
what a preview says, and what the sync does afterwards, cannot drift apart.
"""

import logging
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from shared.adapters.store import Scratch, tables
from shared.adapters.store.states import ConnectionState, Direction, Outcome
from shared.domain import errors, messages
from shared.domain.access import Problem
from shared.domain.messages import Delay, Message, Queue, Trigger
from shared.log import bound
from workers.backfill import Backfill
from workers.onlooking import Onlooking, Tally, Writes
from workers.pacing import lane_of
from workers.parking import Parking
from workers.services import Services
from workers.sync import Sync
from workers.watching import Watching

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How many records would be left as they are, and why."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be written to each side.

    `linked` are tasks and events that are the same meeting already. `guests` are the
    people on the events that would be written, `mailed` those Google would mail.
    `failed` are records that could not be looked at.
    """

    google: Writes
    crm: Writes
    linked: int
    guests: int
    mailed: int
    failed: int
    left: tuple[Left, ...]

    def to_document(self) -> tables.Document:
        """Return it as the store keeps it."""
        return asdict(self) | {"left": [asdict(each) for each in self.left]}


class Previewing:
    """Handles the messages that ask what a sync would do."""

    def __init__(self, services: Services) -> None:
        """Take both outside worlds, which are only read."""
        self._services = services
        self._store = services.store

    def connection(self, message: Message, subject: messages.PreviewDue) -> None:
        """Store what a sync of a connection would do, or why that cannot be told."""
        with self._store.read() as work:
            connection = work.connections.by_id(subject.connection_id)
            row = work.previews.get(connection.id)
        if row is None or row.requested_at > message.queued_at:
            return  # Asked for anew since.
        found: Preview | None = None
        error: str | None = None
        try:
            found = preview(self._services, connection)
        except errors.SyncError as refusal:
            error = str(refusal)
        with self._store.begin() as work:
            work.previews.finish(
                connection.id,
                counts=found.to_document() if found else None,
                error=error,
                now=self._services.clock.now(),
            )
            work.commit()


def preview(services: Services, connection: tables.Connection) -> Preview:
    """Return what a sync of the whole connection would do; nothing is written.

    Raises `NotActiveError` for one that is not synced, and the `SyncError` that keeps
    one of its sides from being listed.
    """
    about, bulk = bound(preview_of=connection.id), lane_of(Queue.BACKFILL)
    with about, bulk, _rehearsal(services, connection) as stage:
        stage.play()
        return stage.outcome()


class NotActiveError(errors.PermanentError):
    """The connection is not active."""


@contextmanager
def _rehearsal(
    services: Services, connection: tables.Connection
) -> Iterator["_Rehearsal"]:
    with tempfile.TemporaryDirectory(prefix="calendar-sync-") as folder:
        scratch = Scratch(services.store, connection, Path(folder))
        try:
            yield _Rehearsal(services, connection, scratch)
        finally:
            scratch.store.close()


class _Outbox:
    """Implements `ports.Publisher`: keeps what is queued until its turn comes."""

    def __init__(self) -> None:
        self.due: deque[Message] = deque()

    def publish(self, *messages: Message, delay: Delay | None = None) -> None:  # noqa: ARG002 - all in good time
        self.due.extend(messages)


class _Rehearsal:
    """The sync of one connection on a scratch store."""

    def __init__(
        self, services: Services, connection: tables.Connection, scratch: Scratch
    ) -> None:
        self._clock = services.clock
        self._connection = connection
        self._scratch = scratch
        self._store = scratch.store
        self._outbox = _Outbox()
        self._remotes = Onlooking(
            services.store, services.remotes, scratch, services.clock
        )
        stage = replace(
            services, store=self._store, broker=self._outbox, remotes=self._remotes
        )
        parked = Parking(
            self._store, self._remotes, self._clock, public_url=services.public_url
        )
        self._backfill = Backfill(stage, parked, Watching(stage, parked))
        self._sync = Sync(stage, parked)
        self._failed = 0

    def play(self) -> None:
        """Let everything happen."""
        message = self._begin()
        due = messages.ConnectionDue(connection_id=self._connection.id)
        self._backfill.connection(message, due)
        self._require_active()
        while self._outbox.due:
            self._look(self._outbox.due.popleft())
        self._require_active()

    def _begin(self) -> Message:
        now = self._clock.now()
        with self._store.begin() as work:
            row = work.connections.by_id(self._connection.id)
            if row.problem == Problem.NOT_STARTED:
                work.connections.let_in(row, at=row.connected_at or now)
            self._job = work.jobs.start(
                organization_id=row.organization_id,
                connection_id=row.id,
                trigger=Trigger.BACKFILL,
                direction=Direction.BOTH,
                now=now,
            )
            work.commit()
        return Message(
            id="preview",
            queue=Queue.BACKFILL,
            subject=messages.ConnectionDue(connection_id=row.id),
            trigger=Trigger.BACKFILL,
            queued_at=now,
            job_id=self._job.id,
        )

    def _require_active(self) -> None:
        """Raise where the connection is, or has just turned out to be, without access.

        Who finds that out parks it: here that is only the scratch store's row.
        """
        with self._store.read() as work:
            row = work.connections.by_id(self._connection.id)
        if row.state != ConnectionState.ACTIVE:
            raise NotActiveError(Problem(row.problem).detail if row.problem else "")

    def _look(self, message: Message) -> None:
        """Look at a record; what else is queued is about other connections."""
        try:
            match message.subject:
                case messages.TaskDue():
                    self._sync.task(message, message.subject)
                case messages.EventDue():
                    self._sync.event(message, message.subject)
                case _:
                    return
        except errors.SyncError as error:
            log.info("Could not look at a record: %s", error)
            self._failed += 1

    def outcome(self) -> Preview:
        """Return what has happened."""
        tally: Tally = self._remotes.tally
        with self._store.read() as work:
            counted = work.items.count_reasons(self._job.id)
        return Preview(
            google=tally.google,
            crm=tally.crm,
            linked=self._scratch.count_linked(),
            guests=len(tally.guests),
            mailed=len(tally.mailed),
            failed=self._failed,
            left=tuple(
                Left(reason=reason, count=count)
                for outcome, reason, count in counted
                if outcome in _LEFT
            ),
        )


_LEFT = {Outcome.SKIPPED, Outcome.HELD, Outcome.CONFLICT}
