"""Series: how an occurrence is told from the others, and what it goes on as.

Which occurrences a series has, Google says itself (`events.instances`). What is decided
here is what becomes of those that it has no longer: "this and following events" ends
one series and begins another (fact 89), an event starts to recur, a series becomes a
single event. The meetings stay the same in all of them, and so do their tasks.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from shared.domain import zones
from shared.domain.model import Event, EventId, Timed, When

_SPLIT = "_R"
"""Follows the id of the old series in the id of its continuation (fact 56)."""


def is_series(event: Event) -> bool:
    """Tell whether an event recurs: it is what its occurrences have in common."""
    return bool(event.recurrence)


def continues(new: Event, old: Event) -> bool:
    """Tell whether one series begins where "this and following" has ended another.

    Google derives the new id from the old one, or keeps the time of creation where the
    hours have changed, too.
    """
    root = old.id.partition(_SPLIT)[0]
    is_derived = new.id.startswith(f"{root}{_SPLIT}")
    is_same_age = new.created_at is not None and new.created_at == old.created_at
    return new.id != old.id and (is_derived or is_same_age)


def has_begun(when: When, now: datetime, zone: str) -> bool:
    """Tell whether a meeting has begun; of whole days, in the zone of its calendar."""
    if isinstance(when, Timed):
        return when.start < now
    return when.first_on <= now.astimezone(zones.zone(zone)).date()


def planned_start(event: Event) -> datetime:
    """Return the wall time at which the series has the event, wherever it was moved.

    Naive, in the zone that the event is planned in; of whole days, midnight. Raises
    `LookupError` for a bare row, which tells neither.
    """
    zone = zones.zone(event.when.zone) if isinstance(event.when, Timed) else UTC
    if event.original_start is not None:
        if "T" not in event.original_start:
            return datetime.combine(date.fromisoformat(event.original_start), time())
        start = datetime.fromisoformat(event.original_start)
        return start.astimezone(zone).replace(tzinfo=None)
    match event.when:
        case None:
            message = f"event {event.id} does not say when it is"
            raise LookupError(message)
        case Timed(start=start):
            return start.astimezone(zone).replace(tzinfo=None)
        case when:
            return datetime.combine(when.first_on, time())


def followers(
    lost: Iterable[Event], found: Iterable[Event]
) -> Mapping[EventId, EventId]:
    """Return as which new occurrence each lost one goes on, by their ids.

    The new series may have other hours and days: it is laid over the old one so that
    the first lost occurrence meets the nearest one found. What then meets nothing is
    left out on both sides: it is over, or new.
    """
    old = {planned_start(event): event.id for event in lost}
    new = {planned_start(event): event.id for event in found}
    if not old or not new:
        return {}
    shift = _shift(min(old), new)
    pairs = {event_id: new.get(start + shift) for start, event_id in old.items()}
    return {one: other for one, other in pairs.items() if other is not None}


def _shift(first: datetime, starts: Iterable[datetime]) -> timedelta:
    nearest = min(starts, key=lambda start: (abs(start - first), start))
    return nearest - first
