"""The calendars of one Google account, in memory (`ports.GoogleCalendar`)."""

import copy
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from shared.domain import errors, mapping, ports
from shared.domain.model import Document
from tests.fakes import faults

_ID = re.compile(r"[a-v0-9]{5,1024}")  # fact 46


class InMemoryCalendar(faults.Remote):
    """Keeps etags, tombstones and sync tokens as Google does.

    The account's primary calendar is called by its address; `edit`, `remove` and
    `event` are the hands and eyes of the account's user, and count as no calls.
    """

    def __init__(
        self,
        clock: ports.Clock,
        *,
        address: str = "ann@example.com",
        time_zone: str = "UTC",
        page_size: int = 2500,
    ) -> None:
        """Begin with an empty primary calendar."""
        super().__init__()
        self.address = address
        self.skew: timedelta | None = timedelta()
        self.channels: dict[str, dict[str, Any]] = {}
        self.sent_updates: list[str] = []
        """The `sendUpdates` of each write so far."""
        self.invites_nobody = False
        """Google's limit of invitations is reached (403 quotaExceeded, fact 190)."""
        self._clock = clock
        self._time_zone = time_zone
        self.page_size = page_size
        self._calendars: dict[str, dict[str, dict[str, Any]]] = {address: {}}
        self._spent: set[str] = set()
        self._changes = 0
        self._tokens_expired_at = -1

    # -- the user -----------------------------------------------------------------

    def add_calendar(self, calendar_id: str) -> None:
        """Add an empty secondary calendar."""
        self._calendars[calendar_id] = {}

    def create(self, event_id: str, **fields: object) -> Document:
        """Create an event in the primary calendar, tomorrow unless told."""
        start = self._clock.now() + timedelta(days=1)
        times = {"start": _moment(start), "end": _moment(start + timedelta(hours=1))}
        event = self._new({**times, **fields, "id": event_id})
        return copy.deepcopy(self._store(self.address, event))

    def drop_calendar(self, calendar_id: str) -> None:
        """Delete a calendar with all that is in it."""
        del self._calendars[calendar_id]

    def purge(self, event_id: str) -> None:
        """Forget a cancelled event (fact 65), but not that its id was in use."""
        del self._calendars[self.address][event_id]
        self._spent.add(event_id)

    def edit(self, event_id: str, **fields: object) -> Document:
        """Change fields of an event in the primary calendar, as its user would."""
        event = self._find(self.address, event_id)
        return copy.deepcopy(self._store(self.address, mapping.patched(event, fields)))

    def remove(self, event_id: str) -> None:
        """Delete an event of the primary calendar, as its user would."""
        self.edit(event_id, status="cancelled")

    def event(self, event_id: str) -> Document:
        """Return an event of the primary calendar as it is."""
        return copy.deepcopy(self._find(self.address, event_id))

    def live_events(self) -> Sequence[Document]:
        """Return the events of the primary calendar that are not cancelled."""
        events = self._calendars[self.address].values()
        return [copy.deepcopy(e) for e in events if e["status"] != "cancelled"]

    def bin(self) -> Sequence[Document]:
        """Return the events of the primary calendar that can be restored."""
        events = self._calendars[self.address].values()
        return [copy.deepcopy(e) for e in events if e["status"] == "cancelled"]

    def expire_sync_tokens(self) -> None:
        """Answer 410 to every sync token given out so far."""
        self._tokens_expired_at = self._changes
        self._changes += 1

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
        """Return one page; tokens are numbers of changes."""
        if sync_token and time_min:
            message = "Google answered events.list with 400"
            raise errors.RemoteRejectedError(message)
        events = self._events(calendar_id).values()
        since, until = self._span(sync_token, page_token)
        rows = sorted(
            (e for e in events if since < _number(e) <= until and _ends(e, time_min)),
            key=_number,
        )
        page, rest = rows[: self.page_size], rows[self.page_size :]
        return ports.EventPage(
            events=page,
            time_zone=self._time_zone,
            access_role="owner",
            next_page_token=f"{_number(page[-1])}-{until}" if rest else None,
            next_sync_token=None if rest else str(until),
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
        """Know no series: `fakes.SimulatedAccount` does."""
        del time_min, time_max
        self._find(calendar_id, series_id)
        return []

    @faults.read
    def get_event(self, calendar_id: str, event_id: str) -> Document:
        """Return an event, cancelled or not."""
        return self._find(calendar_id, event_id)

    @faults.write
    def insert_event(
        self, calendar_id: str, body: Document, *, send_updates: str
    ) -> Document:
        """Create an event; its id stays taken for ever."""
        events = self._events(calendar_id)
        event_id = body["id"]
        if not _ID.fullmatch(event_id) or not {"start", "end"} <= body.keys():
            message = f"Google answered events.insert of {event_id} with 400"
            raise errors.RemoteRejectedError(message)
        if event_id in events or event_id in self._spent:
            message = f"Google answered events.insert of {event_id} with 409"
            raise errors.DuplicateRecordError(message)
        self._invite(body, {})
        self.sent_updates.append(send_updates)
        return self._store(calendar_id, self._new(body))

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
        """Merge `body` into an event; a cancelled one must be revived by it."""
        event = self._matching(calendar_id, event_id, etag)
        if event["status"] == "cancelled" and body.get("status") != "confirmed":
            message = f"Google answered events.patch of {event_id} with 403 forbidden"
            raise errors.RemoteRejectedError(message)
        self._invite(body, event)
        self.sent_updates.append(send_updates)
        return self._store(calendar_id, mapping.patched(event, body))

    @faults.write
    def delete_event(
        self, calendar_id: str, event_id: str, *, etag: str | None, send_updates: str
    ) -> None:
        """Cancel an event."""
        if self._find(calendar_id, event_id)["status"] == "cancelled":
            message = f"Google answered events.delete of {event_id} with 410 deleted"
            raise errors.RecordDeletedError(message)
        event = self._matching(calendar_id, event_id, etag)
        self.sent_updates.append(send_updates)
        self._store(calendar_id, {**event, "status": "cancelled"})

    @faults.write
    def watch(
        self, calendar_id: str, *, channel_id: str, token: str, ttl: timedelta
    ) -> ports.WatchGrant:
        """Open a channel; what it would notify of, tests say themselves."""
        self._events(calendar_id)
        if channel_id in self.channels:
            message = "Google answered events.watch with 400 channelIdNotUnique"
            raise errors.RemoteRejectedError(message)
        resource_id = f"resource-{calendar_id}"
        self.channels[channel_id] = {"resource_id": resource_id, "token": token}
        expires_at = self._clock.now() + ttl
        return ports.WatchGrant(resource_id=resource_id, expires_at=expires_at)

    @faults.write
    def stop_channel(self, channel_id: str, resource_id: str) -> None:
        """Close a channel if it is open."""
        if self.channels.get(channel_id, {}).get("resource_id") == resource_id:
            del self.channels[channel_id]

    @faults.read
    def list_calendars(self) -> Sequence[ports.CalendarEntry]:
        """Return the primary calendar and the others."""
        return [
            ports.CalendarEntry(
                id=calendar_id,
                summary=calendar_id,
                time_zone=self._time_zone,
                access_role="owner",
                is_primary=calendar_id == self.address,
            )
            for calendar_id in self._calendars
        ]

    def clock_skew(self) -> timedelta | None:
        """Return what a test has set."""
        return self.skew

    # -- how it is kept -----------------------------------------------------------

    def _events(self, calendar_id: str) -> dict[str, dict[str, Any]]:
        name = self.address if calendar_id == "primary" else calendar_id
        if name not in self._calendars:
            message = "Google answered for a calendar with 404"
            raise errors.RecordNotFoundError(message)
        return self._calendars[name]

    def _new(self, body: Document) -> dict[str, Any]:
        return {
            "kind": "calendar#event",
            "status": "confirmed",
            "created": _instant(self._clock.now()),
            "iCalUID": f"{body['id']}@google.com",
            "organizer": {"email": self.address, "self": True},
            "creator": {"email": self.address, "self": True},
            **copy.deepcopy(body),
        }

    def _find(self, calendar_id: str, event_id: str) -> dict[str, Any]:
        try:
            return self._events(calendar_id)[event_id]
        except KeyError:
            message = f"Google answered for {event_id} with 404"
            raise errors.RecordNotFoundError(message) from None

    def _matching(
        self, calendar_id: str, event_id: str, etag: str | None
    ) -> dict[str, Any]:
        event = self._find(calendar_id, event_id)
        if etag is not None and etag != event["etag"]:
            message = f"Google answered for {event_id} with 412"
            raise errors.VersionMismatchError(message)
        return event

    def _invite(self, body: Document, event: Document) -> None:
        if self.invites_nobody and _guests(body) - _guests(event):
            message = "Google answered with 403 quotaExceeded"
            raise errors.UsageLimitError(message)

    def _store(self, calendar_id: str, event: dict[str, Any]) -> dict[str, Any]:
        self._changes += 1
        stored = {
            **copy.deepcopy(event),
            "etag": f'"{self._changes}"',
            "updated": _instant(self._clock.now()),
        }
        self._events(calendar_id)[event["id"]] = stored
        return stored

    def _span(self, sync_token: str | None, page_token: str | None) -> tuple[int, int]:
        """Return after which change the rows of a page begin, and the last change."""
        if sync_token and int(sync_token) <= self._tokens_expired_at:
            message = "Google answered events.list with 410 fullSyncRequired"
            raise errors.SyncTokenExpiredError(message)
        if page_token:
            since, until = page_token.split("-")
            return int(since), int(until)
        return int(sync_token or -1), self._changes


def _guests(event: Document) -> set[str]:
    return {row["email"] for row in event.get("attendees", [])}


def _number(event: Document) -> int:
    return int(event["etag"].strip('"'))


def _ends(event: Document, after: datetime | None) -> bool:
    if after is None:
        return True
    end = event["end"]
    if "dateTime" in end:
        return datetime.fromisoformat(end["dateTime"]) > after
    return datetime.combine(date.fromisoformat(end["date"]), time(), UTC) > after


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(moment: datetime) -> Document:
    return {"dateTime": _instant(moment), "timeZone": "UTC"}
