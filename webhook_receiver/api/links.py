"""Links, with the history of decisions: why did this happen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Direction, Outcome
from shared.domain import messages, reasons
from shared.domain.messages import Trigger
from webhook_receiver import identity, looks, problems
from webhook_receiver.api import jobs, routes, shapes
from webhook_receiver.services import Services
from webhook_receiver.syncs import Syncs


class DecisionDocument(shapes.Document):
    """A look at a record: what was done and why, and both sides as they were seen."""

    job_id: int
    at: datetime
    action: str
    outcome: str
    reason: str
    explanation: str
    error: str | None
    changes: dict[str, Any] | None
    next_attempt_at: datetime | None
    crm: dict[str, Any] | None
    google: dict[str, Any] | None


class LinkDocument(shapes.Document):
    """A task and its event; `history` says why, where `state` is null and no link."""

    task_id: str | None
    event_id: str | None
    title: str | None
    crm_user_id: str | None = Field(description="The task's owner.")
    state: str | None
    baseline: dict[str, Any] | None
    origin: str | None = Field(description="The side where the meeting was made first.")
    calendar: str | None = Field(description="The name of the event's calendar.")
    event_url: str | None = Field(description="Where Google shows the event.")
    conflict_id: int | None = Field(description="The conflict that waits for a user.")
    held_deletion_id: int | None = Field(description="The deletion it waits for.")
    quarantined_until: datetime | None = Field(
        description="Both sides kept changing it: until then it is left alone."
    )
    history: list[DecisionDocument]


class LinkPage(shapes.Document):
    """What is known of the record."""

    items: list[LinkDocument]
    next_cursor: str | None


class LinkQuery(shapes.Query):
    """Which record: one of the two."""

    task_id: shapes.Text | SkipJsonSchema[None] = shapes.left_out()
    event_id: shapes.Text | SkipJsonSchema[None] = shapes.left_out()


class RecordBody(shapes.Body):
    """Which record: one of the two."""

    task_id: shapes.Text | None = None
    event_id: shapes.Text | None = None


class Links:
    """The calls about links."""

    def __init__(self, services: Services) -> None:
        """Take the store, and what has records looked at."""
        self._store = services.store
        self._clock = services.clock
        self._syncs = Syncs(services)

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/links",
            self.find_link,
            roles=routes.OWN,
            answer=LinkPage,
        )
        api.add(
            HTTPMethod.POST,
            "/links/retry",
            self.retry_link,
            roles=routes.OWN,
            answer=jobs.JobDocument,
            status=HTTPStatus.ACCEPTED,
            refuses=[HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT],
        )

    def find_link(self, query: LinkQuery) -> LinkPage:
        """Return the link of a task or an event; give exactly one of the two."""
        if (query.task_id is None) == (query.event_id is None):
            detail = "Give either task_id or event_id."
            fields = {"task_id": detail, "event_id": detail}
            raise problems.ProblemError(HTTPStatus.BAD_REQUEST, detail, fields=fields)
        with self._store.read() as work:
            known = _known(work, query.task_id, query.event_id)
            found = _document(work, known) if known else None
        return LinkPage(items=[found] if found else [], next_cursor=None)

    def retry_link(self, body: RecordBody) -> jobs.JobDocument:
        """Look at a record again, as it is by now, whatever became of it before.

        Guests get no mail. Its dead letters are discarded: this look stands for them.
        """
        if (body.task_id is None) == (body.event_id is None):
            detail = "give either task_id or event_id"
            raise problems.invalid({"task_id": detail, "event_id": detail})
        with self._store.begin() as work:
            known = _known(work, body.task_id, body.event_id)
            if known is None:
                raise problems.not_found()
            due = _due(work, known)
            job = work.jobs.start(
                organization_id=identity.caller().organization_id,
                connection_id=_connection_of(work, known),
                trigger=Trigger.RETRY,
                direction=Direction.BOTH,
                now=self._clock.now(),
                expected=1,
            )
            work.commit()
        message = looks.messages_for([due], Trigger.RETRY, self._clock, job_id=job.id)
        self._syncs.publish(message, [job])
        with self._store.begin() as work:
            work.dead_letters.remove_deliveries(known.failed_deliveries)
            work.commit()
        return jobs.JobDocument.of(job, self._clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What there is about a record that the caller may see."""

    task_id: str | None
    event_id: str | None
    link: tables.Link | None
    items: Sequence[tables.JobItem]

    @property
    def failed_deliveries(self) -> set[str]:
        """The messages about it that may have become dead letters."""
        failed = (item for item in self.items if item.outcome == Outcome.FAILED)
        return {item.delivery_id for item in failed}


