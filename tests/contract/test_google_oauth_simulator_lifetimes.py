"""How the simulated Google's tokens end: expiry, the cap, revocation, and restarts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.google import oauth_accounts
from tests.contract import google_oauth
from tests.contract.google_oauth import ANNA, BEN, EVENTS, SCOPES

REVOKED = {
    "error": "invalid_grant",
    "error_description": "Token has been expired or revoked.",
}


@pytest.fixture
def google() -> Iterator[google_oauth.Simulator]:
    simulator = google_oauth.Simulator()
    yield simulator
    simulator.server.close()


def test_an_access_token_lives_3599_seconds(google: google_oauth.Simulator) -> None:
    token = google.connect()["access_token"]
    google.clock.advance(seconds=3598)
    assert google.server.tokens.resolve(token) is not None

    google.clock.advance(seconds=1)

    assert google.server.tokens.resolve(token) is None


def test_access_tokens_expire_on_demand_for_one_account_or_all(
    google: google_oauth.Simulator,
) -> None:
    anna, ben = google.connect(ANNA), google.connect(BEN)
    resolve = google.server.tokens.resolve

    one = google.admin("expire-access-tokens", account=ANNA)
    anna_dead, ben_alive = resolve(anna["access_token"]), resolve(ben["access_token"])
    rest = google.admin("expire-access-tokens")

    assert (one["expired"], rest["expired"]) == (1, 1)
    assert anna_dead is None
    assert ben_alive is not None
    assert resolve(ben["access_token"]) is None
    assert google.refresh(anna["refresh_token"]).status_code == 200


def test_beyond_a_hundred_refresh_tokens_the_oldest_dies_silently(
    google: google_oauth.Simulator,
) -> None:
    oldest, second = google.connect(), google.connect()
    other_account = google.connect(BEN)
    for _ in range(99):
        google.connect()

    dead = google.refresh(oldest["refresh_token"])

    assert (dead.status_code, dead.get_json()) == (400, REVOKED)
    assert google.refresh(second["refresh_token"]).status_code == 200
    assert google.refresh(other_account["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_revoking_either_token_withdraws_the_grant(
    google: google_oauth.Simulator, kind: str, method: str
) -> None:
    earlier, tokens, ben = google.connect(), google.connect(), google.connect(BEN)

    answer = google.http.open(
        "/revoke", method=method, query_string={"token": tokens[kind]}
    )

    assert answer.status_code == 200
    for dead in (earlier, tokens):
        assert google.refresh(dead["refresh_token"]).get_json() == REVOKED
        assert google.server.tokens.resolve(dead["access_token"]) is None
    assert google.refresh(ben["refresh_token"]).status_code == 200


def test_after_a_revocation_consent_is_asked_and_a_refresh_token_given_anew(
    google: google_oauth.Simulator,
) -> None:
    token = google.connect()["access_token"]
    google.http.post("/revoke", data={"token": token})

    page = google.open(login_hint=ANNA)
    reply = google.exchange(google.code()).get_json()

    assert page.status_code == 200
    assert "refresh_token" in reply


def test_revoking_a_dead_token_is_refused(google: google_oauth.Simulator) -> None:
    token = google.connect()["refresh_token"]
    google.http.post("/revoke", data={"token": token})

    again = google.http.post("/revoke", data={"token": token})
    nothing = google.http.post("/revoke")

    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_token")
    assert nothing.get_json()["error"] == "invalid_request"


def test_a_person_revokes_all_apps_in_the_google_account(
    google: google_oauth.Simulator,
) -> None:
    anna, ben = google.connect(ANNA), google.connect(BEN)
    pending = google.code(ANNA)

    answer = google.admin("revoke", account=ANNA)

    assert answer == {"revoked": 1}
    assert google.refresh(anna["refresh_token"]).get_json() == REVOKED
    assert google.server.tokens.resolve(anna["access_token"]) is None
    assert google.exchange(pending).get_json()["error"] == "invalid_grant"
    assert google.refresh(ben["refresh_token"]).status_code == 200


def test_tokeninfo_tells_what_a_token_carries(google: google_oauth.Simulator) -> None:
    full = google.connect()["access_token"]
    bare = google.connect(scope=f"openid {EVENTS}")["access_token"]
    google.clock.advance(seconds=99)

    known = google.http.get("/tokeninfo", query_string={"access_token": full})
    anonymous = google.http.get("/tokeninfo", query_string={"access_token": bare})
    unknown = google.http.get("/tokeninfo", query_string={"access_token": "x"})

    document = known.get_json()
    assert document["email"] == ANNA
    assert document["sub"] == oauth_accounts.subject(ANNA)
    assert document["aud"] == google_oauth.CLIENT_ID
    assert document["expires_in"] == "3500"
    assert set(document["scope"].split()) == set(SCOPES)
    assert "email" not in anonymous.get_json()
    assert (unknown.status_code, unknown.get_json()["error"]) == (400, "invalid_token")


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "oauth.db"
    before = google_oauth.Simulator(path)
    tokens, pending = before.connect(), before.code(BEN)
    keys = before.http.get("/oauth2/v3/certs").get_json()
    before.server.close()

    after = google_oauth.Simulator(path)

    assert after.server.tokens.resolve(tokens["access_token"]) is not None
    assert after.refresh(tokens["refresh_token"]).status_code == 200
    assert after.exchange(pending).status_code == 200
    assert after.http.get("/oauth2/v3/certs").get_json() == keys
    after.server.close()


def test_forgetting_the_grants_keeps_the_clients(
    google: google_oauth.Simulator,
) -> None:
    token = google.connect()["refresh_token"]

    google.server.forget_grants()

    assert google.refresh(token).get_json() == REVOKED
    assert google.connect()["refresh_token"]
