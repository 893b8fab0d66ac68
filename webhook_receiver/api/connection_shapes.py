"""How connections look in the API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.adapters.store import UnitOfWork, tables
from shared.domain import access
from webhook_receiver.api import shapes


class ChannelDocument(shapes.Document):
    """The channel that Google notifies us through."""

    id: str
    expires_at: datetime | None
    last_notified_at: datetime | None


class ProblemDocument(shapes.Document):
    """What keeps a connection from being synced, and what to do, in plain words."""

    code: str
    title: str
    detail: str


class ConnectionDocument(shapes.Document):
    """A CRM user's connection to a Google account."""

    id: int
    crm_user_id: str
    google_account: str | None
    calendar_id: str | None
    state: str
    problem: ProblemDocument | None
    granted_scopes: list[str]
    connected_at: datetime | None
    last_sync_at: datetime | None
    channel: ChannelDocument | None


class ConnectionPage(shapes.Document):
    """A page of connections, newest first."""

    items: list[ConnectionDocument]
    next_cursor: str | None


class CalendarDocument(shapes.Document):
    """A calendar that the account can write."""

    id: str
    summary: str
    time_zone: str
    access_role: str
    is_primary: bool
    is_selected: bool


class CalendarPage(shapes.Document):
    """The calendars of an account, the primary one first."""

    items: list[CalendarDocument]
    next_cursor: str | None


class ConnectBody(shapes.Body):
    """Whose calendar is to be connected."""

    crm_user_id: shapes.Text
    waits_for_start: bool = Field(
        default=False,
        description=(
            "Connect, but begin the first sync only when it is asked for: "
            "until then its preview can be looked at."
        ),
    )


class DisconnectQuery(shapes.Query):
    """What becomes of the events that we created."""

    events: Literal["keep", "remove"] = "keep"


class ConnectionBody(shapes.Body):
    """What a user chooses of a connection."""

    calendar_id: shapes.Text


class CalendarQuery(shapes.Query):
    """Which calendar might be chosen."""

    calendar_id: shapes.Text


class MoveDocument(shapes.Document):
    """How many events would move to another calendar, and how many stay behind."""

    moves: int
    stays: int


class RemovalDocument(shapes.Document):
    """How many events would be removed, and how many were made in Google and stay."""

    removes: int
    stays: int


class ConnectionPath(shapes.Path):
    """Which connection."""

    connection_id: shapes.Id


def of_connections(
    work: UnitOfWork, rows: Sequence[tables.Connection]
) -> list[ConnectionDocument]:
    """Return connections with their calendars and channels."""
    calendars = work.calendars.selected_among([row.id for row in rows])
    channels = work.channels.open_among([c.id for c in calendars.values()])
    found = []
    for row in rows:
        calendar = calendars.get(row.id)
        channel = channels.get(calendar.id) if calendar else None
        found.append(_document(row, calendar, channel))
    return found


def _document(
    row: tables.Connection,
    calendar: tables.Calendar | None,
    channel: tables.Channel | None,
) -> ConnectionDocument:
    return ConnectionDocument(
        id=row.id,
        crm_user_id=row.crm_user_id,
        google_account=row.google_address,
        calendar_id=calendar.google_calendar_id if calendar else None,
        state=row.state,
        problem=_problem(row.problem),
        granted_scopes=row.granted_scopes,
        connected_at=row.connected_at,
        last_sync_at=row.last_sync_at,
        channel=_channel(channel) if channel else None,
    )


def _problem(code: str | None) -> ProblemDocument | None:
    if code is None:
        return None
    problem = access.Problem(code)
    return ProblemDocument(code=problem, title=problem.heading, detail=problem.detail)


def _channel(row: tables.Channel) -> ChannelDocument:
    return ChannelDocument(
        id=row.id, expires_at=row.expires_at, last_notified_at=row.last_notified_at
    )


def of_calendar(row: tables.Calendar) -> CalendarDocument:
    """Return a calendar as the API shows it."""
    return CalendarDocument(
        id=row.google_calendar_id,
        summary=row.summary,
        time_zone=row.time_zone,
        access_role=row.access_role,
        is_primary=row.is_primary,
        is_selected=row.is_selected,
    )
