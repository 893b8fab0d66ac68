"""A console at which a user is connected, with servers in place of both sides."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from shared.adapters.broker_local import table
from shared.adapters.store import tables
from shared.domain import identifiers, messages
from tests import store_rows, stub_server
from tests.unit.cli.console import Console

ADDRESS = "ann@gmail.com"
TASK = "task-1"
EVENT_ID = identifiers.event_id("acme", TASK, ADDRESS, 0)
TIMES = {
    "start": {"dateTime": "2026-03-03T10:00:00Z", "timeZone": "UTC"},
    "end": {"dateTime": "2026-03-03T11:00:00Z", "timeZone": "UTC"},
}
EVENT = {
    "id": EVENT_ID,
    "etag": '"1"',
    "status": "confirmed",
    "summary": "Plan",
    "iCalUID": f"{EVENT_ID}@google.com",
    "organizer": {"email": ADDRESS, "self": True},
    "updated": "2026-03-02T10:00:00Z",
    "extendedProperties": {
        "private": {"crmTaskId": TASK, "crmOrganization": "acme"},
    },
    **TIMES,
}


def task(**fields: object) -> Mapping[str, object]:
    """Return the task of the event."""
    return {
        "id": TASK,
        "type": "Meeting",
        "title": "Plan",
        "status": "open",
        "owner_id": "u1",
        "due_at": "2026-03-03T10:00:00Z",
        "time_zone": "UTC",
        "version": 1,
        "deleted": False,
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T10:00:00Z",
        **fields,
    }


class Office:
    """A console at which Ann is connected, with a server in Google's place."""

    def __init__(self, console: Console, google: stub_server.StubServer) -> None:
        """Store the organization, its user, her connection and her calendar."""
        self.console = console
        self.google = google
        console.create("acme", "--google-client-id=id", "--google-client-secret=hush")
        now = datetime.now(UTC)
        with console.begin() as work:
            acme = work.organizations.by_name("acme")
            assert acme is not None
            acme.users_read_at = now
            self.connection = store_rows.add_connection(
                work,
                acme,
                google_sub="1001",
                google_address=ADDRESS,
                refresh_token="refresh",  # noqa: S106 - made up
                access_token="access",  # noqa: S106 - made up
                access_token_expires_at=now + timedelta(hours=1),
            )
            self.calendar = store_rows.add_calendar(work, self.connection, ADDRESS)
            work.commit()

    def has(self, *events: object, tasks: Sequence[object]) -> None:
        """Order what the lists of both sides show."""
        self.console.crm.answer({"items": tasks, "next_cursor": None})
        self.google.answer(
            {
                "items": events,
                "timeZone": "UTC",
                "accessRole": "owner",
                "nextSyncToken": "next",
            }
        )

    def has_for_a_sync(self, *events: object, tasks: Sequence[object]) -> None:
        """Order the same for whoever asks for the account's calendars first."""
        calendar = {
            "id": ADDRESS,
            "summary": "Ann",
            "timeZone": "UTC",
            "accessRole": "owner",
            "primary": True,
        }
        self.google.answer({"items": [calendar]})
        self.has(*events, tasks=tasks)

    def run(self, *arguments: str, typed: str = "") -> Any:  # noqa: ANN401 - click's
        """Type a command, and then an answer."""
        return self.console.run(
            *arguments,
            typed=typed,
            GOOGLE_API_URL=self.google.url,
            GOOGLE_TOKEN_URL=f"{self.google.url}/token",
            GOOGLE_AUTH_URL=f"{self.google.url}/auth",
            GOOGLE_REVOKE_URL=f"{self.google.url}/revoke",
        )

    def queued(self) -> list[messages.Message]:
        """Return what waits for workers."""
        with self.console.store.engine.connect() as connection:
            rows = connection.execute(select(table.rows.c.body)).all()
        return [messages.decode(row.body) for row in rows]

    def link(self) -> tables.Link | None:
        """Return the link of the task."""
        with self.console.found() as work:
            return work.links.of_task(self.connection.organization_id, TASK)
