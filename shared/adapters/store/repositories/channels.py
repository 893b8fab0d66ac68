"""Queries on watch channels."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import case, func, select, update

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.states import ChannelState
from shared.adapters.store.tables import Calendar, Channel, Connection


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

    def count_open(self, organization_id: int, *, now: datetime) -> tuple[int, int]:
        """Return how many open channels are live and how many have expired."""
        expired = case((Channel.expires_at <= now, 1), else_=0)
        everything, dead = self._session.execute(
            select(func.count(Channel.id), func.coalesce(func.sum(expired), 0))
            .join(Calendar, Calendar.id == Channel.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                Connection.organization_id == organization_id,
                Channel.state == ChannelState.OPEN,
            )
        ).one()
        return everything - dead, dead

    def count_expiring(
        self, organization_id: int, *, now: datetime, before: datetime
    ) -> int:
        """Return how many live channels end before then: all should be replaced."""
        return self._session.execute(
            select(func.count(Channel.id))
            .join(Calendar, Calendar.id == Channel.calendar_id)
            .join(Connection, Connection.id == Calendar.connection_id)
            .where(
                Connection.organization_id == organization_id,
                Channel.state == ChannelState.OPEN,
                Channel.expires_at > now,
                Channel.expires_at <= before,
            )
        ).scalar_one()

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
