"""A story that both simulators tell: three users, meetings they share, and series."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from shared.adapters.store import tables
from shared.adapters.store.states import LinkState
from shared.domain import mapping, model, scope
from shared.domain.settings import Settings
from tests.fakes import SimulatedAccount
from tests.property.workers_story import Story, one_of
from tests.unit.workers.machinery import PEOPLE
from tests.unit.workers.world import World
from workers.window import Window


class SimulatedStory(Story):
    """People who meet each other, once or every week."""

    names = PEOPLE

    def new_series(self, name: str, fields: dict[str, Any]) -> None:
        """Somebody makes a series."""
        self.new_event(name, fields)

    def edit_series(self, name: str, pick: int, fields: dict[str, Any]) -> None:
        """Somebody edits a whole series of theirs, or a copy of somebody else's."""
        for event in one_of(self._account(name).series(), pick):
            self.world.edit_event(event["id"], name, **fields)
            self._tell_all()

    def split_series(self, name: str, pick: int, fields: dict[str, Any]) -> None:
        """Somebody edits an occurrence of their own series, and all that follow."""
        own = [e for e in self._occurrences(name) if _is_own(e)]
        for event in one_of(own, pick):
            self.world.pass_time()
            self._account(name).split(event["id"], **fields)
            self._tell_all()

    def remove_series(self, name: str, pick: int) -> None:
        """Somebody deletes a whole series."""
        for event in one_of(self._account(name).series(), pick):
            self.world.remove_event(event["id"], name)
            self._tell_all()

    def new_event(self, name: str, fields: dict[str, Any]) -> None:
        """Somebody makes an event; its guests hear of it, too."""
        super().new_event(name, fields)
        self._tell_all()

    def edit_event(self, name: str, pick: int, fields: dict[str, Any]) -> None:
        """Somebody edits an event, or one occurrence."""
        super().edit_event(name, pick, fields)
        self._tell_all()

    def remove_event(self, name: str, pick: int) -> None:
        """Somebody deletes an event, or cancels one occurrence."""
        super().remove_event(name, pick)
        self._tell_all()

    def answer(self, name: str, pick: int, answer: str) -> None:
        """Somebody answers an invitation of theirs."""
        for event in one_of(self.world.accounts[name].live_events(), pick):
            rows = event.get("attendees", [])
            if not any(row.get("self") for row in rows):
                continue
            answers = [
                {**row, "responseStatus": answer} if row.get("self") else row
                for row in rows
            ]
            self.world.edit_event(event["id"], name, attendees=answers)
            self._tell_all()

    def change_settings(self, changes: dict[str, Any]) -> None:
        """An admin changes the settings, which starts a repair of all connections."""
        self.world.settings(**changes)
        for name in self.names:
            self.world.repair_later(name)

    def assert_in_step(self) -> None:
        """Hold that tasks and events belong together, and are equal."""
        checked = _Check(self.world)
        checked.tasks()
        checked.events()
        checked.nothing_is_doubled()
        assert self.world.dead_letters() == []

    def assert_nothing_is_over(self) -> None:
        """Hold that no task was cancelled, nor an event by its organizer.

        Guests may have been uninvited.
        """
        over = [
            task["id"]
            for task in self.world.crm_side.live_tasks()
            if task["status"] == "cancelled"
        ]
        assert not over
        for name in self.names:
            bin_ = self.world.accounts[name].bin()
            ended = [event["id"] for event in bin_ if _is_own(event)]
            assert not ended, f"events of {name} have ended"

    def _account(self, name: str) -> SimulatedAccount:
        return cast("SimulatedAccount", self.world.accounts[name])

    def _occurrences(self, name: str) -> list[model.Document]:
        events = self.world.accounts[name].live_events()
        return [event for event in events if "recurringEventId" in event]

    def _tell_all(self) -> None:
        for name in self.names:
            self.world.calendar_changed(name)


def _is_own(event: model.Document) -> bool:
    """Tell whether the account's user organizes an event; a bare tombstone is not."""
    return bool(event.get("organizer", {}).get("self"))


