"""What the loop of the state machine keeps: which task belongs to which event."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain import mapping, model
from shared.domain.model import Side
from tests.property.sides import World

Subject = tuple[str, str]
"""Which side, `task` or `event`, and the record's id there."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """One side as it was last read, and when a synced field last changed there."""

    meeting: model.Meeting | None = None
    changed_at: datetime | None = None

    def see(self, now: model.Meeting | None, at: datetime | None) -> None:
        """Take in what was read, changed at the time it says."""
        before, self.meeting = self.meeting, now
        if before is None or now is None or mapping.changed_fields(before, now):
            self.changed_at = at


@dataclass(slots=True, kw_only=True, eq=False)
class Link:
    """A task and its event; `reserved` is the side whose record is yet to be seen.

    `own` and `is_read_only` are as the event said when it last had details: a bare
    tombstone has none.
    """

    created_by: Side
    task_id: str | None = None
    event_id: str | None = None
    generation: int = 0
    reserved: Side | None = None
    is_detached: bool = False
    baseline: model.Baseline | None = None
    contested: frozenset[model.Field] = frozenset()
    reason: str = ""
    task_seen: Seen = field(default_factory=Seen)
    event_seen: Seen = field(default_factory=Seen)
    own: frozenset[model.Address] = frozenset()
    is_read_only: bool = False

    def take_task(self, task_id: str) -> None:
        """Take in which task was made for the event."""
        self.task_id = task_id
        if self.reserved is Side.CRM:
            self.reserved = None

    @property
    def subject(self) -> Subject:
        """What a message about this link names."""
        if self.event_id is not None:
            return "event", self.event_id
        return "task", self.task_id or ""


class Links:
    """The links that are stored."""

    def __init__(self, world: World) -> None:
        """Begin without any."""
        self.stored: list[Link] = []
        self._world = world

    def store(self, link: Link) -> None:
        """Keep a link from now on."""
        if link not in self.stored:
            self.stored.append(link)

    def of(self, subject: Subject) -> Link:
        """Return the link of a record; one that is not stored yet if it has none.

        What the records say of each other is a hint, the links are the truth.
        """
        kind, record_id = subject
        if kind == "task":
            return self._of_task(record_id)
        found = self._find(lambda link: link.event_id == record_id)
        return found or Link(created_by=Side.GOOGLE, event_id=record_id)

    def _of_task(self, task_id: str) -> Link:
        found = self._find(lambda link: link.task_id == task_id)
        if found is not None:
            return found
        event_id = self._event_named_by(task_id)
        waiting = self._find(
            lambda link: link.task_id is None and link.event_id == event_id
        )
        if waiting is not None:
            # We made this task, and never heard the answer.
            waiting.take_task(task_id)
            return waiting
        return Link(created_by=Side.CRM, task_id=task_id)

    def _event_named_by(self, task_id: str) -> str | None:
        task = self._world.find("task", task_id)
        if task is None or task["deleted"]:
            # A deleted one may be an earlier task of the same event.
            return None
        event_id: str | None = task["google_event_id"]
        return event_id

    def _find(self, matches: Callable[[Link], bool]) -> Link | None:
        return next((link for link in self.stored if matches(link)), None)
