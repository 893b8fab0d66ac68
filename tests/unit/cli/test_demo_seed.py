"""What the demo is seeded with, as seen from any day."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest

from deploy.demo.seed import days, events, people, tasks

MONDAY = date(2026, 3, 2)
MOMENTS = [
    datetime(2026, 2, 27, 22, 30, tzinfo=UTC) + timedelta(days=n) for n in range(9)
]


@pytest.mark.parametrize(
    ("today", "number", "expected"),
    [
        (MONDAY, 0, MONDAY),
        (MONDAY, 4, date(2026, 3, 6)),
        (MONDAY, 5, date(2026, 3, 9)),
        (MONDAY, -1, date(2026, 2, 27)),
        (date(2026, 2, 28), 0, MONDAY),
        (date(2026, 3, 1), -1, date(2026, 2, 27)),
    ],
)
def test_working_days_leave_weekends_out(
    today: date, number: int, expected: date
) -> None:
    assert days.working_day(today, number) == expected


@pytest.mark.parametrize("now", MOMENTS)
def test_meetings_lie_within_a_few_weeks_of_today(now: datetime) -> None:
    starts = [
        datetime.fromisoformat(body["due_at"])
        for body in tasks.bodies(now)
        if "due_at" in body
    ]
    starts += [
        datetime.fromisoformat(body["start"]["dateTime"])
        for _, body in events.bodies(now)
        if "dateTime" in body["start"]
    ]

    assert all(abs(start - now) < timedelta(days=25) for start in starts)
    assert min(starts) < now - timedelta(days=7)
    assert max(starts) > now + timedelta(days=14)


@pytest.mark.parametrize("now", MOMENTS)
def test_nobody_has_two_meetings_at_once(now: datetime) -> None:
    for person in people.PEOPLE:
        own = sorted([*spans_of_tasks(person, now), *spans_of_events(person, now)])
        for (_, end), (start, _) in itertools.pairwise(own):
            assert end <= start, person.name


def spans_of_tasks(
    person: people.Person, now: datetime
) -> list[tuple[datetime, datetime]]:
    """Return when the person's tasks are."""
    found = []
    for body in tasks.bodies(now):
        if body["owner_id"] == person.id and "due_at" in body:
            start = datetime.fromisoformat(body["due_at"])
            length = timedelta(minutes=body["duration_minutes"] or 60)
            found.append((start, start + length))
    return found


def spans_of_events(
    person: people.Person, now: datetime
) -> list[tuple[datetime, datetime]]:
    """Return when the events are that the person takes part in."""
    found = []
    for owner, body in events.bodies(now):
        guests = {row["email"] for row in body.get("attendees", ())}
        takes_part = owner is person or person.google_account in guests
        if takes_part and "dateTime" in body["start"]:
            start, end = body["start"]["dateTime"], body["end"]["dateTime"]
            found.append((datetime.fromisoformat(start), datetime.fromisoformat(end)))
    return found


def test_what_is_over_is_completed() -> None:
    now = MOMENTS[4]

    for body in tasks.bodies(now):
        if "due_at" in body:
            is_over = datetime.fromisoformat(body["due_at"]) < now
            assert (body["status"] == "completed") == is_over


def test_one_user_has_another_address_at_google() -> None:
    differ = [p.id for p in people.PEOPLE if p.email != p.google_account]

    assert differ == ["ben"]


def test_the_users_live_in_different_zones() -> None:
    assert len({person.time_zone for person in people.PEOPLE}) == 3
