"""The tasks that the CRM has before anybody connects a calendar."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from deploy.demo import storage
from deploy.demo.seed import days
from deploy.demo.seed.days import Slot
from deploy.demo.seed.people import ANNA, BEN, CHITRA, PEOPLE, Person

_LENA = {"email": "lena.fischer@nordwind.example", "name": "Lena Fischer"}
_OSEI = {"email": "k.osei@brightline.example", "name": "Kwame Osei"}
_MARTA = {"email": "marta.silva@kestrel.example", "name": "Marta Silva"}
_DEV = {"email": "dev.patel@halcyon.example", "name": "Dev Patel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A task to be; without a slot it has no due date."""

    title: str
    slot: Slot | None = None
    type: str = "Meeting"
    description: str | None = None
    location: str | None = None
    attendees: Sequence[Mapping[str, str]] = ()
    has_duration: bool = True


_TASKS: Mapping[Person, Sequence[_Task]] = {
    ANNA: (
        _Task(
            title="Kick-off with Nordwind Logistics",
            slot=Slot(day=-9, at="10:00", minutes=90),
            description="Goals, people, dates.\nBring the signed offer.",
            location="Nordwind, Am Sandtorkai 30, Hamburg",
            attendees=[_LENA],
        ),
        _Task(
            title="Requirements workshop: Nordwind",
            slot=Slot(day=-4, at="14:00", minutes=120),
            attendees=[_LENA],
        ),
        _Task(
            title="Product demo for Kestrel Energy",
            slot=Slot(day=1, at="09:30", minutes=60),
            description="Show planning, reports and the mobile app.",
            attendees=[_MARTA],
        ),
        _Task(
            title="Contract review: Nordwind",
            slot=Slot(day=3, at="16:00", minutes=30),
            location="Room Elbe",
        ),
        _Task(
            title="Quarterly review with Brightline",
            slot=Slot(day=8, at="11:00", minutes=90),
            description="Usage, open tickets, renewal.",
            attendees=[_OSEI],
        ),
        _Task(
            title="Visit to the Kestrel control room",
            slot=Slot(day=12, at="10:00", minutes=60),
            location="Kestrel Energy, Bremen",
            attendees=[_MARTA],
            has_duration=False,
        ),
        _Task(
            title="Call Mr. Osei back about the offer",
            slot=Slot(day=2, at="17:00", minutes=15),
            type="Call",
        ),
        _Task(title="Update the price list", type="To-do"),
    ),
    BEN: (
        _Task(
            title="Discovery meeting: Halcyon Health",
            slot=Slot(day=-7, at="13:00", minutes=45),
            attendees=[_DEV],
        ),
        _Task(
            title="Security questionnaire walk-through",
            slot=Slot(day=-2, at="11:30", minutes=60),
            description="Halcyon's security team sends the questions the day before.",
            attendees=[_DEV],
        ),
        _Task(
            title="Pricing discussion: Halcyon Health",
            slot=Slot(day=1, at="15:00", minutes=45),
            attendees=[_DEV],
        ),
        _Task(
            title="Breakfast with Kwame Osei",
            slot=Slot(day=4, at="07:30", minutes=60),
            location="Balthazar, 80 Spring St",
            attendees=[_OSEI],
        ),
        _Task(
            title="Roadmap preview for Brightline",
            slot=Slot(day=9, at="10:00", minutes=60),
            attendees=[_OSEI],
        ),
        _Task(
            title="Cold call: Lakeside Foods",
            slot=Slot(day=0, at="16:30", minutes=15),
            type="Call",
        ),
        _Task(title="Expense report", type="To-do"),
    ),
    CHITRA: (
        _Task(
            title="Onboarding session 1: Kestrel Energy",
            slot=Slot(day=-5, at="15:30", minutes=60),
            attendees=[_MARTA],
        ),
        _Task(
            title="Onboarding session 2: Kestrel Energy",
            slot=Slot(day=2, at="15:30", minutes=60),
            description="Import of the old data; check the sample first.",
            attendees=[_MARTA],
        ),
        _Task(
            title="Health check with Halcyon",
            slot=Slot(day=5, at="20:00", minutes=30),
            attendees=[_DEV],
        ),
        _Task(
            title="Training for new users at Nordwind",
            slot=Slot(day=10, at="13:00", minutes=120),
            description="Two groups of eight.",
            attendees=[_LENA],
        ),
        _Task(
            title="Ring support about ticket 4711",
            slot=Slot(day=1, at="12:00", minutes=10),
            type="Call",
        ),
        _Task(title="Write the onboarding guide", type="To-do"),
    ),
}


def bodies(now: datetime) -> Iterator[storage.Json]:
    """Yield the tasks as the CRM's API takes them; what is over is completed."""
    for person in PEOPLE:
        for task in _TASKS[person]:
            yield _body(person, task, now)


def _body(person: Person, task: _Task, now: datetime) -> storage.Json:
    body: storage.Json = {
        "type": task.type,
        "title": task.title,
        "owner_id": person.id,
        "description": task.description,
        "location": task.location,
        "attendees": [dict(guest) for guest in task.attendees],
    }
    if task.slot is None:
        return body
    start, end = days.span(task.slot, now, person.zone)
    return body | {
        "status": "completed" if end < now else "open",
        "due_at": start.isoformat(),
        "duration_minutes": task.slot.minutes if task.has_duration else None,
    }
