"""The simulated Google's token endpoint: exchanging codes and refreshing."""

import base64
import hashlib
from collections.abc import Iterator

import jwt
import pytest

from deploy.demo.google import grants, oauth_accounts, oauth_scopes
from tests.contract import google_oauth
from tests.contract.google_oauth import ANNA, BEN, CALENDARS, EVENTS, SCOPES, SETTINGS

VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
    .rstrip(b"=")
    .decode()
)


@pytest.fixture
def google() -> Iterator[google_oauth.Simulator]:
    simulator = google_oauth.Simulator()
    yield simulator
    simulator.server.close()


def test_a_code_is_exchanged_for_what_was_granted(
    google: google_oauth.Simulator,
) -> None:
    code = google.answer(ticked=[EVENTS])["code"]

    reply = google.exchange(code)

    document = reply.get_json()
    assert reply.status_code == 200
    assert document.pop("token_type") == "Bearer"
    assert reply.headers["Cache-Control"] == "no-store"
    assert document["expires_in"] == 3599
    assert document["scope"].split() == ["openid", oauth_scopes.EMAIL, EVENTS]
    assert len(document["access_token"]) <= 2048
    assert len(document["refresh_token"]) <= 512
    assert "refresh_token_expires_in" not in document


def test_the_short_email_scope_comes_back_in_its_long_spelling(
    google: google_oauth.Simulator,
) -> None:
    code = google.code(scope=f"openid email {EVENTS}")

    reply = google.exchange(code).get_json()

    assert reply["scope"] == f"openid {oauth_scopes.EMAIL} {EVENTS}"


def test_an_access_token_resolves_to_its_account_scopes_and_client(
    google: google_oauth.Simulator,
) -> None:
    token = google.connect(BEN)["access_token"]

    grant = google.server.tokens.resolve(token)

    assert grant == grants.Grant(
        account=BEN, scopes=frozenset(SCOPES), client_id=google_oauth.CLIENT_ID
    )
    assert google.server.tokens.resolve("demo") is None


def test_the_id_token_says_who_signed_in_and_the_published_key_verifies_it(
    google: google_oauth.Simulator,
) -> None:
    reply = google.connect(nonce="n-1")
    keys = jwt.PyJWKSet.from_dict(google.http.get("/oauth2/v3/certs").get_json())
    kid = jwt.get_unverified_header(reply["id_token"])["kid"]

    claims = jwt.decode(
        reply["id_token"],
        keys[kid].key,
        algorithms=["RS256"],
        audience=google_oauth.CLIENT_ID,
        issuer="https://accounts.google.com",
        options={"verify_exp": False, "verify_iat": False},
    )

    now = int(google.clock.now().timestamp())
    assert claims["sub"] == oauth_accounts.subject(ANNA)
    assert claims["sub"].isdecimal()
    assert claims["email"] == ANNA
    assert claims["email_verified"] is True
    assert claims["nonce"] == "n-1"
    assert (claims["iat"], claims["exp"]) == (now, now + 3599)


def test_no_id_token_without_openid_and_no_address_without_the_email_scope(
    google: google_oauth.Simulator,
) -> None:
    without_openid = google.connect(scope=f"{EVENTS} {SETTINGS}")
    without_email = google.connect(scope=f"openid {EVENTS}")

    claims = jwt.decode(without_email["id_token"], options={"verify_signature": False})
    assert "id_token" not in without_openid
    assert "email" not in claims


def test_a_code_works_once(google: google_oauth.Simulator) -> None:
    code = google.code()

    first, second = google.exchange(code), google.exchange(code)

    assert first.status_code == 200
    assert second.status_code == 400
    assert second.get_json()["error"] == "invalid_grant"


def test_a_code_lives_ten_minutes(google: google_oauth.Simulator) -> None:
    early, late = google.code(), google.code()
    google.clock.advance(minutes=9, seconds=59)
    in_time = google.exchange(early)
    google.clock.advance(seconds=1)

    too_late = google.exchange(late)

    assert in_time.status_code == 200
    assert too_late.get_json()["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_redirect_address(
    google: google_oauth.Simulator,
) -> None:
    code = google.code()

    reply = google.token(
        grant_type="authorization_code",
        code=code,
        redirect_uri="https://app.example.com/other",
    )

    assert reply.status_code == 400
    assert reply.get_json()["error"] == "redirect_uri_mismatch"


