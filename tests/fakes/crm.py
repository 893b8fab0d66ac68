"""The CRM of one organization, in memory (`ports.Crm`, `crm-api.yaml`)."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from shared.domain import errors, model, ports
from shared.domain.model import Document
from tests.fakes import faults

_RETENTION = timedelta(days=30)
_EMPTY: Document = {
    "description": None,
    "location": None,
    "status": "open",
    "due_at": None,
    "due_date": None,
    "duration_minutes": None,
    "duration_days": None,
    "time_zone": None,
    "attendees": [],
    "google_event_id": None,
    "google_calendar_id": None,
}
_REQUIRED = ("type", "title", "owner_id")


class InMemoryCrm(faults.Remote):
    """Keeps versions, idempotency keys and tombstones as the contract says.

    `edit`, `remove` and `task` are the hands and eyes of the CRM's users, and count as
    no calls.
    """

    def __init__(
        self,
        clock: ports.Clock,
        *,
        users: Iterable[model.User] = (),
        page_size: int = 100,
    ) -> None:
        """Begin without tasks."""
        super().__init__()
        self.skew: timedelta | None = timedelta()
        self.users = list(users)
        self.notifications: dict[tuple[str, str], ports.Notification] = {}
        """By user and key."""
        self._clock = clock
        self._page_size = page_size
        self._tasks: dict[str, dict[str, Any]] = {}
        self._made_by_key: dict[str, str] = {}

    # -- the users ----------------------------------------------------------------

    def add(self, **fields: object) -> Document:
        """Create a task, as a user would, of type Meeting unless told."""
        task = self._create({"type": "Meeting", "title": "Meeting", **fields})
        return copy.deepcopy(task)

    def edit(self, task_id: str, **fields: object) -> Document:
        """Change fields of a task, as a user would."""
        return copy.deepcopy(self._change(self._find(task_id), fields))

    def remove(self, task_id: str) -> None:
        """Delete a task, as a user would."""
        task = self._find(task_id)
        self._store({**task, "deleted": True})

    def task(self, task_id: str) -> Document:
        """Return a task as it is."""
        return copy.deepcopy(self._find(task_id))

    def live_tasks(self) -> Sequence[Document]:
        """Return the tasks that are not deleted."""
        return [copy.deepcopy(t) for t in self._tasks.values() if not t["deleted"]]

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
        """Return one page, oldest change first."""
        rows = sorted(self._tasks.values(), key=_position)
        rows = [
            row
            for row in rows
            if not self._is_forgotten(row)
            and _is_in(_updated_at(row), updated_since, None)
            and (updated_since or not row["deleted"])
            and owner_id in {None, row["owner_id"]}
            and google_event_id in {None, row["google_event_id"]}
            and _is_in(_due(row), due_from, due_to)
            and (cursor is None or _position(row) > cursor)
        ]
        page, rest = rows[: self._page_size], rows[self._page_size :]
        following = _position(page[-1]) if rest else None
        return ports.TaskPage(tasks=page, next_cursor=following)

    @faults.read
    def get_task(self, task_id: str) -> Document:
        """Return a task; a deleted one for 30 days."""
        return self._find(task_id)

    @faults.write
    def create_task(self, body: Document, *, idempotency_key: str) -> Document:
        """Create a task once per key."""
        if idempotency_key in self._made_by_key:
            return self._tasks[self._made_by_key[idempotency_key]]
        task = self._create(body)
        self._made_by_key[idempotency_key] = task["id"]
        return task

    @faults.write
    def update_task(self, task_id: str, body: Document, *, version: int) -> Document:
        """Change a task that still has `version`."""
        task = self._find(task_id)
        if task["deleted"]:
            message = f"the CRM answered changing task {task_id} with 410"
            raise errors.RecordDeletedError(message)
        if task["version"] != version:
            message = f"the CRM answered changing task {task_id} with 412"
            raise errors.VersionMismatchError(message, current=copy.deepcopy(task))
        return self._change(task, body)

    @faults.read
    def list_users(self) -> Sequence[model.User]:
        """Return the users that a test has set."""
        return self.users

    @faults.write
    def notify(self, user_id: str, notification: ports.Notification) -> None:
        """Keep a message, instead of an earlier one with its key."""
        self.notifications[user_id, notification.key] = notification

    def clock_skew(self) -> timedelta | None:
        """Return what a test has set."""
        return self.skew

    # -- how it is kept -----------------------------------------------------------

    def _create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        task_id = f"task-{len(self._tasks) + 1}"
        made = {"created_at": _instant(self._clock.now()), "deleted": False}
        task = {**_EMPTY, **body, "id": task_id, "version": 0, **made}
        self._validate(task)
        return self._store(task)

    def _change(self, task: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        changed = {**task, **body}
        self._validate(changed)
        return task if changed == task else self._store(changed)

    def _find(self, task_id: str) -> dict[str, Any]:
        task = self._tasks.get(task_id)
        if task is None or self._is_forgotten(task):
            message = f"the CRM answered for task {task_id} with 404"
            raise errors.RecordNotFoundError(message)
        return task

    def _is_forgotten(self, task: Document) -> bool:
        is_old = _updated_at(task) < self._clock.now() - _RETENTION
        return bool(task["deleted"]) and is_old

    def _validate(self, task: Mapping[str, Any]) -> None:
        wrong = [name for name in _REQUIRED if not task.get(name)]
        if task["due_at"] is not None and task["due_date"] is not None:
            wrong.append("due_date")
        if wrong:
            message = f"the CRM answered with 422 because of {', '.join(wrong)}"
            raise errors.RemoteRejectedError(message)
        event_id = task["google_event_id"]
        for other in self._tasks.values():
            is_other = not other["deleted"] and other["id"] != task["id"]
            if event_id and is_other and other["google_event_id"] == event_id:
                message = f"the CRM answered for event {event_id} with 409"
                raise errors.DuplicateRecordError(message, existing_id=other["id"])

    def _store(self, task: dict[str, Any]) -> dict[str, Any]:
        stored = {
            **copy.deepcopy(task),
            "version": task["version"] + 1,
            "updated_at": _instant(self._clock.now()),
        }
        self._tasks[task["id"]] = stored
        return stored


def _position(task: Document) -> str:
    return f"{task['updated_at']} {task['id']}"


def _updated_at(task: Document) -> datetime:
    return datetime.fromisoformat(task["updated_at"])


def _due(task: Document) -> datetime | None:
    if task["due_at"]:
        return datetime.fromisoformat(task["due_at"])
    if task["due_date"]:
        return datetime.combine(date.fromisoformat(task["due_date"]), time(), UTC)
    return None


def _is_in(
    moment: datetime | None, first: datetime | None, until: datetime | None
) -> bool:
    """Tell whether a moment is in a span that may be open on either end."""
    if moment is None:
        return first is None and until is None
    return (first is None or moment >= first) and (until is None or moment < until)


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
