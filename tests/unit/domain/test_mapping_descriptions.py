"""Descriptions and places: plain text in the CRM, now and then HTML in Google."""

import pytest

from shared.domain import mapping, text
from shared.domain.model import Field
from tests.unit.domain.records import (
    event,
    event_body,
    event_patch,
    meeting,
    meeting_of,
    meeting_on,
    task,
    task_body,
    task_patch,
)

DESCRIPTION = frozenset({Field.DESCRIPTION})
LOCATION = frozenset({Field.LOCATION})


def test_the_html_of_google_is_text_in_the_crm() -> None:
    read = meeting_on(event(description="<p>Bring <b>cake</b> &amp; tea</p>"))

    assert read.description == "Bring cake & tea"
    assert task_patch(task(), read, DESCRIPTION) == {"description": "Bring cake & tea"}


def test_line_ends_and_blanks_are_read_alike_on_both_sides() -> None:
    written = "Bring \r\n\r\ncake\xa0\rand tea  \n"

    of_task = meeting_of(task(description=written, location=written))
    of_event = meeting_on(event(description=written, location=written))

    assert of_task == of_event
    assert of_task.description == of_task.location == "Bring\n\ncake\nand tea"


@pytest.mark.parametrize("nothing", [None, "", " \r\n"])
def test_no_text_is_the_same_however_a_side_says_it(nothing: str | None) -> None:
    of_task = meeting_of(task(description=nothing, location=nothing))
    of_event = meeting_on(event(description=nothing, location=nothing))

    assert of_task == of_event
    assert (of_task.description, of_task.location) == ("", "")


def test_text_that_looks_like_markup_is_escaped_for_google() -> None:
    target = meeting(description="if a <b> c")

    body = event_body(target)

    assert body["description"] == "if a &lt;b&gt; c"
    assert meeting_on(event(**body)).description == "if a <b> c"


def test_text_without_markup_is_written_as_it_is() -> None:
    target = meeting(description="1 < 2 & 3 > 2\n- AT&T", location="R&D, room <5>")

    body = event_body(target)

    assert body["description"] == "1 < 2 & 3 > 2\n- AT&T"
    assert body["location"] == "R&D, room <5>"


def test_what_google_does_not_take_is_cut_off_and_is_no_edit() -> None:
    long = meeting(description="long story " * 1000)

    body = event_body(long)
    read = meeting_on(event(**body))

    assert len(body["description"]) <= 8192
    assert body["description"].endswith("\n[...]")
    assert mapping.changed_fields(long, read) == frozenset()


def test_an_edit_within_what_google_takes_of_a_long_text_is_an_edit() -> None:
    long = meeting(description="long story " * 1000)
    other = meeting(description="tall story " * 1000)

    assert mapping.changed_fields(long, other) == DESCRIPTION


def test_texts_are_taken_away_by_nothing_at_all() -> None:
    before_task = task(description="cake", location="here")
    before_event = event(description="cake", location="here")
    target = meeting()
    both = DESCRIPTION | LOCATION

    assert task_patch(before_task, target, both) == {
        "description": None,
        "location": None,
    }
    assert event_patch(before_event, target, both) == {
        "description": "",
        "location": "",
    }


def test_texts_that_are_empty_are_not_sent_with_a_new_record() -> None:
    body = event_body(meeting())
    made = task_body(meeting(), event())

    assert {"description", "location"}.isdisjoint(body)
    assert (made["description"], made["location"]) == (None, None)


def test_texts_are_written_to_both_sides() -> None:
    target = meeting(description="cake", location="here")
    both = DESCRIPTION | LOCATION
    sent = {"description": "cake", "location": "here"}

    assert event_body(target).items() >= sent.items()
    assert task_body(target, event()).items() >= sent.items()
    assert event_patch(event(), target, both) == sent
    assert task_patch(task(), target, both) == sent


def test_html_is_not_written_back_because_it_was_read_as_text() -> None:
    formatted = event(description="<p>Bring <b>cake</b></p>")
    target = meeting("Dinner", description=meeting_on(formatted).description)

    fields = mapping.changed_fields(meeting_on(formatted), target)

    assert event_patch(formatted, target, fields) == {"summary": "Dinner"}


def test_a_text_cut_for_google_stays_whole_in_the_crm() -> None:
    whole = task(description="long story " * 1000)
    cut = text.shortened(meeting_of(whole).description)
    target = meeting("Dinner", description=cut)

    fields = mapping.changed_fields(meeting_of(whole), target)

    assert task_patch(whole, target, fields) == {"title": "Dinner"}
