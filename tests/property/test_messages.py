"""Messages travel unchanged, and whatever else is in a queue is told apart."""

import json
from datetime import UTC
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import errors, messages
from shared.domain.messages import Failure, Message, Queue, Subject, Trigger

instants = st.datetimes(timezones=st.just(UTC))
subjects = st.one_of(*(st.from_type(subject) for subject in get_args(Subject)))
sent = st.builds(
    Message,
    id=st.text(),
    queue=st.sampled_from(Queue),
    subject=subjects,
    trigger=st.sampled_from(Trigger),
    queued_at=instants,
    job_id=st.none() | st.integers(),
    attempt=st.integers(1, 100),
    failures=st.lists(
        st.builds(Failure, at=instants, reason=st.text(), error=st.text()), max_size=3
    ).map(tuple),
    trace=st.none() | st.text(),
    due_at=st.none() | instants,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(sent)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert messages.decode(messages.encode(message)) == message


@given(sent, st.dictionaries(st.text().map("later_{}".format), json_values))
def test_fields_of_another_release_are_passed_over(
    message: Message, unknown: dict[str, Any]
) -> None:
    document = json.loads(messages.encode(message))

    document["subject"] |= unknown
    body = json.dumps(unknown | document).encode()

    assert messages.decode(body) == message


def read(body: bytes) -> Message | None:
    """Read a message, or find that it is none; nothing else may happen."""
    try:
        return messages.decode(body)
    except errors.MessageDecodeError:
        return None


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_message_is_refused(body: bytes) -> None:
    assert read(body) is None


@given(sent, st.data())
def test_a_message_that_was_damaged_is_refused_or_can_be_passed_on(
    message: Message, data: st.DataObject
) -> None:
    document = json.loads(messages.encode(message))
    name = data.draw(st.sampled_from(sorted(document)))
    document[name] = data.draw(json_values)

    found = read(json.dumps(document).encode())

    if found is not None:
        assert messages.decode(messages.encode(found)) == found


@given(st.sampled_from(Queue), st.binary(), instants)
def test_what_cannot_be_read_becomes_a_message_that_can(
    queue: Queue,
    body: bytes,
    at: Any,  # noqa: ANN401 - an instant
) -> None:
    dead = messages.unreadable(queue, body, delivery_id="d", at=at)

    assert messages.decode(messages.encode(dead)) == dead
