"""What a change of the settings brings about, before it is made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from shared.adapters.store import UnitOfWork
from shared.adapters.store.states import ConnectionState
from shared.domain.settings import Frequency, Settings
from webhook_receiver.pages.confirming import counted

FREQUENCIES: Mapping[Frequency, str] = {
    Frequency.REALTIME: "Real-time",
    Frequency.QUARTER_HOURLY: "Every 15 minutes",
    Frequency.HOURLY: "Hourly",
    Frequency.MANUAL: "Manual",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much a change would concern.

    `made` and `made_all_day` count the events that we made, `made` by type of task.
    """

    connected: int
    channels: int
    made: Mapping[str, int]
    made_all_day: int

    @classmethod
    def of(cls, work: UnitOfWork, organization_id: int) -> Self:
        """Count what there is in an organization."""
        states = work.connections.count_by_state(organization_id)
        return cls(
            connected=states.get(ConnectionState.ACTIVE, 0),
            channels=len(work.channels.watched_of(organization_id)),
            made=work.links.count_made(organization_id),
            made_all_day=work.links.count_made_all_day(organization_id),
        )


def of_change(old: Settings, new: Settings, extent: Extent) -> list[str]:
    """Return a sentence for everything large that a change would bring about."""
    return [
        *_of_types(old, new, extent),
        *_of_days(old, new, extent),
        *_of_private_events(old, new, extent),
        *_of_windows(old, new, extent),
        *_of_frequency(old, new, extent),
    ]


def _of_types(old: Settings, new: Settings, extent: Extent) -> Iterator[str]:
    users = _users(extent)
    for name in new.task_types:
        if new.is_synced(name) and not old.is_synced(name):
            yield (
                f"Switching on {name} brings the tasks of that type into the calendars "
                f"of {users}: those due from {new.window_past_days} days ago to "
                f"{new.window_future_days} days ahead."
            )
        if old.is_synced(name) and not new.is_synced(name):
            yield (
                f"Switching off {name} removes the events that we made for "
                f"{counted(extent.made.get(name, 0), 'task')} of that type, without "
                "mail to guests. The tasks stay, and so do events made in Google."
            )


def _of_days(old: Settings, new: Settings, extent: Extent) -> Iterator[str]:
    if new.include_all_day and not old.include_all_day:
        yield (
            "Including all-day events brings them in from the calendars of "
            f"{_users(extent)}, and puts tasks with a due date there."
        )
    if old.include_all_day and not new.include_all_day:
        yield (
            "Leaving out all-day events removes those that we made for "
            f"{counted(extent.made_all_day, 'task')}, without mail to guests. "
            "The tasks stay, and so do events made in Google."
        )


def _of_private_events(old: Settings, new: Settings, extent: Extent) -> Iterator[str]:
    if new.import_private_events and not old.import_private_events:
        yield (
            f"Private events of {_users(extent)} become tasks that show the time they "
            "are at, without title or other details."
        )
    if old.import_private_events and not new.import_private_events:
        yield (
            "Private events do not become tasks any more. Tasks that were made of "
            "private events stay."
        )


def _of_windows(old: Settings, new: Settings, extent: Extent) -> Iterator[str]:
    for then, now, where in (
        (old.window_past_days, new.window_past_days, "back"),
        (old.window_future_days, new.window_future_days, "ahead"),
    ):
        if now > then:
            yield (
                f"Meetings {now} instead of {then} days {where} are brought in step "
                f"for {_users(extent)}."
            )
        if now < then:
            yield (
                f"Meetings more than {now} days {where} (so far {then}) are left as "
                "they are until somebody edits them."
            )


def _of_frequency(old: Settings, new: Settings, extent: Extent) -> Iterator[str]:
    if old.frequency is new.frequency:
        return
    turn = f"{FREQUENCIES[old.frequency]} to {FREQUENCIES[new.frequency].lower()}"
    if new.frequency is Frequency.REALTIME:
        yield (
            f"{turn}: what waited is synced at once for {_users(extent)}, and their "
            "calendars are watched."
        )
        return
    waits = (
        "Changes wait until somebody presses “Sync now”."
        if new.frequency is Frequency.MANUAL
        else "Changes wait for the next run."
    )
    closed = ""
    if old.frequency is Frequency.REALTIME:
        are = "is" if extent.channels == 1 else "are"
        closed = f"{counted(extent.channels, 'watch channel')} {are} closed. "
    yield f"{turn}: {closed}{waits}"


def _users(extent: Extent) -> str:
    return counted(extent.connected, "connected user")
