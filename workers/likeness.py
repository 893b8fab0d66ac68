"""What makes a task and an event look alike: whose they are, what, and when."""

from datetime import datetime

from shared.domain import mapping, model
from shared.domain.settings import Settings

Key = tuple[str, str, datetime | str, datetime | str]
"""Owner, title, start and end."""


def of_event(event: model.Event, *, owner_id: str) -> Key | None:
    """Return what an event on a user's calendar looks like; None without a time."""
    nobody = mapping.Directory.of(())
    meeting = mapping.meeting_of_event(event, directory=nobody, owner_id=owner_id)
    return None if meeting is None else _key(owner_id, meeting)


def of_task(task: model.Task, settings: Settings) -> Key | None:
    """Return what a task looks like; None without a time."""
    nobody = mapping.Directory.of(())
    meeting = mapping.meeting_of_task(
        task, directory=nobody, settings=settings, own=frozenset()
    )
    return None if meeting is None else _key(task.owner_id, meeting)


def _key(owner_id: str, meeting: model.Meeting) -> Key:
    match meeting.when:
        case model.Timed(start=start, end=end):
            # Instants: the two sides may spell them in different zones.
            return owner_id, meeting.title, start, end
        case model.AllDay(first_on=first_on, until_on=until_on):
            return owner_id, meeting.title, str(first_on), str(until_on)
