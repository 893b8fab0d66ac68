"""The simulated Google: faults on demand, the quota, and the admin endpoints."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.contract.google_simulator import (
    ANNA,
    BEN,
    Google,
    guests,
    hour,
    refusal,
)


@pytest.fixture
def google() -> Google:
    return Google()


def test_a_fault_befalls_the_operation_it_names_as_often_as_it_says(
    google: Google,
) -> None:
    google.order(
        "faults",
        match={"operation": "events.insert"},
        times=2,
        status=503,
        retry_after=7,
    )

    answers = [google.call("POST", body=hour("2026-12-01T10:00")) for _ in range(3)]
    listed = google.call("GET")

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert refusal(answers[0]) == (HTTPStatus.SERVICE_UNAVAILABLE, "backendError")
    assert answers[0].headers["Retry-After"] == "7"
    assert len(listed.get_json()["items"]) == 1


@pytest.mark.parametrize(
    ("status", "reason", "domain"),
    [
        (403, "rateLimitExceeded", "usageLimits"),
        (403, "userRateLimitExceeded", "usageLimits"),
        (403, "quotaExceeded", "usageLimits"),
        (403, "forbidden", "global"),
        (403, "insufficientPermissions", "global"),
        (429, "rateLimitExceeded", "usageLimits"),
        (404, "notFound", "global"),
        (410, "fullSyncRequired", "calendar"),
        (410, "deleted", "global"),
        (412, "conditionNotMet", "global"),
        (500, "backendError", "global"),
        (401, "authError", "global"),
    ],
)
def test_any_error_and_reason_can_be_had(
    google: Google, status: int, reason: str, domain: str
) -> None:
    google.order("faults", status=status, reason=reason)

    answer = google.call("GET")

    assert refusal(answer) == (status, reason)
    assert answer.get_json()["error"]["errors"][0]["domain"] == domain


@pytest.mark.parametrize(
    ("match", "is_hit"),
    [
        ({"account": ANNA}, True),
        ({"account": BEN}, False),
        ({"path": "/events$"}, True),
        ({"path": "/settings"}, False),
        ({"event_id": "abc123"}, True),
        ({"event_id": "other"}, False),
        ({"operation": "calendar.events.insert"}, True),
        ({"operation": "events.list"}, False),
        ({"client": "demo"}, True),
        ({"client": "1234-crm.apps.googleusercontent.com"}, False),
        ({}, True),
    ],
)
def test_a_fault_befalls_only_what_it_matches(
    google: Google, match: dict[str, str], *, is_hit: bool
) -> None:
    google.order("faults", match=match, status=500)

    answer = google.call("POST", body={**hour("2026-12-01T10:00"), "id": "abc123"})

    assert (answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR) is is_hit


def test_latency_alone_only_delays(google: Google) -> None:
    google.order("faults", latency_seconds=3, times=1)

    answer = google.call("GET")

    assert answer.status_code == HTTPStatus.OK
    assert google.sleeps.seconds == [3]


@pytest.mark.parametrize(("kind", "held"), [("drop", []), ("timeout", [5])])
def test_a_write_may_be_applied_and_its_answer_lost(
    google: Google, kind: str, held: list[float]
) -> None:
    google.order("faults", apply_then_fail=kind, latency_seconds=5, times=1)
    body = {**hour("2026-12-01T10:00"), "id": "abc123"}

    with pytest.raises(ConnectionAbortedError):
        google.call("POST", body=body)

    assert google.get("abc123")["status"] == "confirmed"
    assert google.sleeps.seconds == held
    assert google.ask("requests")["requests"][0]["answer_lost"] is True


def test_a_write_may_be_applied_and_answered_with_a_503(google: Google) -> None:
    made = google.insert()
    google.order("faults", apply_then_fail="503", times=1)

    answer = google.call("PATCH", made["id"], {"summary": "New"})

    assert refusal(answer) == (HTTPStatus.SERVICE_UNAVAILABLE, "backendError")
    assert google.get(made["id"])["summary"] == "New"


def test_faults_can_be_seen_and_withdrawn(google: Google) -> None:
    google.order("faults", status=500)
    google.order("faults", notifications="drop")

    seen = google.ask("faults")["faults"]
    google.client.delete("/_admin/faults")

    assert [fault["status"] for fault in seen] == [500, None]
    assert google.ask("faults")["faults"] == []
    assert google.call("GET").status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("faults", {"status": 200}, "status: 200 is no HTTP status of an error"),
        ("faults", {"times": "two"}, "times: must be a whole number or null"),
        ("faults", {"times": 0}, "times: must be at least 1"),
        ("faults", {"latency": 3}, "latency: no field of a fault"),
        ("faults", {"match": {"method": "GET"}}, "match: method cannot be matched"),
        ("faults", {"match": {"operation": "event.list"}}, "operation: 'event.list'"),
        ("faults", {"match": {"path": "("}}, "match.path: '(' is no pattern"),
        ("faults", {"apply_then_fail": "burn"}, "apply_then_fail: 'burn' is none of"),
        ("faults", {"latency_seconds": -1}, "latency_seconds: must be a number"),
        ("accounts", {"address": "anna"}, "address: 'anna' is no e-mail address"),
        ("accounts", {"address": BEN, "time_zone": "X/Y"}, "time_zone: 'X/Y' is no"),
        ("calendars", {"account": "who@example.com"}, "account: there is no 'who@"),
        ("calendars", {"account": ANNA, "access_role": "god"}, "access_role: 'god'"),
        ("empty-pages", {}, "on: must be true or false"),
        ("events", {"calendar": "none"}, "calendar: there is no 'none'"),
        ("quota", {"per_minute_per_user": -1}, "per_minute_per_user: must be"),
    ],
)
def test_a_senseless_order_gets_one_clear_line(
    google: Google, path: str, body: dict[str, Any], complaint: str
) -> None:
    answer = google.client.post(f"/_admin/{path}", json=body)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert complaint in answer.get_json()["error"]
    assert "\n" not in answer.get_json()["error"]


@pytest.mark.parametrize("status", [403, 429])
def test_the_quota_counts_requests_of_a_user_in_a_sliding_minute(
    google: Google, status: int
) -> None:
    google.order("quota", per_minute_per_user=2, status=status)

    statuses = [google.call("GET").status_code for _ in range(2)]
    refused = google.call("GET")
    other = google.call("GET", account=BEN)
    google.clock.advance(seconds=60)
    later = google.call("GET")
    google.order("quota", per_minute_per_user=None)

    assert statuses == [200, 200]
    assert refusal(refused) == (status, "rateLimitExceeded")
    assert (other.status_code, later.status_code) == (200, 200)
    assert [google.call("GET").status_code for _ in range(3)] == [200] * 3


def test_a_patch_costs_three_units_of_the_quota(google: Google) -> None:
    made = google.insert()
    google.order("quota", per_minute_per_user=4)

    google.patch(made["id"], {"summary": "New"})
    refused = google.call("PATCH", made["id"], {"summary": "Newer"})
    google.get(made["id"])

    assert refusal(refused) == (HTTPStatus.FORBIDDEN, "rateLimitExceeded")


def test_what_googles_own_page_asks_is_no_clients_request(google: Google) -> None:
    google.order("quota", per_minute_per_user=0)
    google.order("faults", status=500)

    answer = google.send(
        "GET", "calendars/primary/events", headers={"X-Simulator-Page": "calendar"}
    )

    assert answer.status_code == HTTPStatus.OK
    assert google.ask("requests") == {"requests": []}


def test_every_request_is_logged_with_what_a_test_asks_about(google: Google) -> None:
    google.insert()
    before = google.ask("requests")["requests"][-1]["id"]
    made = google.insert(sendUpdates="all")
    google.call("PATCH", made["id"], {"summary": "New"}, if_match='"1"')
    google.call("GET", syncToken="dead")

    logged = google.ask("requests", since_id=before)["requests"]

    insert, patch, listed = logged
    assert (insert["method"], insert["operation"]) == ("POST", "events.insert")
    assert (insert["account"], insert["client"]) == (ANNA, "demo")
    assert (insert["event_id"], insert["send_updates"]) == (made["id"], "all")
    assert (patch["status"], patch["if_match"]) == (412, True)
    assert patch["event_id"] == made["id"]
    assert patch["path"] == f"/calendar/v3/calendars/primary/events/{made['id']}"
    assert listed["query"] == {"syncToken": ["dead"]}
    assert listed["time"] == "2026-11-24T09:00:00.000Z"


def test_the_log_and_the_mails_can_be_forgotten(google: Google) -> None:
    google.insert(attendees=guests(BEN), sendUpdates="all")

    google.client.delete("/_admin/requests")
    google.client.delete("/_admin/mails")

    assert google.ask("requests") == {"requests": []}
    assert google.ask("mails") == {"mails": []}


def test_the_state_shows_deleted_events_in_full(google: Google) -> None:
    made = google.insert(description="Agenda")
    google.delete(made["id"])

    shown = google.ask("state", account=ANNA)

    (calendar,) = shown["calendars"]
    (event,) = calendar["events"]
    assert (event["status"], event["description"]) == ("cancelled", "Agenda")


def test_clearing_leaves_empty_accounts_and_dead_tokens(google: Google) -> None:
    google.order("calendars", account=ANNA, summary="Team")
    google.insert(attendees=guests(BEN), sendUpdates="all")
    google.watch()
    google.order("faults", status=500, match={"account": BEN})
    token = google.sync_token()

    google.order("clear")

    assert google.ask("accounts")["accounts"][0]["address"] == ANNA
    assert len(google.ask("state", account=ANNA)["calendars"]) == 1
    assert google.rows() == google.rows(BEN) == []
    assert google.ask("mails") == {"mails": []}
    assert google.ask("channels") == {"channels": []}
    assert google.ask("faults") == {"faults": []}
    answer = google.call("GET", syncToken=token)
    assert refusal(answer) == (HTTPStatus.GONE, "fullSyncRequired")


def test_it_says_that_it_is_up(google: Google) -> None:
    assert google.ask("healthz") == {"status": "ok"}
    assert google.client.get("/healthz").status_code == HTTPStatus.OK


def test_an_unknown_path_is_googles_error(google: Google) -> None:
    nowhere = google.send("GET", "nowhere")

    assert refusal(nowhere) == (HTTPStatus.NOT_FOUND, "notFound")


@pytest.mark.parametrize("body", ["{", "[]", '{"summary": "\\ud800"}', "[" * 100_000])
def test_a_broken_body_is_refused_and_leaves_the_calendar_readable(
    google: Google, body: str
) -> None:
    broken = google.client.post(
        "/calendar/v3/calendars/primary/events",
        data=body,
        headers={"Authorization": f"Bearer demo-{ANNA}"},
    )

    assert refusal(broken) == (HTTPStatus.BAD_REQUEST, "parseError")
    assert google.rows() == []
