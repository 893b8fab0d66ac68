"""Titles: `title` in the CRM, `summary` in Google."""

import pytest

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

TITLE = frozenset({Field.TITLE})


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Lunch", "Lunch"),
        ("  Lunch\twith\r\nEve ", "Lunch with Eve"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("🍽️ Dishes", "🍽️ Dishes"),
        ("a < b & c &amp; d", "a < b & c &amp; d"),
        ("x" * 1001, "x" * 1000),
        ("\u0958" * 1000, "\u0915\u093c" * 500),
        ("", "(No title)"),
        (" \n ", "(No title)"),
        ("(No title)", "(No title)"),
    ],
)
def test_both_sides_read_a_title_alike(written: str, title: str) -> None:
    of_task = meeting_of(task(title=written))
    of_event = meeting_on(event(summary=written))

    assert of_task.title == of_event.title == title


def test_an_event_without_summary_is_untitled() -> None:
    read = meeting_on(event(summary=None))

    assert read.title == "(No title)"


def test_a_title_is_written_to_both_sides() -> None:
    target = meeting("Dinner")

    assert event_body(target)["summary"] == "Dinner"
    assert event_patch(event(), target, TITLE) == {"summary": "Dinner"}
    assert task_body(target, event())["title"] == "Dinner"
    assert task_patch(task(), target, TITLE) == {"title": "Dinner"}


def test_a_task_of_an_untitled_event_is_called_so_in_the_crm() -> None:
    untitled = event(summary=None)

    body = task_body(meeting_on(untitled), untitled)

    assert body["title"] == "(No title)"


def test_what_untitled_events_are_called_is_never_written_to_google() -> None:
    target = meeting("(No title)")

    assert "summary" not in event_body(target)
    assert event_patch(event(), target, TITLE) == {"summary": ""}


def test_a_title_that_is_not_to_be_changed_is_not_sent() -> None:
    target = meeting("Dinner")

    assert event_patch(event(), target, frozenset()) == {}
    assert task_patch(task(), target, frozenset()) == {}
