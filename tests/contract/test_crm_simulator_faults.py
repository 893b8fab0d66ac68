"""The simulated CRM: faults on demand, the request log, and the admin endpoints."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.contract.crm_simulator import ANN, BOB, KEY, Crm, meeting, refusal


@pytest.fixture
def crm() -> Crm:
    return Crm()


def test_a_fault_befalls_the_operation_it_names_as_often_as_it_says(crm: Crm) -> None:
    match = {"operation": "tasks.create"}
    crm.order("faults", match=match, times=2, status=503, retry_after=7)

    answers = [crm.post(meeting(), f"k{number}") for number in range(3)]
    listed = crm.ids()

    assert [answer.status_code for answer in answers] == [503, 503, 201]
    refusal(answers[0], HTTPStatus.SERVICE_UNAVAILABLE)
    assert answers[0].headers["Retry-After"] == "7"
    assert listed == [answers[2].get_json()["id"]]


@pytest.mark.parametrize(
    ("match", "is_hit"),
    [
        ({}, True),
        ({"operation": "tasks.update"}, True),
        ({"operation": "tasks.get"}, False),
        ({"method": "PATCH"}, True),
        ({"method": "GET"}, False),
        ({"path": "/tasks/t-"}, True),
        ({"path": "/users$"}, False),
        ({"task_id": "t-0"}, False),
    ],
)
def test_a_fault_befalls_only_what_it_matches(
    crm: Crm, match: dict[str, str], *, is_hit: bool
) -> None:
    task = crm.create()
    crm.order("faults", match=match, status=500)

    answer = crm.patch(task, title="New")

    assert (answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR) is is_hit


def test_a_fault_befalls_the_task_it_names(crm: Crm) -> None:
    task, other = crm.create(), crm.create()
    crm.order("faults", match={"task_id": task["id"]}, status=429)

    refused, changed = crm.patch(task, title="New"), crm.patch(other, title="New")

    refusal(refused, HTTPStatus.TOO_MANY_REQUESTS)
    assert changed.status_code == HTTPStatus.OK


def test_the_problem_says_what_the_fault_says(crm: Crm) -> None:
    crm.order("faults", status=409, message="Taken.", body={"existing_id": "t-1"})

    answer = crm.post(meeting(), "k1")

    problem = refusal(answer, HTTPStatus.CONFLICT)
    assert (problem["detail"], problem["existing_id"]) == ("Taken.", "t-1")


def test_latency_alone_only_delays(crm: Crm) -> None:
    crm.order("faults", latency_seconds=3, times=1)

    answer = crm.call("GET", "/tasks")

    assert answer.status_code == HTTPStatus.OK
    assert crm.slept == [3]


@pytest.mark.parametrize(("kind", "held"), [("drop", []), ("timeout", [5])])
def test_a_write_may_be_applied_and_its_answer_lost(
    crm: Crm, kind: str, held: list[float]
) -> None:
    task = crm.create()
    crm.order("faults", apply_then_fail=kind, latency_seconds=5, times=1)

    with pytest.raises(ConnectionAbortedError):
        crm.patch(task, title="New")

    assert crm.get(task)["title"] == "New"
    assert crm.slept == held
    assert crm.ask("requests")["requests"][1]["answer_lost"] is True


def test_a_write_may_be_applied_and_answered_with_a_503(crm: Crm) -> None:
    crm.order("faults", apply_then_fail="503", times=1)

    lost, again = crm.post(meeting(), "k1"), crm.post(meeting(), "k1")

    refusal(lost, HTTPStatus.SERVICE_UNAVAILABLE)
    assert again.status_code == HTTPStatus.OK
    assert len(crm.ids()) == 1


def test_faults_can_be_seen_and_withdrawn(crm: Crm) -> None:
    crm.order("faults", status=500)
    crm.order("faults", notifications="drop")

    seen = crm.ask("faults")["faults"]
    crm.client.delete("/_admin/faults")

    assert [fault["status"] for fault in seen] == [500, None]
    assert crm.ask("faults") == {"faults": []}
    assert crm.call("GET", "/tasks").status_code == HTTPStatus.OK


def test_a_key_that_is_not_good_meets_no_fault(crm: Crm) -> None:
    crm.order("faults", status=503, times=1)

    refused = crm.call("GET", "/users", key="other")
    hit = crm.call("GET", "/users")

    refusal(refused, HTTPStatus.UNAUTHORIZED)
    refusal(hit, HTTPStatus.SERVICE_UNAVAILABLE)


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("faults", {"status": 200}, "status: 200 is no HTTP status of an error"),
        ("faults", {"times": 0}, "times: must be at least 1"),
        ("faults", {"reason": "quotaExceeded"}, "reason: no field of a fault"),
        ("faults", {"match": {"account": ANN}}, "match: account cannot be matched"),
        ("faults", {"apply_then_fail": "burn"}, "apply_then_fail: 'burn' is none of"),
        ("users", {"email": "cleo@example.com"}, "id: must be a text"),
        ("users", {"id": "cleo", "email": "cleo"}, "email: 'cleo' is no e-mail"),
        (
            "users",
            {"id": "cleo", "email": "cleo@example.com", "time_zone": "X/Y"},
            "time_zone: 'X/Y' is no time zone",
        ),
        (
            "users",
            {"id": "cleo", "email": "cleo@example.com", "active": 1},
            "active: must be true or false",
        ),
        ("api-keys", {"key": ""}, "key: must be a text"),
        ("api-keys", {"key": "k", "permissions": ["All"]}, "permissions: must be"),
        ("api-keys", {"key": "k", "permissions": "View"}, "permissions: must be"),
        ("webhooks", {"secrets": ["s3cret"]}, "secrets: must be a list of whsec_"),
        ("webhooks", {"secrets": "whsec_AA=="}, "secrets: must be a list of whsec_"),
        ("webhooks", {"lose_every": -1}, "lose_every: must be a whole number"),
        ("webhooks", {"delay_seconds": "2"}, "delay_seconds: must be a number"),
        ("webhooks", {"loose_every": 2}, "loose_every: nothing that can be ordered"),
        ("webhooks", {"url": 7}, "url: must be a text"),
    ],
)
def test_a_senseless_order_gets_one_clear_line(
    crm: Crm, path: str, body: dict[str, Any], complaint: str
) -> None:
    answer = crm.client.post(f"/_admin/{path}", json=body)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert complaint in answer.get_json()["error"]
    assert "\n" not in answer.get_json()["error"]


def test_every_request_is_logged_with_what_a_test_asks_about(crm: Crm) -> None:
    crm.create()
    before = crm.ask("requests")["requests"][-1]["id"]
    task = crm.post(meeting(), "k1").get_json()
    crm.patch(task, '"7"', title="New")
    crm.page(limit=0)
    crm.call("POST", f"/users/{BOB}/notifications", {"title": "Hello"})
    crm.call("GET", "/users", key="other")

    logged = crm.ask("requests", since_id=before)["requests"]

    created, patched, listed, told, refused = logged
    assert created == {
        "id": before + 1,
        "time": "2026-11-24T09:00:00.000Z",
        "method": "POST",
        "path": "/api/v1/tasks",
        "query": {},
        "operation": "tasks.create",
        "task_id": task["id"],
        "user_id": "",
        "status": 201,
        "if_match": False,
        "idempotency_key": "k1",
        "answer_lost": False,
    }
    assert (patched["operation"], patched["status"]) == ("tasks.update", 412)
    assert (patched["task_id"], patched["if_match"]) == (task["id"], True)
    assert (listed["query"], listed["status"]) == ({"limit": ["0"]}, 400)
    assert (told["user_id"], told["status"]) == (BOB, 202)
    assert refused["status"] == 401


def test_the_logs_and_the_messages_can_be_forgotten(crm: Crm) -> None:
    crm.create()
    crm.schedule.run()
    crm.call("POST", f"/users/{ANN}/notifications", {"title": "Hello"})

    for path in ("requests", "deliveries", "notifications"):
        crm.client.delete(f"/_admin/{path}")

    assert crm.ask("requests") == {"requests": []}
    assert crm.ask("deliveries") == {"deliveries": []}
    assert crm.ask("notifications") == {"notifications": []}


def test_all_tasks_can_be_seen_deleted_ones_too(crm: Crm) -> None:
    kept, deleted = crm.create(), crm.create()
    crm.delete(deleted)

    shown = crm.ask("tasks")["tasks"]

    assert {row["id"]: row["deleted"] for row in shown} == {
        kept["id"]: False,
        deleted["id"]: True,
    }


def test_clearing_leaves_the_users_the_keys_and_the_subscription(crm: Crm) -> None:
    old = crm.post(meeting(google_event_id="e1"), "k1").get_json()
    crm.call("POST", f"/users/{ANN}/notifications", {"title": "Hello"})
    crm.order("faults", status=500, match={"operation": "tasks.get"})
    crm.order("webhooks", lose_every=1)

    crm.order("clear")
    crm.schedule.run()
    new = crm.post(meeting(google_event_id="e1"), "k1")

    assert crm.receiver.received == []
    assert [user["id"] for user in crm.ask("users")["users"]] == [ANN, BOB]
    assert crm.ask("notifications") == {"notifications": []}
    assert crm.ask("faults") == {"faults": []}
    assert new.status_code == HTTPStatus.CREATED
    assert new.get_json()["id"] != old["id"]
    assert crm.ids() == [new.get_json()["id"]]
    assert crm.schedule.delays() == [0]


def test_a_user_can_be_changed(crm: Crm) -> None:
    crm.order("users", id=ANN, email="ann@example.org", active=False)

    (first, _) = crm.ask("users")["users"]

    assert (first["email"], first["name"], first["active"]) == (
        "ann@example.org",
        None,
        False,
    )


def test_it_says_that_it_is_up_and_keeps_its_keys_to_itself(crm: Crm) -> None:
    up = crm.client.get("/healthz")
    shown = crm.client.get("/_admin/webhooks").text + crm.client.get("/").text

    assert up.get_json() == {"status": "ok"}
    assert KEY not in shown
    assert "whsec_" not in shown
