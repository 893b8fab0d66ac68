"""The frame of the state machine: its state, its messages, and what must be true."""

from collections.abc import Callable
from datetime import timedelta

from hypothesis.stateful import RuleBasedStateMachine

from shared.domain import errors, mapping, scope
from shared.domain.model import Side, TaskStatus
from shared.domain.reconcile import Half, Presence, Situation
from shared.domain.settings import ConflictPolicy, Settings
from tests.fakes import faults
from tests.property import oracle
from tests.property.links import Link, Subject
from tests.property.loop import Loop
from tests.property.oracle import Form
from tests.property.sides import World

Expected = dict[Link, Form | None]
"""What both sides of a link must be in the end; None is no meeting."""


class Frame(RuleBasedStateMachine):
    """Two sides, a loop between them, and the messages that make it look."""

    def __init__(self) -> None:
        """Begin with two empty sides and no message."""
        super().__init__()
        self.world = World()
        self.loop = Loop(self.world, Settings())
        self.queue: list[Subject] = []
        self.made = 0
        """How many records users have made."""
        self.edited: set[Subject] = set()
        """What users edited since both sides came to rest."""
        self.agreed: Expected = {}
        """What both sides of a link were then."""
        self.is_quiet = True
        """No message was handled since then."""
        self.restored: set[str] = set()
        """The events that users took out of the bin."""

    # -- messages -----------------------------------------------------------------

    def note(self, kind: str, record_id: str) -> None:
        """Take down an edit of a user's; time passes."""
        self.edited.add((kind, record_id))
        self.world.wait()
        self.notify()

    def notify(self) -> None:
        """Send the notifications about what changed, our own writes included."""
        self.queue += self.world.changes()

    def deliver(self, pick: int, meanwhile: Callable[[], None] | None = None) -> None:
        """Handle a message."""
        subject = self.queue.pop(pick % len(self.queue))
        self.attempt(subject, lambda: self.loop.look(subject, meanwhile=meanwhile))

    def attempt(self, subject: Subject, look: Callable[[], None]) -> None:
        """Look at a record; if that fails, its message comes again."""
        self.is_quiet = False
        try:
            look()
        except errors.RetryableError:
            self.queue.append(subject)
        self.world.wait(timedelta(seconds=1))
        self.notify()

    def conflicts(self) -> list[Link]:
        """Return the links that wait for their user."""
        return [link for link in self.loop.links.stored if link.contested]

    def linked(self) -> list[Link]:
        """Return the links of which neither record was deleted."""
        tasks = {task["id"] for task in self.world.crm.live_tasks()}
        events = {event["id"] for event in self.world.google.live_events()}
        links = self.loop.links.stored
        return [k for k in links if k.task_id in tasks and k.event_id in events]

    def remote(self, side: Side) -> faults.Remote:
        """Return the double of a side."""
        return self.world.crm if side is Side.CRM else self.world.google

    # -- in the end ---------------------------------------------------------------

    def rest(self) -> None:
        """Let all messages arrive, and a poll find what they missed; then check."""
        self.world.recover()
        expected = self.expect()
        self.poll()
        written = self.world.versions()
        for link in self.loop.links.stored:
            self.check(link, expected)
        self.check_numbers()
        self.poll()
        assert self.world.versions() == written, "there was work left, or it is endless"
        self.edited, self.is_quiet = set(), True

    def poll(self) -> None:
        """Look at every record, and handle messages until there are none."""
        self.notify()
        self.queue += self.world.versions()
        patience = 100 + len(self.queue)
        while self.queue:
            patience -= 1
            assert patience > 0, "messages send themselves for ever"
            self.deliver(0)

    def expect(self) -> Expected:
        """Return what those links come to of which that can be told."""
        expected: Expected = {}
        for link, base in self.agreed.items():
            task, event = self.forms(link)
            by_crm = ("task", link.task_id) in self.edited and not link.is_read_only
            by_google = ("event", link.event_id) in self.edited
            if by_crm != by_google:
                expected[link] = task if by_crm else event
            elif by_crm and self.is_quiet and base and task and event:
                form = oracle.settle(base, task, event, self.loop.settings)
                expected |= {link: form} if form else {}
        return expected

    def forms(self, link: Link) -> tuple[Form | None, Form | None]:
        """Return what both sides of a link say of their meeting."""
        task = oracle.of_task(self.world.find("task", link.task_id))
        return task, oracle.of_event(self.world.find("event", link.event_id))

    def check(self, link: Link, expected: Expected) -> None:
        """Check that the sides of a link agree, unless there is a reason not to."""
        situation = self.loop.situation(link)
        task, event = self.forms(link)
        self.agreed.pop(link, None)
        if situation.out_of_scope is not None:
            self.check_out_of_scope(link, situation)
        elif link.contested:
            assert self.loop.settings.conflict_policy is ConflictPolicy.MANUAL
            assert task != event, "a conflict is flagged of equal sides"
        elif not may_differ(situation):
            assert task == event, f"the sides differ: {link.reason}"
            assert task == expected.get(link, task), f"edit lost: {link.reason}"
            self.check_answers(link, situation)
            self.agreed[link] = task

    def check_out_of_scope(self, link: Link, situation: Situation) -> None:
        """Check that the event is gone if it was ours, and no user restored it."""
        is_theirs = situation.created_by is Side.GOOGLE or situation.read_only
        is_restored = link.event_id in self.restored
        if is_there(situation.event):
            assert is_theirs or is_restored
        elif not is_theirs:
            # When the task comes back, Google has no say in what it is then.
            self.agreed[link] = None

    def check_answers(self, link: Link, situation: Situation) -> None:
        """Check that the CRM shows what the guests answered."""
        if is_there(situation.task) and link.task_id is not None:
            rows = self.world.crm.task(link.task_id)["attendees"]
            shown = {row["email"]: row.get("response", "needs_action") for row in rows}
            assert shown.items() >= situation.responses.items()

    def check_numbers(self) -> None:
        """Check that every record has one counterpart, and nothing was doubled."""
        links = self.loop.links.stored
        task_ids = [link.task_id for link in links if link.task_id]
        event_ids = [link.event_id for link in links if link.event_id]
        tasks, events = self.world.crm.live_tasks(), self.world.google.live_events()
        assert len(set(task_ids)) == len(task_ids)
        assert len(set(event_ids)) == len(event_ids)
        assert max(len(tasks), len(events)) <= self.made
        for task in map(mapping.task_from_document, tasks):
            is_open = task.status is not TaskStatus.CANCELLED
            if is_open and not scope.why_out_of_scope(task, self.loop.settings):
                assert task.id in task_ids


def is_there(half: Half) -> bool:
    """Tell whether a side has a meeting that is neither cancelled nor deleted."""
    is_live = half.presence is Presence.LIVE and half.meeting is not None
    return is_live and half.meeting is not None and not half.meeting.cancelled


def may_differ(situation: Situation) -> bool:
    """Tell whether the sides may differ for good.

    An event may have become one that no task can follow; the task of one that may not
    be written may be deleted.
    """
    is_on_hold = situation.on_hold is not None and is_there(situation.event)
    is_gone = situation.task.presence is Presence.GONE
    return is_on_hold or (is_gone and situation.read_only)
