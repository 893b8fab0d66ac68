"""What Hypothesis draws: the texts, times, people and records of both sides."""

import string
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from shared.domain import mapping, text
from shared.domain.model import Address, AllDay, Meeting, Response, Timed, User
from shared.domain.settings import ConflictPolicy, Settings

# -- texts ------------------------------------------------------------------------

_FRAGMENTS = (
    "<b>",
    "</b>",
    "<br>",
    "<p>",
    "<a href='https://x.example'>",
    "</a>",
    "<li>",
    "<ol>",
    "</ol>",
    "<!--",
    "-->",
    "<![",
    "]]>",
    "<!",
    "<?",
    "<script>",
    "</",
    "<",
    ">",
    "&",
    "&amp;",
    "&lt;",
    "&lt",
    "&#60;",
    "&#x3c;",
    "&nbsp;",
    "&x;",
    ";",
    "-::~",
    "-::~:~::~:~::-",
    "https://x.example/a?b=c&d=e",
    "\r\n",
    "\n",
    "\r",
    "\t",
    "  ",
    "\xa0",
    "\u2028",
    "\x00",
    "\x1f",
    "e\u0301",
    "\u0301",
    "\u0958",
    "👩‍🚀",
    "🍽️",
    "\ufe0f",
    "\u200b",
    "\ud83d",
    "[...]",
    "(No title)",
)
_ANY_CHARACTER = st.characters(exclude_categories=())
"""Halves of surrogate pairs included."""

texts = st.lists(
    st.one_of(st.sampled_from(_FRAGMENTS), _ANY_CHARACTER, st.sampled_from("aé ")),
    max_size=12,
).map("".join)

long_texts = st.builds(
    lambda part, length: (part * (length // len(part) + 1))[:length],
    texts.filter(bool),
    st.integers(8000, 9000),
)

descriptions = st.one_of(st.just(""), texts, texts, texts, long_texts)
titles = st.one_of(texts, st.text(string.printable, min_size=1, max_size=1000))

# -- times ------------------------------------------------------------------------

ZONES = (
    "UTC",
    "Europe/Zurich",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Calcutta",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "Etc/GMT+12",
)
zones = st.sampled_from(ZONES)
_offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))

instants = st.datetimes(
    min_value=datetime(1975, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2099, 12, 31),  # noqa: DTZ001 - Hypothesis adds the zone
    timezones=st.one_of(st.just(UTC), _offsets),
)
dates = st.dates(min_value=date(1975, 1, 1), max_value=date(2099, 12, 31))
minutes = st.one_of(st.integers(0, 180), st.integers(0, 60 * 24 * 40))
day_counts = st.integers(1, 40)


@st.composite
def timed(draw: st.DrawFn) -> Timed:
    """Draw a time as both sides can say it: whole seconds, for whole minutes."""
    start = draw(instants).astimezone(UTC).replace(microsecond=0)
    end = start + timedelta(minutes=draw(minutes))
    return Timed(start=start, end=end, zone=draw(zones))


@st.composite
def all_day(draw: st.DrawFn) -> AllDay:
    """Draw whole days."""
    first_on = draw(dates)
    until_on = first_on + timedelta(days=draw(day_counts))
    return AllDay(first_on=first_on, until_on=until_on)


# -- people -----------------------------------------------------------------------

ANN = User(
    id="ann",
    email=Address("ann@crm.example"),
    google=Address("ann@google.example"),
    time_zone="America/New_York",
)
BOB = User(
    id="bob", email=Address("bob@crm.example"), google=Address("bob@google.example")
)
CY = User(id="cy", email=Address("cy@crm.example"), google=Address("cy@crm.example"))
DIRECTORY = mapping.Directory.of([ANN, BOB, CY])
ROOM = "room@resource.calendar.google.com"

addresses = st.sampled_from(
    (
        "eve@guest.example",
        "Fay@Guest.example",
        "gil@guest.example",
        "ann@crm.example",
        "Ann@google.example",
        "bob@crm.example",
        "bob@Google.example",
        "cy@crm.example",
        "österreich@guest.example",
    )
)
guests_in_crm = st.frozensets(
    st.sampled_from(
        (
            "eve@guest.example",
            "fay@guest.example",
            "gil@guest.example",
            "bob@crm.example",
            "cy@crm.example",
        )
    ).map(Address),
    max_size=4,
)
responses = st.sampled_from(Response)

# -- meetings ---------------------------------------------------------------------


@st.composite
def meetings(draw: st.DrawFn) -> Meeting:
    """Draw a meeting in canonical form."""
    return Meeting(
        title=mapping.title(draw(titles)),
        when=draw(st.one_of(timed(), timed(), all_day())),
        description=text.canonical(draw(descriptions)),
        location=text.canonical(draw(texts)),
        attendees=draw(guests_in_crm),
        cancelled=draw(st.sampled_from((False, False, False, True))),
    )


# -- records ----------------------------------------------------------------------


@st.composite
def task_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a task as a CRM might send it."""
    due: dict[str, Any] = {"due_at": draw(instants).isoformat(), "due_date": None}
    if draw(st.booleans()):
        due = {"due_at": None, "due_date": draw(dates).isoformat()}
    rows = draw(st.lists(addresses, max_size=4, unique=True))
    return {
        "id": "task-1",
        "type": draw(st.sampled_from(("Meeting", "Call", "To-do"))),
        "title": draw(titles),
        "description": draw(st.none() | descriptions),
        "location": draw(st.none() | texts),
        "status": draw(st.sampled_from(("open", "completed", "cancelled"))),
        **due,
        "duration_minutes": draw(st.none() | minutes),
        "duration_days": draw(st.none() | day_counts),
        "time_zone": draw(st.none() | zones | st.just("Customized Time Zone")),
        "owner_id": "ann",
        "attendees": [
            {"email": email, "name": None, "response": draw(responses).value}
            for email in rows
        ],
        "google_event_id": None,
        "google_calendar_id": None,
        "version": 1,
        "created_at": "2026-03-01T08:00:00Z",
        "updated_at": "2026-03-01T08:00:00Z",
        "deleted": False,
    }


@st.composite
def event_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the fields of an event that a person, or another program, wrote."""
    when = draw(st.one_of(timed(), all_day()))
    if isinstance(when, AllDay):
        edges = {
            "start": {"date": str(when.first_on)},
            "end": {"date": str(when.until_on)},
        }
    else:
        late = when.end + timedelta(seconds=draw(st.integers(0, 59)))
        edges = {
            "start": {"dateTime": when.start.isoformat(), "timeZone": when.zone},
            "end": {"dateTime": late.isoformat(), "timeZone": draw(zones)},
        }
    rows = [
        {"email": email, "responseStatus": draw(st.sampled_from(ANSWERS))}
        for email in draw(st.lists(addresses, max_size=4, unique_by=str.lower))
    ]
    if draw(st.booleans()):
        rows.append({"email": ROOM, "responseStatus": "accepted"})
    return {
        "id": "abc123",
        "summary": draw(titles),
        "description": draw(descriptions),
        "location": draw(texts),
        "attendees": rows,
        **edges,
    }


ANSWERS = ("needsAction", "accepted", "declined", "tentative")

# -- settings ---------------------------------------------------------------------

policies = st.sampled_from(ConflictPolicy)
all_settings = st.builds(
    Settings,
    conflict_policy=policies,
    merge_disjoint_edits=st.booleans(),
    include_all_day=st.just(True),  # noqa: FBT003 - a value to be drawn
)
