"""A store to try things out in: what one connection's sync knows, thrown away after.

Its rows have the ids that they have in the origin. No secret is copied.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, func, insert, or_, select, text
from sqlalchemy.orm import Session

from shared.adapters.store import faults, sealed
from shared.adapters.store.store import Store
from shared.adapters.store.tables import (
    Base,
    Calendar,
    Conflict,
    Connection,
    Copy,
    CrmUser,
    HeldDeletion,
    JobItem,
    Link,
    Organization,
)

Values = dict[str, Any]

_LAST_LINK_OF_ORIGIN = 2**40
"""Links that are made in a scratch store get ids beyond any of the origin's."""

_MOST_AT_ONCE = 500
"""So many values a query names at most."""


class Scratch:
    """A SQLite file in `folder`, and the origin that its rows come from.

    Everything raises `RemoteUnavailableError` when one of the two cannot be used.
    """

    def __init__(self, origin: Store, connection: Connection, folder: Path) -> None:
        """Copy the parties of the connection's organization, and its own links."""
        self._origin = origin
        self._organization_id = connection.organization_id
        self._brought: set[int] = set()
        self.store = origin.beside(f"sqlite:///{folder / 'scratch.db'}")
        with faults.mapped():
            Base.metadata.create_all(self.store.engine)
        with self._both() as (here, there):
            self._copy_parties(here, there)
            own = select(Calendar.id).where(Calendar.connection_id == connection.id)
            self._own_calendars = set(there.scalars(own))
            self._bring_own_links(here, there)

    def bring(
        self,
        *,
        task_ids: Iterable[str],
        event_ids: Iterable[str],
        ical_uids: Iterable[str],
    ) -> None:
        """Copy what the origin knows of these records by now, unless it is here."""
        names = (
            (Link.task_id, task_ids),
            (Link.event_id, event_ids),
            (Link.ical_uid, ical_uids),
        )
        with self._both() as (here, there):
            for column, wanted in names:
                for some in _some(sorted(set(wanted))):
                    self._bring_links(here, there, column.in_(some))

    def count_linked(self) -> int:
        """Return how many links were made here between records that were there."""
        made_one = JobItem.action.like("%create%")
        creating = select(JobItem.id).where(JobItem.link_id == Link.id, made_one)
        is_new = Link.id > _LAST_LINK_OF_ORIGIN
        has_both = Link.task_id.is_not(None) & Link.event_id.is_not(None)
        query = select(func.count(Link.id)).where(is_new, has_both, ~creating.exists())
        with faults.mapped(), Session(self.store.reader) as here:
            return here.execute(query).scalar_one()

    @contextmanager
    def _both(self) -> Iterator[tuple[Session, Session]]:
        """Open a session that writes here, and one that reads the origin."""
        with (
            faults.mapped(),
            Session(self.store.engine) as here,
            Session(self._origin.reader) as there,
        ):
            yield here, there
            here.commit()

    def _copy_parties(self, here: Session, there: Session) -> None:
        mine = self._organization_id
        connections = select(Connection.id).where(Connection.organization_id == mine)
        _copy(here, there, Organization, Organization.id == mine)
        _copy(here, there, CrmUser, CrmUser.organization_id == mine)
        _copy(here, there, Connection, Connection.organization_id == mine)
        _copy(here, there, Calendar, Calendar.connection_id.in_(connections))
        counted = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('links', :seq)")
        here.execute(counted, {"seq": _LAST_LINK_OF_ORIGIN})

    def _bring_own_links(self, here: Session, there: Session) -> None:
        own = self._own_calendars
        copied = select(Copy.link_id).where(Copy.calendar_id.in_(own))
        known = or_(Link.calendar_id.in_(own), Link.id.in_(copied))
        self._bring_links(here, there, known)
        copies = _rows(there, Copy, Copy.calendar_id.in_(own))
        for row in copies:
            # One may still name a link that was lost.
            if row["link_id"] not in self._brought:
                row["link_id"] = None
        _insert(here, Copy, copies)

    def _bring_links(
        self, here: Session, there: Session, wanted: ColumnElement[bool]
    ) -> None:
        mine = Link.organization_id == self._organization_id
        links = [
            row
            for row in _rows(there, Link, mine, wanted)
            if row["id"] not in self._brought
        ]
        held = {row["held_deletion_id"] for row in links} - {None}
        for some in _some(sorted(held)):
            _copy(here, there, HeldDeletion, HeldDeletion.id.in_(some))
        _insert(here, Link, links)
        ids = [row["id"] for row in links]
        self._brought |= set(ids)
        for several in _some(ids):
            self._bring_what_links_have(here, there, several)

    def _bring_what_links_have(
        self, here: Session, there: Session, ids: Collection[int]
    ) -> None:
        elsewhere = Copy.calendar_id.not_in(self._own_calendars)
        copies = _rows(there, Copy, Copy.link_id.in_(ids), elsewhere)
        _insert(here, Copy, copies)
        conflicts = _rows(there, Conflict, Conflict.link_id.in_(ids))
        _insert(here, Conflict, conflicts)


def _copy(
    here: Session, there: Session, table: type[Base], *conditions: ColumnElement[bool]
) -> None:
    _insert(here, table, _rows(there, table, *conditions))


def _rows(
    there: Session, table: type[Base], *conditions: ColumnElement[bool]
) -> list[Values]:
    """Return rows without their secrets."""
    columns: Sequence[Any] = table.__table__.columns.values()
    blank = {c.name: _blank(c) for c in columns if isinstance(c.type, _SECRETS)}
    shown = [c for c in columns if c.name not in blank]
    found = there.execute(select(*shown).where(*conditions)).mappings()
    return [{**row, **blank} for row in found]


_SECRETS = (sealed.Encrypted, sealed.EncryptedJSON)


def _blank(column: Column[Any]) -> object:
    if column.nullable:
        return None
    return [] if isinstance(column.type, sealed.EncryptedJSON) else ""


def _insert(here: Session, table: type[Base], rows: Sequence[Values]) -> None:
    """Store rows, unless there are such already."""
    if table in _COUNTED_ANEW:
        rows = [{k: v for k, v in row.items() if k != "id"} for row in rows]
    if rows:
        here.execute(insert(table).prefix_with("OR IGNORE"), rows)


_COUNTED_ANEW: Collection[type[Base]] = (Copy, Conflict)
"""Nobody names these by their ids, which may be in use here."""


def _some(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(values), _MOST_AT_ONCE):
        yield values[first : first + _MOST_AT_ONCE]
