"""Find records of one calendar whose other side is gone, and links without either.

Nothing counts as gone because a list did not show it: it is read by itself first.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.adapters.store import tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, mapping, model, ports
from workers import census
from workers.orphans import Kind, Orphan, Repair, Scene, Spot, is_settled, spots

Expected = Mapping[str, tuple[model.Task, bool]]
"""By event id: the task whose event should take place, and whether it is linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One calendar of an organization, and whose it is."""

    scene: Scene
    connection: tables.Connection
    calendar: tables.Calendar

    def examine(self) -> tuple[list[Orphan], list[Spot]]:
        """Return what has one side only, and the events that are in order so far.

        Raises what the calls to Google and the CRM raise.
        """
        with self.scene.services.store.read() as work:
            links = work.links.of_connection(self.connection.id)
            linked = work.links.task_ids(self.scene.organization.id)
        here = [link for link in links if link.calendar_id == self.calendar.id]
        expected = {**self._unlinked(linked), **self._linked(here)}
        google = self.scene.services.remotes.google(self.connection)
        shelf = census.Shelf(google=google, calendar=self.calendar)
        rows = shelf.events(census.series_ids(expected), self.scene.window)
        rows |= shelf.named(expected.keys() - rows.keys())
        by_event = {link.event_id: link for link in here}
        found = list(spots(self.connection, self.calendar, rows, by_event))
        lost = [spot for spot in found if self._has_lost_its_task(spot)]
        orphans = [
            *(s.orphan(Kind.EVENTS_WITHOUT_TASK, Repair.CANCEL_EVENT) for s in lost),
            *self._without_event(expected, rows),
            *self._dead(google, [k for k in links if k.event_id not in rows]),
        ]
        orphaned = {spot.event.id for spot in lost}
        return orphans, [spot for spot in found if spot.event.id not in orphaned]

    # -- tasks --------------------------------------------------------------------

    def _linked(self, links: Sequence[tables.Link]) -> Expected:
        tasks = self.scene.live
        return {
            link.event_id: (tasks[link.task_id], True)
            for link in links
            if link.event_id and link.task_id in tasks and is_settled(link)
            if self.scene.is_due(tasks[link.task_id])
        }

    def _unlinked(self, linked: set[str]) -> Expected:
        return {
            task.google_event_id: (task, False)
            for task in self.scene.live.values()
            if task.owner_id == self.connection.crm_user_id
            and task.google_calendar_id == self.calendar.google_calendar_id
            and task.id not in linked
            and task.google_event_id
            and self.scene.is_due(task)
        }

    def _without_event(
        self, expected: Expected, rows: Mapping[str, model.Document]
    ) -> Iterator[Orphan]:
        for event_id, (task, is_linked) in expected.items():
            if event_id not in rows:
                yield Orphan(
                    kind=Kind.TASKS_WITHOUT_EVENT,
                    crm_user_id=self.connection.crm_user_id,
                    task_id=task.id,
                    event_id=event_id,
                    title=task.title,
                    calendar=self.calendar.google_calendar_id,
                    repair=Repair.CANCEL_TASK if is_linked else Repair.MAKE_EVENT,
                    calendar_id=self.calendar.id,
                )

    # -- events -------------------------------------------------------------------

    def _has_lost_its_task(self, spot: Spot) -> bool:
        task_id = spot.task_id
        if task_id is None or not self.scene.is_ours(spot):
            return False
        waits = spot.link is not None and not is_settled(spot.link)
        is_named = spot.event.id in self.scene.named
        if waits or is_named or task_id in self.scene.live:
            return False
        crm = self.scene.services.remotes.crm(self.scene.organization)
        try:
            return bool(crm.get_task(task_id)["deleted"])
        except errors.RecordNotFoundError:
            return True

    # -- links --------------------------------------------------------------------

    def _dead(
        self, google: ports.GoogleCalendar, links: Iterable[tables.Link]
    ) -> Iterator[Orphan]:
        """Yield the links of which neither side knows its record, deleted or not."""
        for link in links:
            with self.scene.services.store.read() as work:
                calendar = work.calendars.by_id(link.calendar_id)
            is_within_reach = calendar.google_sub == self.connection.google_sub
            is_made = link.state != LinkState.PENDING
            if is_made and is_within_reach and self._is_dead(link, google, calendar):
                yield Orphan(
                    kind=Kind.DEAD_LINKS,
                    crm_user_id=self.connection.crm_user_id,
                    task_id=link.task_id,
                    event_id=link.event_id,
                    title=_last_title(link),
                    calendar=calendar.google_calendar_id,
                    repair=Repair.FORGET_LINK,
                    link_id=link.id,
                )

    def _is_dead(
        self,
        link: tables.Link,
        google: ports.GoogleCalendar,
        calendar: tables.Calendar,
    ) -> bool:
        task_id, event_id = link.task_id or "", link.event_id or ""
        if task_id in self.scene.tasks:
            return False
        crm = self.scene.services.remotes.crm(self.scene.organization)
        return _is_unknown(lambda: crm.get_task(task_id)) and _is_unknown(
            lambda: google.get_event(calendar.google_calendar_id, event_id)
        )


def _is_unknown(read: Callable[[], object]) -> bool:
    try:
        read()
    except errors.RecordNotFoundError:
        return True
    return False


def _last_title(link: tables.Link) -> str | None:
    known = link.baseline
    return mapping.baseline_from_document(known).meeting.title if known else None
