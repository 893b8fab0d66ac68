"""Dead letters: what failed for good, to be replayed or discarded."""

import contextlib
import json
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from shared.adapters.store import tables
from shared.adapters.store.states import Role
from shared.domain import errors, messages, reasons
from webhook_receiver import dead_letters, identity, problems
from webhook_receiver.api import routes, shapes
from webhook_receiver.services import Services

log = logging.getLogger(__name__)


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

    @classmethod
    def of(cls, row: tables.DeadLetter) -> Self:
        """Return the document of a row."""
        return cls(**_fields(row))


class FailureDocument(shapes.Document):
    """One attempt that did not succeed."""

    at: datetime
    reason: str
    explanation: str
    error: str

    @classmethod
    def of(cls, failure: messages.Failure) -> Self:
        """Return the document of a failure."""
        return cls(
            at=failure.at,
            reason=failure.reason,
            explanation=reasons.explain(failure.reason),
            error=failure.error,
        )


class DeadLetterDetailDocument(DeadLetterDocument):
    """A dead letter with its message, and every attempt that failed."""

    message: dict[str, Any] | None = Field(description="Null if it cannot be read.")
    text: str = Field(description="The message as it was in its queue.")
    failures: list[FailureDocument]

    @classmethod
    def of(cls, row: tables.DeadLetter) -> Self:
        """Return the document of a row; what cannot be read has no failures."""
        failures: Sequence[messages.Failure] = ()
        with contextlib.suppress(errors.MessageDecodeError):
            failures = messages.decode(row.message.encode()).failures
        return cls(
            **_fields(row),
            message=_parsed(row.message),
            text=row.message,
            failures=[FailureDocument.of(failure) for failure in failures],
        )


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
        self._letters = dead_letters.DeadLetters(services.store, services.broker)

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
        items = [DeadLetterDocument.of(row) for row in page.rows]
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
        return DeadLetterDetailDocument.of(rows[0])

    def replay(self, body: SelectionBody) -> ReplayedDocument:
        """Put messages back into their queues; they are looked at as if new."""
        selected = unreadable = 0
        for rows in self._selected(body):
            unreadable += len(self._letters.replay(rows))
            selected += len(rows)
        replayed = selected - unreadable
        log.info("Replayed %d dead letters", replayed)
        return ReplayedDocument(replayed=replayed, unreadable=unreadable)

    def discard(self, body: SelectionBody) -> DiscardedDocument:
        """Forget messages for good."""
        discarded = sum(self._letters.discard(rows) for rows in self._selected(body))
        log.info("Discarded %d dead letters", discarded)
        return DiscardedDocument(discarded=discarded)

    def _selected(self, body: SelectionBody) -> Iterator[Sequence[tables.DeadLetter]]:
        selection = dead_letters.Selection(
            organization_id=identity.caller().organization_id,
            with_nobodys=sees_nobodys(),
            ids=frozenset(body.ids) if body.ids else None,
            reason=body.reason or None,
        )
        if missing := self._letters.missing(selection):
            names = ", ".join(map(str, missing))
            detail = f"These dead letters are not there: {names}."
            raise problems.ProblemError(HTTPStatus.NOT_FOUND, detail)
        return self._letters.batches(selection)


def sees_nobodys() -> bool:
    """Tell whether the caller sees dead letters that no organization is known of."""
    return identity.caller().role == Role.OPERATOR


def _fields(row: tables.DeadLetter) -> dict[str, Any]:
    names = DeadLetterDocument.model_fields
    return {name: getattr(row, name) for name in names}


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
