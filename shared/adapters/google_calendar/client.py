"""The calendars of one Google account: requests made, answers read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from google.auth.credentials import Credentials
from googleapiclient.http import HttpRequest

from shared.adapters.google_calendar import refusals
from shared.adapters.google_calendar.transport import Access, Pace, Transport
from shared.domain import errors, ports
from shared.domain.model import Document

_EVENTS_PER_PAGE = 2500
_CALENDARS_PER_PAGE = 250


def unpaced(_units: int) -> None:
    """Let every request pass."""


class GoogleCalendarClient:
    """Implements `ports.GoogleCalendar`; safe to use from any thread."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        push_address: str,
        *,
        pace: Pace = unpaced,
    ) -> None:
        """Act as the account of `credentials`; notifications go to `push_address`.

        `pace` is called before each request, and may raise instead of waiting.
        """
        self._transport = transport
        self._access = Access(credentials=credentials, pace=pace)
        self._push_address = push_address
        self._events = transport.events

    def list_events(
        self,
        calendar_id: str,
        *,
        sync_token: str | None = None,
        page_token: str | None = None,
        time_min: datetime | None = None,
    ) -> ports.EventPage:
        """Return one page: masters and exceptions, cancelled ones with their details.

        The filters are always the same, because a sync token is only good for the list
        that it was made by (fact 9): `singleEvents` off, lest one touched series
        returns hundreds of rows (fact 17), and `showDeleted` on, lest deletions lose
        their details (fact 11). So a full list has tombstones, too.
        """
        request = self._events.list(
            calendarId=calendar_id,
            singleEvents=False,
            showDeleted=True,
            maxResults=_EVENTS_PER_PAGE,
            syncToken=sync_token,
            pageToken=page_token,
            timeMin=time_min.isoformat() if time_min else None,
        )
        return _event_page(self._read(request, "events.list"), "events.list")

    def list_instances(
        self,
        calendar_id: str,
        series_id: str,
        *,
        time_min: datetime,
        time_max: datetime,
    ) -> Sequence[Document]:
        """Return all occurrences of a series in a span, all pages of them."""
        what, page_token = f"events.instances of {series_id}", None
        occurrences: list[Document] = []
        while True:
            request = self._events.instances(
                calendarId=calendar_id,
                eventId=series_id,
                showDeleted=True,
                maxResults=_EVENTS_PER_PAGE,
                timeMin=time_min.isoformat(),
                timeMax=time_max.isoformat(),
                pageToken=page_token,
            )
            answer = self._read(request, what)
            occurrences += answer.get("items", [])
            page_token = answer.get("nextPageToken")
            if page_token is None:
                return occurrences

    def get_event(self, calendar_id: str, event_id: str) -> Document:
        """Return an event; a deleted one has status cancelled."""
        request = self._events.get(calendarId=calendar_id, eventId=event_id)
        return self._read(request, f"events.get of {event_id}")

    def insert_event(
        self, calendar_id: str, body: Document, *, send_updates: str
    ) -> Document:
        """Create an event under the id in `body`."""
        request = self._events.insert(
            calendarId=calendar_id, body=dict(body), sendUpdates=send_updates
        )
        return self._write(request, f"events.insert of {body.get('id', 'a new event')}")

    def patch_event(
        self,
        calendar_id: str,
        event_id: str,
        body: Document,
        *,
        etag: str | None,
        send_updates: str,
    ) -> Document:
        """Change the fields in `body` if the event still has `etag`."""
        request = self._events.patch(
            calendarId=calendar_id,
            eventId=event_id,
            body=dict(body),
            sendUpdates=send_updates,
        )
        return self._write(_if_match(request, etag), f"events.patch of {event_id}")

    def delete_event(
        self, calendar_id: str, event_id: str, *, etag: str | None, send_updates: str
    ) -> None:
        """Cancel an event if it still has `etag`."""
        request = self._events.delete(
            calendarId=calendar_id, eventId=event_id, sendUpdates=send_updates
        )
        what = f"events.delete of {event_id}"
        self._transport.send(_if_match(request, etag), self._access, what)

    def watch(
        self, calendar_id: str, *, channel_id: str, token: str, ttl: timedelta
    ) -> ports.WatchGrant:
        """Open a channel to our push address, for as long as Google grants of `ttl`."""
        body = {
            "id": channel_id,
            "type": "web_hook",
            "address": self._push_address,
            "token": token,
            "params": {"ttl": str(int(ttl.total_seconds()))},
        }
        what = f"events.watch for channel {channel_id}"
        request = self._events.watch(calendarId=calendar_id, body=body)
        return _watch_grant(self._write(request, what), what)

    def stop_channel(self, channel_id: str, resource_id: str) -> None:
        """Close a channel; one that Google does not know is closed already."""
        request = self._transport.channels.stop(
            body={"id": channel_id, "resourceId": resource_id}
        )
        try:
            what = f"channels.stop of {channel_id}"
            self._transport.send(request, self._access, what)
        except errors.RecordNotFoundError:
            pass

    def list_calendars(self) -> Sequence[ports.CalendarEntry]:
        """Return the calendars in the account's list, hidden ones left out."""
        entries: list[ports.CalendarEntry] = []
        what, page_token = "calendarList.list", None
        while True:
            request = self._transport.calendar_list.list(
                maxResults=_CALENDARS_PER_PAGE, pageToken=page_token
            )
            answer = self._read(request, what)
            entries += [_calendar_entry(row, what) for row in answer.get("items", [])]
            page_token = answer.get("nextPageToken")
            if page_token is None:
                return entries

    def clock_skew(self) -> timedelta | None:
        """How far Google's clock is ahead of ours, by the last answer's `Date`."""
        return self._transport.skew

    def _read(self, request: HttpRequest, what: str) -> Document:
        return _document(self._transport.read(request, self._access, what), what)

    def _write(self, request: HttpRequest, what: str) -> Document:
        return _document(self._transport.send(request, self._access, what), what)


def _if_match(request: HttpRequest, etag: str | None) -> HttpRequest:
    if etag is not None and request.headers is not None:
        request.headers["If-Match"] = etag
    return request


def _document(answer: object, what: str) -> Document:
    if not isinstance(answer, dict):
        raise refusals.unreadable(what)
    return answer


def _event_page(answer: Document, what: str) -> ports.EventPage:
    page, sync = answer.get("nextPageToken"), answer.get("nextSyncToken")
    if (page is None) == (sync is None):
        # Without a token, the place in the list of changes would be lost.
        raise refusals.unreadable(what)
    return ports.EventPage(
        events=answer.get("items", []),
        time_zone=answer.get("timeZone", "UTC"),
        access_role=answer.get("accessRole", "none"),
        next_page_token=page,
        next_sync_token=sync,
    )


def _calendar_entry(row: Document, what: str) -> ports.CalendarEntry:
    try:
        return ports.CalendarEntry(
            id=row["id"],
            summary=row.get("summaryOverride") or row.get("summary", ""),
            time_zone=row.get("timeZone", "UTC"),
            access_role=row["accessRole"],
            is_primary=row.get("primary", False),
        )
    except KeyError as error:
        raise refusals.unreadable(what) from error


def _watch_grant(answer: Document, what: str) -> ports.WatchGrant:
    try:
        milliseconds = int(answer["expiration"])  # text or number: fact 143
        return ports.WatchGrant(
            resource_id=answer["resourceId"],
            expires_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
        )
    except (KeyError, ValueError) as error:
        raise refusals.unreadable(what) from error
