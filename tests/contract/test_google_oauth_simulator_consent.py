"""The simulated Google's consent page: what it asks, refuses and sends back."""

from collections.abc import Iterator

import pytest

from deploy.demo.google import oauth_accounts, oauth_scopes
from tests.contract import google_oauth
from tests.contract.google_oauth import ANNA, BEN, CALENDARS, EVENTS, SCOPES, SETTINGS


@pytest.fixture
def google() -> Iterator[google_oauth.Simulator]:
    simulator = google_oauth.Simulator()
    yield simulator
    simulator.server.close()


def test_without_a_hint_the_page_lets_a_person_choose_among_all_accounts(
    google: google_oauth.Simulator,
) -> None:
    page = google.open()

    assert page.status_code == 200
    assert [link["authuser"] for link in google_oauth.links(page.text)] == [ANNA, BEN]


@pytest.mark.parametrize("hint", [ANNA, ANNA.upper(), oauth_accounts.subject(ANNA)])
def test_a_login_hint_leads_straight_to_that_accounts_consent_screen(
    google: google_oauth.Simulator, hint: str
) -> None:
    page = google.open(login_hint=hint)

    assert f'name="account" value="{ANNA}"' in page.text


def test_select_account_shows_the_chooser_in_spite_of_a_hint(
    google: google_oauth.Simulator,
) -> None:
    page = google.open(login_hint=ANNA, prompt="select_account consent")

    assert len(google_oauth.links(page.text)) == 2


def test_a_hint_that_nobody_here_goes_by_shows_the_chooser(
    google: google_oauth.Simulator,
) -> None:
    page = google.open(login_hint="nobody@example.com")

    assert len(google_oauth.links(page.text)) == 2


def test_changing_the_account_leads_back_to_the_chooser(
    google: google_oauth.Simulator,
) -> None:
    page = google.open(login_hint=ANNA)

    (link,) = google_oauth.links(page.text)
    assert link["prompt"] == "select_account"
    assert "authuser" not in link


def test_names_on_the_page_are_text_and_never_markup(
    google: google_oauth.Simulator,
) -> None:
    page = google.open()

    assert "Anna &lt;b&gt;Abel&lt;/b&gt;" in page.text
    assert "Sync &amp; Co" in page.text


def test_every_calendar_scope_can_be_unticked_and_signing_in_cannot(
    google: google_oauth.Simulator,
) -> None:
    page = google.open(login_hint=ANNA).text

    for scope in (EVENTS, SETTINGS, CALENDARS):
        assert f'name="scope" value="{scope}" checked' in page
    for scope in (oauth_scopes.OPENID, oauth_scopes.EMAIL):
        assert f'value="{scope}"' not in page
        assert oauth_scopes.SIGN_IN[scope] in page


def test_a_single_scope_is_asked_without_a_checkbox_and_granted_with_continue(
    google: google_oauth.Simulator,
) -> None:
    scope = f"openid {EVENTS}"

    page = google.open(login_hint=ANNA, scope=scope)
    sent = google.answer(ticked=(), scope=scope)

    assert 'type="checkbox"' not in page.text
    assert sent["scope"] == scope


def test_allowing_sends_a_code_with_the_state_and_the_granted_scopes(
    google: google_oauth.Simulator,
) -> None:
    sent = google.answer(ticked=SCOPES)

    assert sent["state"] == "s-1"
    assert sent["scope"].split() == list(SCOPES)
    assert len(sent["code"]) <= 256


def test_an_unticked_scope_is_left_out(google: google_oauth.Simulator) -> None:
    sent = google.answer(ticked=[EVENTS, CALENDARS])

    assert SETTINGS not in sent["scope"].split()
    assert EVENTS in sent["scope"].split()
    assert oauth_scopes.OPENID in sent["scope"].split()


def test_cancelling_sends_access_denied_with_the_state_and_no_code(
    google: google_oauth.Simulator,
) -> None:
    sent = google.answer(ticked=SCOPES, decision="deny")

    assert sent == {"state": "s-1", "error": "access_denied"}


def test_unticking_all_there_is_is_a_denial(google: google_oauth.Simulator) -> None:
    sent = google.answer(ticked=(), scope=f"{EVENTS} {SETTINGS}")

    assert sent["error"] == "access_denied"


def test_a_redirect_address_keeps_the_query_it_has(
    google: google_oauth.Simulator,
) -> None:
    address = f"{google_oauth.REDIRECT_URI}?tenant=7"
    google.register(redirect_uris=[address])

    sent = google.answer(ticked=SCOPES, redirect_uri=address)

    assert sent["tenant"] == "7"
    assert sent["code"]


def test_who_granted_everything_before_is_passed_on_without_a_screen(
    google: google_oauth.Simulator,
) -> None:
    google.answer(ticked=SCOPES)

    answer = google.open(login_hint=ANNA)

    sent = google_oauth.redirected(answer.location)
    assert sent["code"]
    assert sent["scope"].split() == list(SCOPES)


def test_consent_is_asked_again_when_the_client_prompts_for_it(
    google: google_oauth.Simulator,
) -> None:
    google.answer(ticked=SCOPES)

    page = google.open(login_hint=ANNA, prompt="consent")

    assert page.status_code == 200


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({}, "interaction_required"),
        ({"login_hint": "anna@example.com"}, "consent_required"),
    ],
)
def test_prompt_none_reports_that_a_person_would_have_to_act(
    google: google_oauth.Simulator, parameters: dict[str, str], error: str
) -> None:
    answer = google.open(prompt="none", **parameters)

    assert google_oauth.redirected(answer.location)["error"] == error


