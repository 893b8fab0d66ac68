"""Google's own client libraries drive the simulated OAuth server over HTTP."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import oauthlib.oauth2  # type: ignore[import-untyped] # has no types
import pytest
import requests
from google.auth import exceptions
from google.auth.transport import requests as transport
from google.oauth2 import credentials
from google_auth_oauthlib import (  # type: ignore[import-untyped] # has no types
    flow as oauth_flow,
)
from werkzeug.serving import make_server

from deploy.demo.google import oauth
from tests.contract import google_oauth
from tests.contract.google_oauth import ANNA, CLIENT_ID, CLIENT_SECRET, SCOPES, SETTINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The OAuth server on a loopback port."""

    url: str
    server: oauth.Server

    def flow(self, state: str | None = None) -> oauth_flow.Flow:
        """Return a flow of the registered client."""
        web = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "auth_uri": f"{self.url}{google_oauth.PATH}",
            "token_uri": f"{self.url}/token",
            "redirect_uris": [google_oauth.REDIRECT_URI],
        }
        return oauth_flow.Flow.from_client_config(
            {"web": web},
            scopes=list(SCOPES),
            redirect_uri=google_oauth.REDIRECT_URI,
            state=state,
        )

    def answer(self, authorization_url: str, **answer: object) -> str:
        """Answer the consent page; return where the browser is sent."""
        reply = requests.post(
            f"{self.url}/_admin/consent",
            json={
                "authorization_url": authorization_url,
                "account": ANNA,
                **answer,
            },
            timeout=10,
        )
        location = reply.json()["redirect_to"]
        assert isinstance(location, str)
        return location


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    # The client refuses http otherwise; the server is on the loopback interface.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    google = google_oauth.Simulator()
    http = make_server(
        "127.0.0.1", 0, google_oauth.create_app(google.server), threaded=True
    )
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield Served(url=f"http://127.0.0.1:{http.port}", server=google.server)
    http.shutdown()
    thread.join(timeout=10)
    http.server_close()
    google.server.close()


def test_the_flow_of_google_auth_oauthlib_signs_in_with_pkce_and_refreshes(
    simulator: Served,
) -> None:
    flow = simulator.flow()
    url, _ = flow.authorization_url(prompt="consent", include_granted_scopes="true")
    location = simulator.answer(url)

    with flow.oauth2session:
        flow.fetch_token(authorization_response=location)
    held = flow.credentials
    first = held.token
    with requests.Session() as session:
        held.refresh(transport.Request(session))

    assert held.refresh_token
    assert set(held.granted_scopes or ()) == set(SCOPES)
    assert simulator.server.tokens.resolve(first) is not None
    assert held.token != first
    assert simulator.server.tokens.resolve(held.token) is not None


def test_the_flow_notices_an_unticked_scope(simulator: Served) -> None:
    flow = simulator.flow()
    url, _ = flow.authorization_url(prompt="consent")
    location = simulator.answer(url, untick=[SETTINGS])

    with flow.oauth2session, pytest.raises(Warning, match="Scope has changed"):
        flow.fetch_token(authorization_response=location)


def test_the_flow_reports_a_denial(simulator: Served) -> None:
    flow = simulator.flow()
    url, _ = flow.authorization_url()
    location = simulator.answer(url, deny=True)

    with flow.oauth2session, pytest.raises(oauthlib.oauth2.AccessDeniedError):
        flow.fetch_token(authorization_response=location)


def test_the_flow_without_its_verifier_is_refused(simulator: Served) -> None:
    flow = simulator.flow()
    url, state = flow.authorization_url()
    location = simulator.answer(url)
    forgetful = simulator.flow(state)
    forgetful.autogenerate_code_verifier = False

    with (
        flow.oauth2session,
        forgetful.oauth2session,
        pytest.raises(oauthlib.oauth2.InvalidGrantError, match="Missing code verifier"),
    ):
        forgetful.fetch_token(authorization_response=location)


def test_google_auth_reports_a_revoked_grant_as_final(simulator: Served) -> None:
    flow = simulator.flow()
    url, _ = flow.authorization_url(prompt="consent")
    with flow.oauth2session:
        flow.fetch_token(authorization_response=simulator.answer(url))
    held = credentials.Credentials(  # type: ignore[no-untyped-call] # has no types
        token=None,
        refresh_token=flow.credentials.refresh_token,
        token_uri=f"{simulator.url}/token",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
    )
    simulator.server.tokens.revoke_account(ANNA)

    with (
        requests.Session() as session,
        pytest.raises(exceptions.RefreshError) as caught,
    ):
        held.refresh(transport.Request(session))  # type: ignore[no-untyped-call] # has no types

    assert caught.value.args[1]["error"] == "invalid_grant"
    assert not caught.value.retryable
