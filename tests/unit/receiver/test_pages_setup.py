"""The setup page: the Google app, the CRM, and how the CRM reaches us."""

import dataclasses
import html

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.adapters.store import tables
from shared.adapters.store.states import CrmState, Direction, GoogleAppState
from shared.domain import messages, signing
from shared.domain.messages import Trigger
from tests import google_oauth_stub, stub_server
from tests.unit.receiver import house as houses
from tests.unit.receiver import markup
from tests.unit.receiver.consenting import come_back
from tests.unit.receiver.house import API, NOW, SECRET, House, csrf_token, query_of
from webhook_receiver.app import create_app
from webhook_receiver.pages import setup_texts

SETUP = "/admin/setup"
NEW_SECRET = {"client_secret": "hush-it"}
POSTS = [
    "google-app",
    "google-app/check",
    "crm",
    "crm/check",
    "test-delivery",
    "webhook-secret",
    "webhook-secret/finish",
]


@pytest.fixture
def admin(house: House, acme: tables.Organization) -> FlaskClient:
    """Return a browser of an admin."""
    return house.signed_in(acme, "admin", None)


def text_of(answer: TestResponse) -> str:
    """Return what a page says, without its markup."""
    return markup.text(answer.text)


def send(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Send a form of the page; return the page that follows."""
    data = {"csrf_token": csrf_token(browser), **fields}
    return browser.post(f"{SETUP}/{path}", data=data, follow_redirects=True)


def stored(house: House, acme: tables.Organization) -> tables.Organization:
    """Return what is stored of the organization."""
    with house.found() as work:
        return work.organizations.by_id(acme.id)


def google_says(house: House, error: str = "invalid_grant", page: int = 200) -> None:
    """Order what Google answers to a check."""
    house.google.answer({"error": error}, status=400)
    house.google.answer_raw(b"<h1>redirect_uri_mismatch</h1>", status=page)


class TestAccess:
    """Who may open it."""

    @pytest.mark.parametrize("role", ["user", "operator"])
    @pytest.mark.parametrize("path", ["", "/connect"])
    def test_only_admins_see_it(
        self, house: House, acme: tables.Organization, role: str, path: str
    ) -> None:
        assert house.signed_in(acme, role).get(SETUP + path).status_code == 403

    @pytest.mark.parametrize("role", ["user", "operator"])
    @pytest.mark.parametrize("path", POSTS)
    def test_only_admins_change_it(
        self, house: House, acme: tables.Organization, role: str, path: str
    ) -> None:
        assert send(house.signed_in(acme, role), path).status_code == 403

    @pytest.mark.parametrize("path", POSTS)
    def test_nothing_changes_without_the_token_of_the_page(
        self, admin: FlaskClient, path: str
    ) -> None:
        assert admin.post(f"{SETUP}/{path}").status_code == 403


class TestGoogleApp:
    """The client id and secret."""

    def test_one_that_is_missing_comes_with_the_steps_to_it(self, house: House) -> None:
        bare = house.organization(google_client_id=None, google_client_secret=None)

        page = house.signed_in(bare, "admin", None).get(SETUP)

        assert "Not set up" in page.text
        assert '<details class="steps" open>' in page.text
        assert f"{houses.PUBLIC_URL}{API}/callback" in page.text
        assert "calendar.settings.readonly" in page.text
        assert "/admin/setup/connect" not in page.text

    @pytest.mark.parametrize("state", GoogleAppState)
    def test_every_state_says_what_to_do(
        self, house: House, state: GoogleAppState
    ) -> None:
        acme = house.organization(google_app_state=state)

        page = text_of(house.signed_in(acme, "admin", None).get(SETUP))

        assert setup_texts.GOOGLE_APP[state].text in page

    def test_credentials_are_saved_and_checked(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        google_says(house)

        page = send(admin, "google-app", client_id=" new ", **NEW_SECRET)

        row = stored(house, acme)
        assert (row.google_client_id, row.google_client_secret) == ("new", "hush-it")
        assert row.google_app_state == GoogleAppState.ACCEPTED
        assert "Google app: Accepted." in text_of(page)
        assert "hush-it" not in page.text

    @pytest.mark.parametrize(
        ("error", "page", "told"),
        [
            ("invalid_client", 200, "Client ID or secret wrong."),
            ("redirect_uri_mismatch", 200, "Redirect URI not registered."),
            ("invalid_grant", 400, "Redirect URI not registered."),
            ("internal_failure", 200, "Google did not answer clearly."),
        ],
    )
    def test_what_is_wrong_is_told_apart(
        self, house: House, admin: FlaskClient, error: str, page: int, told: str
    ) -> None:
        google_says(house, error, page)

        answer = send(admin, "google-app/check")

        assert 'class="alert alert-danger"' in answer.text
        assert told in text_of(answer)

    def test_a_google_that_is_away_leaves_it_unchecked(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        house.google.drop()

        answer = send(admin, "google-app/check")

        assert "The credentials are not checked." in answer.text
        assert stored(house, acme).google_app_state == GoogleAppState.UNCHECKED

    def test_what_is_missing_is_told_at_its_field(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        page = send(admin, "google-app", client_id="typed", client_secret="")

        assert page.status_code == 422
        assert 'value="typed"' in page.text
        assert '<a href="#client_secret">Client secret: Fill this in.</a>' in page.text
        assert 'aria-describedby="client_secret-help client_secret-mistake"' in (
            page.text
        )
        assert 'id="client_secret-mistake">Fill this in.</p>' in page.text
        assert stored(house, acme).google_client_id == "acme"

    def test_a_consent_ends_on_the_page_and_names_the_account(
        self, house: House, admin: FlaskClient
    ) -> None:
        asked = query_of(admin.get(f"{SETUP}/connect").headers["Location"])
        house.google.answer(google_oauth_stub.token_answer())

        answer = come_back(admin, state=asked["state"], code="4/code")

        assert answer.headers["Location"] == f"{SETUP}?notice=app_verified"
        assert "It is connected as ann@example.com" in text_of(
            admin.get(answer.headers["Location"])
        )

    def test_a_consent_that_is_denied_says_so_on_the_page(
        self, admin: FlaskClient
    ) -> None:
        asked = query_of(admin.get(f"{SETUP}/connect").headers["Location"])

        answer = come_back(admin, state=asked["state"], error="access_denied")

        page = admin.get(answer.headers["Location"])
        assert "The Google app is not connected" in page.text

    def test_without_credentials_there_is_nowhere_to_go(self, house: House) -> None:
        bare = house.organization(google_client_id=None)
        browser = house.signed_in(bare, "admin", None)

        answer = browser.get(f"{SETUP}/connect", follow_redirects=True)

        assert "is not set up yet" in answer.text
        assert "is not set up yet" in send(browser, "google-app/check").text


class TestCrm:
    """The address and the key."""

    @pytest.mark.parametrize("state", CrmState)
    def test_every_state_says_what_to_do(self, house: House, state: CrmState) -> None:
        acme = house.organization(crm_state=state, crm_checked_at=NOW)

        page = house.signed_in(acme, "admin", None).get(SETUP)

        assert setup_texts.CRM[state].text in text_of(page)
        assert ("data-checking" in page.text) == (state == CrmState.CHECKING)

    def test_an_address_and_a_key_are_saved_and_checked(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        page = send(admin, "crm", crm_url="https://crm.test/v1/", api_key="key-2")

        row = stored(house, acme)
        assert (row.crm_url, row.crm_api_key) == ("https://crm.test/v1", "key-2")
        assert row.crm_state == CrmState.CHECKING
        assert "Being checked" in page.text
        assert "key-2" not in page.text
        assert [m.subject for m in house.queued()] == [
            messages.CheckDue(organization_id=acme.id)
        ]

    def test_an_empty_key_keeps_the_present_one(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        send(admin, "crm", crm_url="https://crm.test/v1", api_key="")

        assert stored(house, acme).crm_api_key == "key-of-the-crm"

    @pytest.mark.parametrize("url", ["", "crm.test", "ftp://crm.test", "http://a b"])
    def test_a_bad_address_is_told_at_its_field(
        self, house: House, acme: tables.Organization, admin: FlaskClient, url: str
    ) -> None:
        page = send(admin, "crm", crm_url=url, api_key="")

        assert page.status_code == 422
        assert 'id="crm_url-mistake"' in page.text
        assert "validation error" not in page.text
        assert stored(house, acme).crm_url == "https://crm.example/api/v1"

    def test_a_broker_that_is_away_leaves_it_as_it_was(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        house.is_broker_down = True

        page = send(admin, "crm/check")

        assert "The CRM is not checked." in page.text
        assert stored(house, acme).crm_state == CrmState.UNCHECKED


class TestWebhooks:
    """How the CRM reaches us."""

    def test_the_address_is_there_to_be_copied(self, admin: FlaskClient) -> None:
        page = admin.get(SETUP).text

        assert f"{houses.PUBLIC_URL}/webhooks/crm/acme" in page
        assert "No webhook of the CRM has begun a sync yet" in page

    def test_the_last_one_is_told(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        with house.store.begin() as work:
            work.jobs.start(
                organization_id=acme.id,
                connection_id=None,
                trigger=Trigger.WEBHOOK,
                direction=Direction.CRM_TO_GOOGLE,
                now=NOW,
            )
            work.commit()

        assert "The last webhook that began a sync arrived on" in admin.get(SETUP).text

    def test_a_new_secret_is_shown_once_and_the_old_one_stays(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        page = send(admin, "webhook-secret")

        new, old = stored(house, acme).crm_webhook_secrets
        assert html.escape(new) in page.text
        assert old == SECRET
        assert signing.secret_key(new)
        assert new not in html.unescape(admin.get(SETUP).text)

    def test_a_reload_does_not_make_another_secret(
        self, house: House, acme: tables.Organization, admin: FlaskClient
    ) -> None:
        send(admin, "webhook-secret")
        before = stored(house, acme).crm_webhook_secrets

        page = send(admin, "webhook-secret")

        assert "Two secrets are accepted already" in page.text
        assert stored(house, acme).crm_webhook_secrets == before

    @pytest.mark.parametrize(("keep", "dropped"), [("new", "old"), ("old", "new")])
    def test_one_secret_is_dropped_after_asking(
        self,
        house: House,
        acme: tables.Organization,
        admin: FlaskClient,
        keep: str,
        dropped: str,
    ) -> None:
        send(admin, "webhook-secret")
        both = stored(house, acme).crm_webhook_secrets

        asked = send(admin, "webhook-secret/finish", keep=keep)
        kept = stored(house, acme).crm_webhook_secrets
        page = send(admin, "webhook-secret/finish", keep=keep, confirmed="yes")

        assert f"Drop the {dropped} webhook secret?" in asked.text
        assert kept == both
        assert f"Only the {keep} webhook secret is accepted now." in page.text
        assert stored(house, acme).crm_webhook_secrets == [
            both[0] if keep == "new" else SECRET
        ]

    @pytest.mark.parametrize(
        ("status", "colour", "told"),
        [
            (202, "success", "The test delivery arrived"),
            (401, "danger", "its signature was refused"),
            (503, "danger", "could not have been queued"),
            (302, "danger", "leads to another address"),
            (404, "danger", "(It answered with status 404.)"),
        ],
    )
    def test_what_came_of_a_test_delivery_is_told(
        self,
        house: House,
        acme: tables.Organization,
        status: int,
        colour: str,
        told: str,
    ) -> None:
        with stub_server.running() as stub:
            stub.answer(status=status, location="/elsewhere")
            services = dataclasses.replace(house.services, public_url=stub.url)
            browser = create_app(services).test_client()
            browser.get(f"/login?code={house.login_code(acme, 'admin', None)}")

            page = send(browser, "test-delivery")

        assert f'class="alert alert-{colour}"' in page.text
        assert told in text_of(page)
