"""The OAuth adapter over HTTP: consent, exchange, revocation."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.adapters import google_oauth
from shared.domain import errors, model
from tests import clocks, google_oauth_stub, stub_server


@pytest.fixture
def oauth(stub: stub_server.StubServer) -> google_oauth.GoogleOAuth:
    """Return Google's OAuth as the stub serves it."""
    return google_oauth_stub.at(stub.url)


def test_the_consent_page_is_asked_for_a_lasting_grant_of_our_scopes(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    authorization = oauth.authorization(
        google_oauth_stub.CLIENT,
        redirect_uri=google_oauth_stub.CALLBACK,
        state="s1",
        login_hint="ann@example.com",
    )

    url = urlsplit(authorization.url)
    digest = hashlib.sha256(authorization.code_verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert authorization.url.startswith(f"{stub.url}/o/oauth2/v2/auth?")
    assert {name: value[0] for name, value in parse_qs(url.query).items()} == {
        "response_type": "code",
        "client_id": "acme",
        "redirect_uri": google_oauth_stub.CALLBACK,
        "scope": " ".join(google_oauth.SCOPES),
        "state": "s1",
        "access_type": "offline",
        "include_granted_scopes": "true",
        "prompt": "consent",
        "login_hint": "ann@example.com",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


def test_google_itself_is_asked_over_https() -> None:
    google = google_oauth.GoogleOAuth(
        google_oauth.Endpoints(
            auth_url="https://accounts.google.com/o/oauth2/v2/auth",
            token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
            revoke_url="https://oauth2.googleapis.com/revoke",
        ),
        clocks.SettableClock(google_oauth_stub.NOW),
    )

    authorization = google.authorization(
        google_oauth_stub.CLIENT, redirect_uri=google_oauth_stub.CALLBACK, state="s1"
    )

    assert authorization.url.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    assert "login_hint" not in authorization.url


def test_secrets_are_not_sent_in_the_clear_to_other_machines() -> None:
    with pytest.raises(ValueError, match="token_url must be https"):
        google_oauth.Endpoints(
            auth_url="http://localhost:1/auth",
            token_url="http://oauth2.example.com/token",  # noqa: S106 - an address
            revoke_url="http://127.0.0.1:1/revoke",
        )


def test_values_do_not_show_their_secrets(oauth: google_oauth.GoogleOAuth) -> None:
    authorization = oauth.authorization(
        google_oauth_stub.CLIENT, redirect_uri=google_oauth_stub.CALLBACK, state="s1"
    )

    tokens = google_oauth_stub.stored(google_oauth_stub.NOW)
    shown = f"{google_oauth_stub.CLIENT!r} {tokens!r} {authorization!r}"

    assert "hush" not in shown
    assert google_oauth_stub.MARK not in shown
    assert authorization.code_verifier not in shown


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("access_denied", google_oauth.ConsentDeniedError),
        ("temporarily_unavailable", errors.RemoteUnavailableError),
        ("admin_policy_enforced", errors.AdminPolicyError),
        ("<script>", errors.RemoteAuthError),
    ],
)
def test_what_the_callback_is_told_has_its_error(
    code: str, expected: type[errors.SyncError]
) -> None:
    error = google_oauth.refusal(code, "the consent")

    assert type(error) is expected
    assert "<" not in str(error)


def test_a_code_is_exchanged_for_the_grant(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    stub.answer(google_oauth_stub.token_answer())

    grant = google_oauth_stub.exchanged(oauth)

    [request] = stub.received
    assert (request.method, request.path) == ("POST", "/token")
    assert request.form == {
        "grant_type": "authorization_code",
        "code": "4/code",
        "code_verifier": "v" * 43,
        "redirect_uri": google_oauth_stub.CALLBACK,
        "client_id": "acme",
        "client_secret": "hush-client",
    }
    assert grant == google_oauth.Grant(
        sub="1042",
        address=model.Address("ann@example.com"),
        tokens=google_oauth.Tokens(
            refresh_token=google_oauth_stub.LASTING,
            access_token=google_oauth_stub.NEW,
            expires_at=google_oauth_stub.NOW + timedelta(seconds=3599),
        ),
        granted_scopes=frozenset(google_oauth.SCOPES),
    )
    assert grant.missing_scopes == frozenset()


def test_unticked_scopes_are_told_not_refused(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    stub.answer(
        google_oauth_stub.token_answer(scope=" ".join(google_oauth.SCOPES[:-1]))
    )

    grant = google_oauth_stub.exchanged(oauth)

    assert grant.missing_scopes == {google_oauth.SCOPES[-1]}


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"aud": "another-client"}, "aud"),
        ({"iss": "https://accounts.example.com"}, "iss"),
        ({"exp": google_oauth_stub.NOW - timedelta(hours=1)}, "exp"),
        ({"sub": ""}, "sub"),
        ({"email": ""}, "email"),
        ({"email": None}, "not readable"),
        ({"exp": None}, "not readable"),
    ],
)
def test_an_id_token_that_is_not_for_us_is_refused(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    claims: dict[str, object],
    named: str,
) -> None:
    stub.answer(
        google_oauth_stub.token_answer(id_token=google_oauth_stub.id_token(**claims))
    )

    with pytest.raises(errors.RemoteAuthError, match=named):
        google_oauth_stub.exchanged(oauth)


