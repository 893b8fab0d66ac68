"""What people ask of the CRM and of Google: again, when something is out of order."""

import os
import time
from collections.abc import Mapping
from typing import Any

import requests

from shared.domain import identifiers
from tests.e2e.system import API_KEY, ORGANIZATION, Person, System

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.5


def crm(system: System, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Call the CRM's API."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    if method == "POST":
        headers["Idempotency-Key"] = os.urandom(8).hex()
    return _asked(method, f"{system.crm.url}/api/v1{path}", headers, body)


def google(
    system: System, person: Person, method: str, path: str, body: object = None
) -> Any:  # noqa: ANN401 - JSON
    """Do something on a calendar's page, which counts against no quota.

    Returns None for what is not there.
    """
    headers = {
        "Authorization": f"Bearer demo-{person.account}",
        "X-Simulator-Page": "calendar",
    }
    root = f"{system.google.url}/calendar/v3/calendars/primary/events"
    return _asked(method, f"{root}{path}", headers, body)


def event_of(system: System, person: Person, task_id: str) -> Any:  # noqa: ANN401 - JSON
    """Return the event of a task that always was this person's; None if it is late."""
    event_id = identifiers.event_id(ORGANIZATION, task_id, person.account, 0)
    return google(system, person, "GET", f"/{event_id}")


def _asked(method: str, url: str, headers: Mapping[str, str], body: object) -> Any:  # noqa: ANN401 - JSON
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answer = requests.request(method, url, json=body, headers=headers, timeout=60)
        if answer.status_code < requests.codes.internal_server_error:
            break
        assert time.monotonic() < until, f"{method} {url}: {answer.status_code}"
        time.sleep(_PAUSE_SECONDS)
    if answer.status_code == requests.codes.not_found:
        return None
    assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None
