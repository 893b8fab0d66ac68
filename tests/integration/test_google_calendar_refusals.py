"""What the Calendar adapter makes of Google's refusals (facts 176-189)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain import errors, ports
from tests import google_stub, stub_server


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, google_stub.envelope(400, "invalid"), errors.RemoteRejectedError),
        (400, google_stub.envelope(400, "timeRangeEmpty"), errors.RemoteRejectedError),
        (
            400,
            google_stub.envelope(400, "pushNotSupportedForRequestedResource"),
            errors.RemoteRejectedError,
        ),
        (
            403,
            google_stub.envelope(403, "userRateLimitExceeded"),
            errors.RateLimitError,
        ),
        (403, google_stub.envelope(403, "rateLimitExceeded"), errors.RateLimitError),
        (403, google_stub.detailed(403, "RATE_LIMIT_EXCEEDED"), errors.RateLimitError),
        (429, google_stub.envelope(429, "rateLimitExceeded"), errors.RateLimitError),
        (429, None, errors.RateLimitError),
        (403, google_stub.envelope(403, "quotaExceeded"), errors.UsageLimitError),
        (403, google_stub.envelope(403, "forbidden"), errors.RemoteRejectedError),
        (
            403,
            google_stub.envelope(403, "forbiddenForNonOrganizer"),
            errors.RemoteRejectedError,
        ),
        (
            403,
            google_stub.envelope(403, "requiredAccessLevel"),
            errors.RemoteRejectedError,
        ),
        (
            403,
            google_stub.envelope(403, "insufficientPermissions"),
            errors.MissingScopesError,
        ),
        (
            403,
            google_stub.detailed(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            errors.MissingScopesError,
        ),
        (
            403,
            google_stub.envelope(403, "accessNotConfigured"),
            errors.ApiDisabledError,
        ),
        (403, google_stub.detailed(403, "SERVICE_DISABLED"), errors.ApiDisabledError),
        (403, google_stub.envelope(403, "notACalendarUser"), errors.CalendarOffError),
        (403, None, errors.RemoteAuthError),
        (404, google_stub.envelope(404, "notFound"), errors.RecordNotFoundError),
        (409, google_stub.envelope(409, "duplicate"), errors.DuplicateRecordError),
        (409, google_stub.envelope(409, "conflict"), errors.RemoteUnavailableError),
        (
            410,
            google_stub.envelope(410, "fullSyncRequired"),
            errors.SyncTokenExpiredError,
        ),
        (
            410,
            google_stub.envelope(410, "updatedMinTooLongAgo"),
            errors.SyncTokenExpiredError,
        ),
        (410, google_stub.envelope(410, "deleted"), errors.RecordDeletedError),
        (410, None, errors.RemoteUnavailableError),
        (
            412,
            google_stub.envelope(412, "conditionNotMet"),
            errors.VersionMismatchError,
        ),
        (500, google_stub.envelope(500, "backendError"), errors.RemoteUnavailableError),
        (502, None, errors.RemoteUnavailableError),
        (503, {"error": "a proxy's own"}, errors.RemoteUnavailableError),
        (302, None, errors.RemoteUnavailableError),
    ],
)
def test_each_refusal_has_its_own_error(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    status: int,
    body: object,
    expected: type[errors.SyncError],
) -> None:
    stub.answer(body, status=status)

    with pytest.raises(errors.SyncError) as refusal:
        google_account.patch_event("c", "e1", {}, etag=None, send_updates="none")

    assert type(refusal.value) is expected
    assert len(stub.received) == 1


def test_a_token_that_google_refuses_and_cannot_be_renewed_is_an_auth_error(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer(google_stub.envelope(401, "authError"), status=401)

    with pytest.raises(errors.RemoteAuthError):
        google_account.get_event("c", "e1")


def test_a_message_names_the_operation_and_the_reason_but_nobody(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer(
        google_stub.envelope(400, "invalid", "bob@example.com is ill"), status=400
    )

    with pytest.raises(errors.RemoteRejectedError) as refusal:
        google_account.patch_event(
            "ann@example.com",
            "e1",
            {"summary": "Salary"},
            etag=None,
            send_updates="all",
        )

    assert str(refusal.value) == "Google answered events.patch of e1 with 400 invalid"


def test_what_does_not_look_like_a_reason_stays_out_of_the_message(
    stub: stub_server.StubServer, google_account: ports.GoogleCalendar
) -> None:
    stub.answer(google_stub.envelope(400, "see bob@example.com"), status=400)

    with pytest.raises(errors.RemoteRejectedError) as refusal:
        google_account.get_event("c", "e1")

    assert str(refusal.value) == "Google answered events.get of e1 with 400"


@pytest.mark.parametrize(
    "call",
    [
        lambda google: google.get_event("c", "e1"),
        lambda google: google.list_events("c"),
        lambda google: google.list_calendars(),
        lambda google: google.watch("c", channel_id="1", token="", ttl=timedelta(1)),
    ],
)
@pytest.mark.parametrize("body", [b"<html>Sign in to the Wi-Fi</html>", b"[1]", b"7"])
def test_an_answer_that_is_not_googles_counts_as_an_outage(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    call: Callable[[ports.GoogleCalendar], object],
    body: bytes,
) -> None:
    for _ in range(3):
        stub.answer_raw(body)

    with pytest.raises(errors.RemoteUnavailableError):
        call(google_account)


@pytest.mark.parametrize("tokens", [{}, {"nextPageToken": "p", "nextSyncToken": "s"}])
def test_a_page_without_exactly_one_token_counts_as_an_outage(
    stub: stub_server.StubServer,
    google_account: ports.GoogleCalendar,
    tokens: dict[str, str],
) -> None:
    stub.answer({"items": [], **tokens})

    with pytest.raises(errors.RemoteUnavailableError):
        google_account.list_events("c")
