"""Identifiers that are derived again rather than made up."""

import re
from itertools import combinations

import pytest

from shared.domain import identifiers

EVENT = ("acme", "task-1", "ann@google.example", 0)
TASK = ("acme", "abc@google.com", "", 0)
EVENT_ID = "tbdp2fnleqa8hhvjpbr8ugvlqdp97re88tf8ojpr1pqm0qlfg64g"
TASK_KEY = (
    "calendar-sync-a37ef46ef92a1e7dfc315fb6ddff7431518c404ad5ecd4383cee8704016c951a"
)


def test_the_id_of_an_event_is_one_that_google_takes() -> None:
    made = identifiers.event_id(*EVENT)

    assert re.fullmatch(r"[a-v0-9]{5,1024}", made)


def test_the_same_task_leads_to_the_same_event() -> None:
    assert identifiers.event_id(*EVENT) == identifiers.event_id(*EVENT)


def test_ids_stay_the_same_over_releases() -> None:
    assert identifiers.event_id(*EVENT) == EVENT_ID
    assert identifiers.task_idempotency_key(*TASK) == TASK_KEY


def test_every_part_tells_events_apart() -> None:
    ids = [
        identifiers.event_id(*EVENT),
        identifiers.event_id("other", "task-1", "ann@google.example", 0),
        identifiers.event_id("acme", "task-2", "ann@google.example", 0),
        identifiers.event_id("acme", "task-1", "bob@google.example", 0),
        identifiers.event_id("acme", "task-1", "ann@google.example", 1),
        identifiers.event_id("acmet", "ask-1", "ann@google.example", 0),
    ]

    assert all(one != other for one, other in combinations(ids, 2))


def test_every_part_tells_tasks_apart() -> None:
    keys = [
        identifiers.task_idempotency_key(*TASK),
        identifiers.task_idempotency_key("other", "abc@google.com", "", 0),
        identifiers.task_idempotency_key("acme", "xyz@google.com", "", 0),
        identifiers.task_idempotency_key("acme", "abc@google.com", "2026-03-02", 0),
        identifiers.task_idempotency_key("acme", "abc@google.com", "", 1),
        identifiers.task_idempotency_key("acme", "", "abc@google.com", 0),
    ]

    assert all(one != other for one, other in combinations(keys, 2))


def test_an_idempotency_key_fits_into_its_header() -> None:
    key = identifiers.task_idempotency_key(*TASK)

    assert key.isascii()
    assert len(key) <= 255


def test_whoever_repeats_the_same_work_sends_the_same_delivery_id() -> None:
    made = identifiers.delivery_id("job", "1")

    assert made == identifiers.delivery_id("job", "1")
    assert made != identifiers.delivery_id("job1")
    assert re.fullmatch(r"[0-9a-f]{32}", made)


@pytest.mark.parametrize("generation", [0, 1, 99])
def test_an_event_that_we_made_tells_its_generation(generation: int) -> None:
    made = identifiers.event_id("acme", "t1", "ann@gmail.com", generation)

    found = identifiers.generation_of(made, "acme", "t1", "ann@gmail.com")

    assert found == generation


@pytest.mark.parametrize(
    "other",
    [
        ("other", "t1", "ann@gmail.com"),
        ("acme", "t2", "ann@gmail.com"),
        ("acme", "t1", "x"),
    ],
)
def test_an_event_made_for_something_else_has_none(other: tuple[str, str, str]) -> None:
    made = identifiers.event_id("acme", "t1", "ann@gmail.com", 0)

    assert identifiers.generation_of(made, *other) is None


def test_the_ical_uid_is_the_one_that_google_gives() -> None:
    assert identifiers.ical_uid("abc123") == "abc123@google.com"


def test_random_bytes_travel_in_headers_and_addresses() -> None:
    made = identifiers.opaque(bytes(range(256)))

    assert re.fullmatch(r"[A-Za-z0-9_-]+", made)
    assert identifiers.opaque(b"\x00") != identifiers.opaque(b"\x01")
