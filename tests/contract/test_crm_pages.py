"""The simulated CRM's page without a browser: its frames and what the scripts ask."""

import re
from http import HTTPStatus
from importlib import resources
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.contract.crm_simulator import ANN, BOB, Crm, Row, done, meeting, refusal

DAYS = {"from": "2026-11-20", "to": "2026-12-10"}


@pytest.fixture
def crm() -> Crm:
    return Crm()


def look(crm: Crm, user: str = ANN, **query: str) -> TestResponse:
    """Ask what a user sees on the days of these tests."""
    return crm.client.get("/app/tasks", query_string={"user": user, **DAYS, **query})


def titles(crm: Crm, user: str = ANN, **query: str) -> list[str]:
    """Return the titles that a user sees."""
    return [task["title"] for task in done(look(crm, user, **query))["tasks"]]


def change(crm: Crm, task: Row, if_match: str = "", **fields: Any) -> TestResponse:  # noqa: ANN401 - any of the fields
    """Change a task, as a person at the page."""
    headers = {"If-Match": if_match} if if_match else {}
    return crm.client.patch(f"/app/tasks/{task['id']}", json=fields, headers=headers)


def test_the_choice_lists_every_user_as_text(crm: Crm) -> None:
    crm.order("users", id="eve", email="eve@example.com", name="<i>Eve</i>")

    page = crm.client.get("/")

    assert "&lt;i&gt;Eve&lt;/i&gt;" in page.text
    assert "/tasks?user=eve" in page.text
    assert "bob@example.com" in page.text


def test_a_new_crm_says_that_it_has_no_user(crm: Crm) -> None:
    crm.state.users.clear()

    page = crm.client.get("/")

    assert "There is no user yet." in page.text


def test_an_unknown_user_gets_the_choice_with_404(crm: Crm) -> None:
    page = crm.client.get("/tasks?user=nobody")

    assert page.status_code == HTTPStatus.NOT_FOUND
    assert "There is no user nobody here." in page.text


def test_nothing_on_the_page_comes_from_elsewhere(crm: Crm) -> None:
    page = crm.client.get(f"/tasks?user={ANN}")
    names = re.findall(r'(?:src|href)="(/tasks/static/[^"]+)"', page.text)
    files = [crm.client.get(name) for name in names]

    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert len(files) >= 3
    for file in files:
        with file:
            assert file.status_code == HTTPStatus.OK
            assert "https://" not in file.text


def test_every_script_that_another_needs_is_there() -> None:
    static = resources.files("deploy.demo.crm") / "static"
    scripts = {
        file.name: file.read_text()
        for file in static.iterdir()
        if file.name.endswith(".js")
    }

    needed = {
        name
        for text in scripts.values()
        for name in re.findall(r'from "\./([^"]+)"', text)
    }

    assert needed | {"tasks.js"} == set(scripts)


def test_a_user_sees_ones_own_tasks_of_the_days_and_those_without_a_day(
    crm: Crm,
) -> None:
    crm.create(title="Timed", due_at="2026-12-01T10:00:00Z")
    crm.create(title="All day", due_at=None, due_date="2026-12-02")
    crm.create(title="Some day", due_at=None)
    crm.create(title="Of Bob", owner_id=BOB)
    crm.create(title="Long ago", due_at="2026-10-01T10:00:00Z")
    crm.delete(crm.create(title="Deleted"))

    seen = titles(crm)

    assert seen == ["Timed", "All day", "Some day"]


def test_days_are_wide_enough_for_every_time_zone(crm: Crm) -> None:
    crm.create(title="First in the east", due_at="2026-11-19T10:30:00Z")
    crm.create(title="Last in the west", due_at="2026-12-11T11:30:00Z")

    seen = titles(crm)

    assert seen == ["First in the east", "Last in the west"]


def test_everybodys_tasks_can_be_seen(crm: Crm) -> None:
    crm.create(title="Of Bob", owner_id=BOB)

    seen = titles(crm, whose="all")

    assert seen == ["Of Bob"]


def test_nothing_is_sent_twice_until_something_is_new(crm: Crm) -> None:
    task = crm.create()
    mark = done(look(crm))["mark"]

    again = look(crm, seen=mark)
    crm.patch(task, title="New")
    changed = look(crm, seen=mark)

    assert (again.status_code, again.data) == (HTTPStatus.NO_CONTENT, b"")
    assert changed.get_json()["tasks"][0]["title"] == "New"


