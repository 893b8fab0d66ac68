"""Conflicts that wait for a user, or did."""

from datetime import datetime
from http import HTTPMethod
from typing import Any

from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import tables
from shared.adapters.store.states import ConflictState
from webhook_receiver import identity
from webhook_receiver.api import routes, shapes
from webhook_receiver.services import Services


class ConflictDocument(shapes.Document):
    """Two edits of one meeting, and what both sides had agreed on before."""

    id: int
    task_id: str | None
    event_id: str | None
    crm_user_id: str
    created_at: datetime
    state: str
    fields: list[str]
    baseline: dict[str, Any] | None
    crm: dict[str, Any] | None
    google: dict[str, Any] | None


class ConflictPage(shapes.Document):
    """A page of conflicts, newest first."""

    items: list[ConflictDocument]
    next_cursor: str | None


class ConflictQuery(shapes.PageQuery):
    """Which conflicts."""

    state: ConflictState | SkipJsonSchema[None] = shapes.left_out()


class Conflicts:
    """The calls about conflicts."""

    def __init__(self, services: Services) -> None:
        """Take the store."""
        self._store = services.store

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/conflicts",
            self.list_conflicts,
            roles=routes.OWN,
            answer=ConflictPage,
        )

    def list_conflicts(self, query: ConflictQuery) -> ConflictPage:
        """Return the conflicts of the organization, or the user's own."""
        caller = identity.caller()
        with self._store.read() as work:
            page = work.conflicts.page(
                caller.organization_id,
                state=query.state,
                crm_user_id=(caller.crm_user_id or "") if caller.is_confined else None,
                limit=query.limit,
                cursor=query.cursor,
            )
            links = work.links.by_ids({row.link_id for row in page.rows})
        items = [_document(row, links[row.link_id]) for row in page.rows]
        return ConflictPage(items=items, next_cursor=page.next_cursor)


def _document(row: tables.Conflict, link: tables.Link) -> ConflictDocument:
    return ConflictDocument(
        id=row.id,
        task_id=link.task_id,
        event_id=link.event_id,
        crm_user_id=row.crm_user_id,
        created_at=row.created_at,
        state=row.state,
        fields=row.fields,
        baseline=row.baseline,
        crm=row.crm,
        google=row.google,
    )
