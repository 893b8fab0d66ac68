"""What the workers make of messages that are given another chance."""

import pytest

from shared.domain import errors, messages
from tests.unit.workers.world import World
from webhook_receiver.dead_letters import DeadLetters, Selection, replayable

GUESTS = [{"email": "guest@x.example"}]


@pytest.fixture
def failed(world: World) -> World:
    """Let Google refuse the event of a task for good; guests are to get mail."""
    world.settings(guest_notifications="all")
    world.ann.fail_next(errors.RemoteRejectedError(), on="insert_event")
    world.add_task(attendees=GUESTS)
    world.settle()
    return world


def replay(world: World) -> None:
    """Replay all dead letters, and let the workers do what follows."""
    letters = DeadLetters(world.store, world.broker)
    for rows in letters.batches(Selection()):
        letters.replay(rows)
    world.settle()


def test_a_replay_does_what_had_failed_and_mails_nobody(failed: World) -> None:
    replay(failed)

    assert failed.only_event()["summary"] == "Plan"
    assert failed.ann.sent_updates == ["none"]
    assert failed.dead_letters() == []


def test_a_replay_of_a_notification_mails_nobody(world: World) -> None:
    world.settings(guest_notifications="all")
    world.ann.fail_next(errors.RemoteRejectedError(), on="list_events")
    world.add_event(attendees=GUESTS)
    world.settle()
    world.forget_calls()

    replay(world)

    assert world.only_task()["title"] == "Lunch"
    assert set(world.ann.sent_updates) <= {"none"}
    assert world.dead_letters() == []


def test_a_message_that_is_replayed_twice_makes_one_event(failed: World) -> None:
    (letter,) = failed.dead_letters()
    message = replayable(letter)
    assert message is not None

    # A replay that was killed has queued it, and the dead letter is there still.
    failed.broker.publish(message)
    replay(failed)

    assert failed.only_event()["summary"] == "Plan"
    assert failed.ann.sent_updates == ["none"]
    assert failed.dead_letters() == []


def test_what_fails_again_comes_back_with_its_history(failed: World) -> None:
    (before,) = failed.dead_letters()
    failed.pass_time()
    refusal = errors.RemoteRejectedError("not that one either")
    failed.ann.fail_next(refusal, on="insert_event")

    replay(failed)

    (letter,) = failed.dead_letters()
    assert letter.delivery_id == before.delivery_id
    history = messages.decode(letter.message.encode()).failures
    first = messages.decode(before.message.encode()).failures
    assert history[: len(first)] == first
    assert [failure.error for failure in history[len(first) :]] == [str(refusal)]
