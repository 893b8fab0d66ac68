"""Drives the simulated Google in process, in virtual time, as clients would."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from werkzeug.test import TestResponse

from deploy.demo.google import app, delivery, grants, state

ANNA = "anna@example.com"
BEN = "ben@example.com"
CARA = "cara@example.org"
ZONE = "Europe/Berlin"
PUSH_ADDRESS = "https://receiver.example.com/webhooks/google"
Row = dict[str, Any]


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def advance(self, **by: float) -> None:
        """Let time pass: keywords of `timedelta`."""
        self.at += timedelta(**by)


@dataclass(slots=True)
class Sleeps:
    """Remembers how long the simulator would have held an answer back."""

    seconds: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Do not wait."""
        self.seconds.append(seconds)


class Google:
    """The application with three accounts in the same time zone."""

    def __init__(self, *, with_oauth: bool = False) -> None:
        """Start with empty calendars; tokens come from `tokens` or from OAuth."""
        self.clock = Clock()
        self.sender = delivery.CollectingSender()
        self.sleeps = Sleeps()
        self.tokens: dict[str, grants.Grant] = {}
        self.state = state.State()
        self.client = app.create_app(
            self.state,
            clock=self.clock,
            sender=self.sender,
            resolve_token=None if with_oauth else self.tokens.get,
            sleep=self.sleeps.sleep,
        ).test_client()
        for address in (ANNA, BEN, CARA):
            self.order("accounts", address=address, time_zone=ZONE)

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str = f"demo-{ANNA}",
        body: object = None,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> TestResponse:
        """Call the API under `/calendar/v3` and return the whole answer."""
        return self.client.open(
            f"/calendar/v3/{path}",
            method=method,
            json=body,
            query_string=query,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
        )

    def call(
        self,
        method: str,
        event: str = "",
        body: object = None,
        *,
        account: str = ANNA,
        calendar: str = "primary",
        if_match: str = "",
        **query: str,
    ) -> TestResponse:
        """Call a method of a calendar's events; `event` follows `/events/`."""
        path = f"calendars/{quote(calendar)}/events"
        return self.send(
            method,
            f"{path}/{event}" if event else path,
            token=f"demo-{account}",
            body=body,
            headers={"If-Match": if_match} if if_match else {},
            query=query,
        )

    def insert(self, account: str = ANNA, /, **fields: object) -> Row:
        """Insert an event of an hour and return it."""
        query = {"sendUpdates": str(fields.pop("sendUpdates", "none"))}
        calendar = str(fields.pop("calendar", "primary"))
        body = {**hour("2026-12-01T10:00"), "summary": "Kick-off", **fields}
        return done(
            self.call("POST", body=body, account=account, calendar=calendar, **query)
        )

    def get(self, event: str, account: str = ANNA, **query: str) -> Row:
        """Return an event."""
        return done(self.call("GET", event, account=account, **query))

    def patch(self, event: str, body: object, account: str = ANNA, **query: str) -> Row:
        """Patch an event and return it."""
        return done(self.call("PATCH", event, body, account=account, **query))

    def delete(self, event: str, account: str = ANNA, **query: str) -> None:
        """Delete an event."""
        done(self.call("DELETE", event, account=account, **query))

    def pages(self, account: str = ANNA, **query: str) -> list[Row]:
        """Walk a list to its last page and return all pages."""
        page = done(self.call("GET", account=account, **query))
        pages = [page]
        while "nextPageToken" in page:
            query["pageToken"] = page["nextPageToken"]
            page = done(self.call("GET", account=account, **query))
            pages.append(page)
        return pages

    def rows(self, account: str = ANNA, **query: str) -> list[Row]:
        """Return the rows of all pages of a list."""
        return [row for page in self.pages(account, **query) for row in page["items"]]

    def sync_token(self, account: str = ANNA, **query: str) -> str:
        """Return the sync token of this moment."""
        token: str = self.pages(account, **query)[-1]["nextSyncToken"]
        return token

    def watch(self, account: str = ANNA, **fields: object) -> Row:
        """Open a channel and return the answer."""
        body = {"id": "channel-1", "type": "web_hook", "address": PUSH_ADDRESS}
        return done(self.call("POST", "watch", body | fields, account=account))

    def order(self, path: str, **body: object) -> Row:
        """Ask something of the simulator: POST to `/_admin`."""
        return done(self.client.post(f"/_admin/{path}", json=body))

    def ask(self, path: str, **query: object) -> Row:
        """Read from `/_admin`."""
        return done(self.client.get(f"/_admin/{path}", query_string=query))

    def mails(self) -> list[tuple[str, str]]:
        """Return to whom which kind of mail went."""
        return [(mail["kind"], mail["to"]) for mail in self.ask("mails")["mails"]]


def done(answer: TestResponse) -> Row:
    """Return the body of an answer that must not be an error."""
    assert answer.status_code < HTTPStatus.BAD_REQUEST, answer.get_data(as_text=True)
    return answer.get_json() if answer.data else {}


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Return status and reason of an error, after a look at its envelope."""
    error = answer.get_json()["error"]
    (row,) = error["errors"]
    assert error["code"] == answer.status_code
    assert error["message"] == row["message"]
    assert row["domain"]
    return answer.status_code, row["reason"]


def hour(start: str, zone: str = ZONE, minutes: int = 60) -> Row:
    """Return `start` and `end`, times as in `2026-12-01T10:00`."""
    begin = datetime.fromisoformat(start)
    end = begin + timedelta(minutes=minutes)
    return {
        "start": {"dateTime": begin.isoformat(), "timeZone": zone},
        "end": {"dateTime": end.isoformat(), "timeZone": zone},
    }


def days(start: str, end: str) -> Row:
    """Return `start` and `end` of an all-day event."""
    return {"start": {"date": start}, "end": {"date": end}}


def guests(*addresses: str) -> list[Row]:
    """Return attendees who have not answered."""
    return [{"email": address} for address in addresses]


def answers(event: Row) -> dict[str, str]:
    """Return who answered what."""
    return {row["email"]: row["responseStatus"] for row in event["attendees"]}
