"""Deliveries that we send to our own webhook address, as the CRM would.

They go by the public address: through the proxy, its certificate and its rules.
"""

import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

import requests

from shared.adapters.store import tables
from shared.domain import ports, signing

log = logging.getLogger(__name__)

TEST = "calendar_sync.test"
PATIENCE_SECONDS = 5.0


class Arrival(StrEnum):
    """How a test delivery ended."""

    ACCEPTED = "accepted"
    """It arrived, its signature was right, and it would have been queued."""
    SIGNATURE_REFUSED = "signature_refused"
    NOT_QUEUED = "not_queued"
    """The broker does not take messages."""
    REDIRECTED = "redirected"
    ELSEWHERE = "elsewhere"
    """Something else than the receiver answers there."""
    UNREACHABLE = "unreachable"


_BY_STATUS: Mapping[int, Arrival] = {
    HTTPStatus.ACCEPTED: Arrival.ACCEPTED,
    HTTPStatus.UNAUTHORIZED: Arrival.SIGNATURE_REFUSED,
    HTTPStatus.SERVICE_UNAVAILABLE: Arrival.NOT_QUEUED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a test delivery ended, and the status of the answer if there was one."""

    arrival: Arrival
    status: int | None = None


def webhook_url(public_url: str, organization: tables.Organization) -> str:
    """Return where an organization's CRM sends its webhooks."""
    return f"{public_url}/webhooks/crm/{organization.name}"


def deliver(
    organization: tables.Organization, public_url: str, clock: ports.Clock
) -> Report:
    """Send a delivery that is verified and queues nothing; return how it ended."""
    now = clock.now()
    body = json.dumps({"type": TEST, "timestamp": now.isoformat(), "data": {}}).encode()
    headers = signing.sign_webhook(
        body,
        delivery_id=f"test-{uuid.uuid4().hex}",
        secrets=organization.crm_webhook_secrets[:1],
        now=now,
    )
    try:
        answer = requests.post(
            webhook_url(public_url, organization),
            data=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=PATIENCE_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        log.warning("Could not reach our own address: %s", type(error).__name__)
        return Report(arrival=Arrival.UNREACHABLE)
    if answer.is_redirect:
        return Report(arrival=Arrival.REDIRECTED, status=answer.status_code)
    arrival = _BY_STATUS.get(answer.status_code, Arrival.ELSEWHERE)
    return Report(arrival=arrival, status=answer.status_code)
