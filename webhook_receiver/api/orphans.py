"""Orphans and duplicates: searched for, listed, and repaired by workers."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import tables
from shared.adapters.store.states import OrphanState
from shared.domain import errors, messages
from shared.domain.messages import Message, Queue, Trigger
from webhook_receiver import identity, problems
from webhook_receiver.api import previews, routes, shapes
from webhook_receiver.services import Services


class OrphanDocument(shapes.Document):
    """A finding; without `repair`, somebody has to delete one of two by hand."""

    id: int
    kind: str
    crm_user_id: str
    task_id: str | None
    event_id: str | None
    title: str | None
    calendar_id: str | None
    like: str | None = Field(description="The record that it looks like.")
    repair: str | None = Field(description="What a repair does.")
    state: str
    error: str | None


class SearchDocument(shapes.Document):
    """The last search; `unread` are users whose calendars could not be read."""

    state: Literal["never", "running", "finished", "failed"]
    requested_at: datetime | None
    finished_at: datetime | None
    error: str | None
    unread: list[str]

    @classmethod
    def of(cls, row: tables.Search | None) -> Self:
        """Return a search as the API shows it; there may have been none."""
        if row is None:
            nothing = {"requested_at": None, "finished_at": None, "error": None}
            return cls(state="never", unread=[], **nothing)
        ended: Literal["finished", "failed"] = "failed" if row.error else "finished"
        return cls(
            state=ended if row.finished_at else "running",
            requested_at=row.requested_at,
            finished_at=row.finished_at,
            error=row.error,
            unread=row.unread,
        )


class OrphanPage(shapes.Document):
    """A page of what the last search has found."""

    search: SearchDocument
    items: list[OrphanDocument]
    next_cursor: str | None


class OrphanQuery(shapes.PageQuery):
    """Which orphans."""

    kind: shapes.Text | SkipJsonSchema[None] = shapes.left_out()


class RepairBody(shapes.Body):
    """Which orphans to repair: some by id, or all of one kind."""

    ids: Annotated[list[shapes.Id], Field(min_length=1, max_length=1000)] | None = None
    kind: shapes.Text | None = None

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if (self.ids is None) == (self.kind is None):
            message = "give either ids or kind"
            raise ValueError(message)
        return self


class RepairDocument(shapes.Document):
    """How many are being repaired."""

    chosen: int


class Orphans:
    """The calls about orphans and duplicates."""

    def __init__(self, services: Services) -> None:
        """Take the store, and the broker that workers listen to."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/orphans",
            self.list_orphans,
            roles=routes.ADMIN,
            answer=OrphanPage,
        )
        api.add(
            HTTPMethod.POST,
            "/orphans/search",
            self.search_orphans,
            roles=routes.ADMIN,
            answer=SearchDocument,
            status=HTTPStatus.ACCEPTED,
        )
        api.add(
            HTTPMethod.POST,
            "/orphans/repair",
            self.repair_orphans,
            roles=routes.ADMIN,
            answer=RepairDocument,
            status=HTTPStatus.ACCEPTED,
            refuses=[HTTPStatus.CONFLICT],
        )

    def list_orphans(self, query: OrphanQuery) -> OrphanPage:
        """Return what the last search has found, and what has become of it."""
        organization_id = identity.caller().organization_id
        with self._store.read() as work:
            search = work.searches.get(organization_id)
            page = work.orphans.page(
                organization_id,
                kind=query.kind,
                limit=query.limit,
                cursor=query.cursor,
            )
        return OrphanPage(
            search=SearchDocument.of(search),
            items=[_document(row) for row in page.rows],
            next_cursor=page.next_cursor,
        )

    def search_orphans(self) -> SearchDocument:
        """Have a worker compare both sides in full; nothing is written to them."""
        organization_id = identity.caller().organization_id
        now = self._clock.now()
        with self._store.begin() as work:
            row = work.searches.request(organization_id, now)
            work.commit()
        due = messages.SearchDue(organization_id=organization_id)
        try:
            self._queue(due, Trigger.MANUAL, now)
        except errors.BrokerConnectionError:
            with self._store.begin() as work:
                error = previews.NOT_QUEUED
                work.searches.finish(organization_id, error=error, now=now)
                work.commit()
            raise
        return SearchDocument.of(row)

    def repair_orphans(self, body: RepairBody) -> RepairDocument:
        """Have a worker repair some; it looks again first, and mails nobody.

        Those that cannot be repaired, or are already, are left out.
        """
        organization_id = identity.caller().organization_id
        with self._store.begin() as work:
            rows = work.orphans.repairable(
                organization_id, ids=body.ids, kind=body.kind
            )
            if not rows:
                detail = "None of these can be repaired any more. Search again."
                raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
            for row in rows:
                row.state, row.error = OrphanState.CHOSEN, None
            work.commit()
        due = messages.RepairDue(organization_id=organization_id)
        try:
            self._queue(due, Trigger.REPAIR, self._clock.now())
        except errors.BrokerConnectionError:
            self._give_up([row.id for row in rows])
            raise
        return RepairDocument(chosen=len(rows))

    def _give_up(self, ids: Sequence[int]) -> None:
        """Note that nobody was told of these: they can be chosen again."""
        with self._store.begin() as work:
            for id_ in ids:
                row = work.orphans.by_id(id_)
                row.state, row.error = OrphanState.FAILED, previews.NOT_QUEUED
            work.commit()

    def _queue(
        self, subject: messages.Subject, trigger: Trigger, now: datetime
    ) -> None:
        # It reads everything there is: what users change just now goes first.
        self._broker.publish(
            Message(
                id=uuid.uuid4().hex,
                queue=Queue.BACKFILL,
                subject=subject,
                trigger=trigger,
                queued_at=now,
            )
        )


def _document(row: tables.Orphan) -> OrphanDocument:
    return OrphanDocument(
        id=row.id,
        kind=row.kind,
        crm_user_id=row.crm_user_id,
        task_id=row.task_id,
        event_id=row.event_id,
        title=row.title,
        calendar_id=row.calendar,
        like=row.like,
        repair=row.repair,
        state=row.state,
        error=row.error,
    )
