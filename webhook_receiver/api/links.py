"""Links, with the history of decisions: why did this happen."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Any

from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import UnitOfWork, tables
from shared.domain import reasons
from webhook_receiver import identity, problems
from webhook_receiver.api import jobs, routes, shapes
from webhook_receiver.services import Services


class DecisionDocument(shapes.Document):
    """A look at a record: what was done and why, and both sides as they were seen."""

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
    state: str | None
    baseline: dict[str, Any] | None
    history: list[DecisionDocument]


class LinkPage(shapes.Document):
    """What is known of the record."""

    items: list[LinkDocument]
    next_cursor: str | None


class LinkQuery(shapes.Query):
    """Which record: one of the two."""

    task_id: shapes.Text | SkipJsonSchema[None] = shapes.left_out()
    event_id: shapes.Text | SkipJsonSchema[None] = shapes.left_out()


class Links:
    """The calls about links."""

    def __init__(self, services: Services) -> None:
        """Take the store."""
        self._store = services.store

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/links",
            self.find_link,
            roles=routes.OWN,
            answer=LinkPage,
        )

    def find_link(self, query: LinkQuery) -> LinkPage:
        """Return the link of a task or an event; give exactly one of the two."""
        if (query.task_id is None) == (query.event_id is None):
            detail = "Give either task_id or event_id."
            fields = {"task_id": detail, "event_id": detail}
            raise problems.ProblemError(HTTPStatus.BAD_REQUEST, detail, fields=fields)
        with self._store.read() as work:
            found = _found(work, query.task_id, query.event_id)
        return LinkPage(items=[found] if found else [], next_cursor=None)


def _found(
    work: UnitOfWork, task_id: str | None, event_id: str | None
) -> LinkDocument | None:
    organization_id = identity.caller().organization_id
    if task_id is not None:
        link = work.links.of_task(organization_id, task_id)
        items = work.items.history_of_task(organization_id, task_id)
    else:
        link = work.links.of_event_id_in(organization_id, event_id or "")
        items = work.items.history_of_event(organization_id, event_id or "")
    if link is not None:
        if not _is_visible(work, link):
            return None
        # What was decided before they were linked belongs to the story.
        story = {item.id: item for item in work.items.history_of_link(link.id)}
        story.update((item.id, item) for item in items)
        items = [story[key] for key in sorted(story, reverse=True)]
        return LinkDocument(
            task_id=link.task_id,
            event_id=link.event_id,
            state=link.state,
            baseline=link.baseline,
            history=[_decision(item) for item in items],
        )
    items = _own(work, items)
    if not items:
        return None
    return LinkDocument(
        task_id=task_id or items[0].task_id,
        event_id=event_id or items[0].event_id,
        state=None,
        baseline=None,
        history=[_decision(item) for item in items],
    )


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
