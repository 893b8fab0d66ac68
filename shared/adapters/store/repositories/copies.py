"""Queries on copies."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, bindparam, select

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.tables import Calendar, Connection, Copy, Link
from shared.domain import model

_OF = select(Copy).where(
    Copy.calendar_id == bindparam("calendar_id"),
    Copy.event_id == bindparam("event_id"),
)


class Copies(Repository[Copy]):
    """Queries on copies."""

    table = Copy

    def of(self, calendar_id: int | None, event_id: str | None) -> Copy | None:
        """Return the copy of an event on a calendar."""
        return self._one(_OF, calendar_id=calendar_id, event_id=event_id)

    def of_link(self, link_id: int) -> Sequence[Copy]:
        """Return all copies of a link's event."""
        mine = Copy.link_id == link_id
        return self._all(select(Copy).where(mine).order_by(Copy.id))

    def of_meeting(self, link: Link) -> Sequence[Copy]:
        """Return all copies of a link's meeting, those too that no look has joined."""
        known = Copy.link_id == link.id
        same = _is_of(link.ical_uid, link.original_start)
        return self._all(_of_organization(link.organization_id).where(known | same))

    def of_ical(
        self, organization_id: int, ical_uid: str | None, original_start: str
    ) -> Sequence[Copy]:
        """Return all copies of a meeting, whether it has a link or not."""
        same = _is_of(ical_uid, original_start)
        return self._all(_of_organization(organization_id).where(same))

    def among(self, calendar_id: int, event_ids: Collection[str]) -> dict[str, Copy]:
        """Return the known copies among these events, by event id."""
        named = Copy.event_id.in_(event_ids)
        found = self._all(select(Copy).where(Copy.calendar_id == calendar_id, named))
        return {copy.event_id: copy for copy in found}

    def changed_at(self, link_ids: Collection[int]) -> dict[int, datetime]:
        """Return when these links' writer copies were last changed, by our clock."""
        query = (
            select(Link.id, Copy.changed_at, Connection.google_skew_seconds)
            .join(
                Copy,
                (Copy.calendar_id == Link.calendar_id)
                & (Copy.event_id == Link.event_id),
            )
            .join(Calendar, Calendar.id == Copy.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(Link.id.in_(link_ids))
        )
        return {
            link_id: changed_at - timedelta(seconds=skew)
            for link_id, changed_at, skew in self._session.execute(query)
            if changed_at is not None
        }

    def of_series(self, calendar_id: int, series_id: str) -> Sequence[Copy]:
        """Return the known occurrences of a series on a calendar."""
        mine = Copy.calendar_id == calendar_id
        query = select(Copy).where(mine, Copy.series_id == series_id)
        return self._all(query.order_by(Copy.starts_at, Copy.id))

    def series_of(self, calendar_id: int) -> Sequence[Copy]:
        """Return the series on a calendar, ended ones not."""
        mine = Copy.calendar_id == calendar_id
        return self._all(select(Copy).where(mine, Copy.is_series).order_by(Copy.id))

    def starting(
        self, calendar_id: int, since: datetime, until: datetime
    ) -> Sequence[Copy]:
        """Return the events on a calendar that start in a span, its end excluded."""
        mine = Copy.calendar_id == calendar_id
        is_inside = (Copy.starts_at >= since) & (Copy.starts_at < until)
        query = select(Copy).where(mine, is_inside, Copy.is_series.is_(False))
        return self._all(query.order_by(Copy.starts_at, Copy.id))

    def upsert(
        self,
        calendar_id: int,
        event: model.Event,
        document: model.Document,
        *,
        changed_at: datetime | None,
        link_id: int | None = None,
        settled: bool = False,
    ) -> Copy:
        """Store the event as it stands on the calendar; `settled`: it is dealt with.

        What the bare row of a deletion does not tell (fact 65), and a link that is not
        given, stay as they were. Where a later state is known already, only the link
        is stored: the copy that is returned then has another etag than `event`.
        """
        told = {
            "link_id": link_id,
            "ical_uid": event.ical_uid,
            "original_start": event.original_start,
            "starts_at": event.starts_at,
            "settled_etag": event.etag if settled else None,
        }
        stored = self._upsert_unless_older(
            {
                "calendar_id": calendar_id,
                "event_id": event.id,
                "etag": event.etag,
                "document": dict(document),
                "event_updated_at": event.updated_at,
                "changed_at": changed_at,
                "is_series": bool(event.recurrence) and not event.is_cancelled,
                "series_id": event.recurring_event_id,
                **{name: value for name, value in told.items() if value is not None},
            },
            key=("calendar_id", "event_id"),
            by="event_updated_at",
        )
        if stored is not None:
            return stored
        (known,) = self.among(calendar_id, [event.id]).values()
        known.link_id = link_id or known.link_id
        return known


def _of_organization(organization_id: int) -> Select[Copy]:
    return (
        select(Copy)
        .join(Calendar, Calendar.id == Copy.calendar_id)
        .join(Connection, Connection.id == Calendar.connection_id)
        .where(Connection.organization_id == organization_id)
        .order_by(Copy.id)
    )


def _is_of(ical_uid: str | None, original_start: str) -> ColumnElement[bool]:
    same_series = Copy.ical_uid == (ical_uid or "")
    return same_series & (Copy.original_start == original_start)
