"""Requests to one server, whose refusals end the seeding with one line."""

from typing import Any

import requests

_PATIENCE_SECONDS = 30


class SeedError(Exception):
    """The seeding cannot go on; the message says why in one line."""


class Server:
    """An HTTP server; `token` lets requests in where one is needed."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """Take its root."""
        self.url = url.rstrip("/")
        self._session = requests.Session()
        # Settings of the machine for other servers must not get in the way.
        self._session.trust_env = False
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """Read something."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: object, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """Send something."""
        return self._ask("POST", path, json=body, headers=headers)

    def delete(self, path: str) -> None:
        """Take something away."""
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        where = f"{method} {self.url}{path}"
        try:
            answer = self._session.request(
                method, f"{self.url}{path}", timeout=_PATIENCE_SECONDS, **content
            )
        except requests.RequestException as error:
            message = f"{where} was not answered ({type(error).__name__})"
            raise SeedError(message) from error
        if not answer.ok:
            message = f"{where} was answered with {answer.status_code}: {answer.text}"
            raise SeedError(" ".join(message.split()))
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.json() if is_json else None
