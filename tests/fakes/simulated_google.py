"""Accounts that the simulated Google keeps: in process, in virtual time.

The workers reach them through the real adapter. Where the in-memory double is enough it
is faster; series, guests' copies and quotas are only here.
"""

import json
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httplib2
from flask.testing import FlaskClient
from google.oauth2.credentials import Credentials

from deploy.demo.google import app, delivery, series, state
from shared.adapters.google_calendar.client import GoogleCalendarClient, unpaced
from shared.adapters.google_calendar.transport import Transport
from shared.domain import ports
from shared.domain.model import Document
from tests.fakes import faults
from tests.fakes.google import InMemoryCalendar

_HORIZON = timedelta(days=120)
"""How far ahead an account's user looks; some series have no end."""

_PUSH_ADDRESS = "https://sync.example.com/webhooks/google"


class SimulatedGoogle:
    """The simulated Google, with the requests that it answered."""

    def __init__(self, clock: ports.Clock) -> None:
        """Begin without accounts."""
        self.state = state.State()
        self.sender = delivery.CollectingSender()
        self.client = app.create_app(
            self.state, clock=clock, sender=self.sender, sleep=_hurry
        ).test_client()
        self.transport = _InProcess(self.client, clock)

    def order(self, path: str, **body: object) -> Any:  # noqa: ANN401 - JSON
        """Ask something of it behind the back of its API."""
        return _json(self.client.post(f"/_admin/{path}", json=body))

    def account(
        self, clock: ports.Clock, address: str, *, time_zone: str = "UTC"
    ) -> "SimulatedAccount":
        """Add an account."""
        self.order("accounts", address=address, time_zone=time_zone)
        return SimulatedAccount(self, clock, address=address)


