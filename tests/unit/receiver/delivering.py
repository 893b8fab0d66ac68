"""Webhooks as Google and the CRM deliver them."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from shared.domain import signing
from tests.unit.receiver.house import NOW, SECRET, House

CHANNEL = "0b1c2d3e"
Options = Any
"""Of `deliver`."""


def event(**changes: object) -> dict[str, Any]:
    """Return an event as the CRM sends it."""
    data = {"id": "t1", "version": 7, "type": "Meeting", "title": "Kick-off"}
    known = {
        "type": "task.updated",
        "timestamp": "2026-03-02T09:30:00Z",
        "data": data,
    }
    return known | changes


def deliver(  # noqa: PLR0913 - each is one way to be wrong
    house: House,
    body: bytes | None = None,
    *,
    organization: str = "acme",
    secret: str = SECRET,
    delivery_id: str = "d1",
    sent: timedelta = timedelta(),
    headers: Mapping[str, str | None] | None = None,
) -> TestResponse:
    """Deliver a webhook of the CRM."""
    payload = json.dumps(event()).encode() if body is None else body
    signed = signing.sign_webhook(
        payload, delivery_id=delivery_id, secrets=[secret], now=NOW + sent
    )
    sent_headers = {"Content-Type": "application/json"} | signed | dict(headers or {})
    return house.browser().post(
        f"/webhooks/crm/{organization}",
        data=payload,
        headers={k: v for k, v in sent_headers.items() if v is not None},
    )


def push(house: House, **headers: str | None) -> TestResponse:
    """Deliver a push notification of Google; None leaves a header out."""
    key = house.keys.derive(signing.CHANNEL_TOKEN_PURPOSE)
    known: dict[str, str | None] = {
        "Channel_ID": CHANNEL,
        "Channel_Token": signing.channel_token(key, CHANNEL),
        "Message_Number": "4",
        "Resource_ID": "r1",
        "Resource_State": "exists",
    }
    given = {
        f"X-Goog-{name.replace('_', '-')}": value
        for name, value in (known | headers).items()
        if value is not None
    }
    return house.browser().post("/webhooks/google", headers=given)


def lose_organizations(house: House) -> None:
    """Leave a database that cannot be asked for organizations."""
    with house.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE organizations RENAME TO gone")