def _known(
    work: UnitOfWork, task_id: str | None, event_id: str | None
) -> _Known | None:
    organization_id = identity.caller().organization_id
    if task_id is not None:
        link = work.links.of_task(organization_id, task_id)
        items = work.items.history_of_task(organization_id, task_id)
    else:
        link = work.links.of_event_id_in(organization_id, event_id or "")
        items = work.items.history_of_event(organization_id, event_id or "")
    if link is None:
        return _unlinked(task_id, event_id, _own(work, items))
    if not _is_visible(work, link):
        return None
    # What was decided before they were linked belongs to the story.
    story = {item.id: item for item in work.items.history_of_link(link.id)}
    story.update((item.id, item) for item in items)
    return _Known(
        task_id=link.task_id,
        event_id=link.event_id,
        link=link,
        items=[story[key] for key in sorted(story, reverse=True)],
    )


def _unlinked(
    task_id: str | None, event_id: str | None, items: Sequence[tables.JobItem]
) -> _Known | None:
    if not items:
        return None
    return _Known(
        task_id=task_id or items[0].task_id,
        event_id=event_id or items[0].event_id,
        link=None,
        items=items,
    )


def _due(work: UnitOfWork, known: _Known) -> messages.Subject:
    """Return what has the record looked at; raises the refusal if nothing has."""
    due = (
        looks.subject_of_link(known.link)
        if known.link
        else looks.subject_of_item(work, known.items[0])
    )
    if due is None:
        detail = "There is no calendar any more on which to look for this record."
        raise problems.ProblemError(HTTPStatus.CONFLICT, detail)
    return due


def _connection_of(work: UnitOfWork, known: _Known) -> int | None:
    if known.link is None:
        return known.items[0].connection_id
    calendar = work.calendars.get(known.link.calendar_id)
    return calendar.connection_id if calendar else None


def _document(work: UnitOfWork, known: _Known) -> LinkDocument:
    link = known.link
    calendar = work.calendars.get(link.calendar_id) if link else None
    copy = work.copies.of(link.calendar_id, link.event_id) if link else None
    conflict = work.conflicts.open_of_link(link.id) if link else None
    return LinkDocument(
        task_id=known.task_id,
        event_id=known.event_id,
        title=title_of(link) if link else _last_title(known.items),
        crm_user_id=(link.task or {}).get("owner_id") if link else None,
        state=link.state if link else None,
        baseline=link.baseline if link else None,
        origin=link.origin if link else None,
        calendar=(calendar.summary or calendar.google_calendar_id)
        if calendar
        else None,
        event_url=copy.document.get("htmlLink") if copy else None,
        conflict_id=conflict.id if conflict else None,
        held_deletion_id=link.held_deletion_id if link else None,
        quarantined_until=link.quarantined_until if link else None,
        history=[_decision(item) for item in known.items],
    )


def title_of(link: tables.Link) -> str | None:
    """Return the last known title of a linked meeting."""
    agreed: dict[str, Any] = (link.baseline or {}).get("meeting", {})
    title: str | None = agreed.get("title") or (link.task or {}).get("title")
    return title


def _last_title(items: Sequence[tables.JobItem]) -> str | None:
    sides = (side for item in items for side in (item.crm, item.google) if side)
    return next((side["title"] for side in sides if side.get("title")), None)


def _is_visible(work: UnitOfWork, link: tables.Link) -> bool:
    """Tell whether the caller owns the task, or has the event on a calendar."""
    caller = identity.caller()
    if not caller.is_confined:
        return True
    own = jobs.own_connection(work)
    if own is None:
        return False
    copies = [copy.calendar_id for copy in work.copies.of_link(link.id)]
    ids = [*copies, *([link.calendar_id] if link.calendar_id else [])]
    if any(work.calendars.by_id(key).connection_id == own for key in ids):
        return True
    return (link.task or {}).get("owner_id") == caller.crm_user_id


def _own(work: UnitOfWork, items: Sequence[tables.JobItem]) -> Sequence[tables.JobItem]:
    if not identity.caller().is_confined:
        return items
    own = jobs.own_connection(work)
    return [item for item in items if own and item.connection_id == own]


def _decision(row: tables.JobItem) -> DecisionDocument:
    return DecisionDocument(
        job_id=row.job_id,
        at=row.at,
        action=row.action,
        outcome=row.outcome,
        reason=row.reason,
        explanation=reasons.explain(row.reason),
        error=row.error,
        changes=row.changes,
        next_attempt_at=row.next_attempt_at,
        crm=row.crm,
        google=row.google,
    )
