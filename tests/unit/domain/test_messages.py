"""Messages: written and read by this release and its neighbours."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain import errors, messages
from shared.domain.messages import Delay, Failure, Message, Queue, Subject, Trigger

AT = datetime(2026, 3, 2, 12, 0, 0, 123_456, tzinfo=UTC)
SUBJECTS: list[Subject] = [
    messages.ChannelNotified(channel_id="c", resource_id="r", resource_state="exists"),
    messages.CalendarDue(calendar_id=1),
    messages.OrganizationDue(organization_id=1),
    messages.ConnectionDue(connection_id=1),
    messages.TaskDue(organization_id=1, task_id="t", version=7),
    messages.TaskDue(organization_id=1, task_id="t"),
    messages.EventDue(calendar_id=1, event_id="e", must_read=True),
    messages.WindowDue(calendar_id=7),
    messages.HandoverDue(connection_id=1),
    messages.RemovalDue(connection_id=1),
    messages.WatchDue(calendar_id=1),
    messages.AccessDue(connection_id=1),
    messages.PreviewDue(connection_id=1),
    messages.InvitationDue(organization_id=1, crm_user_id="u1"),
    messages.CheckDue(organization_id=1),
    messages.SearchDue(organization_id=1),
    messages.RepairDue(organization_id=1),
    messages.TaskChanged(organization="acme", task_id="t", version=7),
    messages.Unreadable(body="\ufffd"),
]


def message(subject: Subject = SUBJECTS[4]) -> Message:
    """Return a message about some subject."""
    return Message(
        id="m1",
        queue=Queue.RECORDS,
        subject=subject,
        trigger=Trigger.WEBHOOK,
        queued_at=AT,
    )


def document() -> dict[str, object]:
    """Return a message as it travels."""
    return dict(json.loads(messages.encode(message())))


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda s: type(s).__name__)
def test_a_message_about_anything_is_read_as_it_was_written(subject: Subject) -> None:
    sent = message(subject)

    assert messages.decode(messages.encode(sent)) == sent


def test_every_kind_of_subject_travels() -> None:
    assert {type(subject) for subject in SUBJECTS} == set(Subject.__args__)


def test_a_message_keeps_its_job_attempts_and_failures() -> None:
    failed = messages.failed(message(), "rate_limit", "429", at=AT)
    sent = replace(failed, job_id=5, attempt=3, trace="00-a-b-01", due_at=AT)

    assert messages.decode(messages.encode(sent)) == sent


def test_a_failure_is_added_to_those_before() -> None:
    later = AT + timedelta(seconds=10)

    once = messages.failed(message(), "rate_limit", "429", at=AT)
    twice = messages.failed(once, "remote_unavailable", "503", at=later)

    assert twice.failures == (
        Failure(at=AT, reason="rate_limit", error="429"),
        Failure(at=later, reason="remote_unavailable", error="503"),
    )
    assert (twice.id, twice.attempt) == ("m1", 1)


def test_fields_of_a_later_release_are_ignored() -> None:
    later = document()
    later["shiny"] = True
    later["subject"] = {"organization_id": 1, "task_id": "t", "version": 7, "x": 1}

    assert messages.decode(json.dumps(later).encode()) == message()


def test_fields_that_an_earlier_release_did_not_have_get_their_defaults() -> None:
    earlier = document()
    for name in ("job_id", "attempt", "failures", "trace", "due_at"):
        del earlier[name]
    earlier["subject"] = {"organization_id": 1, "task_id": "t"}

    read = messages.decode(json.dumps(earlier).encode())

    assert read == message(messages.TaskDue(organization_id=1, task_id="t"))


@pytest.mark.parametrize(
    "name", ["id", "queue", "kind", "subject", "trigger", "queued_at"]
)
def test_a_message_without_one_of_its_fields_is_refused(name: str) -> None:
    lacking = document()
    del lacking[name]

    with pytest.raises(errors.MessageDecodeError, match="cannot be read"):
        messages.decode(json.dumps(lacking).encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queue", "somewhere"),
        ("queue", []),
        ("kind", "gossip"),
        ("kind", {}),
        ("subject", {}),
        ("subject", "task-1"),
        ("subject", None),
        ("trigger", "whim"),
        ("queued_at", "noon"),
        ("queued_at", 5),
        ("attempt", "first"),
        ("attempt", None),
        ("trace", 5),
        ("due_at", "noon"),
        ("due_at", {}),
        ("failures", [{}]),
        ("failures", 5),
    ],
)
def test_a_message_with_a_field_that_makes_no_sense_is_refused(
    name: str, value: object
) -> None:
    garbled = document() | {name: value}

    with pytest.raises(errors.MessageDecodeError, match="cannot be read"):
        messages.decode(json.dumps(garbled).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\x00",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b"5",
        b"[" * 100_000,
        b'{"id": "m1"',
        messages.encode(message())[:-1],
        messages.encode(message()).replace(b'"attempt":1', b'"attempt":1e999'),
    ],
    ids=[
        "nothing",
        "words",
        "bytes",
        "null",
        "list",
        "text",
        "empty",
        "number",
        "deep",
        "half",
        "cut",
        "infinite",
    ],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(errors.MessageDecodeError, match="cannot be read"):
        messages.decode(body)


def test_what_is_no_message_becomes_a_dead_letter() -> None:
    body = b"\xff" + b"x" * 5000

    dead = messages.unreadable(Queue.CRM_CHANGES, body, delivery_id="m1", at=AT)

    assert isinstance(dead.subject, messages.Unreadable)
    assert dead.subject.body == "\\xff" + "x" * 4095
    assert (dead.id, dead.queue) == ("m1", Queue.CRM_CHANGES)
    assert [failure.reason for failure in dead.failures] == ["message_decode"]
    assert messages.decode(messages.encode(dead)) == dead


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("attempt", [1, 2])
def test_only_the_first_look_at_what_somebody_just_did_is_live(
    trigger: Trigger, attempt: int
) -> None:
    is_live = replace(message(), trigger=trigger, attempt=attempt).is_live

    assert is_live is (trigger is Trigger.WEBHOOK and attempt == 1)


def test_the_delays_are_those_of_the_ladder() -> None:
    assert {delay.value: delay.seconds for delay in Delay} == {
        "1s": 1,
        "10s": 10,
        "1m": 60,
        "10m": 600,
        "1h": 3600,
    }
