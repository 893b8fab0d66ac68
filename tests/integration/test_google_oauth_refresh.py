"""The OAuth adapter over HTTP: access tokens that are kept fresh."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import google_oauth
from shared.domain import errors
from tests import google_oauth_stub, stub_server


@pytest.fixture
def oauth(stub: stub_server.StubServer) -> google_oauth.GoogleOAuth:
    """Return Google's OAuth as the stub serves it."""
    return google_oauth_stub.at(stub.url)


def test_a_valid_access_token_is_used_as_it_is(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    saved: list[google_oauth.Tokens] = []
    credentials = oauth.credentials(
        google_oauth_stub.CLIENT,
        google_oauth_stub.stored(google_oauth_stub.NOW + timedelta(hours=1)),
        on_refresh=saved.append,
    )

    google_oauth_stub.api(stub.url).account(credentials).get_event("c", "e1")

    [request] = stub.received
    assert request.headers["authorization"] == f"Bearer {google_oauth_stub.OLD}"
    assert saved == []


@pytest.mark.parametrize(
    "tokens",
    [
        google_oauth_stub.stored(google_oauth_stub.NOW - timedelta(hours=1)),
        google_oauth.Tokens(refresh_token=google_oauth_stub.LASTING),
    ],
    ids=["expired", "absent"],
)
def test_an_access_token_is_fetched_when_it_is_needed_and_saved(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    tokens: google_oauth.Tokens,
) -> None:
    saved: list[google_oauth.Tokens] = []
    credentials = oauth.credentials(
        google_oauth_stub.CLIENT, tokens, on_refresh=saved.append
    )
    stub.answer(
        {
            "access_token": google_oauth_stub.NEW,
            "expires_in": 3599,
            "token_type": "Bearer",
        }
    )

    # google-auth looks at the clock of the machine.
    asked_at = datetime.now(UTC)
    google_oauth_stub.api(stub.url).account(credentials).get_event("c", "e1")

    refresh, read = stub.received
    assert refresh.form == {
        "grant_type": "refresh_token",
        "refresh_token": google_oauth_stub.LASTING,
        "client_id": "acme",
        "client_secret": "hush-client",
    }
    assert read.headers["authorization"] == f"Bearer {google_oauth_stub.NEW}"
    [new] = saved
    assert (new.refresh_token, new.access_token) == (
        google_oauth_stub.LASTING,
        google_oauth_stub.NEW,
    )
    assert new.expires_at is not None
    assert abs(new.expires_at - asked_at - timedelta(seconds=3599)) < timedelta(
        minutes=1
    )


def test_a_token_that_google_refuses_is_replaced_once(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    saved: list[google_oauth.Tokens] = []
    credentials = oauth.credentials(
        google_oauth_stub.CLIENT,
        google_oauth_stub.stored(google_oauth_stub.NOW + timedelta(hours=1)),
        on_refresh=saved.append,
    )
    stub.answer({"error": {"errors": [{"reason": "authError"}]}}, status=401)
    stub.answer({"access_token": google_oauth_stub.NEW, "expires_in": 3599})
    stub.answer({"error": {"errors": [{"reason": "authError"}]}}, status=401)

    with pytest.raises(errors.AccessRefusedError):
        google_oauth_stub.api(stub.url).account(credentials).get_event("c", "e1")

    paths = [request.path.rpartition("/")[2] for request in stub.received]
    assert paths == ["e1", "token", "e1"]
    assert len(saved) == 1


@pytest.mark.parametrize(("status", "body", "expected"), google_oauth_stub.REFUSALS)
def test_each_refusal_to_refresh_has_its_error(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    status: int,
    body: object,
    expected: type[errors.SyncError],
) -> None:
    credentials = oauth.credentials(
        google_oauth_stub.CLIENT,
        google_oauth_stub.stored(google_oauth_stub.NOW - timedelta(hours=1)),
        on_refresh=lambda _: None,
    )
    account = google_oauth_stub.api(stub.url).account(credentials)
    stub.answer(body, status=status)

    with pytest.raises(errors.SyncError) as refusal:
        account.patch_event("c", "e1", {}, etag=None, send_updates="none")

    assert type(refusal.value) is expected
    assert [request.path for request in stub.received] == ["/token"]
    assert google_oauth_stub.LASTING not in str(refusal.value)


def test_threads_that_need_a_token_at_once_fetch_one(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    saved: list[google_oauth.Tokens] = []
    credentials = oauth.credentials(
        google_oauth_stub.CLIENT,
        google_oauth_stub.stored(google_oauth_stub.NOW - timedelta(hours=1)),
        on_refresh=saved.append,
    )
    account = google_oauth_stub.api(stub.url).account(credentials)
    stub.answer({"access_token": google_oauth_stub.NEW, "expires_in": 3599})
    together = threading.Barrier(4)

    def work() -> None:
        together.wait(10)
        account.get_event("c", "e1")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    refreshes = [request for request in stub.received if request.path == "/token"]
    assert len(refreshes) == 1
    assert len(stub.received) == 5
    assert len(saved) == 1


def test_no_secret_is_logged_at_any_level(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    # Whoever configured our logs in this process has hushed it.
    caplog.set_level(logging.DEBUG, logger="urllib3")
    stub.answer(google_oauth_stub.token_answer())
    stub.answer({"access_token": google_oauth_stub.NEW, "expires_in": 3599})
    tokens = google_oauth_stub.stored(google_oauth_stub.NOW - timedelta(hours=1))
    credentials = oauth.credentials(
        google_oauth_stub.CLIENT, tokens, on_refresh=lambda _: None
    )

    google_oauth_stub.exchanged(oauth)
    google_oauth_stub.api(stub.url).account(credentials).get_event("c", "e1")
    oauth.revoke(google_oauth_stub.LASTING)

    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert "/token" in logged
    for secret in (
        google_oauth_stub.MARK,
        google_oauth_stub.CLIENT.client_secret,
        "4/code",
        "v" * 43,
    ):
        assert secret not in logged
