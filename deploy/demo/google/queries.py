"""What `events.list` and `events.instances` were asked, read and checked."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from deploy.demo import zones
from deploy.demo.google import discovery, errors, model, times, tokens

MOST_ROWS, USUAL_ROWS = 2500, 250
_NOT_WITH_SYNC_TOKEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMax",
    "timeMin",
    "updatedMin",
)
_WITHOUT_SYNC_TOKEN = frozenset(_NOT_WITH_SYNC_TOKEN) - {"timeMin", "timeMax"}
_SELECTING = ("singleEvents", "showHiddenInvitations", "eventTypes")
_NO_PART_OF_THE_QUERY = frozenset(
    {"alt", "fields", "key", "maxResults", "oauth_token", "pageToken", "prettyPrint"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A checked query; the times are instants."""

    values: discovery.Values
    single_events: bool
    show_deleted: bool
    most_rows: int
    time_min: datetime | None
    time_max: datetime | None
    updated_min: datetime | None

    @property
    def is_incremental(self) -> bool:
        """Whether it asks for changes since a sync token."""
        return "syncToken" in self.values

    @property
    def includes_deleted(self) -> bool:
        """Whether deleted events are part of the answer (facts 10, 12 and 36)."""
        return self.is_incremental or self.show_deleted or self.updated_min is not None

    @property
    def gives_sync_token(self) -> bool:
        """Whether the last page carries a sync token: not for a mere search."""
        return not _WITHOUT_SYNC_TOKEN & set(self.values)

    @property
    def filters(self) -> str:
        """What must be the same when the sync token is used."""
        return ";".join(f"{n}={self.values.get(n) or ''}" for n in _SELECTING)

    @property
    def digest(self) -> str:
        """What must be the same on every page."""
        names = sorted(set(self.values) - _NO_PART_OF_THE_QUERY)
        text = ";".join(f"{name}={self.values[name]}" for name in names)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def text(self, name: str) -> str:
        """Return a text parameter, empty when it is not given."""
        return str(self.values.get(name, ""))

    def texts(self, name: str) -> list[str]:
        """Return a repeatable parameter."""
        found = self.values.get(name, [])
        return found if isinstance(found, list) else [str(found)]

    def most_attendees(self) -> int | None:
        """Return `maxAttendees`."""
        return number(self.values, "maxAttendees")


def parse(values: discovery.Values, role: model.Role, now: int) -> Query:
    """Return the query, or raise 400 or 410 for what cannot be asked."""
    _check_sync_token(values)
    query = Query(
        values=values,
        # Who sees only free and busy gets single events (fact 16).
        single_events=bool(values.get("singleEvents"))
        or role is model.Role.FREE_BUSY_READER,
        show_deleted=bool(values.get("showDeleted")),
        most_rows=min(number(values, "maxResults") or USUAL_ROWS, MOST_ROWS),
        time_min=_instant(values, "timeMin"),
        time_max=_instant(values, "timeMax"),
        updated_min=_instant(values, "updatedMin"),
    )
    if query.time_min and query.time_max and query.time_max <= query.time_min:
        raise errors.time_range_empty()
    if values.get("orderBy") == "startTime" and not query.single_events:
        message = "The requested ordering is not available for the particular query."
        raise errors.invalid(message, parameter="orderBy")
    if query.updated_min:
        oldest = model.instant(now) - tokens.LIFETIME
        if query.updated_min < oldest:
            raise errors.updated_min_too_long_ago()
    return query


def zone(values: discovery.Values, calendar: model.Calendar) -> str:
    """Return the zone that times are shown in, or raise 400."""
    name = str(values.get("timeZone") or calendar.time_zone)
    if zones.find(name) is None:
        raise errors.invalid_parameter("timeZone", "Invalid time zone.")
    return name


def number(values: discovery.Values, name: str) -> int | None:
    """Return a numeric parameter."""
    value = values.get(name)
    return value if isinstance(value, int) else None


def _check_sync_token(values: discovery.Values) -> None:
    if "syncToken" not in values:
        return
    is_deleted_hidden = values.get("showDeleted") is False
    if is_deleted_hidden or any(name in values for name in _NOT_WITH_SYNC_TOKEN):
        raise errors.sync_token_with_restrictions()


def _instant(values: discovery.Values, name: str) -> datetime | None:
    text = values.get(name)
    return times.parse_instant(str(text), name) if text else None
