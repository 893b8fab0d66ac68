"""Who looks at a page, and how it is shown to them: their menu, their time zone."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from flask import has_request_context, request
from markupsafe import Markup

from shared.adapters.store import UnitOfWork, tables
from shared.adapters.store.states import Role
from webhook_receiver.identity import Identity
from webhook_receiver.pages.labels import NOTHING

ZONE_COOKIE = "time_zone"
"""Set by a script of the page: the browser knows where its user is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the menu."""

    title: str
    path: str


_ADMIN = (
    Entry(title="Overview", path="/admin"),
    Entry(title="Sync history", path="/admin/history"),
    Entry(title="Conflicts", path="/admin/conflicts"),
    Entry(title="Users", path="/admin/users"),
    Entry(title="Sync settings", path="/admin/settings"),
    Entry(title="Setup", path="/admin/setup"),
)
_OPERATOR = (
    Entry(title="Overview", path="/admin"),
    Entry(title="Sync history", path="/admin/history"),
)
_OPERATION = (Entry(title="Dead letters", path="/admin/dead-letters"),)
_REPAIR = (
    Entry(title="Held deletions", path="/admin/held-deletions"),
    Entry(title="Orphans and duplicates", path="/admin/orphans"),
)
_HELP = (Entry(title="Troubleshooting", path="/help"),)
_OWN = (
    Entry(title="My calendar", path="/me"),
    Entry(title="My sync history", path="/me/history"),
    Entry(title="My conflicts", path="/me/conflicts"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A person who is signed in; `user` is who they are in the CRM, if they are."""

    caller: Identity
    organization: str
    user: tables.CrmUser | None

    @classmethod
    def of(cls, work: UnitOfWork, caller: Identity) -> Self:
        """Return who is calling."""
        organization = work.organizations.by_id(caller.organization_id)
        user = None
        if caller.crm_user_id is not None:
            user = work.users.of(organization.id, caller.crm_user_id)
        return cls(caller=caller, organization=organization.name, user=user)

    @property
    def name(self) -> str:
        """What they are called."""
        if self.user is not None:
            return self.user.name or self.user.email
        return self.caller.crm_user_id or self.caller.role.capitalize()

    @property
    def menu(self) -> list[tuple[str, tuple[Entry, ...]]]:
        """The headings of the menu, each with its lines."""
        parts = [("Organization", _ADMIN), ("Operation", (*_OPERATION, *_REPAIR))]
        if self.caller.role == Role.OPERATOR:
            parts = [("Organization", _OPERATOR), ("Operation", _OPERATION)]
        if self.caller.role == Role.USER:
            parts = []
        if self.caller.crm_user_id is not None:
            # An operator has nothing to settle.
            is_operator = self.caller.role == Role.OPERATOR
            parts.append(("My own", _OWN[:2] if is_operator else _OWN))
        return [*parts, ("Help", _HELP)]

    @property
    def home(self) -> str:
        """The first page of the menu."""
        if self.caller.role == Role.USER:
            return "/me"
        return self.menu[0][1][0].path

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Where the person is: as the browser says, else the CRM, else UTC."""
        said = request.cookies.get(ZONE_COOKIE) if has_request_context() else None
        for name in (said, self.user.time_zone if self.user else None):
            if name and name in _zones():
                return zoneinfo.ZoneInfo(name)
        return zoneinfo.ZoneInfo("UTC")

    def when(self, instant: datetime | str | None) -> Markup | str:
        """Return an instant in the viewer's zone, as `26 Nov 2026, 18:05`."""
        if instant is None:
            return NOTHING
        if isinstance(instant, str):
            instant = datetime.fromisoformat(instant)
        here = instant.astimezone(self.zone)
        text = f"{here.day} {here:%b %Y, %H:%M}"
        exact = instant.astimezone(UTC).isoformat(timespec="seconds")
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            exact, f"{here:%A, %H:%M:%S} {self.zone.key}", text
        )


def _zones() -> set[str]:
    if not _known_zones:
        _known_zones.update(zoneinfo.available_timezones())
    return _known_zones


_known_zones: set[str] = set()


def duration(seconds: float | None) -> str:
    """Return a span of time in words that fit its size."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
