"""Sends requests to Google: one service per process, one connection per thread.

httplib2 is not thread-safe (fact 229), and a service costs memory; so the service is
shared, every request is executed with its thread's own connection, and credentials are
put around that connection per request. Threads that serve many accounts keep it alive
across them.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import google_auth_httplib2  # type: ignore[import-untyped] # ships no types
import httplib2
import tenacity
from google.auth.credentials import Credentials
from googleapiclient import discovery
from googleapiclient.http import HttpRequest

from shared.adapters.google_calendar import refusals
from shared.domain import answers, ports

_TRIES = 3

_UNITS = {"PATCH": 3}
"""What a request counts for in Google's quota, if more than one (fact 116)."""

Pace = Callable[[int], None]
"""Waits until there is room in the quota for so many units, and spends them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What lets requests act for an account, and how fast they may follow."""

    credentials: Credentials
    pace: Pace


class Transport:
    """The way to the Calendar API; safe to use from any thread."""

    def __init__(
        self,
        endpoint: str,
        clock: ports.Clock,
        timeout_seconds: float,
        sleep: Callable[[float], None],
        instrument: ports.Instrument = ports.uninstrumented,
    ) -> None:
        """Take the address that the paths of the API follow (fact 232)."""
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._instrument = instrument
        self._threads = threading.local()
        self.skew: timedelta | None = None
        # The http object only keeps the library from looking for credentials of its
        # own: requests are executed with their thread's.
        service = discovery.build(
            "calendar",
            "v3",
            http=httplib2.Http(),
            client_options={"api_endpoint": endpoint},
            cache_discovery=False,
        )
        # Each takes half a megabyte: so they are made once, for all accounts. The
        # stubs know bodies and parameters more narrowly than our port does.
        self.events: Any = service.events()
        self.channels: Any = service.channels()
        self.calendar_list: Any = service.calendarList()
        self._repeating = tenacity.Retrying(
            sleep=sleep,
            stop=tenacity.stop_after_attempt(_TRIES),
            retry=tenacity.retry_if_exception(answers.is_worth_repeating),
            wait=tenacity.wait_random_exponential(multiplier=0.5, max=4)
            + tenacity.wait_exception(answers.wished_pause),
            reraise=True,
        )

    def read(self, request: HttpRequest, access: Access, what: str) -> Any:  # noqa: ANN401 - JSON
        """Execute a request that may be repeated, and repeat it if that may help."""
        return self._repeating(self.send, request, access, what)

    def send(self, request: HttpRequest, access: Access, what: str) -> Any:  # noqa: ANN401 - JSON
        """Execute a request once and return the JSON of the answer.

        Raises what `refusals.mapped` makes of an answer that refuses it.
        """
        access.pace(_UNITS.get(request.method, 1))
        http = google_auth_httplib2.AuthorizedHttp(
            access.credentials, http=self._http(), max_refresh_attempts=1
        )
        operation = (request.methodId or what).removeprefix("calendar.")
        with self._instrument(operation), refusals.mapped(what):
            return request.execute(http=http)

    def _http(self) -> "_Http":
        if not hasattr(self._threads, "http"):
            self._threads.http = _Http(self._timeout_seconds, self._clock, self._note)
        http: _Http = self._threads.http
        return http

    def _note(self, response: httplib2.Response, sent_at: datetime) -> None:
        """Read Google's clock off an answer, whatever else it says."""
        skew = answers.skew(
            response.get("date"), sent_at=sent_at, received_at=self._clock.now()
        )
        self.skew = self.skew if skew is None else skew


class _Http(httplib2.Http):
    """A thread's connection, which notes what clock the server's answers show."""

    def __init__(
        self,
        timeout_seconds: float,
        clock: ports.Clock,
        note: Callable[[httplib2.Response, datetime], None],
    ) -> None:
        super().__init__(timeout=timeout_seconds)
        # The API never redirects, and a token must not follow who claims it does.
        self.follow_redirects = False
        self._clock = clock
        self._note = note

    def __del__(self) -> None:
        """Close the sockets of a thread that has ended."""
        self.close()

    def request(
        self,
        *args: Any,  # noqa: ANN401 - as httplib2 has it
        **kwargs: Any,  # noqa: ANN401 - as httplib2 has it
    ) -> tuple[httplib2.Response, bytes]:
        sent_at = self._clock.now()
        response, content = super().request(*args, **kwargs)
        self._note(response, sent_at)
        return response, content
