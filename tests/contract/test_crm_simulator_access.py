"""The simulated CRM: keys and their permissions, messages to users, unknown paths."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.contract.crm_simulator import (
    ANN,
    BOB,
    KEY,
    Crm,
    done,
    meeting,
    refusal,
    wrong_fields,
)


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer other", f"Basic {KEY}", KEY]
)
def test_a_call_without_a_good_key_is_unauthorized(
    crm: Crm, authorization: str
) -> None:
    answer = crm.client.get("/api/v1/users", headers={"Authorization": authorization})

    refusal(answer, HTTPStatus.UNAUTHORIZED)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        (["View"], {"list", "get"}),
        (["Create"], {"create"}),
        (["Edit"], {"update", "delete"}),
        (["View", "Create", "Edit"], {"list", "get", "create", "update", "delete"}),
        ([], set()),
    ],
)
def test_a_key_may_do_with_tasks_what_it_permits(
    crm: Crm, permissions: list[str], allowed: set[str]
) -> None:
    task = crm.create()
    crm.order("api-keys", key="narrow", permissions=permissions)
    path = f"/tasks/{task['id']}"

    answers = {
        "list": crm.call("GET", "/tasks", key="narrow"),
        "get": crm.call("GET", path, key="narrow"),
        "create": crm.call(
            "POST",
            "/tasks",
            meeting(),
            key="narrow",
            headers={"Idempotency-Key": "k1"},
        ),
        "update": crm.call("PATCH", path, {"title": "New"}, key="narrow"),
        "delete": crm.call("DELETE", path, key="narrow"),
    }

    forbidden = answers.keys() - allowed
    for name in forbidden:
        refusal(answers[name], HTTPStatus.FORBIDDEN)
    for name in allowed:
        done(answers[name])


def test_users_and_messages_need_no_permission_on_tasks(crm: Crm) -> None:
    crm.order("api-keys", key="narrow", permissions=[])

    listed = crm.call("GET", "/users", key="narrow")
    told = crm.call(
        "POST", f"/users/{ANN}/notifications", {"title": "Hello"}, key="narrow"
    )

    assert listed.status_code == HTTPStatus.OK
    assert told.status_code == HTTPStatus.ACCEPTED


def messages(crm: Crm, user_id: str) -> list[dict[str, Any]]:
    """Return what a user sees."""
    found: list[dict[str, Any]] = crm.ask("notifications", user_id=user_id)[
        "notifications"
    ]
    return found


def test_a_user_sees_messages_and_the_last_of_each_key(crm: Crm) -> None:
    path = f"/users/{ANN}/notifications"
    for title, key in (("First", "k"), ("Other", None), ("Second", "k")):
        body = {"title": title} | ({"key": key} if key else {})
        done(crm.call("POST", path, body))
    done(crm.call("POST", path, {"title": "Other"}))
    done(crm.call("POST", f"/users/{BOB}/notifications", {"title": "B", "key": "k"}))

    assert [row["title"] for row in messages(crm, ANN)] == ["Second", "Other", "Other"]
    assert [row["title"] for row in messages(crm, BOB)] == ["B"]


def test_a_message_is_kept_in_full(crm: Crm) -> None:
    body = {
        "title": "Reconnect",
        "body": "Google asks for it.",
        "link": "https://sync.example.com/me?from=crm",
        "key": "reauthorize:1",
    }

    answer = crm.call("POST", f"/users/{ANN}/notifications", body)

    (kept,) = messages(crm, ANN)
    assert (answer.status_code, answer.data) == (HTTPStatus.ACCEPTED, b"")
    assert {name: kept[name] for name in body} == body
    assert kept["created_at"] == "2026-11-24T09:00:00.000Z"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": None}, "title"),
        ({"title": "t" * 201}, "title"),
        ({"title": "T", "body": 7}, "body"),
        ({"title": "T", "link": "me"}, "link"),
        ({"title": "T", "link": "https://[half/"}, "link"),
        ({"title": "T", "key": None}, "key"),
    ],
)
def test_a_message_that_is_not_valid_is_refused_for_its_field(
    crm: Crm, body: dict[str, object], field: str
) -> None:
    answer = crm.call("POST", f"/users/{ANN}/notifications", body)

    assert wrong_fields(answer).keys() == {field}
    assert messages(crm, ANN) == []


def test_nobody_gets_no_message(crm: Crm) -> None:
    answer = crm.call("POST", "/users/nobody/notifications", {"title": "Hello"})

    refusal(answer, HTTPStatus.NOT_FOUND)


def test_an_unknown_path_and_a_wrong_method_are_problems_too(crm: Crm) -> None:
    nowhere = crm.call("GET", "/nowhere")
    wrong = crm.call("PUT", "/tasks", meeting())

    refusal(nowhere, HTTPStatus.NOT_FOUND)
    refusal(wrong, HTTPStatus.METHOD_NOT_ALLOWED)
    assert {"GET", "POST"} <= set(wrong.headers["Allow"].split(", "))