@pytest.mark.parametrize("missing", ["id_token", "refresh_token"])
def test_a_grant_lacking_what_we_need_is_refused(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer, missing: str
) -> None:
    answer = google_oauth_stub.token_answer()
    del answer[missing]
    stub.answer(answer)

    with pytest.raises(errors.RemoteAuthError):
        google_oauth_stub.exchanged(oauth)


@pytest.mark.parametrize(("status", "body", "expected"), google_oauth_stub.REFUSALS)
def test_each_refusal_of_a_code_has_its_error(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    status: int,
    body: object,
    expected: type[errors.SyncError],
) -> None:
    stub.answer(body, status=status)

    with pytest.raises(errors.SyncError) as refusal:
        google_oauth_stub.exchanged(oauth)

    assert type(refusal.value) is expected
    assert len(stub.received) == 1


def test_a_grant_is_revoked_by_its_token(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    oauth.revoke(google_oauth_stub.LASTING)

    [request] = stub.received
    assert (request.method, request.path) == ("POST", "/revoke")
    assert request.form == {"token": google_oauth_stub.LASTING}


def test_revoking_what_is_revoked_is_no_error(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    stub.answer({"error": "invalid_token"}, status=400)

    oauth.revoke(google_oauth_stub.LASTING)

    assert len(stub.received) == 1


def test_a_revocation_that_fails_says_so(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    stub.answer(status=503, retry_after="7")

    with pytest.raises(errors.RemoteUnavailableError) as refusal:
        oauth.revoke(google_oauth_stub.LASTING)

    assert refusal.value.retry_after == 7


def test_silence_counts_as_an_outage(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    credentials = oauth.credentials(
        google_oauth_stub.CLIENT,
        google_oauth_stub.stored(google_oauth_stub.NOW - timedelta(hours=1)),
        on_refresh=lambda _: None,
    )
    account = google_oauth_stub.api(stub.url).account(credentials)
    calls: list[Callable[[], object]] = [
        lambda: google_oauth_stub.exchanged(oauth),
        lambda: oauth.revoke(google_oauth_stub.LASTING),
        lambda: account.delete_event("c", "e1", etag=None, send_updates="none"),
    ]

    for call in calls:
        stub.stall()
        with pytest.raises(errors.RemoteUnavailableError, match="did not answer"):
            call()


def test_nobody_listening_counts_as_an_outage() -> None:
    with stub_server.running() as stopped:
        oauth = google_oauth_stub.at(stopped.url)

    with pytest.raises(errors.RemoteUnavailableError):
        google_oauth_stub.exchanged(oauth)


def check(oauth: google_oauth.GoogleOAuth) -> None:
    """Check the client."""
    oauth.check_client(
        google_oauth_stub.CLIENT, redirect_uri=google_oauth_stub.CALLBACK
    )


def error_page(code: str) -> str:
    """Return where Google sends a browser with an app that it refuses."""
    packed = b"\n" + bytes([len(code)]) + code.encode() + b"\x12\x0fYou can't sign in"
    text = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return f"https://accounts.google.example/signin/oauth/error?authError={text}&x=1"


@pytest.mark.parametrize(
    ("status", "location"),
    [(302, "https://accounts.google.example/v3/signin"), (200, "")],
)
def test_a_client_is_checked_without_anybodys_consent(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    status: int,
    location: str,
) -> None:
    stub.answer({"error": "invalid_grant"}, status=400)
    stub.answer(status=status, location=location)

    check(oauth)

    asked, page = stub.received
    assert (asked.path, asked.form["client_secret"]) == ("/token", "hush-client")
    assert asked.form["redirect_uri"] == google_oauth_stub.CALLBACK
    assert page.query["redirect_uri"] == [google_oauth_stub.CALLBACK]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("redirect_uri_mismatch", google_oauth.RedirectRefusedError),
        ("invalid_client", errors.ClientRefusedError),
        ("org_internal", errors.AdminPolicyError),
    ],
)
def test_what_only_the_consent_page_refuses_is_found(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    code: str,
    expected: type[errors.SyncError],
) -> None:
    stub.answer({"error": "invalid_grant"}, status=400)
    stub.answer(status=302, location=error_page(code))

    with pytest.raises(expected):
        check(oauth)


@pytest.mark.parametrize(
    ("status", "document", "expected"),
    [each for each in google_oauth_stub.REFUSALS if "invalid_grant" not in str(each)],
)
def test_a_client_that_the_token_endpoint_refuses_is_not_asked_further(
    oauth: google_oauth.GoogleOAuth,
    stub: stub_server.StubServer,
    status: int,
    document: object,
    expected: type[errors.SyncError],
) -> None:
    stub.answer(document, status=status)

    with pytest.raises(expected):
        check(oauth)

    assert len(stub.received) == 1


@pytest.mark.parametrize(
    "location", ["https://x.example/?authError=%F0", "?authError=a"]
)
def test_an_error_page_that_cannot_be_read_refuses_nothing(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer, location: str
) -> None:
    stub.answer({"error": "invalid_grant"}, status=400)
    stub.answer(status=302, location=location)

    check(oauth)


def test_a_consent_page_that_is_away_leaves_the_check_open(
    oauth: google_oauth.GoogleOAuth, stub: stub_server.StubServer
) -> None:
    stub.answer({"error": "invalid_grant"}, status=400)
    stub.answer(status=503)

    with pytest.raises(errors.RemoteUnavailableError):
        check(oauth)
