"""Lists tasks and users page by page; a cursor is opaque to clients."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Self

from deploy.demo import storage, zones
from deploy.demo.crm import instants, model, problems, state, tasks

_USUAL_ROWS, _MOST_ROWS = 100, 500
_USERS_PER_PAGE = 100
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which tasks are asked for."""

    updated_since: datetime | None = None
    google_event_id: str | None = None
    owner_id: str | None = None
    due_from: datetime | None = None
    due_to: datetime | None = None
    limit: int = _USUAL_ROWS
    after: tuple[str, str] | None = None

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Self:
        """Return the query that the parameters spell, or raise 400."""
        return cls(
            updated_since=_instant(args, "updated_since"),
            google_event_id=args.get("google_event_id"),
            owner_id=args.get("owner_id"),
            due_from=_instant(args, "due_from"),
            due_to=_instant(args, "due_to"),
            limit=_limit(args),
            after=_open_cursor(args.get("cursor"), _scope(args)),
        )

    @property
    def first_stamp(self) -> str:
        """The change before which nothing is asked for."""
        since = self.updated_since
        return max(
            model.timestamp(since) if since else "", self.after[0] if self.after else ""
        )


def list_tasks(
    held: state.State, now: datetime, args: Mapping[str, str]
) -> storage.Json:
    """Return a page of tasks, oldest change first."""
    query = Query.read(args)
    with held.lock:
        found = [
            task
            for task in _changed_since(held, query.first_stamp)
            if _is_asked_for(task, query)
            and _is_due(held, task, query)
            and _is_listed(task, query, tasks.oldest_tombstone(now))
        ]
    found.sort(key=lambda task: task.position)
    page, rest = found[: query.limit], found[query.limit :]
    following = _cursor(_scope(args), page[-1].position) if rest else None
    return {"items": [task.to_json() for task in page], "next_cursor": following}


def list_users(held: state.State, args: Mapping[str, str]) -> storage.Json:
    """Return a page of users."""
    after = _open_cursor(args.get("cursor"), "users")
    found = [user for user in held.list_users() if after is None or user.id > after[1]]
    page, rest = found[:_USERS_PER_PAGE], found[_USERS_PER_PAGE:]
    following = _cursor("users", ("", page[-1].id)) if rest else None
    return {"items": [user.to_json() for user in page], "next_cursor": following}


def _changed_since(held: state.State, stamp: str) -> Iterator[model.Task]:
    """Walk the tasks from the one that changed last, as far back as needed."""
    for task in reversed(held.tasks.values()):
        if task.updated_at < stamp:
            return
        yield task


def _is_asked_for(task: model.Task, query: Query) -> bool:
    return (
        query.owner_id in (None, task.owner_id)
        and query.google_event_id in (None, task.google_event_id)
        and (query.after is None or task.position > query.after)
    )


def _is_listed(task: model.Task, query: Query, oldest_tombstone: str) -> bool:
    if not task.deleted:
        return True
    return query.updated_since is not None and task.updated_at >= oldest_tombstone


def _is_due(held: state.State, task: model.Task, query: Query) -> bool:
    if query.due_from is None and query.due_to is None:
        return True
    start = _start(held, task)
    return (
        start is not None
        and (query.due_from is None or start >= query.due_from)
        and (query.due_to is None or start < query.due_to)
    )


def _start(held: state.State, task: model.Task) -> datetime | None:
    """Return when a task starts; a day starts in the task's zone or its owner's."""
    if task.due_at:
        return datetime.fromisoformat(task.due_at)
    day = instants.parse_date(task.due_date or "")
    if day is None:
        return None
    owner = held.users.get(task.owner_id)
    name = task.time_zone or (owner.time_zone if owner else None) or "UTC"
    return datetime.combine(day, time.min, zones.find(name) or UTC)


def _instant(args: Mapping[str, str], name: str) -> datetime | None:
    if name not in args:
        return None
    at = instants.parse_instant(args[name])
    if at is None:
        message = f"{name}: must be an instant with an offset"
        raise problems.bad_request(message)
    return at


def _limit(args: Mapping[str, str]) -> int:
    text = args.get("limit", str(_USUAL_ROWS))
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= _MOST_ROWS:
        message = f"limit: must be a number from 1 to {_MOST_ROWS}"
        raise problems.bad_request(message)
    return int(text)


def _scope(args: Mapping[str, str]) -> str:
    """Return what makes a list another list, which a cursor is not good for."""
    filters = {k: v for k, v in args.items() if k not in ("cursor", "limit")}
    return json.dumps(filters, sort_keys=True)


def _cursor(scope: str, position: tuple[str, str]) -> str:
    raw = json.dumps([scope, *position]).encode()
    return base64.urlsafe_b64encode(raw).decode()


def _open_cursor(text: str | None, scope: str) -> tuple[str, str] | None:
    if text is None:
        return None
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        asked, stamp, row_id = json.loads(raw)
    except (ValueError, TypeError, RecursionError) as error:
        raise problems.bad_request("cursor: not one of ours") from error
    if asked != scope:
        raise problems.bad_request("cursor: belongs to another list")
    return str(stamp), str(row_id)
