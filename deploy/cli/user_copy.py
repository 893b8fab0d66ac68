"""A copy of what is stored about a user: one JSON object, written as it is read."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from shared.adapters.store import SHOWN, Owner, Store
from shared.adapters.store.tables import Document
from webhook_receiver.api.dead_letters import DeadLetterDetailDocument
from workers.forgetting import letters_of

FORMAT = 1
"""Grows when a reader of an earlier copy would misunderstand a later one."""

_AT_ONCE = 500


def written(store: Store, owner: Owner, *, organization: str) -> Iterator[str]:
    """Yield the text; no secret is in it, nor a token. It may be long."""
    with store.read() as work:
        user = work.users.of(owner.organization_id, owner.crm_user_id)
        connection = work.connections.get(owner.connection_id)
        head = {
            "format": FORMAT,
            "organization": organization,
            "crm_user_id": owner.crm_user_id,
            "user": work.belongings.document(user) if user else None,
            "connection": work.belongings.document(connection) if connection else None,
        }
    lists = {part: _rows(store, part, owner) for part in SHOWN}
    lists["dead_letters"] = _letters(store, owner)
    yield "{\n"
    yield ",\n".join(f"  {_json(name)}: {_json(value)}" for name, value in head.items())
    for name, rows in lists.items():
        yield f",\n  {_json(name)}: ["
        yield from _separated(rows)
        yield "]"
    yield "\n}\n"


def _separated(rows: Iterable[Document]) -> Iterator[str]:
    before, last = "\n    ", ""
    for row in rows:
        yield before + _json(row)
        before, last = ",\n    ", "\n  "
    yield last


def _rows(store: Store, part: str, owner: Owner) -> Iterator[Document]:
    after, is_more = None, True
    while is_more:
        with store.read() as work:
            rows, after = work.belongings.documents(
                part, owner, limit=_AT_ONCE, after=after
            )
        yield from rows
        is_more = after is not None


def _letters(store: Store, owner: Owner) -> Iterator[Document]:
    for row in chain.from_iterable(letters_of(store, owner)):
        yield DeadLetterDetailDocument.of(row).model_dump(mode="json")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=datetime.isoformat)
