"""The Calendar adapter on a bad day: trying again, late and lost answers, clocks."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import google_calendar
from shared.domain import errors, ports
from tests import clocks, google_stub, stub_server


def test_a_read_is_repeated_after_a_short_outage(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    pauses: list[float],
) -> None:
    stub.answer(google_stub.envelope(503, "backendError"), status=503)
    stub.answer(google_stub.envelope(403, "rateLimitExceeded"), status=403)
    stub.answer({"id": "e1"})

    found = google_account.get_event("c", "e1")

    assert found == {"id": "e1"}
    assert len(pauses) == 2


def test_a_read_is_given_up_after_three_tries(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    for _ in range(4):
        stub.answer(status=503)

    with pytest.raises(errors.RemoteUnavailableError):
        google_account.get_event("c", "e1")

    assert len(stub.received) == 3


def test_a_short_wish_for_patience_is_granted(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    pauses: list[float],
) -> None:
    stub.answer(status=503, retry_after="4")
    stub.answer({"id": "e1"})

    google_account.get_event("c", "e1")

    assert pauses[0] >= 4


def test_a_long_wish_for_patience_is_left_to_the_queues(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    pauses: list[float],
) -> None:
    stub.answer(
        google_stub.envelope(429, "rateLimitExceeded"), status=429, retry_after="90"
    )

    with pytest.raises(errors.RateLimitError) as refusal:
        google_account.get_event("c", "e1")

    assert refusal.value.retry_after == 90
    assert pauses == []


def test_a_write_is_never_repeated(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    pauses: list[float],
) -> None:
    stub.answer(status=503, retry_after="1")

    with pytest.raises(errors.RemoteUnavailableError) as refusal:
        google_account.insert_event("c", {"id": "e1"}, send_updates="none")

    assert refusal.value.retry_after == 1
    assert len(stub.received) == 1
    assert pauses == []


def test_a_dropped_connection_counts_as_an_outage(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    for _ in range(6):
        stub.drop()

    with pytest.raises(errors.RemoteUnavailableError):
        google_account.patch_event("c", "e1", {}, etag='"1"', send_updates="none")


def test_nobody_listening_counts_as_an_outage() -> None:
    with stub_server.running() as stopped:
        url = stopped.url
    api = google_calendar.GoogleCalendarApi(
        api_url=url,
        push_address=google_stub.PUSH_ADDRESS,
        clock=clocks.SystemClock(),
        sleep=lambda _: None,
    )

    with pytest.raises(errors.RemoteUnavailableError):
        api.account(google_stub.credentials("token-of-ann")).get_event("c", "e1")


def test_a_late_answer_is_not_taken_for_the_answer_to_the_next_request(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.stall()
    with pytest.raises(errors.RemoteUnavailableError, match="TimeoutError"):
        google_account.patch_event("c", "e1", {}, etag=None, send_updates="none")
    stub.released.set()
    stub.answer({"id": "e2"})

    found = google_account.get_event("c", "e2")

    assert found == {"id": "e2"}


def test_threads_do_not_wait_for_each_others_answers(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.stall()
    outcome: list[errors.SyncError] = []

    def slow() -> None:
        try:
            google_account.delete_event("c", "e1", etag=None, send_updates="none")
        except errors.SyncError as error:
            outcome.append(error)

    thread = threading.Thread(target=slow)
    thread.start()
    while not stub.received:
        thread.join(0.001)
    found = google_account.get_event("c", "e2")
    still_waiting = thread.is_alive()
    thread.join()

    assert found == {}
    assert still_waiting
    assert [type(error) for error in outcome] == [errors.RemoteUnavailableError]


def test_the_skew_is_measured_even_on_refusals(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer(status=404, date="Tue, 01 Jan 2030 00:00:00 GMT")
    ahead = datetime(2030, 1, 1, tzinfo=UTC) - datetime.now(UTC)

    with pytest.raises(errors.RecordNotFoundError):
        google_account.get_event("c", "e1")

    skew = google_account.clock_skew()
    assert skew is not None
    assert abs(skew - ahead) < timedelta(seconds=5)
