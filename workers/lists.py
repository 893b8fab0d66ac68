"""Both sides of one connection as full lists show them, for first syncs and repairs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import LinkState
from shared.domain import errors, mapping, messages, model, ports, recurrence, scope
from shared.domain.messages import Queue
from shared.domain.settings import Frequency, Settings
from workers import census, intake, matching, polling, series
from workers.services import Services
from workers.window import Window

T = TypeVar("T")

_BATCH = 500
"""So many messages are queued at once; their job shows how far it has come."""


@dataclass(slots=True, kw_only=True)
class Lists:
    """Both sides of one connection, listed once."""

    services: Services
    job: intake.Job
    organization: tables.Organization
    connection: tables.Connection
    calendar: tables.Calendar
    settings: Settings
    window: Window
    _event_ids: set[str] = field(default_factory=set)
    _task_ids: set[str] = field(default_factory=set)
    _events: dict[str, intake.Seen] = field(default_factory=dict)
    """What is to be looked at, by id; published when both sides are listed."""
    _tasks: dict[str, model.Document] = field(default_factory=dict)

    def events(self) -> ports.EventPage:
        """List the calendar; return the last page, with the sync token."""
        recurring = self._series()
        self._changed_events(recurring)
        google = self.services.remotes.google(self.connection)
        calendar_id, page_token = self.calendar.google_calendar_id, None
        while True:
            page = google.list_events(
                calendar_id, page_token=page_token, time_min=self.window.start
            )
            self._take_in(page, recurring)
            page_token = page.next_page_token
            if page_token is None:
                self._queue_events(recurring.take_in(is_full=True))
                return page

    def changes(self) -> ports.EventPage | None:
        """List what changed on both sides since the last run; return the last page.

        None where that cannot be told, and full lists are needed.
        """
        token, since = self.calendar.sync_token, self.calendar.tasks_seen_until
        if token is None or since is None:
            return None
        recurring, page_token = self._series(), None
        google = self.services.remotes.google(self.connection)
        while True:
            try:
                page = google.list_events(
                    self.calendar.google_calendar_id,
                    sync_token=token,
                    page_token=page_token,
                )
            except errors.SyncTokenExpiredError:
                return None
            self._take_in(page, recurring, is_change=True)
            page_token = page.next_page_token
            if page_token is None:
                break
        self._queue_events(recurring.take_in(is_full=False), is_change=True)
        self._list_tasks(updated_since=since)
        self.publish()
        return page

    def _series(self) -> series.Series:
        return series.Series(
            services=self.services,
            connection=self.connection,
            calendar=self.calendar,
            window=self.window,
        )

    def _changed_events(self, recurring: series.Series) -> None:
        """List what changed since the last list, inside the window or not."""
        token = self.calendar.sync_token if self._unseen_since() else None
        page_token = None
        google = self.services.remotes.google(self.connection)
        while token is not None:
            try:
                page = google.list_events(
                    self.calendar.google_calendar_id,
                    sync_token=token,
                    page_token=page_token,
                )
            except errors.SyncTokenExpiredError:
                return
            self._take_in(page, recurring, is_change=True)
            page_token = page.next_page_token
            if page_token is None:
                return

    def _take_in(
        self,
        page: ports.EventPage,
        recurring: series.Series,
        *,
        is_change: bool = False,
    ) -> None:
        for some in _batches(recurring.set_apart(page.events)):
            # A whole page would hold up for long whoever else writes.
            with self.services.store.begin() as work:
                seen = intake.take_in(work, self.calendar, some)
                work.commit()
            self._queue_events(seen, is_change=is_change)

    def _queue_events(
        self, seen: Sequence[intake.Seen], *, is_change: bool = False
    ) -> None:
        with self.services.store.read() as work:
            ids = {each.event_id for each in seen}
            links = work.links.of_events(self.calendar.id, ids)
        due = [
            each
            for each in seen
            if (is_change and not each.is_settled)
            or self._is_event_due(each, links.get(each.event_id))
        ]
        self._events |= {each.event_id: each for each in due}
        self._event_ids |= {each.event_id for each in seen}

    def publish(self) -> None:
        """Queue a look at what was listed, the oldest meetings of each side first.

        What the sides have in common without a link is linked before.
        """
        events = sorted(self._events.values(), key=_start_of_event)
        tasks = sorted(self._tasks.values(), key=_start_of_task)
        with self.services.store.begin() as work:
            alike = [seen.event for seen in events if seen.event is not None]
            linked = matching.link(work, self.calendar, alike, tasks, self.settings)
            linked |= self._met_by_events(work, alike)
            work.commit()
        for some in _batches(events):
            self.job.publish_events(Queue.BACKFILL, self.calendar.id, some)
        due = [
            (self._task_due(document["id"]), document)
            for document in tasks
            if document["id"] not in linked
        ]
        for several in _batches(due):
            self.job.publish_tasks(Queue.BACKFILL, several)

    def _met_by_events(
        self, work: UnitOfWork, events: Iterable[model.Event]
    ) -> set[str]:
        """Return the tasks without a link that one of these events was made for.

        After a loss of our database, the look at such an event links both. A look at
        the task, if that came first, would make a second event: where the task had
        another owner before, the first id that we derive is not the event's.
        """
        named = {
            each.task_id: each
            for each in events
            if each.task_id is not None and each.task_id in self._tasks
        }
        links = work.links.of_tasks(self.organization.id, set(named))
        return {
            task_id
            for task_id, event in named.items()
            if task_id not in links
            and census.generation_of(event, self.organization, self.calendar, task_id)
            is not None
        }

    def _is_event_due(self, seen: intake.Seen, link: tables.Link | None) -> bool:
        if seen.event is None:
            return True
        if link is not None:
            return not seen.is_settled or link.state != LinkState.ACTIVE
        when = seen.event.when
        is_inside = when is not None and self.window.has(when)
        return is_inside and not seen.event.is_cancelled

    def tasks(self) -> None:
        """List the user's tasks of the window, and what changed since the last list."""
        self._list_tasks(due_from=self.window.start, due_to=self.window.end)
        since = self._unseen_since()
        if since is not None:
            skew = timedelta(seconds=self.organization.crm_skew_seconds)
            self._list_tasks(updated_since=since + skew - polling.OVERLAP)

    def _list_tasks(
        self,
        *,
        due_from: datetime | None = None,
        due_to: datetime | None = None,
        updated_since: datetime | None = None,
    ) -> None:
        """Queue the user's tasks in a span, or those that changed since.

        Of those that changed, everybody's are listed: one of the user's may have got
        another owner, who perhaps has no list of tasks.
        """
        crm, cursor = self.services.remotes.crm(self.organization), None
        while True:
            page = crm.list_tasks(
                owner_id=None if updated_since else self.connection.crm_user_id,
                due_from=due_from,
                due_to=due_to,
                updated_since=updated_since,
                cursor=cursor,
            )
            with self.services.store.read() as work:
                ids = {document["id"] for document in page.tasks}
                links = work.links.of_tasks(self.organization.id, ids)
            due = [d for d in page.tasks if self._is_task_due(d, links.get(d["id"]))]
            self._task_ids |= {document["id"] for document in page.tasks}
            self._tasks |= {document["id"]: document for document in due}
            cursor = page.next_cursor
            if cursor is None:
                return

    def _is_task_due(self, document: model.Document, link: tables.Link | None) -> bool:
        if not self._is_ours(document, link):
            return False
        if link is None:
            return not document["deleted"]
        if link.state != LinkState.ACTIVE and not _has_passed_by(link):
            return True
        if link.calendar_id != self.calendar.id:
            return True  # Its event is to move here.
        if not polling.is_settled(document, link):
            return True
        # The scope may have changed, which no version shows.
        task = mapping.task_from_document(document)
        return scope.why_out_of_scope(task, self.settings) is not None

    def _is_ours(self, document: model.Document, link: tables.Link | None) -> bool:
        """Tell whether a task is, or was until now, the connection's."""
        is_own = document["owner_id"] == self.connection.crm_user_id
        is_here = link is not None and link.calendar_id == self.calendar.id
        return is_own or is_here

    def _unseen_since(self) -> datetime | None:
        """Return since when nobody has followed single changes, None if all are seen.

        No poll or push is acted on while a connection is not active, nor where syncs
        are made by hand.
        """
        listed_at, connected_at = self.calendar.listed_at, self.connection.connected_at
        if listed_at is None or connected_at is None:
            return None
        is_by_hand = self.settings.frequency is Frequency.MANUAL
        return listed_at if is_by_hand or connected_at > listed_at else None

    def unlisted(self) -> None:
        """Look at the links of the window whose records no list showed.

        And at all that have left the scope, or are left in a calendar that was synced
        before.
        """
        with self.services.store.read() as work:
            live = work.links.live_of_calendar(self.calendar.id)
            links = [link for link in live if self._is_inside(link)]
            inside = {link.id for link in links}
            leaving = [
                link
                for link in live
                if link.id not in inside and self._has_left_scope(link)
            ]
            left_behind = [
                link
                for calendar in work.calendars.of_account(
                    self.connection.id, self.calendar.google_sub
                )
                if calendar.id != self.calendar.id
                for link in work.links.live_of_calendar(calendar.id)
                if not _is_over(link)
            ]
        missed = [
            intake.Seen(event_id=link.event_id, event=None)
            for link in links
            if link.event_id is not None and self._is_missed(link)
        ]
        self.job.publish_events(Queue.BACKFILL, self.calendar.id, missed)
        unlisted = [
            (self._task_due(link.task_id), None)
            for link in links
            if link.task_id is not None and link.task_id not in self._task_ids
        ]
        self.job.publish_tasks(Queue.BACKFILL, unlisted)
        # No list was to show these, so none of them counts as deleted.
        moving = [
            self._task_due(link.task_id)
            for link in [*leaving, *left_behind]
            if link.task_id is not None and link.task_id not in self._task_ids
        ]
        self.job.publish(Queue.BACKFILL, moving)

    def _is_missed(self, link: tables.Link) -> bool:
        """Tell whether its event should have been listed, and was not.

        What is past in a series stays, whatever became of the series.
        """
        if link.event_id in self._event_ids:
            return False
        now = self.services.clock.now()
        zone = self.calendar.time_zone
        return not (link.original_start and _has_begun(link, now, zone))

    def _is_inside(self, link: tables.Link) -> bool:
        if link.baseline is None:
            return True
        meeting = mapping.baseline_from_document(link.baseline).meeting
        return not _is_over(link) and self.window.has(meeting.when)

    def _has_left_scope(self, link: tables.Link) -> bool:
        """Tell whether a task, as last seen, is not to be synced by now."""
        if link.task is None or _is_over(link):
            return False
        task = mapping.task_from_document(link.task)
        return scope.why_out_of_scope(task, self.settings) is not None

    def _task_due(self, task_id: str) -> messages.TaskDue:
        return messages.TaskDue(organization_id=self.organization.id, task_id=task_id)


def _is_over(link: tables.Link) -> bool:
    """Tell whether the meeting was cancelled on both sides."""
    known = link.baseline
    return known is not None and mapping.baseline_from_document(known).meeting.cancelled


def _has_passed_by(link: tables.Link) -> bool:
    """Tell whether an occurrence has left the window, or was left by its series."""
    return bool(link.original_start) and link.state == LinkState.DETACHED


def _has_begun(link: tables.Link, now: datetime, zone: str) -> bool:
    if link.baseline is None:
        return False
    when = mapping.baseline_from_document(link.baseline).meeting.when
    return recurrence.has_begun(when, now, zone)


def _start_of_event(seen: intake.Seen) -> datetime:
    starts_at = seen.event.starts_at if seen.event else None
    return starts_at or _LONG_AGO


def _start_of_task(document: model.Document) -> datetime:
    due = document["due_at"] or document["due_date"]
    if due is None:
        return _LONG_AGO
    start = datetime.fromisoformat(due)
    return start if start.tzinfo else start.replace(tzinfo=UTC)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _batches(things: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(things), _BATCH):
        yield things[first : first + _BATCH]
