"""Whatever happens on both sides and in between, in the end they agree.

A state machine of users who edit, cancel, delete and revive on both sides, of messages
that are lost, doubled and out of order, and of answers that never arrive. After a poll
of everything both sides are equal, or the one conflict of a record waits for its user.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from shared.domain import errors
from shared.domain.model import Side
from shared.domain.settings import ConflictPolicy, Settings
from tests.property import edits, rewriting
from tests.property.machine import Frame

T = TypeVar("T")

MAX_RECORDS = 2
picks = st.integers(min_value=0, max_value=3)
sides = st.sampled_from(Side)
settings = st.builds(
    Settings,
    conflict_policy=st.sampled_from(ConflictPolicy),
    merge_disjoint_edits=st.booleans(),
    include_all_day=st.booleans(),
)


def one(pick: int, things: Sequence[T]) -> T:
    """Return any of these things."""
    return things[pick % len(things)]


class TwoSides(Frame):
    """One user's tasks and calendar, and what happens to them."""

    @initialize(settings=settings, bare=st.booleans(), habits=rewriting.habits)
    def begin(
        self, *, settings: Settings, bare: bool, habits: rewriting.Habits
    ) -> None:
        """Choose the settings, and how Google shows live and deleted events."""
        self.loop.settings = settings
        self.world.google.has_bare_tombstones = bare
        self.world.google.habits = habits

    @initialize(
        task=st.none() | edits.new_tasks(), event=st.none() | edits.new_events()
    )
    def begin_in_step(
        self, task: dict[str, Any] | None, event: dict[str, Any] | None
    ) -> None:
        """Have a record or two that are synced already."""
        if task is not None:
            self.make_a_task(task)
        if event is not None:
            self.make_an_event(event)
        self.rest()

    # -- what users do ------------------------------------------------------------

    @precondition(lambda self: self.made < MAX_RECORDS)
    @rule(fields=edits.new_tasks())
    def make_a_task(self, fields: dict[str, Any]) -> None:
        """Create a task in the CRM."""
        self.made += 1
        task = self.world.crm.add(owner_id="ann", **fields)
        self.note("task", task["id"])

    @precondition(lambda self: self.made < MAX_RECORDS)
    @rule(fields=edits.new_events())
    def make_an_event(self, fields: dict[str, Any]) -> None:
        """Create an event in Google."""
        self.made += 1
        event_id = f"made0in0google{self.made}"
        self.world.google.add(event_id, fields)
        self.note("event", event_id)

    @precondition(lambda self: self.world.crm.live_tasks())
    @rule(changes=st.lists(edits.task_edits(), min_size=1, max_size=2), pick=picks)
    def edit_a_task(self, changes: list[edits.Edit], pick: int) -> None:
        """Change, complete, cancel or reopen a task."""
        task = one(pick, self.world.crm.live_tasks())
        for change in changes:
            task = self.world.crm.edit(task["id"], **change(task))
        self.note("task", task["id"])

    @precondition(lambda self: self.world.google.live_events())
    @rule(changes=st.lists(edits.event_edits(), min_size=1, max_size=2), pick=picks)
    def edit_an_event(self, changes: list[edits.Edit], pick: int) -> None:
        """Change an event, or let a guest answer."""
        event = one(pick, self.world.google.live_events())
        for change in changes:
            event = self.world.google.edit(event["id"], **change(event))
        self.note("event", event["id"])

    @precondition(lambda self: self.linked())
    @rule(pick=picks, task=edits.task_edits(), event=edits.event_edits())
    def edit_both_sides(self, pick: int, task: edits.Edit, event: edits.Edit) -> None:
        """Change both records of a link before anybody looks."""
        link = one(pick, self.linked())
        at = [t["id"] for t in self.world.crm.live_tasks()].index(link.task_id)
        self.edit_a_task([task], at)
        at = [e["id"] for e in self.world.google.live_events()].index(link.event_id)
        self.edit_an_event([event], at)

    @precondition(lambda self: self.world.crm.live_tasks())
    @rule(pick=picks)
    def delete_a_task(self, pick: int) -> None:
        """Delete a task."""
        task = one(pick, self.world.crm.live_tasks())
        self.world.crm.remove(task["id"])
        self.note("task", task["id"])

    @precondition(lambda self: self.world.google.live_events())
    @rule(pick=picks)
    def delete_an_event(self, pick: int) -> None:
        """Delete an event."""
        event = one(pick, self.world.google.live_events())
        self.world.google.remove(event["id"])
        self.note("event", event["id"])

    @precondition(lambda self: self.world.google.dead_events())
    @rule(pick=picks)
    def restore_an_event(self, pick: int) -> None:
        """Take an event out of Google's bin."""
        event = one(pick, self.world.google.dead_events())
        self.world.google.edit(event["id"], status="confirmed")
        self.restored.add(event["id"])
        self.note("event", event["id"])

    @precondition(lambda self: self.conflicts())
    @rule(pick=picks, keep=sides)
    def settle_a_conflict(self, pick: int, keep: Side) -> None:
        """Choose a side of a conflict."""
        subject = one(pick, self.conflicts()).subject
        self.attempt(subject, lambda: self.loop.look(subject, keep=keep))

    @rule(settings=settings)
    def change_the_settings(self, settings: Settings) -> None:
        """Choose other settings, as an admin."""
        self.loop.settings = settings

    # -- what time does -----------------------------------------------------------

    @precondition(lambda self: self.world.has_tombstones())
    @rule(pick=picks)
    def forget(self, pick: int) -> None:
        """Let a month pass, after which deleted tasks are gone, and a deleted event."""
        self.world.wait(timedelta(days=31))
        dead = self.world.google.dead_events()
        if dead:
            self.world.google.purge(one(pick, dead)["id"])

    # -- what becomes of messages -------------------------------------------------

    @precondition(lambda self: self.queue)
    @rule(pick=picks)
    def deliver_a_message(self, pick: int) -> None:
        """Deliver any message: they keep no order."""
        self.deliver(pick)

    @precondition(lambda self: self.queue)
    @rule(pick=picks, task=edits.task_edits(), event=edits.event_edits(), side=sides)
    def edit_while_a_message_is_handled(
        self, pick: int, task: edits.Edit, event: edits.Edit, side: Side
    ) -> None:
        """Change something between the reading and the writing."""

        def meanwhile() -> None:
            if side is Side.CRM and self.world.crm.live_tasks():
                self.edit_a_task([task], pick)
            if side is Side.GOOGLE and self.world.google.live_events():
                self.edit_an_event([event], pick)

        self.deliver(pick, meanwhile)

    @precondition(lambda self: self.queue)
    @rule(pick=picks, lost=st.booleans())
    def lose_or_double_a_message(self, pick: int, *, lost: bool) -> None:
        """Deliver a message twice in the end, or never."""
        subject = one(pick, self.queue)
        if lost:
            self.queue.remove(subject)
        else:
            self.queue.append(subject)

    @precondition(lambda self: self.queue)
    @rule(side=sides, lost=st.booleans())
    def break_down(self, side: Side, *, lost: bool) -> None:
        """Let a side be down for one call, or do one write and not say so."""
        failure = errors.RemoteUnavailableError()
        if lost:
            self.remote(side).apply_then_fail(failure)
        else:
            self.remote(side).fail_next(failure)

    # -- in the end ---------------------------------------------------------------

    @rule()
    def come_to_rest(self) -> None:
        """Let all messages arrive; both sides must agree then."""
        self.rest()

    def teardown(self) -> None:
        """Come to rest after whatever happened."""
        self.rest()


TestBothSidesConverge = TwoSides.TestCase
TestBothSidesConverge.settings = hypothesis_settings(stateful_step_count=30)