class _Check:
    """The end of a story, seen from outside."""

    def __init__(self, world: World) -> None:
        self._world = world
        with world.store.read() as work:
            organization = work.organizations.by_id(world.organization.id)
            self._settings = Settings.from_document(organization.settings)
            users = work.users.matching(organization.id, ids=PEOPLE, addresses=())
        self._directory = mapping.Directory.of(users)
        self._window = Window.around(world.clock.now(), self._settings)

    def tasks(self) -> None:
        """Hold that every task in scope has a live event that is equal to it."""
        for task in self._open_tasks():
            if scope.why_out_of_scope(task, self._settings) is not None:
                continue
            link = self._link_of_task(task)
            assert link is not None, f"{task.id} has no link"
            if link.state in {LinkState.CONFLICT, LinkState.DETACHED}:
                continue
            event = self._event_of(link)
            assert event is not None, f"{task.id} has no event"
            self._assert_equal(task, event, link)

    def events(self) -> None:
        """Hold that every event inside the window has one task, or a reason why not."""
        for name in PEOPLE:
            for event in self._events(name):
                if self._is_to_have_a_task(event):
                    link = self._link_of_event(event)
                    assert link is not None, f"{event.id} of {name} has no link"

    def nothing_is_doubled(self) -> None:
        """Hold that no meeting has two open tasks."""
        named = Counter(
            task.google_event_id for task in self._open_tasks() if task.google_event_id
        )
        assert not [event_id for event_id, times in named.items() if times > 1]

    def _open_tasks(self) -> Iterator[model.Task]:
        for document in self._world.crm_side.live_tasks():
            task = mapping.task_from_document(document)
            if task.status is not model.TaskStatus.CANCELLED:
                yield task

    def _events(self, name: str) -> Iterator[model.Event]:
        for document in self._world.accounts[name].live_events():
            event = mapping.event_from_document(document, calendar_zone="UTC")
            if event.when is not None and self._window.has(event.when):
                yield event

    def _is_to_have_a_task(self, event: model.Event) -> bool:
        is_imported = scope.why_not_imported(event, self._settings) is None
        return is_imported and not self._is_the_guests_alone(event)

    def _is_the_guests_alone(self, event: model.Event) -> bool:
        """Tell whether only a guest has it, who gave the own copy other occurrences.

        Such an edit stays on that copy (fact 123), and the organizer's leads. Of what
        the organizer has, or has cancelled, this is not said.
        """
        for name in PEOPLE:
            if event.organizer == f"{name}@gmail.com" and not event.is_organizer:
                account = cast("SimulatedAccount", self._world.accounts[name])
                return event.id not in account.ids()
        return False

    def _link_of_task(self, task: model.Task) -> tables.Link | None:
        with self._world.store.read() as work:
            return work.links.of_task(self._world.organization.id, task.id)

    def _link_of_event(self, event: model.Event) -> tables.Link | None:
        start = event.original_start or ""
        with self._world.store.read() as work:
            return work.links.of_ical(
                self._world.organization.id, event.ical_uid or "", start
            )

    def _event_of(self, link: tables.Link) -> model.Event | None:
        with self._world.store.read() as work:
            calendar = work.calendars.by_id(link.calendar_id)
            connection = work.connections.by_id(calendar.connection_id)
        account = self._world.accounts[connection.crm_user_id]
        document = account.event(link.event_id or "")
        event = mapping.event_from_document(document, calendar_zone="UTC")
        return None if event.is_cancelled else event

    def _assert_equal(
        self, task: model.Task, event: model.Event, link: tables.Link
    ) -> None:
        one = mapping.meeting_of_task(
            task,
            directory=self._directory,
            settings=self._settings,
            own=mapping.own_addresses(event, directory=self._directory),
        )
        other = mapping.meeting_of_event(
            event, directory=self._directory, owner_id=task.owner_id
        )
        assert one is not None
        assert other is not None
        differing = mapping.changed_fields(one, other)
        assert not differing, f"{task.id} and {link.event_id} differ in {differing}"
