"""Processes die while changes stream through: nothing is lost, doubled or repeated."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.domain import identifiers
from tests.e2e.stream import Stream, assert_nothing_travels
from tests.e2e.system import ANN, ORGANIZATION, System, eventually
from tests.e2e.test_scenario import new_task

SAFETY_POLL_SECONDS = 3
"""What Google tells a dead receiver is lost but for the polls."""

ROUNDS = 8
"""In each, everybody makes a task and an event, and edits those of the round before."""

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def stream(system: System) -> Iterator[Stream]:
    """Return a stream that must have arrived in the end, with nothing travelling."""
    stream = Stream(system)
    yield stream
    eventually(stream.assert_arrived, 120)
    system.google.withdraw("faults")
    eventually(system.assert_quiet)
    assert_nothing_travels(system, 2 * SAFETY_POLL_SECONDS)


def _in_the_middle(stream: Stream, happen: Callable[[], None]) -> None:
    for number in range(ROUNDS):
        stream.round()
        if number == ROUNDS // 2:
            happen()


def test_a_worker_is_killed(system: System, stream: Stream) -> None:
    def happen() -> None:
        system.kill("work")
        system.start("work")

    _in_the_middle(stream, happen)


def test_the_receiver_is_killed(system: System, stream: Stream) -> None:
    def happen() -> None:
        system.kill("serve")
        system.start("serve")

    _in_the_middle(stream, happen)


def test_the_broker_crashes(system: System, stream: Stream) -> None:
    if system.restart_broker is None:
        system.kill("work")
        system.start("work")
        _in_the_middle(stream, lambda: None)
    else:
        _in_the_middle(stream, system.restart_broker)


def test_everything_is_killed_at_once(system: System, stream: Stream) -> None:
    def happen() -> None:
        for name in ("work", "serve", "periodic"):
            system.kill(name)
        for name in ("serve", "work", "periodic"):
            system.start(name)

    _in_the_middle(stream, happen)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "retry_after": 1},
        {"status": 429, "reason": "rateLimitExceeded"},
        {"status": 403, "reason": "rateLimitExceeded"},
        {"apply_then_fail": "timeout"},
    ],
    ids=["503", "429", "403", "timeout"],
)
def test_google_is_out_of_order_for_a_while(
    system: System, stream: Stream, fault: dict[str, Any]
) -> None:
    for method in ("insert", "patch"):
        match = {"operation": f"events.{method}"}
        system.google.order("faults", match=match, times=3, **fault)

    # People, who would meet the faults as well, keep to the CRM.
    for _ in range(2):
        stream.round_in_crm()


def test_a_record_that_google_refuses_for_good_does_not_hold_up_the_others(
    system: System, stream: Stream
) -> None:
    with system.paused("work"):
        bad = system.crm_call("POST", "/tasks", new_task(ANN, "Refused"))
        event_id = identifiers.event_id(ORGANIZATION, bad["id"], ANN.account, 0)
        match = {"event_id": event_id}
        system.google.order("faults", match=match, status=400, reason="invalid")

    def is_filed() -> None:
        rows = system.api("GET", "/dead-letters")["items"]
        assert "remote_rejected" in {
            row["reason"] for row in rows if row["task_id"] == bad["id"]
        }

    eventually(is_filed)
    stream.round()
    eventually(stream.assert_arrived)
    # The polls would come back to it for a while.
    system.crm_call("DELETE", f"/tasks/{bad['id']}")


def test_lost_notifications_are_made_up_for_by_the_safety_poll(
    system: System, stream: Stream
) -> None:
    system.google.order("faults", notifications="drop", times=20)

    stream.round()
    stream.round()
