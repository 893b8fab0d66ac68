"""Queries on calendars and their pull counters."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, or_, select, update

from shared.adapters.store.repositories.repository import Repository
from shared.adapters.store.states import ConnectionState
from shared.adapters.store.tables import Calendar, Connection, Organization


class Calendars(Repository[Calendar]):
    """Queries on calendars."""

    table = Calendar

    def of(
        self, connection_id: int, google_sub: str, google_calendar_id: str
    ) -> Calendar | None:
        """Return a calendar of a Google account."""
        return self._one(
            select(Calendar).where(
                Calendar.connection_id == connection_id,
                Calendar.google_sub == google_sub,
                Calendar.google_calendar_id == google_calendar_id,
            )
        )

    def of_account(self, connection_id: int, google_sub: str) -> Sequence[Calendar]:
        """Return the calendars of a Google account, the primary one first."""
        return self._all(
            select(Calendar)
            .where(
                Calendar.connection_id == connection_id,
                Calendar.google_sub == google_sub,
            )
            .order_by(Calendar.is_primary.desc(), Calendar.summary, Calendar.id)
        )

    def with_owners(
        self, calendar_id: int | None
    ) -> tuple[Calendar, Connection, Organization]:
        """Return a calendar, its connection and their organization.

        Raises `LookupError` if there is none.
        """
        mine = {"calendar_id": calendar_id}
        found = self._session.execute(_WITH_OWNERS, mine).one_or_none()
        calendar, connection, organization = self._there(found, calendar_id)
        return calendar, connection, organization

    def selected_of(self, connection_id: int) -> Calendar | None:
        """Return the calendar that a connection syncs."""
        return self._one(
            select(Calendar).where(
                Calendar.connection_id == connection_id, Calendar.is_selected
            )
        )

    def selected_among(self, connection_ids: Collection[int]) -> dict[int, Calendar]:
        """Return the calendars that these connections sync, by connection."""
        theirs = Calendar.connection_id.in_(connection_ids)
        found = self._all(select(Calendar).where(theirs, Calendar.is_selected))
        return {calendar.connection_id: calendar for calendar in found}

    def select(self, calendar: Calendar) -> None:
        """Make this the one calendar that its connection syncs."""
        for row in self._all(
            select(Calendar).where(Calendar.connection_id == calendar.connection_id)
        ):
            row.is_selected = row.id == calendar.id
        self._session.flush()

    def select_none(self, connection_id: int) -> None:
        """Sync no calendar of this connection until one is selected."""
        mine = Calendar.connection_id == connection_id
        self._changed(update(Calendar).where(mine).values(is_selected=False))

    # -- pulls --------------------------------------------------------------------

    def request(self, calendar_id: int) -> int:
        """Wish for a pull; return the number of this wish.

        A pull that begins after it grants it: see `counters` and `mark_done`.
        """
        mine = {"calendar_id": calendar_id}
        raised: int = self._session.execute(_REQUEST, mine).scalar_one()
        return raised

    def counters(self, calendar_id: int) -> tuple[int, int]:
        """Return (requested, done) as they are now: equal when no wish is open."""
        query = select(Calendar.requested, Calendar.done)
        row = self._session.execute(query.where(Calendar.id == calendar_id)).one()
        return row.requested, row.done

    def mark_done(self, calendar_id: int, upto: int) -> None:
        """Note that a pull which began when `upto` was requested is complete."""
        self._changed(_MARK_DONE, calendar_id=calendar_id, upto=upto)

    # -- polls --------------------------------------------------------------------

    def active(self) -> Sequence[Calendar]:
        """Return the selected calendars of active connections."""
        return self._all(_ACTIVE)

    def due_for_poll(self, before: datetime) -> Sequence[Calendar]:
        """Return those of `active` whose last poll began not after `before`."""
        return self._all(_ACTIVE.where(_polled_by(before)))

    def claim_poll(self, calendar_id: int, *, now: datetime, before: datetime) -> bool:
        """Stamp a poll as begun now, if the last began not after `before`.

        Returns False when it is not due, or another process was faster.
        """
        claim = update(Calendar).where(Calendar.id == calendar_id, _polled_by(before))
        return self._changed(claim.values(polled_at=now)) > 0

    # -- windows ------------------------------------------------------------------

    def due_to_move_on(self, before: datetime) -> Sequence[Calendar]:
        """Return those of `active` whose window last moved not after `before`."""
        return self._all(_ACTIVE.where(Calendar.moved_on_at <= before))

    def claim_move(self, calendar_id: int, *, now: datetime, before: datetime) -> bool:
        """Stamp a move of the window as begun now, if the last was not after `before`.

        Returns False when it is not due, or another process was faster.
        """
        claim = update(Calendar).where(
            Calendar.id == calendar_id, Calendar.moved_on_at <= before
        )
        return self._changed(claim.values(moved_on_at=now)) > 0


_WITH_OWNERS = (
    select(Calendar, Connection, Organization)
    .join(Connection, Connection.id == Calendar.connection_id)
    .join(Organization, Organization.id == Connection.organization_id)
    .where(Calendar.id == bindparam("calendar_id"))
)

# Nobody reads the counters off a row that was loaded before.
_COUNT = update(Calendar).execution_options(synchronize_session=False)

_REQUEST = (
    _COUNT.where(Calendar.id == bindparam("calendar_id"))
    .values(requested=Calendar.requested + 1)
    .returning(Calendar.requested)
)

_MARK_DONE = _COUNT.where(
    Calendar.id == bindparam("calendar_id"), Calendar.done < bindparam("upto")
).values(done=bindparam("upto"))

_ACTIVE = (
    select(Calendar)
    .join(Connection, Connection.id == Calendar.connection_id)
    .where(Calendar.is_selected, Connection.state == ConnectionState.ACTIVE)
    .order_by(Calendar.id)
)


def _polled_by(before: datetime) -> ColumnElement[bool]:
    return or_(Calendar.polled_at.is_(None), Calendar.polled_at <= before)
