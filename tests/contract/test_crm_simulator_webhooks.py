"""The simulated CRM: webhooks are signed, sent until they arrive, and disturbed."""

from http import HTTPStatus

import pytest
import standardwebhooks

from deploy.demo import faults
from deploy.demo.crm import webhooks
from tests.contract.crm_simulator import (
    RECEIVER,
    SECRET,
    Clock,
    Crm,
    Receiver,
    Schedule,
    Sent,
    meeting,
)

NEW_SECRET = "whsec_bmV3LXNlY3JldC1vZi10aGUtdGVzdHM="  # noqa: S105 -- used by tests only
STARTED = ("task.created", 1)


@pytest.fixture
def crm() -> Crm:
    return Crm()


def signed(sent: Sent, secret: str, clock: Clock) -> str:
    """Return the signature that the library makes of a webhook."""
    return standardwebhooks.Webhook(secret).sign(
        sent.headers["webhook-id"], clock.now(), sent.body.decode()
    )


# -- what is sent -----------------------------------------------------------------


def test_every_change_leaves_at_once_as_the_task_was_then(crm: Crm) -> None:
    task = crm.create(title="Käse & Brot")
    changed = crm.change(task, title="New")
    crm.delete(task)

    delays = crm.schedule.delays()
    crm.schedule.run()

    documents = [sent.document for sent in crm.receiver.received]
    assert delays == [0, 0, 0]
    assert documents[0] == {
        "type": "task.created",
        "timestamp": "2026-11-24T09:00:00.000Z",
        "data": task,
    }
    assert documents[1]["data"] == changed
    assert crm.receiver.told() == [STARTED, ("task.updated", 2), ("task.deleted", 3)]
    assert documents[2]["data"]["deleted"] is True


def test_what_changes_nothing_tells_nobody(crm: Crm) -> None:
    first = crm.post(meeting(), "k1").get_json()

    crm.post(meeting(), "k1")
    crm.change(first, title=first["title"])
    crm.patch(first, '"7"', title="Refused")
    crm.patch(first, title="")
    crm.call("POST", "/users/ann/notifications", {"title": "Hello"})
    crm.schedule.run()

    assert crm.receiver.told() == [STARTED]


def test_a_webhook_is_signed_as_the_specification_says(crm: Crm) -> None:
    crm.create(title="Käse & Brot 🧀")
    crm.clock.advance(seconds=7.9)
    crm.schedule.run()

    (sent,) = crm.receiver.received
    assert sent.url == RECEIVER
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["webhook-id"].startswith("msg_")
    assert sent.headers["webhook-timestamp"] == str(int(crm.clock.now().timestamp()))
    assert sent.headers["webhook-signature"] == signed(sent, SECRET, crm.clock)


def test_while_a_secret_is_replaced_both_sign(crm: Crm) -> None:
    crm.create()

    crm.order("webhooks", secrets=[NEW_SECRET, SECRET])
    crm.schedule.run()

    (sent,) = crm.receiver.received
    signatures = sent.headers["webhook-signature"].split(" ")
    assert signatures == [signed(sent, s, crm.clock) for s in (NEW_SECRET, SECRET)]


def test_webhooks_go_where_they_are_ordered_to(crm: Crm) -> None:
    crm.order("webhooks", url="https://elsewhere.example.com/")

    crm.create()
    crm.schedule.run()

    (sent,) = crm.receiver.received
    assert sent.url == "https://elsewhere.example.com/"


def test_without_an_address_nothing_is_kept_or_sent(crm: Crm) -> None:
    crm.order("webhooks", url="")

    crm.create()

    assert crm.schedule.delays() == []
    assert crm.ask("webhooks")["pending"] == 0


# -- until it arrives -------------------------------------------------------------


@pytest.mark.parametrize("status", [webhooks.NO_ANSWER, 301, 400, 401, 404, 429, 503])
def test_a_webhook_is_sent_again_after_anything_but_a_2xx(
    crm: Crm, status: int
) -> None:
    crm.receiver.statuses = [status, HTTPStatus.NO_CONTENT]
    crm.create()

    crm.schedule.run()
    pending, delays = crm.ask("webhooks")["pending"], crm.schedule.delays()
    crm.clock.advance(minutes=10)
    crm.schedule.run()

    first, second = crm.receiver.received
    assert (pending, delays) == (1, [1])
    assert second.body == first.body
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.headers["webhook-signature"] == signed(second, SECRET, crm.clock)
    assert crm.ask("webhooks")["pending"] == 0
    assert crm.schedule.delays() == []


