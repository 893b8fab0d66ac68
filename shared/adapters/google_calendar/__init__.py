"""Google Calendar over google-api-python-client.

`client` makes the requests, `transport` sends them, `refusals` turns what comes back
into our errors. `GoogleCalendarApi` is made once per process and hands out one
lightweight client per account.
"""

import time
from collections.abc import Callable

from google.auth.credentials import Credentials

from shared.adapters.google_calendar.client import GoogleCalendarClient, unpaced
from shared.adapters.google_calendar.transport import Pace, Transport
from shared.domain import ports

__all__ = ["GoogleCalendarApi", "GoogleCalendarClient"]


class GoogleCalendarApi:
    """The Calendar API at one address, for any number of accounts."""

    def __init__(
        self,
        *,
        api_url: str,
        push_address: str,
        clock: ports.Clock,
        timeout_seconds: float = 20,
        sleep: Callable[[float], None] = time.sleep,
        instrument: ports.Instrument = ports.uninstrumented,
    ) -> None:
        """Take the root (`/calendar/v3` follows) and where notifications go.

        `timeout_seconds` bounds each wait for the network; `sleep` pauses before a read
        is repeated; operations are named as Google does, such as `events.patch`.
        """
        self._transport = Transport(
            f"{api_url.rstrip('/')}/calendar/v3",
            clock,
            timeout_seconds,
            sleep,
            instrument,
        )
        self._push_address = push_address

    def account(
        self, credentials: Credentials, *, pace: Pace = unpaced
    ) -> GoogleCalendarClient:
        """Return the calendars of the account that `credentials` belong to.

        `pace` is called with what each request costs before it is sent.
        """
        return GoogleCalendarClient(
            self._transport, credentials, self._push_address, pace=pace
        )
