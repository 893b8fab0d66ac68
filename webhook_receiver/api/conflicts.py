"""Conflicts: listed, and settled by whom they wait for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConflictState
from shared.domain import model
from shared.domain.messages import Trigger
from webhook_receiver import identity, looks, problems
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
    version: int = Field(description="Grows with every edit made while it waits.")
    choice: dict[str, str] | None = Field(
        description="What has been chosen, until it is carried out."
    )
    crm_edited_at: datetime | None = Field(
        description="When the task was last edited; of an open conflict only."
    )
    google_edited_at: datetime | None = Field(
        description="When the event was last edited; of an open conflict only."
    )


class ConflictPage(shapes.Document):
    """A page of conflicts, newest first."""

    items: list[ConflictDocument]
    next_cursor: str | None


class ConflictQuery(shapes.PageQuery):
    """Which conflicts."""

    state: ConflictState | SkipJsonSchema[None] = shapes.left_out()
    crm_user_id: shapes.Text | SkipJsonSchema[None] = shapes.left_out()


class ConflictPath(shapes.Path):
    """Which conflict."""

    conflict_id: shapes.Id


_Side = Annotated[model.Side, Field(strict=False)]  # JSON knows choices as texts only


class ResolveBody(shapes.Body):
    """Which side to keep: of the whole record, or of each field in conflict."""

    keep: _Side | None = None
    fields: dict[str, _Side] | None = None
    version: shapes.Id | None = Field(
        default=None,
        description="The version that was looked at; another one is refused.",
    )


class Conflicts:
    """The calls about conflicts."""

    def __init__(self, services: Services) -> None:
        """Take the store and the broker."""
        self._store = services.store
        self._broker = services.broker
        self._clock = services.clock

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        api.add(
            HTTPMethod.GET,
            "/conflicts",
            self.list_conflicts,
            roles=routes.OWN,
            answer=ConflictPage,
        )
        api.add(
            HTTPMethod.POST,
            "/conflicts/<int:conflict_id>/resolve",
            self.resolve_conflict,
            roles=routes.OWN,
            answer=ConflictDocument,
            status=HTTPStatus.ACCEPTED,
            refuses=[HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT],
        )

    def list_conflicts(self, query: ConflictQuery) -> ConflictPage:
        """Return the conflicts of the organization, or the user's own."""
        caller = identity.caller()
        with self._store.read() as work:
            page = work.conflicts.page(
                caller.organization_id,
                state=query.state,
                crm_user_id=_whose(caller, query.crm_user_id),
                limit=query.limit,
                cursor=query.cursor,
            )
            links = work.links.by_ids({row.link_id for row in page.rows})
            edits = _edits(work, links.values())
        items = [
            _document(row, links[row.link_id], edits[row.link_id]) for row in page.rows
        ]
        return ConflictPage(items=items, next_cursor=page.next_cursor)

    def resolve_conflict(
        self, path: ConflictPath, body: ResolveBody
    ) -> ConflictDocument:
        """Settle a conflict; a worker carries it out if both sides are still so.

        It is refused, with the conflict as it is now, where it is settled already or
        has another version than the one that was looked at.
        """
        with self._store.begin() as work:
            conflict, link = _visible(work, path.conflict_id)
            stale = _why_stale(conflict, body)
            edit = _edits(work, [link])[link.id]
            if stale is not None:
                current = _document(conflict, link, edit).model_dump(mode="json")
                raise problems.ProblemError(HTTPStatus.CONFLICT, stale, current=current)
            conflict.choice = _choice(conflict.fields, body)
            conflict.updated_at = self._clock.now()
            document = _document(conflict, link, edit)
            work.commit()
        # Should this get lost, the timer finds the choice.
        subject = looks.subject_of_link(link)
        due = [subject] if subject else []
        self._broker.publish(*looks.messages_for(due, Trigger.MANUAL, self._clock))
        return document


def _whose(caller: identity.Identity, wanted: str | None) -> str | None:
    """Return the user whose conflicts are listed; None for everybody's."""
    if not caller.is_confined:
        return wanted
    own = caller.crm_user_id or _NOBODY
    return own if wanted in {None, own} else _NOBODY


_NOBODY = ""
"""No user has this id."""


def _visible(work: UnitOfWork, conflict_id: int) -> tuple[tables.Conflict, tables.Link]:
    """Return a conflict and its link; raises the 404 for one of somebody else's."""
    row = work.conflicts.locked(conflict_id)
    if row is None:
        raise problems.not_found()
    if not identity.caller().may_see(row.organization_id, row.crm_user_id):
        raise problems.not_found()
    return row, work.links.by_id(row.link_id)


def _why_stale(conflict: tables.Conflict, body: ResolveBody) -> str | None:
    if conflict.state != ConflictState.OPEN:
        return "The conflict is settled already."
    if body.version not in {None, conflict.version}:
        return "The meeting was edited since. Look at both sides again, then choose."
    return None


def _choice(contested: Collection[str], body: ResolveBody) -> dict[str, str]:
    if (body.keep is None) == (body.fields is None):
        detail = "give either keep or fields"
        raise problems.invalid({"keep": detail, "fields": detail})
    if body.keep is not None:
        return dict.fromkeys(contested, body.keep.value)
    chosen = body.fields or {}
    wrong = {f"fields.{f}": "choose crm or google" for f in {*contested} - {*chosen}}
    wrong |= {f"fields.{f}": "is not in conflict" for f in {*chosen} - {*contested}}
    if wrong:
        raise problems.invalid(wrong)
    return {field: side.value for field, side in chosen.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edits:
    """When each side was last edited, by our clock: so the policies see it."""

    crm_at: datetime | None
    google_at: datetime | None


def _edits(work: UnitOfWork, links: Collection[tables.Link]) -> dict[int, _Edits]:
    """Return the edits of these links, by id."""
    organization = work.organizations.by_id(identity.caller().organization_id)
    skew = timedelta(seconds=organization.crm_skew_seconds)
    changed_at = work.copies.changed_at([link.id for link in links])
    return {
        link.id: _Edits(
            crm_at=link.task_changed_at - skew if link.task_changed_at else None,
            google_at=changed_at.get(link.id),
        )
        for link in links
    }


def _document(
    row: tables.Conflict, link: tables.Link, edits: _Edits
) -> ConflictDocument:
    is_open = row.state == ConflictState.OPEN
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
        version=row.version,
        choice=row.choice,
        crm_edited_at=edits.crm_at if is_open else None,
        google_edited_at=edits.google_at if is_open else None,
    )