def test_the_waits_double_up_to_half_a_minute_for_a_day_at_least(crm: Crm) -> None:
    crm.receiver.statuses = [503] * 8
    crm.create()
    delays = []

    for _ in range(8):
        crm.schedule.run()
        delays += crm.schedule.delays()

    waits = [webhooks.BACKOFF.after(n) or 0 for n in range(1, 10_000)]
    assert delays == [1, 2, 4, 8, 16, 30, 30, 30]
    assert sum(waits) > 24 * 60 * 60


def test_what_had_not_arrived_is_sent_by_the_next_run(crm: Crm) -> None:
    crm.receiver.statuses = [503]
    crm.create()
    crm.schedule.run()
    schedule, receiver = Schedule(), Receiver()

    outbox = webhooks.Outbox(
        crm.state,
        crm.clock,
        disturbed=faults.Faults(),
        schedule=schedule,
        post=receiver.post,
    )
    outbox.subscription = webhooks.Subscription(url=RECEIVER, secrets=(SECRET,))
    outbox.resume()
    schedule.run()

    assert receiver.told() == [STARTED]
    assert crm.state.pending() == []


def test_attempts_are_logged_with_their_outcome(crm: Crm) -> None:
    crm.receiver.statuses = [503]
    task = crm.create()
    crm.schedule.run()
    crm.schedule.run()

    failed, arrived = crm.ask("deliveries")["deliveries"]
    later = crm.ask("deliveries", since_id=failed["id"])["deliveries"]

    assert (failed["outcome"], failed["status"]) == ("failed", 503)
    assert (arrived["outcome"], arrived["attempt"]) == ("arrived", 2)
    assert (arrived["task_id"], arrived["version"]) == (task["id"], 1)
    assert later == [arrived]


# -- disturbed --------------------------------------------------------------------


def test_every_so_many_webhooks_are_lost(crm: Crm) -> None:
    crm.order("webhooks", lose_every=3)
    task = crm.create()
    for number in range(5):
        crm.change(task, title=f"Title {number}")

    crm.schedule.run()

    assert [version for _, version in crm.receiver.told()] == [1, 2, 4, 5]
    assert crm.ask("webhooks")["pending"] == 0


def test_every_so_many_webhooks_come_twice_under_one_id(crm: Crm) -> None:
    crm.order("webhooks", duplicate_every=2)
    task = crm.create()
    crm.change(task, title="New")

    crm.schedule.run()

    ids = [sent.headers["webhook-id"] for sent in crm.receiver.received]
    assert [version for _, version in crm.receiver.told()] == [1, 2, 2]
    assert ids[1] == ids[2]


def test_each_group_of_so_many_webhooks_comes_in_reverse(crm: Crm) -> None:
    crm.order("webhooks", reorder=3)
    task = crm.create()
    for number in range(5):
        crm.change(task, title=f"Title {number}")

    # What is due later runs later; the second group was made after the first came.
    crm.schedule.waiting = [
        (delay + place // 3, place, call)
        for place, (delay, _, call) in enumerate(crm.schedule.waiting)
    ]
    crm.schedule.run()

    assert [version for _, version in crm.receiver.told()] == [3, 2, 1, 6, 5, 4]


def test_webhooks_come_late(crm: Crm) -> None:
    crm.order("webhooks", delay_seconds=2.5)

    crm.create()

    assert crm.schedule.delays() == [2.5]


def test_an_order_leaves_what_it_does_not_name(crm: Crm) -> None:
    crm.order("webhooks", lose_every=2, delay_seconds=1)

    shown = crm.order("webhooks", delay_seconds=3)
    crm.client.delete("/_admin/webhooks")
    left = crm.ask("webhooks")

    assert (shown["lose_every"], shown["delay_seconds"]) == (2, 3)
    assert (left["lose_every"], left["delay_seconds"]) == (0, 0)
    assert left["url"] == RECEIVER


@pytest.mark.parametrize(
    ("kind", "times", "versions"),
    [("drop", 1, [2, 3]), ("duplicate", 2, [1, 1, 2, 2, 3]), ("drop", None, [])],
)
def test_a_fault_befalls_the_next_webhooks(
    crm: Crm, kind: str, times: int | None, versions: list[int]
) -> None:
    crm.order("faults", notifications=kind, times=times)
    task = crm.create()
    crm.change(task, title="Second")
    crm.change(task, title="Third")

    crm.schedule.run()

    assert [version for _, version in crm.receiver.told()] == versions


def test_a_fault_makes_a_webhook_late(crm: Crm) -> None:
    crm.order("faults", notifications="late", seconds=40, times=1)

    crm.create()
    crm.create()

    assert crm.schedule.delays() == [40, 0]


def test_a_fault_sends_a_webhook_before_its_change_is_answered(crm: Crm) -> None:
    crm.order("faults", notifications="before_response", times=1)
    crm.receiver.statuses = [503]

    crm.create()

    assert crm.receiver.told() == [STARTED]
    assert crm.schedule.delays() == [1]
