"""What fails is tried again, later and later; what cannot succeed is filed."""

from datetime import timedelta

import pytest

from shared.adapters.store.states import JobState, LinkState, Outcome
from shared.domain import errors, messages, ports
from shared.domain.messages import Delay, Queue
from shared.domain.ports import Later
from tests.unit.workers.machinery import NOW
from tests.unit.workers.world import World


def test_an_outage_delays_a_change_and_loses_none(world: World) -> None:
    world.be_down(times=2)

    world.add_task()
    world.settle(patience=timedelta(minutes=2))

    assert world.only_event()["summary"] == "Plan"
    assert world.only_link().state == LinkState.ACTIVE


def test_a_failed_item_says_when_it_is_tried_again_and_is_then_corrected(
    world: World,
) -> None:
    world.be_down()
    world.add_task()
    world.settle()
    failed, failed_job = world.last_item(), world.jobs()[-1]

    world.settle(patience=timedelta(seconds=20))
    corrected, job = world.last_item(), world.jobs()[-1]

    assert (failed.outcome, failed.reason) == (Outcome.FAILED, "remote_unavailable")
    assert failed.next_attempt_at == NOW + timedelta(seconds=10)
    assert failed_job.state == JobState.FAILED
    assert corrected.id == failed.id
    assert (corrected.outcome, corrected.attempts) == (Outcome.APPLIED, 2)
    assert (corrected.error, corrected.next_attempt_at) == (None, None)
    assert (job.id, job.state, job.errors) == (failed_job.id, JobState.SUCCEEDED, 0)


def test_attempts_are_made_after_each_delay_and_then_no_more(world: World) -> None:
    world.be_down(times=99, on="insert_event")
    world.add_task()
    gaps: list[float] = []

    for _ in range(5):
        world.broker.run(world.dispatcher)
        gaps.append(world.broker.wait_seconds())
        world.pass_time(timedelta(seconds=gaps[-1]))
    world.settle()

    assert gaps == [10, 60, 600, 3600, 0]
    assert world.ann.calls == ["insert_event"] * 5
    (letter,) = world.dead_letters()
    assert (letter.reason, letter.attempts) == ("remote_unavailable", 5)


def test_what_google_refuses_for_good_is_filed_at_once(world: World) -> None:
    refusal = errors.RemoteRejectedError("Google answered events.insert with 400")
    world.ann.fail_next(refusal, on="insert_event")

    task = world.add_task()
    world.settle()

    (letter,) = world.dead_letters()
    assert (letter.queue, letter.task_id) == ("crm.changes", task["id"])
    assert (letter.reason, letter.error) == ("remote_rejected", str(refusal))
    assert letter.organization_id == world.organization.id
    item = world.last_item()
    assert (item.outcome, item.next_attempt_at) == (Outcome.FAILED, None)
    assert world.broker.waiting() == []


def test_what_failed_for_good_is_not_taken_up_again_by_itself(world: World) -> None:
    world.poll()
    world.ann.fail_next(errors.RemoteRejectedError(), on="insert_event")
    world.add_task()
    world.settle()
    world.forget_calls()

    for _ in range(3):
        world.pass_time(timedelta(minutes=3))
        world.periodic.round()
        world.settle()

    assert "insert_event" not in world.ann.calls
    assert len(world.dead_letters()) == 1


def test_what_waits_for_its_next_attempt_is_not_taken_up_meanwhile(
    world: World,
) -> None:
    world.poll()
    world.be_down(times=3, on="insert_event")
    world.add_task()
    world.settle(patience=timedelta(seconds=90))
    world.forget_calls()

    world.pass_time(timedelta(minutes=5))
    world.periodic.round()
    world.broker.run(world.dispatcher)

    assert "insert_event" not in world.ann.calls


def test_a_next_attempt_that_was_lost_is_made_by_the_sweep(world: World) -> None:
    world.be_down()
    world.add_task()
    world.settle()
    world.broker.lose()

    world.pass_time(timedelta(minutes=3))
    world.periodic.round()
    world.settle()

    assert world.only_event()["summary"] == "Plan"


def test_a_dead_letter_can_be_replayed(world: World) -> None:
    world.ann.fail_next(errors.RemoteRejectedError(), on="insert_event")
    world.add_task()
    world.settle()
    (letter,) = world.dead_letters()

    world.broker.publish(messages.decode(letter.message.encode()))
    world.settle()

    assert world.only_event()["summary"] == "Plan"
    assert world.last_item().outcome == Outcome.APPLIED


def test_an_edit_by_its_user_is_an_attempt_too(world: World) -> None:
    world.ann.fail_next(errors.RemoteRejectedError(), on="insert_event")
    task = world.add_task()
    world.settle()

    world.edit_task(task["id"], title="Shorter")
    world.settle()

    assert world.only_event()["summary"] == "Shorter"


@pytest.mark.parametrize(
    ("wished", "seconds"), [(None, 10), (5, 10), (30, 60), (100, 600), (7200, 3600)]
)
def test_the_pause_that_a_remote_asks_for_is_kept(
    world: World, wished: float | None, seconds: int
) -> None:
    world.ann.fail_next(errors.RateLimitError(retry_after=wished))

    world.add_task()
    world.settle()

    then = NOW + timedelta(seconds=seconds)
    assert world.last_item().next_attempt_at == then
    assert world.last_item().reason == "rate_limit"