@pytest.mark.parametrize("what", ["message", "replaced message", "clear", "user"])
def test_everything_that_can_be_seen_is_news(crm: Crm, what: str) -> None:
    crm.create()
    message = {"title": "Reconnect", "key": "k"}
    path = f"/users/{ANN}/notifications"
    crm.call("POST", path, message)
    mark = done(look(crm))["mark"]

    crm.clock.advance(seconds=1)
    match what:
        case "message":
            crm.call("POST", path, {"title": "Another"})
        case "replaced message":
            crm.call("POST", path, {**message, "title": "Reconnect now"})
        case "clear":
            crm.order("clear")
        case _:
            crm.order("users", id="eve", email="eve@example.com")
    seen = look(crm, seen=mark)

    assert seen.status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "days", [{"from": "soon"}, {"to": ""}, {"from": "0001-01-01"}, {"to": "9999-12-31"}]
)
def test_days_that_are_none_are_refused(crm: Crm, days: dict[str, str]) -> None:
    answer = look(crm, **days)

    assert next(iter(days)) in refusal(answer, HTTPStatus.BAD_REQUEST)["detail"]


def test_a_person_needs_no_key_and_is_announced_like_a_client(crm: Crm) -> None:
    made = crm.client.post("/app/tasks", json=meeting(title="By hand")).get_json()
    changed = done(change(crm, made, title="By hand again"))
    deleted = crm.client.delete(f"/app/tasks/{made['id']}")
    crm.schedule.run()

    assert (changed["title"], changed["version"]) == ("By hand again", 2)
    assert deleted.status_code == HTTPStatus.NO_CONTENT
    assert crm.receiver.told() == [
        ("task.created", 1),
        ("task.updated", 2),
        ("task.deleted", 3),
    ]


def test_a_person_meets_no_fault_and_leaves_no_trace_in_the_request_log(
    crm: Crm,
) -> None:
    crm.order("faults", status=503)

    made = crm.client.post("/app/tasks", json=meeting())

    assert made.status_code == HTTPStatus.CREATED
    assert look(crm).status_code == HTTPStatus.OK
    assert crm.ask("requests") == {"requests": []}


def test_a_person_is_refused_like_a_client(crm: Crm) -> None:
    task = crm.create()

    invalid = crm.client.post("/app/tasks", json=meeting(title=""))
    stale = change(crm, task, '"7"', title="New")
    broken = crm.client.post("/app/tasks", data="{")
    listed = crm.client.post("/app/tasks", json=[])
    crm.delete(task)
    gone = change(crm, task, title="New")

    errors = refusal(invalid, HTTPStatus.UNPROCESSABLE_ENTITY)["errors"]
    assert [error["field"] for error in errors] == ["title"]
    assert refusal(stale, HTTPStatus.PRECONDITION_FAILED)["current"] == task
    refusal(broken, HTTPStatus.BAD_REQUEST)
    refusal(listed, HTTPStatus.BAD_REQUEST)
    refusal(gone, HTTPStatus.GONE)


def test_a_dismissed_message_is_gone_for_good(crm: Crm) -> None:
    for title in ("One", "Two"):
        crm.call("POST", f"/users/{ANN}/notifications", {"title": title})
    one, two = done(look(crm))["messages"]

    for _ in range(2):  # whoever clicks twice gets no error
        done(crm.client.delete(f"/app/messages/{one['number']}"))

    assert done(look(crm))["messages"] == [two]


@pytest.mark.parametrize("body", ["{", "[]", '{"title": "\\ud800"}'])
def test_a_broken_body_is_a_bad_request_and_leaves_the_tasks_readable(
    crm: Crm, body: str
) -> None:
    task = crm.create()

    answer = crm.client.patch(
        f"/app/tasks/{task['id']}", data=body, content_type="application/json"
    )

    refusal(answer, HTTPStatus.BAD_REQUEST)
    assert titles(crm) == [task["title"]]


def test_a_message_that_replaces_another_is_the_latest(crm: Crm) -> None:
    for title, key in (("Old", "a"), ("Other", "b"), ("New", "a")):
        crm.call("POST", f"/users/{ANN}/notifications", {"title": title, "key": key})
        crm.clock.advance(seconds=1)

    messages = done(look(crm))["messages"]

    assert [message["title"] for message in messages] == ["Other", "New"]
