"""People who change meetings on both sides, and what both sides must have in the end.

A meeting is edited where it was edited before; the other side takes over only once both
are seen to agree. So every edit is expected to last, whatever fails meanwhile.
"""

import itertools
import random
import re
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.beside import beside
from tests.e2e.system import Person, System
from tests.e2e.test_scenario import START, new_event
from tests.soak import asking

_POPULATION = 2_000
"""Beyond so many meetings, as many end as begin."""
_GUESTS_EVERY = 10
"""Every so many meetings, one has a guest, who must get no mail."""
_HANDS = 12
_TITLE = re.compile(r"Soak (\d+) ")


@dataclass(slots=True, kw_only=True)
class Meeting:
    """A meeting as it was last changed; `is_in_crm`: there, else in Google."""

    number: int
    owner: Person
    start: datetime
    is_in_crm: bool
    version: int = 1
    place: str = "Room 1"
    task_id: str = ""
    event_id: str = ""
    is_over: bool = False
    is_moved: bool = False
    """Its task has had several owners, or it was edited on both sides."""

    @property
    def title(self) -> str:
        """Its title, which tells one version from another."""
        return f"Soak {self.number} version {self.version}"

    @property
    def look(self) -> tuple[str, str, datetime]:
        """What both sides must agree on."""
        return self.title, self.place, self.start

    def edit(self, change: random.Random) -> None:
        """Change what it says."""
        self.version += 1
        self.place = f"Room {change.randint(1, 9)}"
        self.start += timedelta(minutes=change.choice((-15, 0, 0, 15)))


@dataclass(slots=True)
class Outcome:
    """How both sides differ from what they must be."""

    live: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)


