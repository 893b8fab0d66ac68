"""Meetings compared field by field, and how they are stored."""

import json
from datetime import timedelta, timezone

import pytest

from shared.domain import mapping
from shared.domain.model import Baseline, Field, Meeting, Response, Timed
from tests.unit.domain.records import (
    EVE,
    FAY,
    NEW_YORK,
    NOON,
    ONE,
    days,
    meeting,
    timed,
)

FULL = meeting(
    "Lunch",
    when=timed(),
    description="cake",
    location="here",
    attendees=frozenset({EVE}),
)


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (meeting("Dinner"), Field.TITLE),
        (meeting(description="cake"), Field.DESCRIPTION),
        (meeting(location="here"), Field.LOCATION),
        (meeting(when=timed(ONE)), Field.WHEN),
        (meeting(when=timed(minutes=61)), Field.WHEN),
        (meeting(when=timed(zone=NEW_YORK)), Field.WHEN),
        (meeting(when=days()), Field.WHEN),
        (meeting(attendees=frozenset({EVE})), Field.ATTENDEES),
        (meeting(cancelled=True), Field.CANCELLED),
    ],
)
def test_a_field_that_differs_is_named(other: Meeting, field: Field) -> None:
    assert mapping.changed_fields(meeting(), other) == {field}
    assert mapping.changed_fields(other, meeting()) == {field}


@pytest.mark.parametrize(
    "other",
    [
        meeting("Lunch"),
        meeting(" Lunch "),
        meeting(
            when=Timed(
                start=NOON.astimezone(timezone(timedelta(hours=9))),
                end=ONE.astimezone(timezone(timedelta(hours=-5))),
                zone="Europe/Zurich",
            )
        ),
        meeting(description=" \n"),
        meeting(location="\u200b"),
    ],
)
def test_spelling_is_no_difference(other: Meeting) -> None:
    assert mapping.changed_fields(meeting(), other) == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("🍽️ Dishes", "🍽 Dishes"),
        ("👩‍🚀", "👩🚀"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("soft\u00adhyphen", "softhyphen"),
        ("two  blanks", "two blanks"),
        ("a\u00a0b", "a b"),
        ("one\r\n\r\ntwo ", "one\n\ntwo"),
    ],
)
def test_what_systems_rewrite_in_texts_is_no_difference(one: str, other: str) -> None:
    first = meeting(one, description=one, location=one)
    second = meeting(other, description=other, location=other)

    assert mapping.changed_fields(first, second) == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Lunch", "lunch"), ("a b", "ab"), ("😀", "😃"), ("a & b", "a &amp; b")],
)
def test_what_people_change_in_texts_is_a_difference(one: str, other: str) -> None:
    assert mapping.changed_fields(meeting(one), meeting(other)) == {Field.TITLE}


@pytest.mark.parametrize(
    ("zone", "same"), [("Asia/Calcutta", "Asia/Kolkata"), ("UTC", "Etc/UTC")]
)
def test_two_names_of_a_zone_are_no_difference(zone: str, same: str) -> None:
    one, other = meeting(when=timed(zone=zone)), meeting(when=timed(zone=same))

    assert mapping.changed_fields(one, other) == frozenset()


def test_of_cancelled_meetings_nothing_else_counts() -> None:
    one, other = meeting(cancelled=True), mapping.cancelled(FULL)

    assert mapping.changed_fields(one, other) == frozenset()


def test_a_cancelled_meeting_differs_from_a_live_one_in_all_that_differs() -> None:
    fields = mapping.changed_fields(meeting(cancelled=True), FULL)

    assert fields == {
        Field.CANCELLED,
        Field.DESCRIPTION,
        Field.LOCATION,
        Field.ATTENDEES,
    }


@pytest.mark.parametrize(
    "stored",
    [FULL, mapping.cancelled(FULL), meeting(when=days("2026-03-02", "2026-03-05"))],
)
def test_a_meeting_is_stored_as_json_and_read_again(stored: Meeting) -> None:
    document = json.loads(json.dumps(mapping.meeting_to_document(stored)))

    assert mapping.meeting_from_document(document) == stored


def test_a_stored_meeting_can_be_read_by_people() -> None:
    document = mapping.meeting_to_document(
        meeting(attendees=frozenset({FAY, EVE}), location="here")
    )

    assert document == {
        "title": "Lunch",
        "description": "",
        "location": "here",
        "when": {
            "start": "2026-03-02T12:00:00+00:00",
            "end": "2026-03-02T13:00:00+00:00",
            "time_zone": "Europe/Zurich",
        },
        "attendees": ["eve@guest.example", "fay@guest.example"],
        "cancelled": False,
    }


def test_a_baseline_is_stored_as_json_and_read_again() -> None:
    baseline = Baseline(
        meeting=FULL, responses={FAY: Response.DECLINED, EVE: Response.TENTATIVE}
    )

    document = json.loads(json.dumps(mapping.baseline_to_document(baseline)))

    assert list(document["responses"]) == ["eve@guest.example", "fay@guest.example"]
    assert mapping.baseline_from_document(document) == baseline
