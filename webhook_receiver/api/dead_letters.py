"""Dead letters: what failed for good, to be replayed or discarded."""

import contextlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import tables
from shared.adapters.store.states import Role
from shared.domain import errors, messages, reasons
from shared.domain.messages import Message, Trigger
from webhook_receiver import identity, problems
from webhook_receiver.api import routes, shapes
from webhook_receiver.services import Services

log = logging.getLogger(__name__)

_AT_ONCE = 100


class DeadLetterDocument(shapes.Document):
    """A message that failed for good."""

    id: int
    queue: str
    reason: str
    error: str
    task_id: str | None
    event_id: str | None
    attempts: int
    created_at: datetime


class FailureDocument(shapes.Document):
    """One attempt that did not succeed."""

    at: datetime
    reason: str
    explanation: str
    error: str


class DeadLetterDetailDocument(DeadLetterDocument):
    """A dead letter with its message, and every attempt that failed."""

    message: dict[str, Any] | None = Field(description="Null if it cannot be read.")
    text: str = Field(description="The message as it was in its queue.")
    failures: list[FailureDocument]


class DeadLetterPath(shapes.Path):
    """Which dead letter."""

    dead_letter_id: shapes.Id


class DeadLetterPage(shapes.Document):
    """A page of dead letters, newest first."""

    items: list[DeadLetterDocument]
    next_cursor: str | None


class DeadLetterQuery(shapes.PageQuery):
    """Which dead letters."""

    reason: shapes.Text | SkipJsonSchema[None] = shapes.left_out()
    queue: shapes.Text | SkipJsonSchema[None] = shapes.left_out()


def _truly(value: object) -> object:
    if value is not True:  # 1 is as good to Python, but not to JSON
        message = "must be true"
        raise ValueError(message)
    return value


