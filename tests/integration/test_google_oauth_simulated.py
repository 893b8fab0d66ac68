"""The OAuth adapter and the simulated Google: people who consent, deny and revoke."""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.adapters import google_oauth
from shared.domain import errors
from tests import google_oauth_stub, simulators


@pytest.fixture(scope="module")
def simulator(simulated_google: simulators.Simulator) -> simulators.Simulator:
    """Return a simulated Google that knows our client."""
    simulated_google.order(
        "clients",
        client_id=google_oauth_stub.CLIENT.client_id,
        client_secret=google_oauth_stub.CLIENT.client_secret,
        redirect_uris=[google_oauth_stub.CALLBACK],
    )
    return simulated_google


@pytest.fixture
def person(simulator: simulators.Simulator) -> str:
    """Return the address of a new account."""
    address = f"{uuid.uuid4().hex}@example.com"
    simulator.order("accounts", address=address)
    return address


def consented(
    simulator: simulators.Simulator, person: str, **choices: object
) -> tuple[google_oauth.Authorization, dict[str, list[str]]]:
    """Send somebody to the consent page; return what comes to the callback."""
    authorization = google_oauth_stub.at(simulator.url).authorization(
        google_oauth_stub.CLIENT,
        redirect_uri=google_oauth_stub.CALLBACK,
        state="s1",
        login_hint=person,
    )
    answer = simulator.order(
        "consent", authorization_url=authorization.url, account=person, **choices
    )
    return authorization, parse_qs(urlsplit(answer["redirect_to"]).query)


def connected(
    simulator: simulators.Simulator, person: str, **choices: object
) -> google_oauth.Grant:
    """Go all the way from the consent page to the grant."""
    authorization, callback = consented(simulator, person, **choices)
    return google_oauth_stub.at(simulator.url).exchange(
        google_oauth_stub.CLIENT,
        redirect_uri=google_oauth_stub.CALLBACK,
        code=callback["code"][0],
        code_verifier=authorization.code_verifier,
    )


def test_a_person_who_consents_is_known_and_lets_us_in(
    simulator: simulators.Simulator, person: str
) -> None:
    grant = connected(simulator, person)

    credentials = google_oauth_stub.at(simulator.url).credentials(
        google_oauth_stub.CLIENT, grant.tokens, on_refresh=lambda _: None
    )
    entries = google_oauth_stub.api(simulator.url).account(credentials).list_calendars()
    assert grant.address == person
    assert grant.sub.isdigit()
    assert grant.missing_scopes == frozenset()
    assert [entry.id for entry in entries] == [person]


def test_a_scope_that_a_person_unticks_is_missing(
    simulator: simulators.Simulator, person: str
) -> None:
    grant = connected(simulator, person, untick=[google_oauth.SCOPES[-1]])

    credentials = google_oauth_stub.at(simulator.url).credentials(
        google_oauth_stub.CLIENT, grant.tokens, on_refresh=lambda _: None
    )
    assert grant.missing_scopes == {google_oauth.SCOPES[-1]}
    with pytest.raises(errors.MissingScopesError):
        google_oauth_stub.api(simulator.url).account(credentials).list_calendars()


def test_a_person_who_denies_sends_back_an_error(
    simulator: simulators.Simulator, person: str
) -> None:
    _, callback = consented(simulator, person, deny=True)

    error = google_oauth.refusal(callback["error"][0], "the consent")

    assert isinstance(error, google_oauth.ConsentDeniedError)
    assert callback["state"] == ["s1"]


def test_a_code_is_good_for_one_exchange_by_who_began(
    simulator: simulators.Simulator, person: str
) -> None:
    authorization, callback = consented(simulator, person)

    with pytest.raises(errors.GrantRevokedError):
        google_oauth_stub.at(simulator.url).exchange(
            google_oauth_stub.CLIENT,
            redirect_uri=google_oauth_stub.CALLBACK,
            code=callback["code"][0],
            code_verifier=authorization.code_verifier[::-1],
        )


def test_a_client_with_a_wrong_secret_is_refused(
    simulator: simulators.Simulator, person: str
) -> None:
    impostor = google_oauth.Client(client_id="acme", client_secret="guess")  # noqa: S106 - made up
    authorization, callback = consented(simulator, person)

    with pytest.raises(errors.ClientRefusedError):
        google_oauth_stub.at(simulator.url).exchange(
            impostor,
            redirect_uri=google_oauth_stub.CALLBACK,
            code=callback["code"][0],
            code_verifier=authorization.code_verifier,
        )


def test_an_access_token_that_died_is_renewed_in_passing(
    simulator: simulators.Simulator, person: str
) -> None:
    saved: list[google_oauth.Tokens] = []
    grant = connected(simulator, person)
    credentials = google_oauth_stub.at(simulator.url).credentials(
        google_oauth_stub.CLIENT, grant.tokens, on_refresh=saved.append
    )
    simulator.order("expire-access-tokens", account=person)

    entries = google_oauth_stub.api(simulator.url).account(credentials).list_calendars()

    assert [entry.id for entry in entries] == [person]
    assert [tokens.refresh_token for tokens in saved] == [grant.tokens.refresh_token]


@pytest.mark.parametrize("by", ["the person", "us"])
def test_a_revoked_grant_is_told_apart_from_all_else(
    simulator: simulators.Simulator, person: str, by: str
) -> None:
    grant = connected(simulator, person)
    credentials = google_oauth_stub.at(simulator.url).credentials(
        google_oauth_stub.CLIENT, grant.tokens, on_refresh=lambda _: None
    )

    if by == "us":
        google_oauth_stub.at(simulator.url).revoke(grant.tokens.refresh_token)
        google_oauth_stub.at(simulator.url).revoke(grant.tokens.refresh_token)
    else:
        simulator.order("revoke", account=person)

    with pytest.raises(errors.GrantRevokedError):
        google_oauth_stub.api(simulator.url).account(credentials).list_calendars()


@pytest.mark.parametrize(
    ("secret", "callback", "expected"),
    [
        ("hush-client", google_oauth_stub.CALLBACK, None),
        ("guess", google_oauth_stub.CALLBACK, errors.ClientRefusedError),
        ("hush-client", "http://localhost/other", google_oauth.RedirectRefusedError),
    ],
)
def test_a_check_tells_a_wrong_secret_from_a_wrong_address(
    simulator: simulators.Simulator,
    secret: str,
    callback: str,
    expected: type[errors.SyncError] | None,
) -> None:
    client = google_oauth.Client(client_id="acme", client_secret=secret)
    found = None

    try:
        google_oauth_stub.at(simulator.url).check_client(client, redirect_uri=callback)
    except errors.SyncError as error:
        found = type(error)

    assert found is expected
