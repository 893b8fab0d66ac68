"""What a sync of a connection would do, before it does."""

import uuid
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Any, Literal, Self

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain import errors, messages, reasons
from shared.domain.access import Problem
from shared.domain.messages import Message, Queue, Trigger
from webhook_receiver import problems
from webhook_receiver.api import connection_shapes, connections, routes, shapes
from webhook_receiver.services import Services

NOT_QUEUED = "It could not be queued. Ask for it again."


class WritesDocument(shapes.Document):
    """What would be written to one side."""

    created: int
    updated: int
    cancelled: int


class LeftDocument(shapes.Document):
    """How many records would be left as they are, and why."""

    reason: str
    explanation: str
    count: int


class CountsDocument(shapes.Document):
    """What a sync would do.

    `linked` are tasks and events that are the same meeting already. `guests` are the
    people on the events that would be written, `mailed` those Google would mail.
    `failed` are records that could not be looked at.
    """

    google: WritesDocument
    crm: WritesDocument
    linked: int
    guests: int
    mailed: int
    failed: int
    left: list[LeftDocument]

    @classmethod
    def of(cls, counts: dict[str, Any]) -> Self:
        """Return the counts that a worker has stored."""
        left = [
            LeftDocument(**each, explanation=reasons.explain(each["reason"]))
            for each in counts["left"]
        ]
        return cls(**{**counts, "left": left})


class PreviewDocument(shapes.Document):
    """The last preview that was asked for."""

    connection_id: int
    state: Literal["running", "finished", "failed"]
    requested_at: datetime
    finished_at: datetime | None
    error: str | None
    counts: CountsDocument | None

    @classmethod
    def of(cls, row: tables.Preview) -> Self:
        """Return a preview as the API shows it."""
        is_known = row.counts is not None
        ended: Literal["finished", "failed"] = "finished" if is_known else "failed"
        return cls(
            connection_id=row.connection_id,
            state="running" if row.finished_at is None else ended,
            requested_at=row.requested_at,
            finished_at=row.finished_at,
            error=row.error,
            counts=CountsDocument.of(row.counts) if row.counts else None,
        )


class Previews:
    """The calls about previews."""

    def __init__(self, services: Services) -> None:
        """Take the store, and the broker that workers listen to."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        path = "/connections/<int:connection_id>/preview"
        own, shape, missing = routes.OWN, PreviewDocument, HTTPStatus.NOT_FOUND
        api.add(
            HTTPMethod.GET,
            path,
            self.show_preview,
            roles=own,
            answer=shape,
            refuses=[missing],
        )
        api.add(
            HTTPMethod.POST,
            path,
            self.preview,
            roles=own,
            answer=shape,
            status=HTTPStatus.ACCEPTED,
            refuses=[missing, HTTPStatus.CONFLICT],
        )

    def show_preview(self, path: connection_shapes.ConnectionPath) -> PreviewDocument:
        """Return the last preview of a connection; 404 if none was asked for."""
        with self._store.read() as work:
            connection = connections.visible(work, path.connection_id)
            row = work.previews.get(connection.id)
        if row is None:
            raise problems.not_found()
        return PreviewDocument.of(row)

    def preview(self, path: connection_shapes.ConnectionPath) -> PreviewDocument:
        """Have a worker find out what a sync would do; nothing is written."""
        now = self._clock.now()
        with self._store.begin() as work:
            connection = connections.visible(work, path.connection_id)
            _require_access(connection)
            row = work.previews.request(connection.id, now)
            work.commit()
        self._queue(row)
        return PreviewDocument.of(row)

    def _queue(self, row: tables.Preview) -> None:
        # Somebody waits for it: it must not queue behind first syncs and repairs.
        due = Message(
            id=uuid.uuid4().hex,
            queue=Queue.RECORDS,
            subject=messages.PreviewDue(connection_id=row.connection_id),
            trigger=Trigger.MANUAL,
            queued_at=row.requested_at,
        )
        try:
            self._broker.publish(due)
        except errors.BrokerConnectionError:
            now = self._clock.now()
            with self._store.begin() as work:
                work.previews.finish(row.connection_id, error=NOT_QUEUED, now=now)
                work.commit()
            raise


def _require_access(connection: tables.Connection) -> None:
    is_active = connection.state == ConnectionState.ACTIVE
    if not is_active and connection.problem != Problem.NOT_STARTED:
        detail = f"The connection is not active: {connection.state}."
        raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