def test_a_code_is_bound_to_its_client(google: google_oauth.Simulator) -> None:
    google.register(client_id="4711-other")
    code = google.code()

    reply = google.exchange(code, client_id="4711-other")

    assert reply.get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "challenge",
    [
        {"code_challenge": CHALLENGE, "code_challenge_method": "S256"},
        {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
        {"code_challenge": VERIFIER},
    ],
)
def test_the_verifier_must_answer_the_challenge(
    google: google_oauth.Simulator, challenge: dict[str, str]
) -> None:
    right = google.exchange(google.code(**challenge), code_verifier=VERIFIER)
    wrong = google.exchange(google.code(**challenge), code_verifier="w" * 64)
    missing = google.exchange(google.code(**challenge))

    assert right.status_code == 200
    assert wrong.get_json()["error_description"] == "Invalid code verifier."
    assert missing.get_json() == {
        "error": "invalid_grant",
        "error_description": "Missing code verifier.",
    }


def test_a_verifier_that_nobody_asked_for_is_refused(
    google: google_oauth.Simulator,
) -> None:
    reply = google.exchange(google.code(), code_verifier=VERIFIER)

    assert reply.status_code == 400
    assert "not needed" in reply.get_json()["error_description"]


def test_client_credentials_are_taken_by_http_basic_too(
    google: google_oauth.Simulator,
) -> None:
    reply = google.http.post(
        "/token",
        auth=(google_oauth.CLIENT_ID, google_oauth.CLIENT_SECRET),
        data={
            "grant_type": "authorization_code",
            "code": google.code(),
            "redirect_uri": google_oauth.REDIRECT_URI,
        },
    )

    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("credentials", "status", "error"),
    [
        ({"client_id": "4711-unknown"}, 401, "invalid_client"),
        ({"client_secret": "GOCSPX-wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 400, "invalid_request"),
    ],
)
def test_wrong_client_credentials_are_refused(
    google: google_oauth.Simulator,
    credentials: dict[str, str],
    status: int,
    error: str,
) -> None:
    token = google.connect()["refresh_token"]

    reply = google.refresh(token, **credentials)

    assert (reply.status_code, reply.get_json()["error"]) == (status, error)


def test_an_unknown_or_missing_grant_type_is_refused(
    google: google_oauth.Simulator,
) -> None:
    unknown = google.token(grant_type="password")
    missing = google.token()

    assert unknown.get_json()["error"] == "unsupported_grant_type"
    assert missing.get_json()["error"] == "invalid_request"


def test_a_refresh_token_comes_with_the_first_consent_or_a_prompted_one(
    google: google_oauth.Simulator,
) -> None:
    online = google.exchange(google.code(access_type="online")).get_json()
    first = google.exchange(google.code()).get_json()
    again = google.exchange(google.code()).get_json()
    prompted = google.exchange(google.code(prompt="consent")).get_json()

    assert "refresh_token" not in online
    assert "refresh_token" in first
    assert "refresh_token" not in again
    assert "refresh_token" in prompted


def test_refreshing_answers_a_new_access_token_and_no_refresh_token(
    google: google_oauth.Simulator,
) -> None:
    connected = google.connect()

    reply = google.refresh(connected["refresh_token"]).get_json()

    assert reply["access_token"] != connected["access_token"]
    assert reply["scope"] == connected["scope"]
    assert reply["expires_in"] == 3599
    assert "refresh_token" not in reply
    assert google.server.tokens.resolve(reply["access_token"]) is not None


def test_refreshing_can_narrow_the_scopes_and_never_widen_them(
    google: google_oauth.Simulator,
) -> None:
    code = google.answer(ticked=[EVENTS, SETTINGS])["code"]
    refresh_token = google.exchange(code).get_json()["refresh_token"]

    narrowed = google.refresh(refresh_token, scope=EVENTS)
    widened = google.refresh(refresh_token, scope=f"{EVENTS} {CALENDARS}")

    assert narrowed.get_json()["scope"] == EVENTS
    assert widened.status_code == 400
    assert widened.get_json() == {
        "error": "invalid_scope",
        "error_description": "Bad Request",
    }
