"""Orphans and duplicates: what one is, and what both sides look like to who searches.

`one_sided` and `twins` find them, `search` puts that together, `mending` repairs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.adapters.store import tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, mapping, model, scope
from shared.domain.settings import Settings
from workers import census
from workers.services import Services
from workers.window import Window


class Kind(StrEnum):
    """The kinds of orphans and duplicates."""

    EVENTS_WITHOUT_TASK = "events-without-task"
    """An event that we made takes place, and its task is deleted."""
    TASKS_WITHOUT_EVENT = "tasks-without-event"
    """A task in scope has an event that is deleted."""
    DUPLICATE_EVENTS = "duplicate-events"
    """Events of one task, or alike on one calendar, of which we made at least one."""
    DUPLICATE_TASKS = "duplicate-tasks"
    """Tasks of one user that look alike, of which at least one was imported."""
    DEAD_LINKS = "dead-links"
    """A link whose task and event are both unknown to their side."""


class Repair(StrEnum):
    """What a repair does, as a user is told."""

    CANCEL_EVENT = "cancel the event"
    CANCEL_TASK = "cancel the task, as its event was deleted"
    MAKE_EVENT = "make the event again"
    REMOVE_EVENT = "remove this event, which its task has twice"
    CANCEL_TWIN = "cancel this task, which has no event"
    FORGET_LINK = "forget the link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """One finding. Without `repair`, somebody has to delete one of two by hand.

    `like` is the id of the record that it looks like; `calendar` is Google's id.
    """

    kind: Kind
    crm_user_id: str
    task_id: str | None = None
    event_id: str | None = None
    title: str | None = None
    calendar: str | None = None
    like: str | None = None
    repair: Repair | None = None
    calendar_id: int | None = None
    link_id: int | None = None
    event: model.Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """An event where it stands, with the link that it leads."""

    connection: tables.Connection
    calendar: tables.Calendar
    event: model.Event
    document: model.Document
    link: tables.Link | None

    @property
    def task_id(self) -> str | None:
        """The task that the event belongs to, or says that it does."""
        return self.link.task_id if self.link else self.event.task_id

    def orphan(
        self, kind: Kind, repair: Repair | None, *, like: str | None = None
    ) -> Orphan:
        """Return a finding about the event."""
        return Orphan(
            kind=kind,
            crm_user_id=self.connection.crm_user_id,
            task_id=self.task_id,
            event_id=self.event.id,
            title=mapping.title(self.event.summary),
            calendar=self.calendar.google_calendar_id,
            like=like,
            repair=repair,
            calendar_id=self.calendar.id,
            link_id=self.link.id if self.link else None,
            event=self.document,
        )


class Scene:
    """The organization that is searched, and all of its tasks."""

    def __init__(self, services: Services, organization: tables.Organization) -> None:
        """Read the tasks; raises what the CRM's list raises."""
        documents = census.tasks(services, organization)
        self.services = services
        self.organization = organization
        self.settings = Settings.from_document(organization.settings)
        self.window = Window.around(services.clock.now(), self.settings)
        self.tasks = {k: mapping.task_from_document(d) for k, d in documents.items()}
        self.live = {k: task for k, task in self.tasks.items() if not task.deleted}
        self.named = {task.google_event_id for task in self.live.values()}

    def is_due(self, task: model.Task) -> bool:
        """Tell whether a task is to have an event that takes place."""
        is_open = task.status is not model.TaskStatus.CANCELLED
        return is_open and scope.why_out_of_scope(task, self.settings) is None

    def is_ours(self, spot: Spot) -> bool:
        """Tell whether we made the event; that it names a task is not enough.

        What somebody copies in Google says the same, and so does an imported event.
        """
        if spot.link is not None:
            return spot.link.origin == model.Side.CRM
        if spot.event.organization != self.organization.name:
            return False
        made = census.generation_of(
            spot.event, self.organization, spot.calendar, spot.event.task_id
        )
        return made is not None


def spots(
    connection: tables.Connection,
    calendar: tables.Calendar,
    rows: Mapping[str, model.Document],
    links: Mapping[str | None, tables.Link],
) -> Iterator[Spot]:
    """Yield the events of a calendar that can be read; `links` by the event's id."""
    for row in rows.values():
        try:
            event = mapping.event_from_document(row, calendar_zone=calendar.time_zone)
        except errors.MappingError:
            continue
        yield Spot(
            connection=connection,
            calendar=calendar,
            event=event,
            document=row,
            link=links.get(event.id),
        )


def is_settled(link: tables.Link) -> bool:
    """Tell whether a link is in use, and waits for nobody."""
    return link.state == LinkState.ACTIVE and link.held_deletion_id is None
