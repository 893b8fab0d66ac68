"""The events that the calendars have before anybody connects them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deploy.demo import storage
from deploy.demo.seed import days
from deploy.demo.seed.days import Slot
from deploy.demo.seed.people import ANNA, BEN, CHITRA, PEOPLE, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """An event to be; `extra` are fields as the Calendar API has them."""

    title: str
    slot: Slot
    description: str | None = None
    location: str | None = None
    guests: Sequence[str] = ()
    all_day: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)


_EVENTS: Mapping[Person, Sequence[_Event]] = {
    ANNA: (
        _Event(
            title="Lunch with the Nordwind team",
            slot=Slot(day=-6, at="12:30", minutes=60),
            location="Oberhafen-Kantine",
        ),
        _Event(
            title="Pipeline review",
            slot=Slot(day=2, at="15:00", minutes=45),
            description="<b>Agenda</b><ul><li>Nordwind</li><li>Halcyon</li></ul>",
            guests=[BEN.google_account, CHITRA.google_account],
        ),
        _Event(
            title="Interview: account manager",
            slot=Slot(day=6, at="13:00", minutes=60),
            guests=["jobs@fjord.example"],
        ),
        _Event(
            title="Prepare the Brightline review",
            slot=Slot(day=7, at="14:00", minutes=120),
        ),
        _Event(
            title="Dentist",
            slot=Slot(day=4, at="08:15", minutes=45),
            extra={"visibility": "private"},
        ),
        _Event(
            title="Trade fair in Hannover",
            slot=Slot(day=10, at="00:00", minutes=0),
            all_day=True,
        ),
        _Event(
            title="Team stand-up",
            slot=Slot(day=-8, at="09:00", minutes=15),
            extra={"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=8"]},
        ),
    ),
    BEN: (
        _Event(
            title="Coffee with the partner team",
            slot=Slot(day=-3, at="09:00", minutes=30),
        ),
        _Event(
            title="Forecast for the quarter",
            slot=Slot(day=5, at="09:30", minutes=60),
            guests=[ANNA.google_account],
        ),
        _Event(
            title="Flight JFK-ORD",
            slot=Slot(day=11, at="06:45", minutes=165),
            location="JFK Terminal 5",
        ),
        _Event(
            title="Halcyon executive dinner",
            slot=Slot(day=8, at="19:00", minutes=120),
            location="Manhatta",
            guests=["dev.patel@halcyon.example"],
        ),
    ),
    CHITRA: (
        _Event(
            title="Design review: import assistant",
            slot=Slot(day=-1, at="11:00", minutes=60),
            description="Drafts are in the shared folder.",
        ),
        _Event(
            title="Handover to support",
            slot=Slot(day=3, at="18:30", minutes=30),
            guests=[BEN.google_account],
        ),
        _Event(
            title="Customer advisory board",
            slot=Slot(day=9, at="16:00", minutes=90),
            location="Bengaluru office, 4th floor",
            guests=["marta.silva@kestrel.example", "lena.fischer@nordwind.example"],
        ),
        _Event(
            title="Pottery class",
            slot=Slot(day=6, at="19:00", minutes=90),
            extra={"visibility": "private"},
        ),
    ),
}


def bodies(now: datetime) -> Iterator[tuple[Person, storage.Json]]:
    """Yield whose calendar, and the event as the Calendar API takes it."""
    for person in PEOPLE:
        for event in _EVENTS[person]:
            yield person, _body(person, event, now)


def _body(person: Person, event: _Event, now: datetime) -> storage.Json:
    body: storage.Json = {"summary": event.title, **event.extra}
    if event.description:
        body["description"] = event.description
    if event.location:
        body["location"] = event.location
    if event.guests:
        me = {"email": person.google_account, "responseStatus": "accepted"}
        body["attendees"] = [me, *({"email": guest} for guest in event.guests)]
    start, end = days.span(event.slot, now, person.zone)
    if event.all_day:
        end = start + timedelta(days=1)
        return body | {
            "start": {"date": start.date().isoformat()},
            "end": {"date": end.date().isoformat()},
        }
    return body | {
        "start": {"dateTime": start.isoformat(), "timeZone": person.time_zone},
        "end": {"dateTime": end.isoformat(), "timeZone": person.time_zone},
    }
