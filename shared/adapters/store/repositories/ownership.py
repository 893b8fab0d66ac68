"""Which rows of which tables are one user's.

A copy belongs to the user on whose calendar it is, and a link to the user whose
calendar leads it: what another user's copy leads stays, whoever is a guest of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from shared.adapters.store.states import ConflictState
from shared.adapters.store.tables import (
    ApiToken,
    Base,
    Budget,
    Calendar,
    Channel,
    Conflict,
    Connection,
    Copy,
    HeldDeletion,
    Job,
    JobItem,
    Link,
    LoginCode,
    OAuthState,
    Orphan,
    Preview,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A CRM user, and the connection if there is one, with its Google account."""

    organization_id: int
    crm_user_id: str
    connection_id: int | None = None
    google_sub: str | None = None


Column = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
Condition = Callable[[Owner], ColumnElement[bool]]
Parts = Mapping[str, tuple[type[Base], Condition]]


def calendars(owner: Owner) -> Select[int]:
    """Select the ids of the calendars of the user's connection."""
    return select(Calendar.id).where(_is(Calendar.connection_id, owner.connection_id))


def _is(column: Column, value: object) -> ColumnElement[bool]:
    """Return the condition that a column has a value; nothing has None."""
    return false() if value is None else column == value


def _is_of_user(table: type[Orphan | ApiToken | LoginCode | OAuthState]) -> Condition:
    return lambda owner: and_(
        table.organization_id == owner.organization_id,
        table.crm_user_id == owner.crm_user_id,
    )


def _is_of_connection(
    table: type[Calendar | HeldDeletion | Job | Preview],
) -> Condition:
    return lambda owner: _is(table.connection_id, owner.connection_id)


def _is_on_calendar(table: type[Channel | Copy]) -> Condition:
    return lambda owner: table.calendar_id.in_(calendars(owner))


def led(owner: Owner) -> ColumnElement[bool]:
    """Return the condition that a link is led by a calendar of the user's."""
    is_nowhere = and_(
        Link.calendar_id.is_(None),
        Link.organization_id == owner.organization_id,
        Link.task["owner_id"].as_string() == owner.crm_user_id,
    )
    return or_(Link.calendar_id.in_(calendars(owner)), is_nowhere)


def _come_to(owner: Owner) -> ColumnElement[bool]:
    """Select the links of all meetings that the user comes to, whoever leads them."""
    copies = select(Copy.link_id).where(Copy.calendar_id.in_(calendars(owner)))
    led_for = and_(
        Link.organization_id == owner.organization_id,
        Link.led_for == owner.crm_user_id,
    )
    return or_(led(owner), led_for, Link.id.in_(copies))


def _in_history(of_links: Condition) -> Condition:
    """Select the lines about the user's records, and about tasks without a link."""

    def condition(owner: Owner) -> ColumnElement[bool]:
        of_task = and_(
            JobItem.organization_id == owner.organization_id,
            JobItem.crm["owner_id"].as_string() == owner.crm_user_id,
        )
        return or_(
            _is(JobItem.connection_id, owner.connection_id),
            JobItem.link_id.in_(select(Link.id).where(of_links(owner))),
            and_(JobItem.connection_id.is_(None), JobItem.link_id.is_(None), of_task),
        )

    return condition


def _contested(owner: Owner) -> ColumnElement[bool]:
    mine = and_(
        Conflict.organization_id == owner.organization_id,
        Conflict.crm_user_id == owner.crm_user_id,
    )
    return or_(mine, Conflict.link_id.in_(select(Link.id).where(led(owner))))


def _over(owner: Owner) -> ColumnElement[bool]:
    """Leave out open conflicts about meetings that another user leads: they stay."""
    of_links = Conflict.link_id.in_(select(Link.id).where(led(owner)))
    is_settled = Conflict.state == ConflictState.RESOLVED
    return and_(_contested(owner), or_(of_links, is_settled))


def _spent(owner: Owner) -> ColumnElement[bool]:
    """Select what is spent of the quota of an account that nobody else connects."""
    if owner.google_sub is None:
        return false()
    others = exists().where(
        Connection.google_sub == owner.google_sub, Connection.id != owner.connection_id
    )
    named = Budget.name.startswith(f"account {owner.google_sub} of ", autoescape=True)
    return named & ~others


SHOWN: Parts = {
    "calendars": (Calendar, _is_of_connection(Calendar)),
    "links": (Link, _come_to),
    "copies": (Copy, _is_on_calendar(Copy)),
    "held_deletions": (HeldDeletion, _is_of_connection(HeldDeletion)),
    "conflicts": (Conflict, _contested),
    "jobs": (Job, _is_of_connection(Job)),
    "history": (JobItem, _in_history(_come_to)),
    "previews": (Preview, _is_of_connection(Preview)),
    "orphans": (Orphan, _is_of_user(Orphan)),
    "api_tokens": (ApiToken, _is_of_user(ApiToken)),
}
"""What a copy of a user's belongings has, but for the user, connection and letters."""

REMOVED: Parts = {
    "history": (JobItem, _in_history(led)),
    "jobs": (Job, _is_of_connection(Job)),
    "conflicts": (Conflict, _over),
    "copies": (Copy, _is_on_calendar(Copy)),
    "links": (Link, led),
    "held_deletions": (HeldDeletion, _is_of_connection(HeldDeletion)),
    "channels": (Channel, _is_on_calendar(Channel)),
    "previews": (Preview, _is_of_connection(Preview)),
    "orphans": (Orphan, _is_of_user(Orphan)),
    "api_tokens": (ApiToken, _is_of_user(ApiToken)),
    "login_codes": (LoginCode, _is_of_user(LoginCode)),
    "consents": (OAuthState, _is_of_user(OAuthState)),
    "budgets": (Budget, _spent),
}
"""What is deleted of a user before the connection, in this order."""
