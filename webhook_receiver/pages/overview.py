"""The overview: whether everything is healthy, at one glance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from flask import g, render_template
from flask.typing import ResponseReturnValue

from shared.adapters.store.states import ConnectionState, Role
from webhook_receiver import identity
from webhook_receiver.api.health import Health, HealthDocument, HourDocument
from webhook_receiver.pages.charts import Bar, Chart
from webhook_receiver.pages.confirming import counted
from webhook_receiver.pages.labels import QUEUES
from webhook_receiver.pages.routes import OPERATION, PageRoutes
from webhook_receiver.services import Services

DAY, WEEK = 24, 7 * 24
_SERIES = ("To Google", "To the CRM", "Failed")
_SIX_HOURS = 6

LONG_QUEUE = 500
"""More than this waits longer than a person does."""

MISSES = 0.05
"""The share of changes that pushes may miss before somebody should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Something that needs attention, and the page that mends it.

    `path` is None for whoever may not open that page.
    """

    text: str
    path: str | None = None
    tone: Literal["bad", "warn"] = "warn"


class Overview:
    """Shows what `api.health` answers."""

    def __init__(self, services: Services) -> None:
        """Take the health."""
        self._health = Health(services)

    def register(self, routes: PageRoutes) -> None:
        """Add the page."""
        routes.show("/admin", self.overview, roles=OPERATION)

    def overview(self) -> ResponseReturnValue:
        """Tell whether everything is healthy."""
        health = self._health.read_health()
        hours = self._health.read_activity().hours
        is_admin = identity.caller().role == Role.ADMIN
        concerns = [*_of_machinery(health), *_of_people(health)]
        if not is_admin:
            concerns = [_without_door(each) for each in concerns]
        return render_template(
            "overview.html",
            health=health,
            concerns=concerns,
            is_admin=is_admin,
            queues=QUEUES,
            states=[state for state in ConnectionState if state in health.connections],
            connected=sum(health.connections.values()),
            miss_rate=_miss_rate(health),
            charts=[_of_day(hours[-DAY:]), _of_week(hours)],
        )


def _of_machinery(health: HealthDocument) -> Iterator[Concern]:
    if health.queues is None:
        yield Concern(
            text="The broker does not answer: changes are not carried at present",
            tone="bad",
        )
    waiting = max((health.queues or {}).values(), default=0)
    if waiting > LONG_QUEUE:
        text = f"{waiting} messages wait in one queue: changes arrive late"
        yield Concern(text=text)
    if health.dead_letters:
        text = counted(health.dead_letters, "message") + " failed for good"
        yield Concern(text=text, path="/admin/dead-letters", tone="bad")
    if health.recent.errors:
        text = counted(health.recent.errors, "record") + " failed in the last hour"
        yield Concern(text=text, path="/admin/history?has_errors=true", tone="bad")
    if health.channels.expired:
        number = counted(health.channels.expired, "channel")
        text = f"{number} from Google expired: changes are found by polls until renewed"
        yield Concern(text=text, path="/admin/users")
    if (rate := _miss_rate(health)) is not None and rate > MISSES:
        text = f"{rate:.0%} of the changes in Google were not pushed, but polled"
        yield Concern(text=text)


def _of_people(health: HealthDocument) -> Iterator[Concern]:
    stopped = {
        ConnectionState.NEEDS_REAUTHORIZATION: "must connect again",
        ConnectionState.MISSING_SCOPES: "did not give every permission",
        ConnectionState.CALENDAR_MISSING: "must choose another calendar",
    }
    for state, what in stopped.items():
        if number := health.connections.get(state, 0):
            text = f"{counted(number, 'user')} {what}"
            path = f"/admin/users?state={state}"
            yield Concern(text=text, path=path, tone="bad")
    if number := health.held_deletions:
        what = "deletion waits" if number == 1 else "deletions wait"
        text = f"{number} held {what} for your decision"
        yield Concern(text=text, path="/admin/held-deletions")
    if number := health.open_conflicts:
        text = counted(number, "conflict waits", "conflicts wait") + " for a choice"
        yield Concern(text=text, path="/admin/conflicts")


def _without_door(concern: Concern) -> Concern:
    """Return a concern for an operator, whose pages are fewer."""
    path = concern.path
    is_open = path is not None and path.startswith(_OPERATORS)
    return Concern(text=concern.text, path=path if is_open else None, tone=concern.tone)


_OPERATORS = ("/admin/history", "/admin/dead-letters")


def _miss_rate(health: HealthDocument) -> float | None:
    push = health.push
    return push.missed / push.arrived if push is not None and push.arrived else None


def _of_day(hours: Sequence[HourDocument]) -> Chart:
    bars = tuple(_bar([hour], tick="%H:%M", every=_SIX_HOURS) for hour in hours)
    return Chart(title="Changes in the last 24 hours", series=_SERIES, bars=bars)


def _of_week(hours: Sequence[HourDocument]) -> Chart:
    spans = [hours[at : at + _SIX_HOURS] for at in range(0, WEEK, _SIX_HOURS)]
    bars = tuple(_bar(span, tick="%a", every=DAY) for span in spans)
    return Chart(title="Changes in the last 7 days", series=_SERIES, bars=bars)


def _bar(hours: Sequence[HourDocument], *, tick: str, every: int) -> Bar:
    first = hours[0].at.astimezone(g.viewer.zone)
    last = (hours[-1].at + timedelta(hours=1)).astimezone(g.viewer.zone)
    ahead = -first.hour % every
    return Bar(
        label=f"{first:%a %H:%M} to {last:%H:%M}",
        tick=format(first + timedelta(hours=ahead), tick) if ahead < len(hours) else "",
        counts=(
            sum(hour.to_google for hour in hours),
            sum(hour.to_crm for hour in hours),
            sum(hour.errors for hour in hours),
        ),
    )
