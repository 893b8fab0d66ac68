"""Queries on watch channels."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, exists, func, not_, or_, select, update

from shared.adapters.store.repositories.repository import Repository, of
from shared.adapters.store.states import ChannelState, ConnectionState
from shared.adapters.store.tables import Calendar, Channel, Connection

_UNDER_WAY = timedelta(minutes=2)
"""Whoever queues the renewal of a channel does not do so again for so long."""


class Channels(Repository[Channel]):
    """Queries on watch channels."""

    table = Channel

    def open_of(self, calendar_id: int) -> Sequence[Channel]:
        """Return the open channels of a calendar, newest first; normally one."""
        return self._all(
            select(Channel)
            .where(
                Channel.calendar_id == calendar_id, Channel.state == ChannelState.OPEN
            )
            .order_by(Channel.created_at.desc(), Channel.id)
        )

    def open_among(self, calendar_ids: Collection[int]) -> dict[int, Channel]:
        """Return the newest open channel of each of these calendars, by calendar."""
        found = self._all(
            select(Channel)
            .where(
                Channel.calendar_id.in_(calendar_ids),
                Channel.state == ChannelState.OPEN,
            )
            .order_by(Channel.created_at, Channel.id.desc())
        )
        return {channel.calendar_id: channel for channel in found}

    def watched_of(self, organization_id: int) -> Sequence[int]:
        """Return the ids of the organization's calendars that have open channels."""
        query = (
            select(Channel.calendar_id)
            .join(Calendar, Calendar.id == Channel.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                Connection.organization_id == organization_id,
                Channel.state == ChannelState.OPEN,
            )
            .distinct()
            .order_by(Channel.calendar_id)
        )
        return self._session.scalars(query).all()

    def count_open(
        self, organization_id: int | None, *, now: datetime
    ) -> tuple[int, int]:
        """Return how many open channels are live and how many have expired.

        Without an organization, of all.
        """
        expired = case((Channel.expires_at <= now, 1), else_=0)
        everything, dead = self._session.execute(
            select(func.count(Channel.id), func.coalesce(func.sum(expired), 0))
            .join(Calendar, Calendar.id == Channel.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                of(Connection.organization_id, organization_id),
                Channel.state == ChannelState.OPEN,
            )
        ).one()
        return everything - dead, dead

    def count_expiring(
        self, organization_id: int | None, *, now: datetime, before: datetime
    ) -> int:
        """Return how many live channels end before then: all should be replaced."""
        return self._session.execute(
            select(func.count(Channel.id))
            .join(Calendar, Calendar.id == Channel.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                of(Connection.organization_id, organization_id),
                Channel.state == ChannelState.OPEN,
                Channel.expires_at > now,
                Channel.expires_at <= before,
            )
        ).scalar_one()

    def count_missing(self, organization_ids: Collection[int], *, now: datetime) -> int:
        """Return how many calendars of these organizations should have a channel.

        They are synced, Google would push for them, and no channel of theirs is live.
        """
        is_watched = exists().where(
            Channel.calendar_id == Calendar.id,
            Channel.state == ChannelState.OPEN,
            or_(Channel.expires_at.is_(None), Channel.expires_at > now),
        )
        return self._session.execute(
            select(func.count(Calendar.id))
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                Connection.organization_id.in_(organization_ids),
                Connection.state == ConnectionState.ACTIVE,
                Calendar.is_selected,
                ~Calendar.watch_refused,
                ~is_watched,
            )
        ).scalar_one()

    def without_mark(self, mark: str, *, now: datetime) -> tuple[int, datetime | None]:
        """Return how many live channels another key signed, and when the last ends.

        The ids of those that this key signed end in `mark`.
        """
        others = _live_without(mark, now)
        query = select(func.count(Channel.id), func.max(Channel.expires_at))
        count, until = self._session.execute(query.where(*others)).one()
        return count, until

    def replace_soon(self, mark: str, *, now: datetime) -> int:
        """Have those channels replaced, unless that is under way; return how many."""
        later = func.coalesce(Channel.renew_at, Channel.expires_at) > now + _UNDER_WAY
        return self._changed(
            update(Channel).where(*_live_without(mark, now), later).values(renew_at=now)
        )

    def close_all_of(self, connection_id: int) -> None:
        """Count the channels of a connection as closed: nobody can stop them now."""
        theirs = select(Calendar.id).where(Calendar.connection_id == connection_id)
        self._changed(
            update(Channel)
            .where(Channel.calendar_id.in_(theirs))
            .values(state=ChannelState.CLOSED)
        )

    def expiring(self, before: datetime) -> Sequence[Channel]:
        """Return the open channels to be renewed before then, the most urgent first.

        A channel without `renew_at` is to be renewed when it expires.
        """
        due_at = func.coalesce(Channel.renew_at, Channel.expires_at)
        return self._all(
            select(Channel)
            .where(Channel.state == ChannelState.OPEN, due_at <= before)
            .order_by(due_at)
        )


def _live_without(mark: str, now: datetime) -> Sequence[ColumnElement[bool]]:
    return (
        Channel.state == ChannelState.OPEN,
        Channel.expires_at > now,
        not_(Channel.id.endswith(mark, autoescape=True)),
    )
