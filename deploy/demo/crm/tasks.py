"""Creates, changes and deletes tasks by the rules of the contract.

Whoever does it, the API or a person on the page: versions grow and webhooks leave.
"""

import dataclasses
import json
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.demo import clock, storage
from deploy.demo.crm import fields, model, problems, state

_REQUIRED = ("type", "title", "owner_id")
_TOMBSTONE_LIFE = timedelta(days=30)
_KEY_LIFE = timedelta(hours=24)
_ETAGS = re.compile(r'(?:W/)?"[^"]*"')


def oldest_tombstone(now: datetime) -> str:
    """Return the first moment whose deletions are still shown."""
    return model.timestamp(now - _TOMBSTONE_LIFE)


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """The tasks of a state, for whoever changes them."""

    held: state.State
    ticking: clock.Clock

    def get(self, task_id: str) -> model.Task:
        """Return a task, or the tombstone of one for 30 days, or raise 404."""
        with self.held.lock:
            task = self.held.tasks.get(task_id)
        if task is None or self._is_forgotten(task):
            raise problems.not_found("task")
        return task

    def create(
        self, raw: storage.Json, idempotency_key: str = ""
    ) -> tuple[model.Task, bool]:
        """Return a new task and True, or the one that the key created and False."""
        with self._transaction() as tx:
            if known := self._created_by(idempotency_key):
                return known, False
            values = fields.read_task(raw, owners=self.held.users, required=_REQUIRED)
            task = model.Task(
                id=f"t-{secrets.token_hex(6)}", created_at=tx.stamp, **values
            )
            self._check(task, raw)
            task = _put(tx, task, model.EventType.CREATED)
            if idempotency_key:
                creation = model.Creation(
                    key=idempotency_key, task_id=task.id, at=tx.stamp
                )
                tx.add(creation)
        return task, True

    def change(
        self, task_id: str, read: Callable[[], storage.Json], if_match: str = ""
    ) -> model.Task:
        """Change the fields that `read` returns once the task may be changed.

        Without a difference nothing happens, and the version stays. Raises 404, 410,
        412 with the task as it is, 422 or 409, in this order.
        """
        with self._transaction() as tx:
            task = self._living(task_id)
            if if_match and not _names(if_match, task.etag):
                raise problems.moved_on(task)
            raw = read()
            values = fields.read_task(raw, owners=self.held.users)
            changed = dataclasses.replace(task, **values)
            if changed == task:
                return task
            self._check(changed, raw)
            return _put(tx, changed, model.EventType.UPDATED)

    def delete(self, task_id: str) -> None:
        """Turn a task into a tombstone, or raise 404, or 410 for one that is."""
        with self._transaction() as tx:
            task = dataclasses.replace(self._living(task_id), deleted=True)
            _put(tx, task, model.EventType.DELETED)

    def _transaction(self) -> AbstractContextManager[state.Transaction]:
        return self.held.transaction(self.ticking.now())

    def _living(self, task_id: str) -> model.Task:
        task = self.get(task_id)
        if task.deleted:
            raise problems.deleted()
        return task

    def _is_forgotten(self, task: model.Task) -> bool:
        return task.deleted and task.updated_at < oldest_tombstone(self.ticking.now())

    def _created_by(self, idempotency_key: str) -> model.Task | None:
        creation = self.held.creations.get(idempotency_key)
        oldest = model.timestamp(self.ticking.now() - _KEY_LIFE)
        if creation is None or creation.at < oldest:
            return None
        return self.held.tasks[creation.task_id]

    def _check(self, task: model.Task, raw: storage.Json) -> None:
        if task.due_at is not None and task.due_date is not None:
            sent = "due_date" if raw.get("due_date") is not None else "due_at"
            raise problems.not_valid({sent: "excludes the other: set that one to null"})
        if task.google_event_id is None:
            return
        holder = self.held.holder(task.google_event_id)
        if holder and holder.id != task.id:
            raise problems.event_taken(holder)


def _put(tx: state.Transaction, task: model.Task, kind: model.EventType) -> model.Task:
    stamped = dataclasses.replace(task, version=task.version + 1, updated_at=tx.stamp)
    tx.add(stamped)
    document = {"type": kind, "timestamp": tx.stamp, "data": stamped.to_json()}
    tx.send(
        model.Delivery(
            id=f"msg_{secrets.token_urlsafe(18)}",
            number=tx.next_number(),
            type=kind,
            task_id=stamped.id,
            version=stamped.version,
            body=json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        )
    )
    return stamped


def _names(if_match: str, etag: str) -> bool:
    return if_match.strip() == "*" or etag in _ETAGS.findall(if_match)