class SimulatedAccount(InMemoryCalendar):
    """One account of the simulated Google; its user works as any client would."""

    def __init__(
        self, google: SimulatedGoogle, clock: ports.Clock, *, address: str
    ) -> None:
        """Act as the user of an account that is there."""
        super().__init__(clock, address=address)
        self.google = google
        credentials = Credentials(token=f"demo-{address}")  # type: ignore[no-untyped-call]
        self.pace: Callable[[int], None] = unpaced
        self._adapter = GoogleCalendarClient(
            google.transport,
            credentials,
            _PUSH_ADDRESS,
            pace=self._spend,
        )

    def _spend(self, units: int) -> None:
        # A test may set another pace later on.
        self.pace(units)

    # -- the user -----------------------------------------------------------------

    def create(self, event_id: str, **fields: object) -> Document:
        """Create an event in the primary calendar, tomorrow unless told."""
        start = self._clock.now() + timedelta(days=1)
        times = {"start": _moment(start), "end": _moment(start + timedelta(hours=1))}
        return self._ask("POST", "", {**times, **fields, "id": event_id})

    def edit(self, event_id: str, **fields: object) -> Document:
        """Change fields of an event, or of one occurrence, as its user would."""
        return self._ask("PATCH", f"{event_id}?sendUpdates=all", fields)

    def remove(self, event_id: str) -> None:
        """Delete an event, or cancel one occurrence, as its user would.

        The guests are told: without mail their copies would stay (fact 133).
        """
        self._ask("DELETE", f"{event_id}?sendUpdates=all")

    def event(self, event_id: str) -> Document:
        """Return an event as it is."""
        return self._ask("GET", event_id)

    def series(self) -> Sequence[Document]:
        """Return the series that take place."""
        rows = self._ask("GET", "?maxResults=2500")["items"]
        return [row for row in rows if row.get("recurrence")]

    def split(self, occurrence_id: str, **changes: object) -> Document:
        """Change "this and following events"; return the series that begins."""
        answer: Document = self.google.order(
            "split-series",
            calendar=self.address,
            event_id=occurrence_id,
            changes=changes,
        )
        return answer

    def live_events(self) -> Sequence[Document]:
        """Return what takes place, occurrences instead of their series."""
        return [row for row in self._rows() if row["status"] != "cancelled"]

    def bin(self) -> Sequence[Document]:
        """Return the events that can be restored."""
        return [row for row in self._rows() if self._can_be_restored(row["id"])]

    def ids(self) -> Collection[str]:
        """Return what takes place, or has been cancelled."""
        return {row["id"] for row in self._rows()}

    def _can_be_restored(self, event_id: str) -> bool:
        # Not what somebody else took away, nor what its series has no longer.
        with self.google.state.transaction(self._clock.now()) as tx:
            calendar = self.google.state.calendars[self.address]
            found = series.find(tx, calendar, event_id)
        return bool(found and found.is_cancelled and not found.was_taken_away)

    def expire_sync_tokens(self) -> None:
        """Answer 410 to every sync token given out so far."""
        self.google.order("expire-sync-tokens", calendar=self.address)

    def _rows(self) -> list[Document]:
        until = quote((self._clock.now() + _HORIZON).isoformat())
        query = f"singleEvents=true&showDeleted=true&maxResults=2500&timeMax={until}"
        rows: list[Document] = self._ask("GET", f"?{query}")["items"]
        return rows

    def _ask(
        self, method: str, rest: str, body: Document | None = None
    ) -> dict[str, Any]:
        path = f"/calendar/v3/calendars/{quote(self.address)}/events"
        separator = "" if rest.startswith("?") or not rest else "/"
        answer = self.google.client.open(
            f"{path}{separator}{rest}",
            method=method,
            json=None if body is None else dict(body),
            headers={"Authorization": f"Bearer demo-{self.address}"},
        )
        found: dict[str, Any] = _json(answer) or {}
        return found

    # -- the port -----------------------------------------------------------------

    @faults.read
    def list_events(
        self,
        calendar_id: str,
        *,
        sync_token: str | None = None,
        page_token: str | None = None,
        time_min: datetime | None = None,
    ) -> ports.EventPage:
        """Ask the simulator."""
        return self._adapter.list_events(
            calendar_id,
            sync_token=sync_token,
            page_token=page_token,
            time_min=time_min,
        )

    @faults.read
    def list_instances(
        self,
        calendar_id: str,
        series_id: str,
        *,
        time_min: datetime,
        time_max: datetime,
    ) -> Sequence[Document]:
        """Ask the simulator."""
        return self._adapter.list_instances(
            calendar_id, series_id, time_min=time_min, time_max=time_max
        )

    @faults.read
    def get_event(self, calendar_id: str, event_id: str) -> Document:
        """Ask the simulator."""
        return self._adapter.get_event(calendar_id, event_id)

    @faults.write
    def insert_event(
        self, calendar_id: str, body: Document, *, send_updates: str
    ) -> Document:
        """Ask the simulator."""
        self.sent_updates.append(send_updates)
        return self._adapter.insert_event(calendar_id, body, send_updates=send_updates)

    @faults.write
    def patch_event(
        self,
        calendar_id: str,
        event_id: str,
        body: Document,
        *,
        etag: str | None,
        send_updates: str,
    ) -> Document:
        """Ask the simulator."""
        self.sent_updates.append(send_updates)
        return self._adapter.patch_event(
            calendar_id, event_id, body, etag=etag, send_updates=send_updates
        )

    @faults.write
    def delete_event(
        self, calendar_id: str, event_id: str, *, etag: str | None, send_updates: str
    ) -> None:
        """Ask the simulator."""
        self.sent_updates.append(send_updates)
        self._adapter.delete_event(
            calendar_id, event_id, etag=etag, send_updates=send_updates
        )

    @faults.write
    def watch(
        self, calendar_id: str, *, channel_id: str, token: str, ttl: timedelta
    ) -> ports.WatchGrant:
        """Ask the simulator."""
        grant = self._adapter.watch(
            calendar_id, channel_id=channel_id, token=token, ttl=ttl
        )
        self.channels[channel_id] = {"resource_id": grant.resource_id, "token": token}
        return grant

    @faults.write
    def stop_channel(self, channel_id: str, resource_id: str) -> None:
        """Ask the simulator."""
        self._adapter.stop_channel(channel_id, resource_id)
        self.channels.pop(channel_id, None)

    @faults.read
    def list_calendars(self) -> Sequence[ports.CalendarEntry]:
        """Ask the simulator."""
        return self._adapter.list_calendars()


class _InProcess(Transport):
    """Takes requests to the simulator without a network."""

    def __init__(self, client: FlaskClient, clock: ports.Clock) -> None:
        super().__init__("http://simulated/calendar/v3", clock, 10.0, _hurry)
        self._way = _Way(client)

    def _http(self) -> Any:  # noqa: ANN401 - stands in for httplib2
        return self._way


class _Way:
    """What `httplib2.Http` is to the library, over a test client of Flask's."""

    redirect_codes = frozenset[int]()

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        **_: object,
    ) -> tuple[httplib2.Response, bytes]:
        parts = urlsplit(uri)
        plain = {k: v for k, v in (headers or {}).items() if k != "accept-encoding"}
        answer = self._client.open(
            parts.path,
            method=method,
            query_string=parts.query,
            data=body,
            headers=plain,
        )
        info = {name.lower(): value for name, value in answer.headers.items()}
        info["status"] = str(answer.status_code)
        return httplib2.Response(info), answer.data


def _hurry(_seconds: float) -> None:
    """Do not wait: time is virtual."""


def _json(answer: Any) -> Any:  # noqa: ANN401 - JSON
    assert answer.status_code < 300, f"{answer.status}: {answer.text}"
    return json.loads(answer.data) if answer.data else None


def _moment(moment: datetime) -> Document:
    return {"dateTime": moment.isoformat(), "timeZone": "UTC"}
