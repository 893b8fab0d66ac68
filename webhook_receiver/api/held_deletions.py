"""Deletions of many records at once, which wait for an admin."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPMethod, HTTPStatus

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Direction
from shared.domain import messages, model
from shared.domain.messages import Trigger
from shared.domain.reconcile import Hold
from webhook_receiver import identity, looks, problems
from webhook_receiver.api import links, routes, shapes
from webhook_receiver.services import Services
from webhook_receiver.syncs import Syncs


class HeldRecordDocument(shapes.Document):
    """A record that was deleted on one side."""

    task_id: str | None
    event_id: str | None
    title: str | None


class HeldDeletionDocument(shapes.Document):
    """Records that were deleted at once; `side` says where."""

    id: int
    connection_id: int
    side: str
    created_at: datetime
    count: int
    items: list[HeldRecordDocument]


class HeldDeletionPage(shapes.Document):
    """A page of deletions that wait, newest first."""

    items: list[HeldDeletionDocument]
    next_cursor: str | None


class HeldDeletionPath(shapes.Path):
    """Which deletion."""

    held_deletion_id: shapes.Id


_ONE = "/held-deletions/<int:held_deletion_id>"


class HeldDeletions:
    """The calls about held deletions."""

    def __init__(self, services: Services) -> None:
        """Take the store, and what has records looked at."""
        self._store = services.store
        self._clock = services.clock
        self._syncs = Syncs(services)

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/held-deletions",
            self.list_held_deletions,
            roles=routes.ADMIN,
            answer=HeldDeletionPage,
        )
        for name, view in (
            ("approve", self.approve_deletion),
            ("reject", self.reject_deletion),
        ):
            api.add(
                HTTPMethod.POST,
                f"{_ONE}/{name}",
                view,
                roles=routes.ADMIN,
                answer=HeldDeletionDocument,
                status=HTTPStatus.ACCEPTED,
                refuses=[HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT],
            )

    def list_held_deletions(self, query: shapes.PageQuery) -> HeldDeletionPage:
        """Return the deletions that wait for a decision."""
        with self._store.read() as work:
            page = work.held_deletions.page(
                identity.caller().organization_id,
                limit=query.limit,
                cursor=query.cursor,
            )
            held = work.held_deletions.links_of_each([row.id for row in page.rows])
        items = [_document(row, held[row.id]) for row in page.rows]
        return HeldDeletionPage(items=items, next_cursor=page.next_cursor)

    def approve_deletion(self, path: HeldDeletionPath) -> HeldDeletionDocument:
        """Let the other side follow the deletion."""
        return self._decide(path.held_deletion_id, Hold.APPROVED)

    def reject_deletion(self, path: HeldDeletionPath) -> HeldDeletionDocument:
        """Restore what was deleted from the other side."""
        return self._decide(path.held_deletion_id, Hold.REJECTED)

    def _decide(self, held_id: int, decision: Hold) -> HeldDeletionDocument:
        now = self._clock.now()
        with self._store.begin() as work:
            row = _undecided(work, held_id)
            row.state, row.decided_at = decision, now
            held = work.held_deletions.links_of(row.id)
            job = work.jobs.start(
                organization_id=row.organization_id,
                connection_id=row.connection_id,
                trigger=Trigger.REPAIR,
                direction=Direction.BOTH,
                now=now,
                expected=len(held),
            )
            work.commit()
        subjects = [_subject(row, link) for link in held]
        due = looks.messages_for(subjects, Trigger.REPAIR, self._clock, job_id=job.id)
        # Should they get lost, a timer finds that the decision was not carried out.
        self._syncs.publish(due, [job])
        return _document(row, held)


def _undecided(work: UnitOfWork, held_id: int) -> tables.HeldDeletion:
    row = work.held_deletions.locked(held_id)
    if row is None or row.organization_id != identity.caller().organization_id:
        raise problems.not_found()
    if row.state != Hold.WAITING:
        detail = f"Somebody has decided on this deletion already: {row.state}."
        raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
    return row


def _subject(row: tables.HeldDeletion, link: tables.Link) -> messages.Subject:
    """Return what has the side looked at that was deleted."""
    if row.side == model.Side.GOOGLE or link.task_id is None:
        return messages.EventDue(
            calendar_id=link.calendar_id or 0,
            event_id=link.event_id or "",
            must_read=True,
        )
    return messages.TaskDue(organization_id=link.organization_id, task_id=link.task_id)


def _document(
    row: tables.HeldDeletion, held: Sequence[tables.Link]
) -> HeldDeletionDocument:
    return HeldDeletionDocument(
        id=row.id,
        connection_id=row.connection_id,
        side=row.side,
        created_at=row.created_at,
        count=len(held),
        items=[
            HeldRecordDocument(
                task_id=link.task_id, event_id=link.event_id, title=links.title_of(link)
            )
            for link in held
        ],
    )