class SelectionBody(shapes.Body):
    """Some dead letters: by id, all of one reason, or all."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    ids: Annotated[list[shapes.Id], Field(min_length=1, max_length=1000)] = Field(
        default=[], json_schema_extra=shapes.without_default
    )
    reason: shapes.Text = Field(default="", json_schema_extra=shapes.without_default)
    all: Annotated[Literal[True], BeforeValidator(_truly)] = Field(
        default=True, json_schema_extra=shapes.without_default
    )

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            message = "give one of ids, reason and all"
            raise ValueError(message)
        return self


class ReplayedDocument(shapes.Document):
    """How many messages are in their queues again; the unreadable ones stay."""

    replayed: int
    unreadable: int


class DiscardedDocument(shapes.Document):
    """How many dead letters are gone."""

    discarded: int


class DeadLetters:
    """The calls about dead letters."""

    def __init__(self, services: Services) -> None:
        """Take the store and the broker."""
        self._store = services.store
        self._broker = services.broker

    def register(self, api: routes.Routes) -> None:
        """Add the calls."""
        roles = routes.OPERATION
        api.add(
            HTTPMethod.GET,
            "/dead-letters",
            self.list_dead_letters,
            roles=roles,
            answer=DeadLetterPage,
        )
        api.add(
            HTTPMethod.GET,
            "/dead-letters/<int:dead_letter_id>",
            self.show_dead_letter,
            roles=roles,
            answer=DeadLetterDetailDocument,
            refuses=[HTTPStatus.NOT_FOUND],
        )
        api.add(
            HTTPMethod.POST,
            "/dead-letters/replay",
            self.replay,
            roles=roles,
            answer=ReplayedDocument,
            refuses=[HTTPStatus.NOT_FOUND],
        )
        api.add(
            HTTPMethod.POST,
            "/dead-letters/discard",
            self.discard,
            roles=roles,
            answer=DiscardedDocument,
            refuses=[HTTPStatus.NOT_FOUND],
        )

    def list_dead_letters(self, query: DeadLetterQuery) -> DeadLetterPage:
        """Return the dead letters; operators see those of no organization too."""
        with self._store.read() as work:
            page = work.dead_letters.page(
                identity.caller().organization_id,
                with_nobodys=sees_nobodys(),
                reason=query.reason,
                queue=query.queue,
                limit=query.limit,
                cursor=query.cursor,
            )
        items = [_document(row) for row in page.rows]
        return DeadLetterPage(items=items, next_cursor=page.next_cursor)

    def show_dead_letter(self, path: DeadLetterPath) -> DeadLetterDetailDocument:
        """Return a dead letter with its message and its failed attempts."""
        with self._store.read() as work:
            rows = work.dead_letters.by_ids(
                identity.caller().organization_id,
                [path.dead_letter_id],
                with_nobodys=sees_nobodys(),
            )
        if not rows:
            raise problems.not_found()
        return _detail(rows[0])

    def replay(self, body: SelectionBody) -> ReplayedDocument:
        """Put messages back into their queues; they are looked at as if new."""
        replayed = unreadable = 0
        for rows in self._selected(body):
            readable = [(row, m) for row in rows if (m := _replayable(row))]
            self._broker.publish(*(message for _, message in readable))
            with self._store.begin() as work:
                for row, _ in readable:
                    # One that has failed again meanwhile stays.
                    work.dead_letters.forget(row)
                work.commit()
            replayed += len(readable)
            unreadable += len(rows) - len(readable)
        log.info("Replayed %d dead letters", replayed)
        return ReplayedDocument(replayed=replayed, unreadable=unreadable)

    def discard(self, body: SelectionBody) -> DiscardedDocument:
        """Forget messages for good."""
        discarded = 0
        for rows in self._selected(body):
            with self._store.begin() as work:
                discarded += sum(work.dead_letters.forget(row) for row in rows)
                work.commit()
        log.info("Discarded %d dead letters", discarded)
        return DiscardedDocument(discarded=discarded)

    def _selected(self, body: SelectionBody) -> Iterator[Sequence[tables.DeadLetter]]:
        if body.ids:
            yield self._named(set(body.ids))
            return
        cursor, is_more = None, True
        while is_more:
            with self._store.read() as work:
                page = work.dead_letters.page(
                    identity.caller().organization_id,
                    with_nobodys=sees_nobodys(),
                    reason=body.reason or None,
                    limit=_AT_ONCE,
                    cursor=cursor,
                )
            yield page.rows
            cursor = page.next_cursor
            is_more = cursor is not None

    def _named(self, ids: set[int]) -> Sequence[tables.DeadLetter]:
        with self._store.read() as work:
            rows = work.dead_letters.by_ids(
                identity.caller().organization_id, ids, with_nobodys=sees_nobodys()
            )
        if missing := ids - {row.id for row in rows}:
            names = ", ".join(map(str, sorted(missing)))
            detail = f"These dead letters are not there: {names}."
            raise problems.ProblemError(HTTPStatus.NOT_FOUND, detail)
        return rows


def sees_nobodys() -> bool:
    """Tell whether the caller sees dead letters that no organization is known of."""
    return identity.caller().role == Role.OPERATOR


def _replayable(row: tables.DeadLetter) -> Message | None:
    """Return the message as it goes back, or None when it cannot be read."""
    try:
        message = messages.decode(row.message.encode())
    except errors.MessageDecodeError:
        return None
    if isinstance(message.subject, messages.Unreadable):
        return None
    return replace(message, trigger=Trigger.RETRY, attempt=1)


def _document(row: tables.DeadLetter) -> DeadLetterDocument:
    return DeadLetterDocument(
        id=row.id,
        queue=row.queue,
        reason=row.reason,
        error=row.error,
        task_id=row.task_id,
        event_id=row.event_id,
        attempts=row.attempts,
        created_at=row.created_at,
    )


def _detail(row: tables.DeadLetter) -> DeadLetterDetailDocument:
    failures: Sequence[messages.Failure] = ()
    with contextlib.suppress(errors.MessageDecodeError):
        failures = messages.decode(row.message.encode()).failures
    return DeadLetterDetailDocument(
        **_document(row).model_dump(),
        message=_parsed(row.message),
        text=row.message,
        failures=[
            FailureDocument(
                at=failure.at,
                reason=failure.reason,
                explanation=reasons.explain(failure.reason),
                error=failure.error,
            )
            for failure in failures
        ],
    )


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
