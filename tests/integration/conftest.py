"""Remotes for the adapters: stubs that answer as told, and the simulators."""

from collections.abc import Iterator

import pytest

from shared.adapters import google_calendar
from tests import clocks, google_stub, simulators, stub_server


@pytest.fixture
def stub() -> Iterator[stub_server.StubServer]:
    """Return a server that answers as told."""
    with stub_server.running() as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    """Return the pauses that an adapter made; none of them takes any time."""
    return []


@pytest.fixture
def google_api(
    stub: stub_server.StubServer, pauses: list[float]
) -> google_calendar.GoogleCalendarApi:
    """Return the Calendar API as the stub serves it."""
    return google_calendar.GoogleCalendarApi(
        api_url=stub.url,
        push_address=google_stub.PUSH_ADDRESS,
        clock=clocks.SystemClock(),
        timeout_seconds=1.0,
        sleep=pauses.append,
    )


@pytest.fixture
def google_account(
    google_api: google_calendar.GoogleCalendarApi,
) -> google_calendar.GoogleCalendarClient:
    """Return the account of a token that never expires."""
    return google_api.account(google_stub.credentials("token-of-ann"))


@pytest.fixture(scope="module")
def simulated_google(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[simulators.Simulator]:
    """Return a simulated Google."""
    data = tmp_path_factory.mktemp("google")
    with simulators.running("deploy.demo.google", data=data) as running:
        yield running
