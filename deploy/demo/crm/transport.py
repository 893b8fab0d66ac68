"""Posts webhooks over HTTP, each thread over a connection of its own."""

import logging
import threading
from collections.abc import Mapping

import requests

from deploy.demo.crm import webhooks

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 15.0


class HttpPost:
    """Implements `webhooks.Post`."""

    def __init__(self, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        """Take how long an answer may be waited for."""
        self._timeout_seconds = timeout_seconds
        self._threads = threading.local()

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Return the status of the answer, `NO_ANSWER` when none came."""
        try:
            answer = self._session().post(
                url,
                data=body,
                headers=dict(headers),
                timeout=self._timeout_seconds,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            _log.debug("A webhook did not arrive: %s", type(error).__name__)
            return webhooks.NO_ANSWER
        return answer.status_code

    def _session(self) -> requests.Session:
        if not hasattr(self._threads, "session"):
            session = requests.Session()
            # What the environment says of proxies is not meant for receivers.
            session.trust_env = False
            self._threads.session = session
        found: requests.Session = self._threads.session
        return found
