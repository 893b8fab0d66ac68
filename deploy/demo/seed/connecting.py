"""Connects everybody as they would in a browser, and waits for their first syncs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.demo.seed import calls, people

API = "/api/calendar-sync"
_CALLBACK = f"{API}/callback"
_LOOK_SECONDS = 0.1
_MOST_CONNECTIONS = "100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The OAuth client of the organization's Google Cloud project."""

    client_id: str
    client_secret: str


class Connecting:
    """Takes people through Google's consent; `receiver` lets an admin in."""

    def __init__(self, receiver: calls.Server, google: calls.Server) -> None:
        """Take both ends of the consent."""
        self._receiver = receiver
        self._google = google

    def connect_everybody(self, client: Client, *, patience_seconds: float) -> None:
        """Connect who is not; return when all they had is in step.

        Raises `SeedError` when that takes too long.
        """
        self._register(client)
        present = self._connections()
        missing = [p for p in people.PEOPLE if not _is_active(present.get(p.id))]
        for person in missing:
            self._connect(person)
        deadline = time.monotonic() + patience_seconds
        while not self._are_settled(missing):
            if time.monotonic() > deadline:
                message = f"the first syncs took longer than {patience_seconds:g} s"
                raise calls.SeedError(message)
            time.sleep(_LOOK_SECONDS)

    def _register(self, client: Client) -> None:
        registered = {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "redirect_uris": [f"{self._receiver.url}{_CALLBACK}"],
            "name": "calendar-sync demo",
        }
        self._google.post("/_admin/clients", registered)

    def _connect(self, person: people.Person) -> None:
        asked = self._receiver.post(f"{API}/connections", {"crm_user_id": person.id})
        consent = {
            "authorization_url": asked["authorization_url"],
            "account": person.google_account,
        }
        answered = self._google.post("/_admin/consent", consent)
        callback = answered["redirect_to"].removeprefix(self._receiver.url)
        # The callback needs nothing but what is in its address.
        calls.Server(self._receiver.url).get(callback)

    def _are_settled(self, connected: list[people.Person]) -> bool:
        """Tell whether these have been synced, and nothing of it is under way."""
        present = self._connections()
        if not all(_is_synced(present.get(person.id)) for person in connected):
            return False
        running = self._receiver.get(f"{API}/jobs", state="running", limit="1")
        return not (connected and running["items"])

    def _connections(self) -> Mapping[str, Any]:
        answer = self._receiver.get(f"{API}/connections", limit=_MOST_CONNECTIONS)
        return {each["crm_user_id"]: each for each in answer["items"]}


def _is_active(connection: Any) -> bool:  # noqa: ANN401 - JSON
    return connection is not None and connection["state"] == "active"


def _is_synced(connection: Any) -> bool:  # noqa: ANN401 - JSON
    return _is_active(connection) and connection["last_sync_at"] is not None
