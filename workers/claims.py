"""Which task and event may belong together, out of what both sides say themselves.

Tasks name their event, and events that we wrote name their task; of a pair where
neither does, the same title at the same time of the same user tells.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.adapters.store import tables
from shared.domain import errors, mapping, model, scope
from shared.domain.settings import Settings
from workers import census, likeness
from workers.intake import take_in
from workers.services import Services
from workers.window import Window


class FoundBy(StrEnum):
    """What tells that a task and an event belong together."""

    TASK = "task"
    """The task names the event."""
    EVENT = "event"
    """The event names the task."""
    LIKENESS = "likeness"
    """Same user, title, start and end; neither names another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task and an event that may belong together."""

    task_id: str
    calendar_id: int
    event_id: str
    found_by: FoundBy


class Survey:
    """What the calendars say, one after the other, and which task that could be."""

    def __init__(
        self,
        services: Services,
        organization: tables.Organization,
        documents: Mapping[str, model.Document],
        linked: set[str],
    ) -> None:
        """Take the tasks, and which of them have a link."""
        self.linked = linked
        self._services = services
        self._organization = organization
        self._settings = Settings.from_document(organization.settings)
        self._window = Window.around(services.clock.now(), self._settings)
        self._tasks = {k: mapping.task_from_document(d) for k, d in documents.items()}
        self._named = {t.google_event_id for t in self._unlinked() if t.google_event_id}
        self._series_ids = census.series_ids(self._named)
        self._expected = self._by_calendar()
        self._homes: dict[int, tuple[tables.Connection, tables.Calendar]] = {}
        self._found: dict[str, list[int]] = defaultdict(list)
        """The calendars that have an event which a task names."""
        self._tagged: list[tuple[int | None, Claim]] = []
        """What events say; and the generation of those that we made for the task."""
        self._likes: dict[likeness.Key, list[tuple[int, str]]] = defaultdict(list)
        """Where there is an event that looks like this; its calendar and id."""

    def _unlinked(self) -> Iterator[model.Task]:
        return (t for t in self._tasks.values() if t.id not in self.linked)

    def _by_calendar(self) -> Mapping[str, set[str]]:
        """Return the events that should take place because of their tasks."""
        expected: dict[str, set[str]] = defaultdict(set)
        for task in self._unlinked():
            calendar_id, event_id = task.google_calendar_id, task.google_event_id
            if calendar_id and event_id and not _is_over(task):
                expected[calendar_id].add(event_id)
        return expected

    # -- reading ------------------------------------------------------------------

    def read(self, connection: tables.Connection, calendar: tables.Calendar) -> None:
        """Read a connection's calendars; raises what the calls to Google raise."""
        google = self._services.remotes.google(connection)
        shelf = census.Shelf(google=google, calendar=calendar)
        rows = shelf.events(self._series_ids, self._window)
        rows |= shelf.named(self._expected[calendar.google_calendar_id] - rows.keys())
        with self._services.store.read() as work:
            sub = connection.google_sub or ""
            others = work.calendars.of_account(connection.id, sub)
        self._keep(connection, calendar, rows)
        for other in others:
            if other.id != calendar.id:
                # Synced before: the user's own events stay there, and all if that was
                # chosen after the backup that the database is restored from.
                shelf = census.Shelf(google=google, calendar=other)
                left = shelf.events(self._series_ids, self._window)
                expected = self._expected[other.google_calendar_id]
                self._keep(
                    connection, other, left | shelf.named(expected - left.keys())
                )

    def _keep(
        self,
        connection: tables.Connection,
        calendar: tables.Calendar,
        rows: Mapping[str, model.Document],
    ) -> None:
        """Store the events that a link may need, and note what they say."""
        self._homes[calendar.id] = connection, calendar
        useful = [row for row in rows.values() if self._note(connection, calendar, row)]
        for batch in census.batches(useful):
            with self._services.store.begin() as work:
                take_in(work, calendar, batch)
                work.commit()

    def _note(
        self,
        connection: tables.Connection,
        calendar: tables.Calendar,
        row: model.Document,
    ) -> bool:
        """Note what an event says; return whether a link may need it."""
        try:
            event = mapping.event_from_document(row, calendar_zone=calendar.time_zone)
        except errors.MappingError:
            return False
        is_named = event.id in self._named
        is_tagged = event.organization == self._organization.name
        if is_named:
            self._found[event.id].append(calendar.id)
        if is_tagged and event.task_id:
            self._note_tag(calendar, event, event.task_id)
        is_inside = event.when is not None and self._window.has(event.when)
        is_other = is_named or is_tagged or event.recurring_event_id is not None
        is_free = calendar.is_selected and not is_other
        if is_inside and is_free:
            self._note_likeness(connection, calendar, event)
        return is_named or is_tagged or (is_inside and is_free)

    def _note_tag(
        self, calendar: tables.Calendar, event: model.Event, task_id: str
    ) -> None:
        made = census.generation_of(event, self._organization, calendar, task_id)
        claim = _claim(task_id, calendar.id, event.id, FoundBy.EVENT)
        self._tagged.append((made, claim))

    def _note_likeness(
        self,
        connection: tables.Connection,
        calendar: tables.Calendar,
        event: model.Event,
    ) -> None:
        key = likeness.of_event(event, owner_id=connection.crm_user_id)
        if key is not None:
            self._likes[key].append((calendar.id, event.id))

    # -- what belongs together ----------------------------------------------------

    def claims(self) -> Iterator[Claim]:
        """Return what tasks and events say themselves, the surest first."""
        unlinked = list(self._unlinked())
        for task in unlinked:
            if not task.deleted:
                yield from self._by_task(task)
        yield from self._by_event()
        for task in unlinked:
            if task.deleted:
                yield from self._by_task(task)

    def _by_event(self) -> Iterator[Claim]:
        """Return what events say: of several made for a task, where it is now first."""
        found = [
            (made is None, not self._is_own(claim), -(made or 0), claim)
            for made, claim in self._tagged
            if claim.task_id in self._tasks
        ]
        for is_foreign, is_elsewhere, _, claim in sorted(found, key=lambda f: f[:3]):
            if not (is_foreign and is_elsewhere):
                yield claim

    def _is_own(self, claim: Claim) -> bool:
        connection, _ = self._homes[claim.calendar_id]
        return self._tasks[claim.task_id].owner_id == connection.crm_user_id

    def _by_task(self, task: model.Task) -> Iterator[Claim]:
        event_id = task.google_event_id
        places = self._found.get(event_id or "")
        if event_id and places:
            place = min(places, key=lambda each: self._distance(task, each))
            yield _claim(task.id, place, event_id, FoundBy.TASK)

    def _distance(self, task: model.Task, calendar_id: int) -> tuple[bool, bool, int]:
        connection, calendar = self._homes[calendar_id]
        is_named = calendar.google_calendar_id == task.google_calendar_id
        is_own = connection.crm_user_id == task.owner_id
        return not is_named, not is_own, calendar_id

    def likely_claims(self) -> Iterator[Claim]:
        """Return tasks and events that nothing but their look tells to belong together.

        Only where there is one of each: two of a kind may be two meetings.
        """
        alike: dict[likeness.Key, list[str]] = defaultdict(list)
        for task in self._unlinked():
            if self._is_free(task):
                key = likeness.of_task(task, self._settings)
                if key is not None:
                    alike[key].append(task.id)
        for key, task_ids in alike.items():
            events = self._likes.get(key, [])
            if len(task_ids) == len(events) == 1:
                yield _claim(task_ids[0], *events[0], FoundBy.LIKENESS)

    def _is_free(self, task: model.Task) -> bool:
        if task.google_event_id is not None or _is_over(task):
            return False
        return scope.why_out_of_scope(task, self._settings) is None


def _is_over(task: model.Task) -> bool:
    return task.deleted or task.status is model.TaskStatus.CANCELLED


def _claim(task_id: str, calendar_id: int, event_id: str, by: FoundBy) -> Claim:
    return Claim(
        task_id=task_id, calendar_id=calendar_id, event_id=event_id, found_by=by
    )
