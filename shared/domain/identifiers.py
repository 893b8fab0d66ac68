"""Identifiers that a repeated call derives again, so that it meets its own work."""

import base64
import hashlib

from shared.domain.model import EventId

_MOST_GENERATIONS = 100
"""How often we expect an event to be made anew; each generation costs a hash."""


def event_id(
    organization: str, task_id: str, calendar_id: str, generation: int
) -> EventId:
    """Return the id of the event made for a task in a calendar.

    Google takes 5 to 1024 of a-v and 0-9 (base32hex, fact 46) and never frees an id,
    not even by deletion (fact 51): an event made anew has the next generation.
    """
    digest = _digest("event", organization, task_id, calendar_id, str(generation))
    return EventId(base64.b32hexencode(digest).decode().rstrip("=").lower())


def generation_of(
    found_id: str, organization: str, task_id: str, calendar_id: str
) -> int | None:
    """Return the generation under which we made an event for a task in a calendar.

    None for an event that we did not make for it, or after a hundred others.
    """
    for generation in range(_MOST_GENERATIONS):
        if event_id(organization, task_id, calendar_id, generation) == found_id:
            return generation
    return None


def ical_uid(event_id: str) -> str:
    """Return the iCalUID that Google gives an event of this id (fact 55)."""
    return f"{event_id}@google.com"


def task_idempotency_key(
    organization: str, ical_uid: str, original_start: str, generation: int
) -> str:
    """Return the `Idempotency-Key` for making the task of an event."""
    digest = _digest("task", organization, ical_uid, original_start, str(generation))
    return f"calendar-sync-{digest.hex()}"


def delivery_id(*parts: str) -> str:
    """Return the id of a message that whoever repeats the same work sends again."""
    return _digest("delivery", *parts).hex()[:32]


def opaque(random: bytes) -> str:
    """Return random bytes as an id that may travel in headers and addresses."""
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def _digest(*parts: str) -> bytes:
    # The separator cannot occur in JSON strings unescaped, nor in any of the parts.
    return hashlib.sha256("\x00".join(parts).encode()).digest()
