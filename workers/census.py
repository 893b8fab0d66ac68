"""Both sides of an organization in full, for whoever compares them with the links.

A list that breaks off raises: what was not read is never taken for gone (failure F45).
"""

import contextlib
import itertools
import logging
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from shared.adapters.store import tables
from shared.domain import errors, identifiers, mapping, model, ports
from shared.domain.settings import Settings
from workers.services import Services
from workers.window import Window

log = logging.getLogger(__name__)

_Item = TypeVar("_Item")

_BATCH = 100

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any change: only a list of changes shows deleted tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A user whose calendar could not be read in full, and why."""

    crm_user_id: str
    error: str


def tasks(
    services: Services, organization: tables.Organization
) -> dict[str, model.Document]:
    """Return all tasks of an organization by id, also those deleted of late."""
    crm = services.remotes.crm(organization)
    settings = Settings.from_document(organization.settings)
    found: dict[str, model.Document] = {}
    cursor = None
    while True:
        page = crm.list_tasks(updated_since=_EVER, cursor=cursor)
        rows = [row for row in page.tasks if _is_readable(row, settings)]
        found |= {row["id"]: row for row in rows}
        cursor = page.next_cursor
        if cursor is None:
            return found


def _is_readable(document: model.Document, settings: Settings) -> bool:
    nobody = mapping.Directory.of(())
    try:
        task = mapping.task_from_document(document)
        mapping.meeting_of_task(task, directory=nobody, settings=settings)
    except errors.MappingError as error:
        log.warning("Set aside: %s", error)
        return False
    return True


def homes(
    services: Services, organization: tables.Organization
) -> list[tuple[tables.Connection, tables.Calendar]]:
    """Return the active connections with the calendar that each of them syncs."""
    with services.store.read() as work:
        active = work.connections.active_of(organization.id)
        selected = work.calendars.selected_among([each.id for each in active])
    return [
        (connection, selected[connection.id])
        for connection in active
        if connection.id in selected
        and selected[connection.id].google_sub == connection.google_sub
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One calendar as it is read; raises what the calls to Google raise."""

    google: ports.GoogleCalendar
    calendar: tables.Calendar

    def events(
        self, series_ids: Collection[str], window: Window
    ) -> dict[str, model.Document]:
        """Return all that takes place on the calendar, by event id, no series.

        A list shows only the exceptions of a series: of those in `series_ids`, the
        other occurrences inside the window are returned as well.
        """
        rows = self._listed()
        for series_id in [event_id for event_id in rows if event_id in series_ids]:
            rows |= self._occurrences(series_id, window)
        return {k: row for k, row in rows.items() if _takes_place(row)}

    def named(self, event_ids: Collection[str]) -> dict[str, model.Document]:
        """Return those of these events that take place, each read by itself."""
        rows = {}
        for event_id in sorted(event_ids):
            with contextlib.suppress(errors.RecordNotFoundError):
                rows[event_id] = self.google.get_event(self._id, event_id)
        return {k: row for k, row in rows.items() if _takes_place(row)}

    def _listed(self) -> dict[str, model.Document]:
        rows: dict[str, model.Document] = {}
        page_token = None
        while True:
            page = self.google.list_events(self._id, page_token=page_token)
            rows |= {row["id"]: row for row in page.events}
            page_token = page.next_page_token
            if page_token is None:
                return rows

    def _occurrences(self, series_id: str, window: Window) -> dict[str, model.Document]:
        try:
            found = self.google.list_instances(
                self._id, series_id, time_min=window.start, time_max=window.end
            )
        except errors.RecordNotFoundError:
            # Deleted since it was listed.
            return {}
        return {row["id"]: row for row in found}

    @property
    def _id(self) -> str:
        return self.calendar.google_calendar_id


def series_ids(event_ids: Iterable[str]) -> set[str]:
    """Return the series that these are occurrences of, if they are (fact 56)."""
    return {event_id.rpartition("_")[0] for event_id in event_ids}


def batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Return the items in lists of as many as are stored in one go.

    All are taken before the first list is returned: storing may change their source.
    """
    rest = iter(list(items))
    while batch := list(itertools.islice(rest, _BATCH)):
        yield batch


def _takes_place(row: model.Document) -> bool:
    return row.get("status") != "cancelled" and not row.get("recurrence")


def generation_of(
    event: model.Event,
    organization: tables.Organization,
    calendar: tables.Calendar,
    task_id: str | None,
) -> int | None:
    """Return under which generation we made an event for a task; None if not at all."""
    if task_id is None:
        return None
    return identifiers.generation_of(
        event.id, organization.name, task_id, calendar.google_calendar_id
    )
