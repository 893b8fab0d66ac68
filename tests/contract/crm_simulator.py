"""Drives the simulated CRM in process, in virtual time, as clients would."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from werkzeug.test import TestResponse

from deploy.demo.crm import app, state, webhooks

KEY = "key-of-the-tests"
SECRET = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cw=="  # noqa: S105 -- used by tests only
RECEIVER = "https://receiver.example.com/webhooks/crm/acme"
ANN, BOB = "ann", "bob"
Row = dict[str, Any]


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the present instant."""
        return self.at

    def advance(self, **by: float) -> None:
        """Let time pass: keywords of `timedelta`."""
        self.at += timedelta(**by)


@dataclass(slots=True)
class Schedule:
    """Keeps calls until a test makes them, in the order in which they are due."""

    waiting: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    order: "itertools.count[int]" = field(default_factory=itertools.count)

    def add(self, call: Callable[[], None], *, delay_seconds: float = 0) -> None:
        """Keep a call."""
        self.waiting.append((delay_seconds, next(self.order), call))

    def delays(self) -> list[float]:
        """Return how long the calls wait that are kept."""
        return [delay for delay, _, _ in self.waiting]

    def run(self) -> None:
        """Make the calls that are kept, but not those that they lead to."""
        due, self.waiting = sorted(self.waiting, key=lambda row: row[:2]), []
        for _, _, call in due:
            call()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A webhook as it went out."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Row:
        """The body as JSON."""
        document: Row = json.loads(self.body)
        return document


@dataclass(slots=True)
class Receiver:
    """Keeps webhooks and answers with the next of `statuses`, then with 202."""

    statuses: list[int] = field(default_factory=list)
    received: list[Sent] = field(default_factory=list)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take a webhook."""
        self.received.append(Sent(url=url, headers=headers, body=body))
        return self.statuses.pop(0) if self.statuses else HTTPStatus.ACCEPTED

    def told(self) -> list[tuple[str, int]]:
        """Return of which changes it was told: the kind and the version after it."""
        documents = [sent.document for sent in self.received]
        return [(row["type"], row["data"]["version"]) for row in documents]


class Crm:
    """The application with two users; Bob's clocks are in Berlin."""

    def __init__(self) -> None:
        """Start without tasks."""
        self.clock = Clock()
        self.schedule = Schedule()
        self.receiver = Receiver()
        self.slept: list[float] = []
        self.state = state.State()
        self.client = app.create_app(
            self.state,
            schedule=self.schedule,
            post=self.receiver.post,
            subscription=webhooks.Subscription(url=RECEIVER, secrets=(SECRET,)),
            clock=self.clock,
            sleep=self.slept.append,
        ).test_client()
        self.order("api-keys", key=KEY)
        self.order("users", id=ANN, email="ann@example.com", name="Ann")
        self.order("users", id=BOB, email="bob@example.com", time_zone="Europe/Berlin")

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = KEY,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> TestResponse:
        """Call the API under `/api/v1` and return the whole answer."""
        return self.client.open(
            f"/api/v1{path}",
            method=method,
            json=body,
            query_string=dict(query or {}),
            headers={"Authorization": f"Bearer {key}", **(headers or {})},
        )

    def post(self, body: object, idempotency_key: str) -> TestResponse:
        """Create a task and return the whole answer."""
        headers = {"Idempotency-Key": idempotency_key}
        return self.call("POST", "/tasks", body, headers=headers)

    def create(self, **fields: object) -> Row:
        """Create a task and return it."""
        key = f"key-{next(self.schedule.order)}"
        return done(self.post(meeting(**fields), key))

    def patch(self, task: Row, if_match: str = "", /, **fields: object) -> TestResponse:
        """Change a task and return the whole answer."""
        headers = {"If-Match": if_match} if if_match else {}
        return self.call("PATCH", f"/tasks/{task['id']}", fields, headers=headers)

    def change(self, task: Row, **fields: object) -> Row:
        """Change a task and return it."""
        return done(self.patch(task, **fields))

    def delete(self, task: Row) -> TestResponse:
        """Delete a task."""
        return self.call("DELETE", f"/tasks/{task['id']}")

    def get(self, task: Row) -> Row:
        """Return a task."""
        return done(self.call("GET", f"/tasks/{task['id']}"))

    def page(self, path: str = "/tasks", /, **query: object) -> TestResponse:
        """Return the whole answer to a request for one page of a list."""
        return self.call("GET", path, query=query)

    def pages(self, path: str = "/tasks", /, **query: object) -> list[list[Row]]:
        """Walk a list to its last page and return the rows of all pages."""
        page = done(self.page(path, **query))
        pages = [page["items"]]
        while page["next_cursor"] is not None:
            page = done(self.page(path, **query, cursor=page["next_cursor"]))
            pages.append(page["items"])
        return pages

    def ids(self, **query: object) -> list[str]:
        """Return the ids of the listed tasks."""
        return [row["id"] for page in self.pages(**query) for row in page]

    def order(self, path: str, **body: object) -> Row:
        """Ask something of the simulator: POST to `/_admin`."""
        return done(self.client.post(f"/_admin/{path}", json=body))

    def ask(self, path: str, **query: object) -> Row:
        """Read from `/_admin`."""
        return done(self.client.get(f"/_admin/{path}", query_string=query))


def meeting(**fields: object) -> Row:
    """Return the body of a new task of Ann's."""
    return {
        "type": "Meeting",
        "title": "Kick-off",
        "owner_id": ANN,
        "due_at": "2026-12-01T10:00:00Z",
        "duration_minutes": 60,
        **fields,
    }


def done(answer: TestResponse) -> Row:
    """Return the body of an answer that must not be an error."""
    assert answer.status_code < HTTPStatus.BAD_REQUEST, answer.get_data(as_text=True)
    document: Row = answer.get_json() if answer.data else {}
    return document


def refusal(answer: TestResponse, status: int) -> Row:
    """Return the problem of an answer of that status, after a look at its form."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    problem: Row = answer.get_json()
    assert problem["status"] == status
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["type"]
    assert problem["detail"]
    return problem


def wrong_fields(answer: TestResponse) -> dict[str, str]:
    """Return what a 422 complains about, by field."""
    errors = refusal(answer, HTTPStatus.UNPROCESSABLE_ENTITY)["errors"]
    by_field = {row["field"]: row["detail"] for row in errors}
    assert len(by_field) == len(errors)
    return by_field
