"""The adapters say what they ask the other sides for, and whether it was refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.adapters import crm, google_calendar
from shared.domain import errors
from tests import clocks, google_stub, stub_server


class Record:
    """An instrument (`ports.Instrument`) that writes everything down."""

    def __init__(self) -> None:
        """Begin with an empty page."""
        self.written: list[str] = []

    @contextmanager
    def __call__(self, operation: str) -> Iterator[None]:
        """Write down what is asked, and what comes of it."""
        try:
            yield
        except errors.SyncError as error:
            self.written.append(f"{operation}: {error.reason}")
            raise
        self.written.append(operation)


@pytest.fixture
def record() -> Record:
    """Return an instrument."""
    return Record()


def test_requests_to_google_go_by_the_names_of_its_api(
    stub: stub_server.StubServer, record: Record
) -> None:
    account = google_calendar.GoogleCalendarApi(
        api_url=stub.url,
        push_address=google_stub.PUSH_ADDRESS,
        clock=clocks.SystemClock(),
        instrument=record,
    ).account(google_stub.credentials("token-of-ann"))
    stub.answer({"id": "e1"})
    stub.answer(google_stub.envelope(412, "conditionNotMet"), status=412)

    account.get_event("ann@example.com", "e1")
    with pytest.raises(errors.VersionMismatchError):
        account.patch_event("ann@example.com", "e1", {}, etag="1", send_updates="none")

    assert record.written == ["events.get", "events.patch: version_mismatch"]


def test_requests_to_the_crm_go_by_their_paths_without_ids(
    stub: stub_server.StubServer, record: Record
) -> None:
    client = crm.CrmClient(
        f"{stub.url}/api/v1",
        "key-1",
        clocks.SystemClock(),
        sleep=lambda _seconds: None,
        instrument=record,
    )
    stub.answer({"id": "t/1", "version": 1})
    stub.answer(status=503)
    stub.answer({"id": "t1", "version": 1})
    stub.answer({"items": [], "next_cursor": None})

    client.get_task("t/1")
    client.create_task({}, idempotency_key="k")
    client.list_users()

    assert record.written == [
        "GET /tasks/{id}",
        "POST /tasks: remote_unavailable",
        "POST /tasks",
        "GET /users",
    ]
