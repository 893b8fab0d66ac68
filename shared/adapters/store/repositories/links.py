"""Queries on links."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.states import ConnectionState, LinkState
from shared.adapters.store.tables import (
    Calendar,
    Conflict,
    Connection,
    Copy,
    Link,
)
from shared.domain.model import Side, TaskStatus

_MADE_HERE = (
    Link.origin == Side.CRM,
    Link.state != LinkState.DETACHED,
    Link.event_id.is_not(None),
    Link.task["status"].as_string() != TaskStatus.CANCELLED,
)
"""Of a link whose event we made, and which is not over."""

_OF_TASK = select(Link).where(
    Link.organization_id == bindparam("organization_id"),
    Link.task_id == bindparam("task_id"),
)

_OF_EVENT = (
    select(Link)
    .where(
        Link.calendar_id == bindparam("calendar_id"),
        Link.event_id == bindparam("event_id"),
    )
    .order_by(Link.id.desc())
    .limit(1)
)


class Links(Repository[Link]):
    """Queries on links."""

    table = Link

    def of_task(self, organization_id: int, task_id: str) -> Link | None:
        """Return the link of a task."""
        return self._one(_OF_TASK, organization_id=organization_id, task_id=task_id)

    def of_tasks(
        self, organization_id: int, task_ids: Collection[str]
    ) -> dict[str, Link]:
        """Return those of these tasks' links that there are, by task id."""
        query = select(Link).where(
            Link.organization_id == organization_id, Link.task_id.in_(task_ids)
        )
        return {link.task_id: link for link in self._all(query) if link.task_id}

    def task_ids(self, organization_id: int) -> set[str]:
        """Return the ids of the tasks that have a link."""
        query = select(Link.task_id).where(Link.organization_id == organization_id)
        return {task_id for task_id in self._session.scalars(query) if task_id}

    def task_types(self, organization_id: int) -> list[str]:
        """Return the types of the tasks that have a link."""
        kind = Link.task["type"].as_string()
        query = select(kind).where(Link.organization_id == organization_id).distinct()
        return sorted(name for name in self._session.scalars(query) if name)

    def count_made(self, organization_id: int) -> dict[str, int]:
        """Count the events that we made and that stand, by type of their tasks."""
        kind = Link.task["type"].as_string().label("task_type")
        counted = (
            select(kind, func.count())
            .where(Link.organization_id == organization_id, *_MADE_HERE)
            .group_by("task_type")
        )
        return {name: count for name, count in self._session.execute(counted) if name}

    def count_made_all_day(self, organization_id: int) -> int:
        """Count the events of whole days that we made and that stand."""
        is_of_days = Link.task["due_date"].as_string().is_not(None)
        mine = Link.organization_id == organization_id
        return self._count(mine, is_of_days, *_MADE_HERE)

    def forget(self, link_id: int) -> None:
        """Remove a link for good, and the conflicts about it; its copies stay."""
        theirs = update(Copy).where(Copy.link_id == link_id)
        self._changed(theirs.values(link_id=None))
        self._changed(delete(Conflict).where(Conflict.link_id == link_id))
        self._changed(delete(Link).where(Link.id == link_id))

    def by_ids(self, ids: Collection[int]) -> dict[int, Link]:
        """Return those of these links that there are, by id."""
        return {row.id: row for row in self._all(select(Link).where(Link.id.in_(ids)))}

    def of_event(self, calendar_id: int, event_id: str) -> Link | None:
        """Return the link whose writer copy this is; of several, the newest."""
        return self._one(_OF_EVENT, calendar_id=calendar_id, event_id=event_id)

    def of_events(
        self, calendar_id: int, event_ids: Collection[str]
    ) -> dict[str, Link]:
        """Return the newest links of which these are the writer copies, by event id."""
        query = select(Link).where(
            Link.calendar_id == calendar_id, Link.event_id.in_(event_ids)
        )
        found = self._all(query.order_by(Link.id))
        return {link.event_id: link for link in found if link.event_id}

    def of_event_id_in(self, organization_id: int, event_id: str) -> Link | None:
        """Return the newest link of an event id, on whatever calendar."""
        return self._first(
            select(Link)
            .where(Link.organization_id == organization_id, Link.event_id == event_id)
            .order_by(Link.id.desc())
        )

    def of_event_ids_in(
        self, organization_id: int, event_ids: Collection[str]
    ) -> dict[str, Link]:
        """Return the newest links of several event ids, by event id."""
        query = select(Link).where(
            Link.organization_id == organization_id, Link.event_id.in_(event_ids)
        )
        found = self._all(query.order_by(Link.id))
        return {link.event_id: link for link in found if link.event_id}

    def of_ical(
        self, organization_id: int, ical_uid: str, original_start: str = ""
    ) -> Link | None:
        """Return the link of a meeting, whosever copy it is synced through.

        `original_start` tells the occurrences of a series apart.
        """
        return self._one(
            select(Link).where(
                Link.organization_id == organization_id,
                Link.ical_uid == ical_uid,
                Link.original_start == original_start,
            )
        )

    def live_of_calendar(self, calendar_id: int) -> Sequence[Link]:
        """Return the links whose writer copy is on a calendar, detached ones not."""
        is_live = Link.state != LinkState.DETACHED
        query = select(Link).where(Link.calendar_id == calendar_id, is_live)
        return self._all(query.order_by(Link.id))

    def of_connection(self, connection_id: int) -> Sequence[Link]:
        """Return the links led by a connection's calendars, detached ones not."""
        is_live = Link.state != LinkState.DETACHED
        query = select(Link).join(Calendar, Calendar.id == Link.calendar_id)
        query = query.where(Calendar.connection_id == connection_id, is_live)
        return self._all(query.order_by(Link.id))

    def passed_by(self, calendar_id: int, moment: datetime) -> Sequence[Link]:
        """Return the links of a series' occurrences that start before a moment.

        Detached ones not, nor those in conflict: they wait for their user's choice.
        """
        is_live = Link.state.not_in([LinkState.DETACHED, LinkState.CONFLICT])
        return self._all(
            select(Link)
            .join(
                Copy,
                (Copy.calendar_id == Link.calendar_id)
                & (Copy.event_id == Link.event_id),
            )
            .where(Link.calendar_id == calendar_id, Link.original_start != "", is_live)
            .where(Copy.starts_at < moment)
            .order_by(Link.id)
        )

    def guests_due(self, now: datetime, *, limit: int = 100) -> Sequence[Link]:
        """Return active links of active connections whose held guests are due."""
        return self._all(
            select(Link)
            .join(Calendar, Calendar.id == Link.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(Link.state == LinkState.ACTIVE, Link.guests_due_at <= now)
            .where(Connection.state == ConnectionState.ACTIVE)
            .order_by(Link.guests_due_at, Link.id)
            .limit(limit)
        )

    def rested(self, now: datetime, *, limit: int = 100) -> Sequence[Link]:
        """Return the links whose quarantine is over."""
        query = select(Link).where(Link.quarantined_until <= now)
        return self._all(query.order_by(Link.quarantined_until, Link.id).limit(limit))

    def pending_before(self, before: datetime, *, limit: int = 100) -> Sequence[Link]:
        """Return links pending that nobody touched since then, the oldest first."""
        is_pending = Link.state == LinkState.PENDING
        return self._all(
            select(Link)
            .where(is_pending, Link.pending_since < before, Link.updated_at < before)
            .order_by(Link.updated_at, Link.id)
            .limit(limit)
        )
