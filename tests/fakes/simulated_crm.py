"""The simulated CRM in process, in virtual time, reached through the real adapter."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from flask.testing import FlaskClient
from requests.adapters import BaseAdapter

from deploy.demo.crm import app, state
from shared.adapters.crm import CrmClient
from shared.domain import model, ports
from shared.domain.model import Document
from tests.fakes import faults
from tests.fakes.crm import InMemoryCrm

_KEY = "key-of-the-tests"


class SimulatedCrm(InMemoryCrm):
    """The CRM of one organization; its users work as any client would."""

    def __init__(self, clock: ports.Clock, *, users: Sequence[model.User]) -> None:
        """Begin without tasks."""
        super().__init__(clock, users=users)
        self._client = app.create_app(
            state.State(),
            schedule=_Nowhere(),
            post=_take,
            clock=clock,
            sleep=_hurry,
        ).test_client()
        self._order("api-keys", key=_KEY)
        for user in users:
            self._order("users", id=user.id, email=user.email, time_zone=user.time_zone)
        self._adapter = _InProcess(self._client, clock)
        self._made = 0

    # -- the users ----------------------------------------------------------------

    def add(self, **fields: object) -> Document:
        """Create a task, as a user would, of type Meeting unless told."""
        self._made += 1
        body = {"type": "Meeting", "title": "Meeting", **fields}
        key = {"Idempotency-Key": f"user-{self._made}"}
        return self._ask("POST", "/tasks", body, key)

    def edit(self, task_id: str, **fields: object) -> Document:
        """Change fields of a task, as a user would."""
        return self._ask("PATCH", f"/tasks/{task_id}", fields)

    def remove(self, task_id: str) -> None:
        """Delete a task, as a user would."""
        self._ask("DELETE", f"/tasks/{task_id}")

    def task(self, task_id: str) -> Document:
        """Return a task as it is."""
        return self._ask("GET", f"/tasks/{task_id}")

    def live_tasks(self) -> Sequence[Document]:
        """Return the tasks that are not deleted, the oldest first."""
        page = self._ask("GET", "/tasks?limit=500")
        assert page["next_cursor"] is None, "more tasks than a page has"
        return sorted(page["items"], key=lambda task: (task["created_at"], task["id"]))

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Document:
        answer = self._client.open(
            f"/api/v1{path}",
            method=method,
            json=None if body is None else dict(body),
            headers={"Authorization": f"Bearer {_KEY}", **(headers or {})},
        )
        assert answer.status_code < 300, f"{answer.status}: {answer.text}"
        found: Document = json.loads(answer.data) if answer.data else {}
        return found

    def _order(self, path: str, **body: object) -> None:
        answer = self._client.post(f"/_admin/{path}", json=body)
        assert answer.status_code < 300, answer.text

    # -- the port -----------------------------------------------------------------

    @faults.read
    def list_tasks(
        self,
        *,
        updated_since: datetime | None = None,
        owner_id: str | None = None,
        due_from: datetime | None = None,
        due_to: datetime | None = None,
        google_event_id: str | None = None,
        cursor: str | None = None,
    ) -> ports.TaskPage:
        """Ask the simulator."""
        return self._adapter.list_tasks(
            updated_since=updated_since,
            owner_id=owner_id,
            due_from=due_from,
            due_to=due_to,
            google_event_id=google_event_id,
            cursor=cursor,
        )

    @faults.read
    def get_task(self, task_id: str) -> Document:
        """Ask the simulator."""
        return self._adapter.get_task(task_id)

    @faults.write
    def create_task(self, body: Document, *, idempotency_key: str) -> Document:
        """Ask the simulator."""
        return self._adapter.create_task(body, idempotency_key=idempotency_key)

    @faults.write
    def update_task(self, task_id: str, body: Document, *, version: int) -> Document:
        """Ask the simulator."""
        return self._adapter.update_task(task_id, body, version=version)

    @faults.read
    def list_users(self) -> Sequence[model.User]:
        """Ask the simulator."""
        return self._adapter.list_users()


class _Nowhere:
    """A schedule for webhooks that are not sent: tests queue their messages."""

    def add(self, call: Callable[[], None], *, delay_seconds: float = 0) -> None:
        """Forget the call."""


class _InProcess(CrmClient):
    """The real adapter, over a test client of Flask's."""

    def __init__(self, client: FlaskClient, clock: ports.Clock) -> None:
        super().__init__("http://simulated/api/v1", _KEY, clock, sleep=_hurry)
        self._way = _Way(client)

    def _session(self) -> requests.Session:
        session = super()._session()
        session.mount("http://", self._way)
        return session


class _Way(BaseAdapter):
    """What carries the requests of a session."""

    def __init__(self, client: FlaskClient) -> None:
        super().__init__()
        self._client = client

    def send(
        self,
        request: requests.PreparedRequest,
        *_args: object,
        **_options: object,
    ) -> requests.Response:
        """Hand a request over, and return the answer."""
        parts = urlsplit(request.url or "")
        answered = self._client.open(
            parts.path,
            method=request.method,
            query_string=parts.query,
            data=request.body,
            headers=dict(request.headers),
        )
        answer = requests.Response()
        answer.status_code = answered.status_code
        answer.headers.update(answered.headers)
        answer._content = answered.data  # noqa: SLF001 - there is no other way to fill it
        answer.request, answer.url = request, request.url or ""
        return answer

    def close(self) -> None:
        """Keep the client: nothing is open."""


def _take(url: str, headers: Mapping[str, str], body: bytes) -> int:
    del url, headers, body
    return HTTPStatus.ACCEPTED


def _hurry(_seconds: float) -> None:
    """Do not wait: time is virtual."""
