"""What happens to the workers in a story, and what must be true at its end."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from shared.adapters.store.states import ConflictState, LinkState
from shared.domain import errors, mapping, messages, model, scope
from shared.domain.settings import Settings
from tests.unit.workers.machinery import Killed
from tests.unit.workers.world import World
from workers.guests import HELD_GUESTS_WAIT

T = TypeVar("T")

WRITES = {"insert_event", "patch_event", "delete_event", "create_task", "update_task"}
EXTERNAL = (messages.TaskChanged, messages.ChannelNotified)
"""The messages that may be lost: everything else is ours to keep."""
CONNECTED = ("ann", "ben")
MAX_FAULTS = 4
"""Fewer than the attempts that a message has."""


class Story:
    """People, remotes and workers, each doing one thing at a time."""

    names: Sequence[str] = CONNECTED

    def __init__(self, world: World) -> None:
        """Begin with connected users and nothing to do."""
        self.world = world
        self._faults = 0
        self._events = 0
        self._restored: set[str] = set()

    # -- the CRM ------------------------------------------------------------------

    def new_task(self, fields: dict[str, Any]) -> None:
        """Somebody makes a task."""
        self._tick()
        self.world.add_task(**fields)

    def edit_task(self, pick: int, fields: dict[str, Any]) -> None:
        """Somebody edits a task."""
        for task in one_of(self.world.crm_side.live_tasks(), pick):
            self.world.edit_task(task["id"], **fields)

    def remove_task(self, pick: int) -> None:
        """Somebody deletes a task."""
        for task in one_of(self.world.crm_side.live_tasks(), pick):
            self.world.remove_task(task["id"])

    # -- Google -------------------------------------------------------------------

    def new_event(self, name: str, fields: dict[str, Any]) -> None:
        """Somebody makes an event."""
        self._tick()
        self._events += 1
        self.world.add_event(f"event{self._events}", name, **fields)

    def edit_event(self, name: str, pick: int, fields: dict[str, Any]) -> None:
        """Somebody edits an event."""
        for event in one_of(self.world.accounts[name].live_events(), pick):
            self.world.edit_event(event["id"], name, **fields)

    def answer(self, name: str, pick: int, answer: str) -> None:
        """The guests of an event answer."""
        for event in one_of(self.world.accounts[name].live_events(), pick):
            rows = event.get("attendees", [])
            answers = [{**row, "responseStatus": answer} for row in rows]
            self.world.edit_event(event["id"], name, attendees=answers)

    def remove_event(self, name: str, pick: int) -> None:
        """Somebody deletes an event."""
        for event in one_of(self.world.accounts[name].live_events(), pick):
            self.world.remove_event(event["id"], name)

    def restore_event(self, name: str, pick: int) -> None:
        """Somebody takes an event out of the bin."""
        for event in one_of(self.world.accounts[name].bin(), pick):
            self._restored.add(event["id"])
            self.world.edit_event(event["id"], name, status="confirmed")

    def purge_event(self, name: str, pick: int) -> None:
        """Google forgets an event that was deleted, weeks after it said so."""
        forgettable = [
            event
            for event in self.world.accounts[name].bin()
            if self._has_been_told(name, event["id"])
        ]
        for event in one_of(forgettable, pick):
            self.world.accounts[name].purge(event["id"])

    # -- the messages -------------------------------------------------------------

    def work(self, count: int, pick: int) -> None:
        """Some messages are handled, in some order."""
        for _ in range(count):
            try:
                self.world.broker.hand_over(self.world.dispatcher, lambda _: pick)
            except Killed:
                return

    def lose(self, pick: int) -> None:
        """A webhook or a notification is lost."""
        self.world.broker.lose_one(EXTERNAL, pick)

    def double(self, pick: int) -> None:
        """A message comes twice."""
        self.world.broker.double(pick)

    def wait(self, minutes: int) -> None:
        """Time passes, and the timers go off."""
        self.world.pass_time(timedelta(minutes=minutes))
        self.world.periodic.round()

    # -- faults -------------------------------------------------------------------

    def fail(self, call: str, how: str) -> None:
        """The next call of a kind fails once, before or after it was carried out."""
        if self._faults == MAX_FAULTS:
            return
        self._faults += 1
        is_task = call.endswith("_task")
        sides = [self.world.crm_side] if is_task else self.world.accounts.values()
        for side in sides:
            match how:
                case "refused":
                    side.fail_next(errors.RemoteUnavailableError(), on=call)
                case "unheard":
                    side.apply_then_fail(errors.RemoteUnavailableError(), on=call)
                case "killed":
                    side.fail_next(Killed(), on=call)
                case _:
                    side.apply_then_fail(Killed(), on=call)

    def limit_invitations(self, are_limited: bool) -> None:  # noqa: FBT001 - drawn
        """Google lets nobody invite guests for now, or lets them again."""
        for account in self.world.accounts.values():
            account.invites_nobody = are_limited

    # -- the end ------------------------------------------------------------------

    def end(self) -> None:
        """Let the faults stop, both sides be polled, and everything settle."""
        for remote in (self.world.crm_side, *self.world.accounts.values()):
            remote.work_again()
        self.limit_invitations(are_limited=False)
        self.world.settle(patience=timedelta(hours=2))
        self.world.pass_time(HELD_GUESTS_WAIT)
        for _ in range(2):
            self.world.poll()
            self.world.settle(patience=timedelta(hours=2))
        assert self.world.broker.waiting() == []

    def assert_at_rest(self) -> None:
        """Hold that nothing is written any more, whatever is looked at again."""
        self.world.forget_calls()
        for task in self.world.crm_side.live_tasks():
            due = messages.TaskDue(
                organization_id=self.world.organization.id, task_id=task["id"]
            )
            self.world.queue(messages.Queue.RECORDS, due)
        for name in self.names:
            self.world.calendar_changed(name)
        self.world.poll()
        calls = {*self.world.crm_side.calls}
        for account in self.world.accounts.values():
            calls.update(account.calls)
        assert not calls & WRITES

    def assert_in_step(self) -> None:
        """Hold that each task has the one event that it should have, and is equal."""
        checked = _Check(self.world, self._restored)
        checked.tasks()
        checked.events()
        assert self.world.dead_letters() == []

    def _has_been_told(self, name: str, event_id: str) -> bool:
        """Tell whether a list, or our own write, has shown the end of an event."""
        calendar = self.world.calendar(name)
        with self.world.store.read() as work:
            copy = work.copies.of(calendar.id, event_id)
        return copy is not None and copy.document["status"] == "cancelled"

    def _tick(self) -> None:
        self.world.pass_time()


def one_of(things: Iterable[T], pick: int) -> list[T]:
    """Return one of some things, if there are any."""
    found = list(things)
    return [found[pick % len(found)]] if found else []


class _Check:
    """The end of a story, seen from outside."""

    def __init__(self, world: World, restored: set[str]) -> None:
        self._world = world
        self._restored = restored
        with world.store.read() as work:
            organization = work.organizations.by_id(world.organization.id)
            self._settings = Settings.from_document(organization.settings)
            names = [user.id for user in world.crm_side.users]
            users = work.users.matching(organization.id, ids=names, addresses=())
        self._directory = mapping.Directory.of(users)

    def tasks(self) -> None:
        """Hold that every live task has one event, or none if it is not to have any."""
        for document in self._world.crm_side.live_tasks():
            task = mapping.task_from_document(document)
            events = self._events_of(task)
            if model.Field.CANCELLED in self._contested(task):
                continue
            if task.status is model.TaskStatus.CANCELLED or self._is_out(task):
                made = [e for _, e in events if self._is_made_by_us(task, e)]
                assert made == [], f"{task.id} should have no event"
                continue
            assert len(events) == 1, f"{task.id} has {len(events)} events"
            ((name, event),) = events
            assert name == task.owner_id
            self._assert_equal(task, event)

    def events(self) -> None:
        """Hold that every live event has one task, or says why not."""
        for name in CONNECTED:
            for document in self._world.accounts[name].live_events():
                event = mapping.event_from_document(document, calendar_zone="UTC")
                assert self._is_accounted_for(name, event), f"{event.id} has no task"

    def _is_accounted_for(self, name: str, event: model.Event) -> bool:
        with self._world.store.read() as work:
            calendar = self._world.calendar(name)
            link = work.links.of_event(calendar.id, event.id)
        return link is not None and link.state in {
            LinkState.ACTIVE,
            LinkState.CONFLICT,
            LinkState.DETACHED,
        }

    def _is_out(self, task: model.Task) -> bool:
        reason = scope.why_out_of_scope(task, self._settings)
        return reason is not None or task.owner_id not in CONNECTED

    def _is_made_by_us(self, task: model.Task, event: model.Event) -> bool:
        link = self._link(task)
        made = link is None or link.origin == model.Side.CRM
        return made and event.id not in self._restored

    def _events_of(self, task: model.Task) -> list[tuple[str, model.Event]]:
        link = self._link(task)
        found = []
        for name in CONNECTED:
            for document in self._world.accounts[name].live_events():
                event = mapping.event_from_document(document, calendar_zone="UTC")
                is_linked = link is not None and link.event_id == event.id
                if is_linked or event.task_id == task.id:
                    found.append((name, event))
        return found

    def _link(self, task: model.Task) -> Any:  # noqa: ANN401 - a row, or none
        with self._world.store.read() as work:
            return work.links.of_task(self._world.organization.id, task.id)

    def _assert_equal(self, task: model.Task, event: model.Event) -> None:
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
        if differing:
            # With disjoint edits merged, it is about some of the differences only.
            contested = self._contested(task)
            assert contested, f"{task.id} differs in {sorted(differing)}"
            assert contested <= differing
            return
        answers = mapping.responses_of_event(event, directory=self._directory)
        for guest in task.attendees:
            if guest.email in other.attendees:
                assert guest.response == answers[guest.email]

    def _contested(self, task: model.Task) -> set[str]:
        """Return the fields of the one conflict of a task that waits for its user."""
        link = self._link(task)
        conflicts = [
            conflict
            for conflict in self._world.conflicts()
            if link is not None
            and conflict.link_id == link.id
            and conflict.state == ConflictState.OPEN
        ]
        assert len(conflicts) <= 1
        assert bool(conflicts) == (
            link is not None and link.state == LinkState.CONFLICT
        )
        return {field for conflict in conflicts for field in conflict.fields}