class Crowd:
    """Makes changes until it is told to stop; `made` counts them by kind."""

    def __init__(self, system: System, people: Sequence[Person], seed: int) -> None:
        """Take who they are."""
        self._system = system
        self._people = people
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._numbers = itertools.count(1)
        self._waiting: deque[Meeting] = deque()
        self._over: list[Meeting] = []
        self._mutex = threading.Lock()
        self.made = Counter[str]()

    @contextmanager
    def busy(self, rate: float) -> Iterator[None]:
        """Make `rate` changes a second while the block runs; raises what failed."""
        futures: list[Future[None]] = []

        def pace(ended: threading.Event) -> None:
            began = time.monotonic()
            for number in itertools.count(1):
                if ended.wait(max(0.0, began + number / rate - time.monotonic())):
                    return
                futures.append(pool.submit(self._change))

        with ThreadPoolExecutor(_HANDS) as pool, beside(pace):
            yield
        for future in futures:
            future.result()

    # -- changes ------------------------------------------------------------------

    def _change(self) -> None:
        with self._mutex:
            is_full = len(self._waiting) >= _POPULATION
            begins = not self._waiting or (
                self._random.random() < (0.15 if is_full else 0.5)
            )
            meeting = self._new() if begins else self._waiting.popleft()
            kind = "create" if begins else self._kind_of_change()
        if kind != "create" and self._random.random() < 0.3:
            self._change_sides(meeting)
        acts = {"create": self._create, "edit": self._edit, "end": self._end}
        acts[kind](meeting)
        where = "the CRM" if meeting.is_in_crm else "Google"
        with self._mutex:
            self.made[f"{kind} in {where}"] += 1
            (self._over if meeting.is_over else self._waiting).append(meeting)

    def _kind_of_change(self) -> str:
        return "end" if self._random.random() < 0.18 else "edit"

    def _new(self) -> Meeting:
        hours = self._random.randint(0, 24 * 20)
        return Meeting(
            number=next(self._numbers),
            owner=self._random.choice(self._people),
            start=START + timedelta(hours=hours),
            is_in_crm=self._random.random() < 0.5,
        )

    def _create(self, meeting: Meeting) -> None:
        if meeting.is_in_crm:
            body = {"type": "Meeting", "owner_id": meeting.owner.id, **_task(meeting)}
            if meeting.number % _GUESTS_EVERY == 0:
                body["attendees"] = [{"email": "guest@elsewhere.example"}]
            meeting.task_id = self._crm("POST", "/tasks", body)["id"]
        else:
            meeting.event_id = self._google(meeting, "POST", "", _event(meeting))["id"]

    def _edit(self, meeting: Meeting) -> None:
        meeting.edit(self._random)
        if not meeting.is_in_crm:
            path = f"/{meeting.event_id}"
            self._google(meeting, "PATCH", path, _event(meeting))
            return
        body = _task(meeting)
        if meeting.event_id == "" and self._random.random() < 0.1:
            meeting.owner = self._random.choice(self._people)
            meeting.is_moved = True
            body["owner_id"] = meeting.owner.id
        self._crm("PATCH", f"/tasks/{meeting.task_id}", body)

    def _end(self, meeting: Meeting) -> None:
        meeting.is_over = True
        if meeting.is_in_crm:
            self._crm("DELETE", f"/tasks/{meeting.task_id}")
        else:
            self._google(meeting, "DELETE", f"/{meeting.event_id}")

    def _change_sides(self, meeting: Meeting) -> None:
        """Go on editing on the other side, if both agree by now."""
        if meeting.is_moved:
            return
        if meeting.is_in_crm:
            event = asking.event_of(self._system, meeting.owner, meeting.task_id)
            is_live = event is not None and event["status"] != "cancelled"
            if is_live and _look_of_event(event) == meeting.look:
                meeting.event_id, meeting.is_in_crm = event["id"], False
        else:
            query = f"/tasks?google_event_id={meeting.event_id}"
            found = self._crm("GET", query)["items"]
            if [_look_of_task(task) for task in found] == [meeting.look]:
                meeting.task_id, meeting.is_in_crm = found[0]["id"], True

    def _crm(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        return asking.crm(self._system, method, path, body)

    def _google(
        self, meeting: Meeting, method: str, path: str, body: object = None
    ) -> Any:  # noqa: ANN401 - JSON
        return asking.google(self._system, meeting.owner, method, path, body)

    # -- what came of them --------------------------------------------------------

    def compare(self) -> Outcome:
        """Return how both sides differ from the changes that were made."""
        tasks = _by_number(
            (task["title"], (task["owner_id"], *_look_of_task(task)))
            for task in self._system.tasks()
            if task["status"] != "cancelled"
        )
        events = _by_number(
            (event.get("summary", ""), (person.id, *_look_of_event(event)))
            for person in self._people
            for event in self._system.events(person)
        )
        outcome = Outcome(live=len(self._waiting))
        for meeting in [*self._waiting, *self._over]:
            expected = [] if meeting.is_over else [(meeting.owner.id, *meeting.look)]
            for side, found in (("tasks", tasks), ("events", events)):
                there = found[meeting.number]
                if len(there) > 1:
                    outcome.duplicates.append(f"{meeting.title}: {side} {there}")
                elif there != expected:
                    outcome.lost.append(f"{meeting.title}: {side} {there}")
        return outcome


def _task(meeting: Meeting) -> dict[str, Any]:
    return {
        "title": meeting.title,
        "location": meeting.place,
        "due_at": meeting.start.isoformat(),
        "duration_minutes": 60,
    }


def _event(meeting: Meeting) -> dict[str, Any]:
    return new_event(meeting.title, meeting.start, location=meeting.place)


def _look_of_task(task: Mapping[str, Any]) -> tuple[str, str, datetime]:
    return task["title"], task["location"], _instant(task["due_at"])


def _look_of_event(event: Mapping[str, Any]) -> tuple[str, str, datetime]:
    start = _instant(event["start"]["dateTime"])
    return event.get("summary", ""), event.get("location", ""), start


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _by_number(
    found: Iterable[tuple[str, tuple[Any, ...]]],
) -> defaultdict[int, list[tuple[Any, ...]]]:
    known = defaultdict[int, list[tuple[Any, ...]]](list)
    for title, look in found:
        if named := _TITLE.match(title):
            known[int(named[1])].append(look)
    return known