def test_earlier_grants_of_the_project_are_merged_when_asked_for(
    google: google_oauth.Simulator,
) -> None:
    google.answer(ticked=(), scope=f"openid {EVENTS}")
    other_client = "4711-other.apps.googleusercontent.com"
    google.register(client_id=other_client)

    page = google.open(
        client_id=other_client, login_hint=ANNA, include_granted_scopes="true"
    )
    sent = google.answer(
        ticked=[SETTINGS],
        client_id=other_client,
        scope=f"openid {SETTINGS} {CALENDARS}",
        include_granted_scopes="true",
    )

    assert f'value="{EVENTS}"' not in page.text
    assert set(sent["scope"].split()) == {"openid", SETTINGS, EVENTS}


def test_another_projects_grants_are_not_merged(
    google: google_oauth.Simulator,
) -> None:
    google.answer(ticked=SCOPES)
    stranger = "8150-other.apps.googleusercontent.com"
    google.register(client_id=stranger)

    sent = google.answer(
        ticked=(),
        client_id=stranger,
        scope=f"openid {SETTINGS}",
        include_granted_scopes="true",
    )

    assert sent["scope"] == f"openid {SETTINGS}"


@pytest.mark.parametrize(
    ("parameters", "status", "error"),
    [
        ({"client_id": "4711-unknown"}, 401, "invalid_client"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"redirect_uri": ""}, 400, "invalid_request"),
        ({"response_type": ""}, 400, "invalid_request"),
        ({"scope": ""}, 400, "invalid_request"),
        ({"response_type": "token"}, 400, "unsupported_response_type"),
        (
            {"redirect_uri": f"{google_oauth.REDIRECT_URI}/"},
            400,
            "redirect_uri_mismatch",
        ),
        ({"redirect_uri": "https://APP.example.com/callback"}, 400, "redirect_uri_"),
        ({"scope": "openid calendar.everything"}, 400, "invalid_scope"),
        ({"access_type": "sometimes"}, 400, "invalid_request"),
        ({"prompt": "none consent"}, 400, "invalid_request"),
        ({"prompt": "login"}, 400, "invalid_request"),
        (
            {"code_challenge": "x", "code_challenge_method": "S512"},
            400,
            "invalid_request",
        ),
        ({"code_challenge_method": "S256"}, 400, "invalid_request"),
    ],
)
def test_a_faulty_request_is_refused_on_the_page_and_never_redirected(
    google: google_oauth.Simulator,
    parameters: dict[str, str],
    status: int,
    error: str,
) -> None:
    shown = google.open(**parameters)
    posted = google.http.post(
        google_oauth.authorization_url(**parameters),
        data={"account": ANNA, "decision": "allow"},
    )

    for answer in (shown, posted):
        assert answer.status_code == status
        assert f"<code>{error}" in answer.text


@pytest.mark.parametrize("refusal", ["org_internal", "admin_policy_enforced"])
def test_a_blocked_app_is_refused_on_the_page(
    google: google_oauth.Simulator, refusal: str
) -> None:
    google.register(refusal=refusal)

    page = google.open()

    assert page.status_code == 403
    assert f"<code>{refusal}</code>" in page.text


def test_a_form_for_an_account_that_does_not_exist_is_refused(
    google: google_oauth.Simulator,
) -> None:
    answer = google.http.post(
        google_oauth.authorization_url(),
        data={"account": "nobody@example.com", "decision": "allow"},
    )

    assert answer.status_code == 400


def test_the_admin_endpoint_answers_as_a_person_on_the_page_would(
    google: google_oauth.Simulator,
) -> None:
    url = f"http://google.example{google_oauth.authorization_url(login_hint=BEN)}"

    allowed = google.admin("consent", authorization_url=url, untick=[SETTINGS])
    denied = google.admin("consent", authorization_url=url, deny=True)

    sent = google_oauth.redirected(str(allowed["redirect_to"]))
    assert set(sent["scope"].split()) == {*SCOPES} - {SETTINGS}
    assert sent["state"] == "s-1"
    assert google_oauth.redirected(str(denied["redirect_to"])) == {
        "state": "s-1",
        "error": "access_denied",
    }


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "authorization_url: must be a text"),
        ({"account": "nobody@example.com"}, 404, "there is no 'nobody@example.com'"),
        ({"account": ANNA, "untick": ["openid"]}, 400, "no checkbox for openid"),
        ({"account": ANNA, "untick": "openid"}, 400, "untick: must be a list of texts"),
    ],
)
def test_the_admin_endpoint_names_what_is_wrong_with_a_body(
    google: google_oauth.Simulator, body: dict[str, object], status: int, words: str
) -> None:
    url = {"authorization_url": google_oauth.authorization_url()} if body else {}

    answer = google.http.post("/_admin/consent", json={**url, **body})

    assert answer.status_code == status
    assert words in answer.get_json()["error_description"]


def test_a_client_with_a_faulty_field_is_not_registered(
    google: google_oauth.Simulator,
) -> None:
    answer = google.http.post(
        "/_admin/clients",
        json={"client_id": "x", "client_secret": "y", "redirect_uris": "https://z"},
    )

    assert answer.status_code == 400
    assert "redirect_uris" in answer.get_json()["error_description"]