def test_the_abuse_limit_of_google_is_waited_out_hourly(world: World) -> None:
    world.ann.fail_next(*[errors.UsageLimitError()] * 6)

    world.add_task()
    world.settle(patience=timedelta(hours=7))

    assert world.only_event()["summary"] == "Plan"
    assert world.last_item().attempts == 7


def test_a_record_that_cannot_be_read_does_not_hold_up_its_calendar(
    world: World,
) -> None:
    world.ann.create("bad", summary="Bad", start={"dateTime": "never"})
    world.ann.create("good", summary="Good")

    world.calendar_changed()
    world.settle()

    assert world.only_task()["title"] == "Good"
    (letter,) = world.dead_letters()
    assert (letter.event_id, letter.reason) == ("bad", "mapping")


def test_a_linked_event_that_cannot_be_read_any_more_is_filed(world: World) -> None:
    world.add_task()
    world.settle()
    event_id = world.only_event()["id"]

    world.edit_event(event_id, start={"dateTime": "never"})
    world.settle()

    assert [letter.event_id for letter in world.dead_letters()] == [event_id]
    assert world.only_task()["title"] == "Plan"


def test_a_task_that_cannot_be_read_does_not_hold_up_the_others(world: World) -> None:
    bad = world.add_task(due_at="never")
    world.add_task(title="Good")

    world.settle()

    assert world.only_event()["summary"] == "Good"
    assert [letter.task_id for letter in world.dead_letters()] == [bad["id"]]


def test_an_error_of_our_own_is_tried_again_and_shows_no_values(world: World) -> None:
    world.ann.fail_next(ValueError("the text of a meeting"))

    world.add_task()
    world.settle()
    failed = world.last_item()
    world.settle(patience=timedelta(seconds=20))

    assert (failed.reason, failed.error) == ("unexpected", "ValueError")
    assert world.only_event()["summary"] == "Plan"


def test_an_error_of_our_own_that_lasts_is_filed(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.ann.fail_next(*[ValueError("boom")] * 5)

    world.add_task()
    world.settle(patience=timedelta(hours=2))

    (letter,) = world.dead_letters()
    assert letter.reason == "unexpected"
    assert any(record.exc_info for record in caplog.records)


def test_a_webhook_of_an_unknown_organization_is_filed_for_operators(
    world: World,
) -> None:
    changed = messages.TaskChanged(organization="nobody", task_id="t1", version=1)

    world.queue(Queue.CRM_CHANGES, changed)
    world.settle()

    (letter,) = world.dead_letters()
    assert (letter.organization_id, letter.task_id) == (None, "t1")
    assert world.items() == []


def test_a_message_that_cannot_be_read_is_filed(world: World) -> None:
    world.broker.publish(
        messages.unreadable(Queue.RECORDS, b"{", delivery_id="x", at=NOW)
    )

    world.settle()

    (letter,) = world.dead_letters()
    assert (letter.reason, letter.organization_id) == ("message_decode", None)


def test_a_store_that_is_away_delays_the_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_task()
    (message,) = world.broker.lose()
    monkeypatch.setattr(world.store, "begin", _away)
    monkeypatch.setattr(world.store, "read", _away)

    disposition = world.dispatcher(message)

    assert isinstance(disposition, Later)
    assert disposition.delay is Delay.TEN_SECONDS
    assert disposition.message.attempt == 2
    assert [f.reason for f in disposition.message.failures] == ["remote_unavailable"]


def _away() -> None:
    raise errors.RemoteUnavailableError


def test_a_crm_that_refuses_our_key_is_asked_again_later(world: World) -> None:
    world.crm_side.fail_next(errors.RemoteAuthError(), on="get_task")

    world.add_task()
    world.settle()
    state = world.connection().state
    world.settle(patience=timedelta(seconds=20))

    assert state == "active"
    assert world.only_event()["summary"] == "Plan"


@pytest.mark.parametrize(
    "subject",
    [
        messages.CalendarDue(calendar_id=99),
        messages.EventDue(calendar_id=99, event_id="e1"),
        messages.ConnectionDue(connection_id=99),
        messages.WatchDue(calendar_id=99),
        messages.WindowDue(calendar_id=99),
        messages.PreviewDue(connection_id=99),
        messages.HandoverDue(connection_id=99),
        messages.RemovalDue(connection_id=99),
        messages.AccessDue(connection_id=99),
    ],
)
def test_a_message_about_what_is_not_there_any_more_is_dropped(
    world: World, subject: messages.Subject
) -> None:
    world.queue(Queue.RECORDS, subject)
    (waiting,) = world.broker.lose()

    disposition = world.dispatcher(waiting)
    filed = world.deaths(
        messages.failed(waiting, "unexpected", "", at=world.clock.now())
    )

    assert (disposition, filed) == (ports.Done(), ports.Done())
    assert world.dead_letters() == []


def test_a_notification_whose_list_fails_for_good_is_its_calendars(
    world: World,
) -> None:
    world.ann.fail_next(errors.RemoteRejectedError(), on="list_events")

    world.calendar_changed()
    world.settle()

    item = world.last_item()
    assert item.connection_id == world.connection().id
    assert [letter.queue for letter in world.dead_letters()] == ["google.changes"]


def test_a_failure_of_a_linked_task_is_its_connections(world: World) -> None:
    task = world.add_task()
    world.settle()
    world.ann.fail_next(errors.RemoteRejectedError(), on="patch_event")

    world.edit_task(task["id"], title="Plan B")
    world.settle()

    item = world.last_item()
    assert item.connection_id == world.connection().id
    assert item.link_id == world.only_link().id
