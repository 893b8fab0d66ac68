"""Everybody an organization has: users of the CRM, with their connections if any."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    String,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from shared.adapters.store.states import ConnectionState
from shared.adapters.store.tables import Connection, CrmUser
from shared.domain.access import Problem

NOT_CONNECTED = ConnectionState.DISCONNECTED
"""Whoever never had a connection counts among those whose connection has ended."""

_RANKS = {
    ConnectionState.NEEDS_REAUTHORIZATION: 0,
    ConnectionState.MISSING_SCOPES: 1,
    ConnectionState.CALENDAR_MISSING: 2,
    ConnectionState.PAUSED: 3,
    ConnectionState.ACTIVE: 4,
    ConnectionState.DISCONNECTED: 5,
}
"""Who has to do something comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A user of the CRM, or who was one and is still connected (`email` is None)."""

    crm_user_id: str
    name: str | None
    email: str | None
    is_active: bool
    """In the CRM."""
    connection_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom to list; what is None does not matter."""

    search: str | None = None
    """Part of a name, an id, or an address on either side."""
    state: ConnectionState | None = None
    needs_attention: bool | None = None


class Roster:
    """Queries on the people of an organization."""

    def __init__(self, session: Session) -> None:
        """Take the session of the unit of work."""
        self._session = session

    def page(
        self, organization_id: int, wanted: Wanted, *, limit: int, skip: int = 0
    ) -> list[Seat]:
        """Return people in the order in which they need somebody's attention."""
        people = _people(organization_id)
        who = people.c
        query = (
            select(who.user_id, who.name, who.email, who.active, who.connection_id)
            .where(*_conditions(people, wanted))
            .order_by(who.rank, func.lower(who.called), who.user_id)
            .limit(limit)
            .offset(skip)
        )
        return [
            Seat(
                crm_user_id=user_id,
                name=name,
                email=email,
                is_active=bool(active),
                connection_id=connection_id,
            )
            for user_id, name, email, active, connection_id in self._session.execute(
                query
            )
        ]

    def count(self, organization_id: int, wanted: Wanted) -> int:
        """Return how many `page` would list in all."""
        people = _people(organization_id)
        query = select(func.count()).select_from(people)
        return self._session.execute(
            query.where(*_conditions(people, wanted))
        ).scalar_one()


def _people(organization_id: int) -> Subquery:
    theirs = and_(
        Connection.organization_id == CrmUser.organization_id,
        Connection.crm_user_id == CrmUser.user_id,
    )
    state = func.coalesce(Connection.state, NOT_CONNECTED.value)
    users = (
        select(
            CrmUser.user_id.label("user_id"),
            CrmUser.name.label("name"),
            CrmUser.email.label("email"),
            CrmUser.active.label("active"),
            func.coalesce(CrmUser.name, CrmUser.email).label("called"),
            Connection.id.label("connection_id"),
            Connection.google_address.label("google_address"),
            Connection.problem.label("problem"),
            state.label("state"),
            _rank(state).label("rank"),
        )
        .outerjoin(Connection, theirs)
        .where(CrmUser.organization_id == organization_id)
    )
    return union_all(users, _gone(organization_id)).subquery()


def _gone(organization_id: int) -> Select[*tuple[Any, ...]]:
    """Select those whom the CRM does not list any more, while they are connected."""
    known = select(CrmUser.user_id).where(CrmUser.organization_id == organization_id)
    nothing = cast(null(), String)
    return select(
        Connection.crm_user_id,
        nothing,
        nothing,
        false(),
        Connection.crm_user_id,
        Connection.id,
        Connection.google_address,
        Connection.problem,
        Connection.state,
        _rank(Connection.state),
    ).where(
        Connection.organization_id == organization_id,
        Connection.state != NOT_CONNECTED,
        Connection.crm_user_id.not_in(known),
    )


def _rank(state: SQLColumnExpression[str]) -> ColumnElement[int]:
    return case(*[(state == each, rank) for each, rank in _RANKS.items()], else_=9)


def _conditions(people: Subquery, wanted: Wanted) -> list[ColumnElement[bool]]:
    who = people.c
    found: list[ColumnElement[bool]] = []
    if wanted.search:
        places = (who.name, who.email, who.google_address, who.user_id)
        text = wanted.search
        found.append(or_(*[each.icontains(text, autoescape=True) for each in places]))
    if wanted.state is not None:
        found.append(who.state == wanted.state)
    if wanted.needs_attention is not None:
        waits = func.coalesce(who.problem, "") == Problem.NOT_STARTED
        is_paused_by_google = and_(
            who.state == ConnectionState.PAUSED, who.problem.is_not(None), ~waits
        )
        is_stopped = or_(who.rank < _RANKS[ConnectionState.PAUSED], is_paused_by_google)
        found.append(is_stopped if wanted.needs_attention else ~is_stopped)
    return found
