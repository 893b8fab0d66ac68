"""A user's own connection: how it stands, and everything that can be done to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import ConnectionState
from shared.domain import reasons
from shared.domain.access import Problem
from webhook_receiver import identity, problems
from webhook_receiver.api import connection_shapes, connections, jobs, previews
from webhook_receiver.api.connection_shapes import (
    CalendarDocument,
    ConnectionBody,
    ConnectionPath,
    DisconnectQuery,
)
from webhook_receiver.api.jobs import JobDocument
from webhook_receiver.api.previews import PreviewDocument
from webhook_receiver.identity import Identity
from webhook_receiver.pages import (
    acting,
    asking,
    confirming,
    meetings,
    texts,
    troubleshooting,
)
from webhook_receiver.pages.confirming import Question, counted
from webhook_receiver.pages.routes import ADMIN_OR_USER, EVERYBODY, PageRoutes
from webhook_receiver.pages.troubleshooting import Advice
from webhook_receiver.services import Services

PATH = "/me"
LAST_CHANGES = 10
_LOOKED_THROUGH = 50

_CHOOSING = {ConnectionState.ACTIVE, ConnectionState.CALENDAR_MISSING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one record, in words."""

    at: datetime
    job_id: int
    title: str
    outcome: str
    explanation: str

    @classmethod
    def of(cls, row: tables.JobItem) -> "Change":
        """Return a line of the history as the page shows it."""
        title = meetings.title_seen(row.google, row.crm) or "A record"
        explanation = reasons.explain(row.reason) or row.reason
        return cls(
            at=row.at,
            job_id=row.job_id,
            title=title,
            outcome=row.outcome,
            explanation=explanation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the viewer's connection stands; without connection the rest is empty."""

    organization: tables.Organization
    connection: tables.Connection | None = None
    calendars: Sequence[CalendarDocument] = ()
    running: JobDocument | None = None
    preview: PreviewDocument | None = None
    changes: Sequence[Change] = ()
    conflicts: int = 0

    @property
    def is_active(self) -> bool:
        """Tell whether meetings are synced."""
        return self._state == ConnectionState.ACTIVE

    @property
    def waits_for_start(self) -> bool:
        """Tell whether the first sync is only previewed yet."""
        return self._problem == Problem.NOT_STARTED

    @property
    def is_connected(self) -> bool:
        """Tell whether there is something to disconnect."""
        return self._state not in {None, ConnectionState.DISCONNECTED}

    @property
    def is_leaving(self) -> bool:
        """Tell whether events are being removed before the connection ends."""
        return self._state == ConnectionState.PAUSED and self._problem is None

    @property
    def was_synced(self) -> bool:
        """Tell whether a sync would not be the first."""
        return self.connection is not None and self.connection.last_sync_at is not None

    @property
    def may_choose(self) -> bool:
        """Tell whether another calendar can be chosen."""
        return self._state in _CHOOSING and bool(self.calendars)

    @property
    def calendar(self) -> CalendarDocument | None:
        """The calendar that is synced."""
        return next((each for each in self.calendars if each.is_selected), None)

    @property
    def sentence(self) -> str:
        """How the connection stands, in a sentence."""
        if self._problem is not None:
            return Problem(self._problem).detail
        if self.is_leaving:
            return texts.LEAVING
        return texts.STATES.get(self._state or "", texts.NO_CONNECTION)

    @property
    def advice(self) -> Advice | None:
        """What to do about what keeps the connection from being synced."""
        return troubleshooting.of_problem(self._problem)

    @property
    def _state(self) -> str | None:
        return self.connection.state if self.connection else None

    @property
    def _problem(self) -> str | None:
        return self.connection.problem if self.connection else None


class Me:
    """The page of a user's own connection."""

    def __init__(self, services: Services) -> None:
        """Take the calls about connections, and what is done with them."""
        self._store = services.store
        self._clock = services.clock
        self._connections = connections.Connections(services)
        self._previews = previews.Previews(services)
        self._acts = acting.Acts(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the pages."""
        own = ADMIN_OR_USER
        routes.show(PATH, self.me, roles=EVERYBODY)
        routes.take(f"{PATH}/sync", self.sync_mine, roles=own)
        routes.take(f"{PATH}/preview", self.preview_mine, roles=own)
        routes.take(f"{PATH}/calendar", self.choose_my_calendar, roles=own)
        routes.take(f"{PATH}/disconnect", self.disconnect_mine, roles=own)

    def me(self) -> ResponseReturnValue:
        """Show how the viewer's connection stands."""
        caller = identity.caller()
        notice = request.args.get("notice", "")
        standing = self._standing(caller)
        is_user = caller.crm_user_id is not None
        return render_template(
            "me.html",
            my=standing,
            sentence=standing.sentence if is_user else texts.NO_USER,
            may_act=is_user and caller.role in ADMIN_OR_USER,
            can_connect=is_user and bool(standing.organization.google_client_id),
            text=texts.OUTCOMES.get(notice),
            advice=standing.advice or troubleshooting.of_notice(notice),
        )

    def sync_mine(self) -> ResponseReturnValue:
        """Bring the own connection in step, or begin its first sync."""
        self._acts.sync(self._own().connection_id)
        return _back()

    def preview_mine(self) -> ResponseReturnValue:
        """Have counted what a sync would do."""
        path = self._own()
        done = "The preview is being made. Nothing is changed by it."
        acting.attempt(lambda: self._previews.preview(path), done=done)
        return _back()

    def choose_my_calendar(self) -> ResponseReturnValue:
        """Sync another calendar, once the viewer has seen what moves."""
        path = self._own()
        given = request.form.get("calendar_id", "")
        body = asking.validated(ConnectionBody, calendar_id=given)
        if not confirming.is_confirmed():
            return self._ask_to_move(path, body)
        acting.attempt(
            lambda: self._connections.choose_calendar(path, body),
            done="The calendar is chosen. Your meetings move there now, without mail.",
        )
        return _back()

    def _ask_to_move(
        self, path: ConnectionPath, body: ConnectionBody
    ) -> ResponseReturnValue:
        wanted = connection_shapes.CalendarQuery(calendar_id=body.calendar_id)
        moved = self._connections.preview_move(path, wanted)
        known = self._connections.list_calendars(path).items
        name = next(c.summary for c in known if c.id == body.calendar_id)
        return confirming.ask(
            Question(
                title=f"Sync the calendar {name}?",
                text=_fate(moved),
                button=f"Choose {name} and move {counted(moved.moves, 'event')}",
                back=PATH,
                fields=[("calendar_id", body.calendar_id)],
                is_final=False,
            )
        )

    def disconnect_mine(self) -> ResponseReturnValue:
        """Disconnect, once the viewer has seen what becomes of the events."""
        path = self._own()
        events = request.form.get("events", "keep")
        query = asking.validated(DisconnectQuery, events=events)
        if not confirming.is_confirmed():
            return self._acts.ask_to_disconnect(
                path.connection_id, query, whose="your Google Calendar", back=PATH
            )
        self._acts.disconnect(path.connection_id, query)
        return _back()

    def _own(self) -> ConnectionPath:
        with self._store.read() as work:
            own = jobs.own_connection(work)
        if own is None:
            raise problems.not_found()
        return ConnectionPath(connection_id=own)

    def _standing(self, caller: Identity) -> Standing:
        with self._store.read() as work:
            organization = work.organizations.by_id(caller.organization_id)
            user_id = caller.crm_user_id
            if user_id is None:
                return Standing(organization=organization)
            waiting = work.conflicts.count_open(organization.id, crm_user_id=user_id)
            row = work.connections.of_user(organization.id, user_id)
            if row is None:
                return Standing(organization=organization, conflicts=waiting)
            preview = work.previews.get(row.id)
            running = work.jobs.running_of(row.id)
            now = self._clock.now()
            return Standing(
                organization=organization,
                connection=row,
                calendars=_calendars(work, row),
                running=JobDocument.of(running, now) if running else None,
                preview=PreviewDocument.of(preview) if preview else None,
                changes=_changes(work, row),
                conflicts=waiting,
            )


def _calendars(
    work: UnitOfWork, connection: tables.Connection
) -> list[CalendarDocument]:
    return [
        connection_shapes.of_calendar(row)
        for row in connections.writable_of(work, connection)
    ]


def _changes(work: UnitOfWork, connection: tables.Connection) -> list[Change]:
    """Return the last changes; what came out the same again is told once."""
    found: dict[tuple[str | None, str | None, str], Change] = {}
    for row in work.activity.newest_of(connection.id, limit=_LOOKED_THROUGH):
        found.setdefault((row.task_id, row.event_id, row.reason), Change.of(row))
    return list(found.values())[:LAST_CHANGES]


def _fate(moved: connection_shapes.MoveDocument) -> str:
    moving = f"{counted(moved.moves, 'event')} that came from the CRM"
    staying = f"{counted(moved.stays, 'event')} made in Google"
    move = "moves" if moved.moves == 1 else "move"
    stay = "stays and is" if moved.stays == 1 else "stay and are"
    return (
        f"{moving} {move} there, without mail to guests. "
        f"{staying} {stay} not synced any more."
    )


def _back() -> ResponseReturnValue:
    return redirect(PATH, HTTPStatus.SEE_OTHER)
