"""The tasks and users of one CRM: requests made, answers read."""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests
import tenacity

from shared.adapters.crm import refusals
from shared.domain import answers, errors, model, ports
from shared.domain.model import Document

_TASKS_PER_PAGE = 200
_TRIES = 3
_ID = re.compile(r"(?<=^/tasks/|^/users/)[^/]+")
"""The part of a path that differs from record to record."""


class CrmClient:
    """Implements `ports.Crm`; safe to use from any thread, each has its connections."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        clock: ports.Clock,
        *,
        timeout_seconds: float = 10,
        sleep: Callable[[float], None] = time.sleep,
        instrument: ports.Instrument = ports.uninstrumented,
    ) -> None:
        """Take the server address of `crm-api.yaml`, `/api/v1` included.

        `timeout_seconds` bounds each wait for the network; `sleep` pauses before a
        request is repeated; operations are named like `PATCH /tasks/{id}`.
        """
        self._base_url = base_url.rstrip("/")
        self._authorization = _Bearer(api_key)
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._instrument = instrument
        self._threads = threading.local()
        self._skew: timedelta | None = None
        self._repeating = tenacity.Retrying(
            sleep=sleep,
            stop=tenacity.stop_after_attempt(_TRIES),
            retry=tenacity.retry_if_exception(answers.is_worth_repeating),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=4)
            + tenacity.wait_exception(answers.wished_pause),
            reraise=True,
        )

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
        """Return one page of tasks, oldest change first."""
        query = {
            "updated_since": _instant(updated_since),
            "owner_id": owner_id,
            "due_from": _instant(due_from),
            "due_to": _instant(due_to),
            "google_event_id": google_event_id,
            "cursor": cursor,
            "limit": str(_TASKS_PER_PAGE),
        }
        try:
            rows, next_cursor = self._page("/tasks", query)
        except errors.RecordNotFoundError as error:
            # A list is no record: this is another server, or one under maintenance.
            raise errors.RemoteUnavailableError(str(error)) from error
        tasks = [_task(row, "the list of tasks") for row in rows]
        return ports.TaskPage(tasks=tasks, next_cursor=next_cursor)

    def get_task(self, task_id: str) -> Document:
        """Return a task, deleted or not."""
        what = f"reading task {task_id}"
        return _task(self._repeat(what, "GET", _task_path(task_id)), what)

    def create_task(self, body: Document, *, idempotency_key: str) -> Document:
        """Create a task; the key makes it safe to ask again when no answer came."""
        what = "creating a task"
        headers = {"Idempotency-Key": idempotency_key}
        return _task(
            self._repeat(what, "POST", "/tasks", json=dict(body), headers=headers), what
        )

    def update_task(self, task_id: str, body: Document, *, version: int) -> Document:
        """Change the fields in `body` if the task still has `version`.

        Asked once: after a lost answer, the same again could only be refused.
        """
        what = f"changing task {task_id}"
        headers = {"If-Match": f'"{version}"'}
        path = _task_path(task_id)
        return _task(
            self._send(what, "PATCH", path, json=dict(body), headers=headers), what
        )

    def list_users(self) -> Sequence[model.User]:
        """Return the organization's users, inactive ones included."""
        users: list[model.User] = []
        cursor: str | None = None
        while True:
            rows, cursor = self._page("/users", {"cursor": cursor})
            users += [_user(row) for row in rows]
            if cursor is None:
                return users

    def notify(self, user_id: str, notification: ports.Notification) -> None:
        """Show a message to a user; the key makes it safe to ask again."""
        body = {
            "title": notification.title,
            "body": notification.body,
            "link": notification.link,
            "key": notification.key,
        }
        path = f"/users/{quote(user_id, safe='')}/notifications"
        self._repeat(f"notifying user {user_id}", "POST", path, json=body)

    def clock_skew(self) -> timedelta | None:
        """How far the CRM's clock is ahead of ours, by the last answer's `Date`."""
        return self._skew

    def _page(
        self, path: str, query: Mapping[str, str | None]
    ) -> tuple[list[Any], str | None]:
        what = f"listing {path.removeprefix('/')}"
        match self._repeat(what, "GET", path, params=query):
            case {"items": list(rows), "next_cursor": str() | None as cursor}:
                return rows, cursor or None
            case _:
                raise refusals.unreadable(what)

    def _repeat(self, what: str, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        return self._repeating(self._send, what, method, path, **content)

    def _send(self, what: str, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        """Send a request and return the JSON of the answer, None if it is empty.

        Raises our error for an answer that refuses it, or when none comes.
        """
        with self._instrument(f"{method} {_ID.sub('{id}', path)}"):
            return self._exchange(what, method, path, **content)

    def _exchange(self, what: str, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        sent_at = self._clock.now()
        try:
            answer = self._session().request(
                method,
                self._base_url + path,
                timeout=self._timeout_seconds,
                # The key must not follow whoever claims to be elsewhere.
                allow_redirects=False,
                **content,
            )
        except requests.RequestException as error:
            message = f"the CRM did not answer {what}: {type(error).__name__}"
            raise errors.RemoteUnavailableError(message) from error
        self._note_clock(answer, sent_at)
        if not HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise refusals.refusal(answer, what)
        return refusals.json_of(answer) if answer.content else None

    def _session(self) -> requests.Session:
        if not hasattr(self._threads, "session"):
            self._threads.session = requests.Session()
            self._threads.session.auth = self._authorization
        session: requests.Session = self._threads.session
        return session

    def _note_clock(self, answer: requests.Response, sent_at: datetime) -> None:
        skew = answers.skew(
            answer.headers.get("Date"), sent_at=sent_at, received_at=self._clock.now()
        )
        self._skew = self._skew if skew is None else skew


class _Bearer(requests.auth.AuthBase):
    """The API key; as `auth` it is safe from being replaced by a netrc file's."""

    def __init__(self, api_key: str) -> None:
        self._value = f"Bearer {api_key}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


def _task(answer: Any, what: str) -> Document:  # noqa: ANN401 - JSON
    match answer:
        case {"id": str(), "version": int()}:
            task: Document = answer
            return task
        case _:
            raise refusals.unreadable(what)


def _user(row: Any) -> model.User:  # noqa: ANN401 - JSON
    match row:
        case {"id": str(id_), "email": str(email), "active": bool(active)}:
            return model.User(
                id=id_,
                email=model.Address(email.lower()),
                name=row.get("name"),
                time_zone=row.get("time_zone"),
                active=active,
            )
        case _:
            raise refusals.unreadable("listing users")


def _task_path(task_id: str) -> str:
    return f"/tasks/{quote(task_id, safe='')}"


def _instant(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
