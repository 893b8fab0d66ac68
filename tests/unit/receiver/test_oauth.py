"""Consent: to Google's page and back, with everything that can come back."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters import google_oauth
from shared.adapters.store import tables
from shared.domain import messages, signing
from shared.domain.messages import Queue, Trigger
from tests import google_oauth_stub
from tests.unit.receiver.consenting import come_back, connect, connection_of, consent
from tests.unit.receiver.house import API, NOW, PUBLIC_URL, House

CALLBACK = f"{API}/callback"


class TestConnect:
    """The way to Google."""

    def test_a_user_is_sent_to_google_with_all_it_needs(
        self, house: House, acme: tables.Organization
    ) -> None:
        house.user(acme, "u1", email="ann@example.com")
        browser = house.signed_in(acme)

        asked = connect(browser)

        assert asked["client_id"] == "acme"
        assert asked["redirect_uri"] == PUBLIC_URL + CALLBACK
        assert set(asked["scope"].split()) == set(google_oauth.SCOPES)
        assert asked["access_type"] == "offline"
        assert asked["code_challenge_method"] == "S256"
        assert asked["login_hint"] == "ann@example.com"

    def test_only_a_hash_of_the_state_is_stored(
        self, house: House, acme: tables.Organization
    ) -> None:
        state = connect(house.signed_in(acme))["state"]

        with house.found() as work:
            row = work.oauth_states.by_id(signing.hash_secret(state))
        assert (row.organization_id, row.crm_user_id) == (acme.id, "u1")
        assert row.expires_at == NOW + timedelta(minutes=10)

    def test_a_stranger_is_shown_a_page(self, house: House) -> None:
        answer = house.browser().get(f"{API}/connect")

        assert answer.status_code == 401
        assert answer.content_type.startswith("text/html")

    def test_whoever_is_no_user_of_the_crm_has_nothing_to_connect(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme, "admin", None)

        assert browser.get(f"{API}/connect").status_code == 403

    def test_without_an_app_there_is_nowhere_to_go(self, house: House) -> None:
        acme = house.organization(google_client_secret=None)

        answer = house.signed_in(acme).get(f"{API}/connect")

        assert answer.status_code == 409
        assert "not set up" in answer.text


class TestCallback:
    """The way back."""

    def test_a_consent_is_stored(self, house: House, acme: tables.Organization) -> None:
        answer = consent(house, house.signed_in(acme))

        row = connection_of(house, acme)
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/me?notice=connected"
        assert (row.google_sub, row.google_address) == ("1042", "ann@example.com")
        assert row.refresh_token == google_oauth_stub.LASTING
        assert row.access_token == google_oauth_stub.NEW
        assert row.access_token_expires_at == NOW + timedelta(seconds=3599)
        assert set(row.granted_scopes) == set(google_oauth.SCOPES)
        assert (row.state, row.problem, row.connected_at) == ("active", None, NOW)
        assert row.consented_at == NOW

    def test_the_code_is_exchanged_with_the_verifier_of_the_consent(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]
        with house.found() as work:
            row = work.oauth_states.by_id(signing.hash_secret(state))
        house.google.answer(google_oauth_stub.token_answer())

        come_back(browser, state=state, code="4/code")

        (received,) = house.google.received
        assert received.form["code"] == "4/code"
        assert received.form["code_verifier"] == row.code_verifier
        assert received.form["redirect_uri"] == PUBLIC_URL + CALLBACK

    def test_the_first_sync_is_queued_and_in_the_history(
        self, house: House, acme: tables.Organization
    ) -> None:
        consent(house, house.signed_in(acme))

        row = connection_of(house, acme)
        (message,) = house.queued()
        with house.found() as work:
            job = work.jobs.by_id(message.job_id)
        assert message.subject == messages.ConnectionDue(connection_id=row.id)
        assert (message.queue, message.trigger) == (Queue.BACKFILL, Trigger.BACKFILL)
        assert (job.connection_id, job.trigger) == (row.id, "backfill")
        assert (job.direction, job.state) == ("both", "running")

    def test_no_session_is_needed_on_the_way_back(
        self, house: House, acme: tables.Organization
    ) -> None:
        state = connect(house.signed_in(acme))["state"]
        house.google.answer(google_oauth_stub.token_answer())

        answer = come_back(house.browser(), state=state, code="4/code")

        assert answer.status_code == 200
        assert "is connected" in answer.text
        assert connection_of(house, acme).state == "active"

    def test_a_denial_is_told_and_changes_nothing(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]

        answer = come_back(browser, state=state, error="access_denied")

        assert answer.headers["Location"] == "/me?notice=denied"
        assert "did not allow" in browser.get(answer.headers["Location"]).text
        assert house.google.received == []
        with house.found() as work:
            assert work.connections.of_user(acme.id, "u1") is None

    def test_a_denial_without_session_is_told_too(
        self, house: House, acme: tables.Organization
    ) -> None:
        state = connect(house.signed_in(acme))["state"]

        answer = come_back(house.browser(), state=state, error="access_denied")

        assert answer.status_code == 200
        assert "did not allow" in answer.text

    def test_a_missing_scope_is_told_and_nothing_is_synced(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)

        answer = consent(house, browser, scope=" ".join(google_oauth.SCOPES[:-1]))

        page = browser.get(answer.headers["Location"]).text
        row = connection_of(house, acme)
        assert "leave every box ticked" in page
        assert f'href="{API}/connect"' in page
        assert (row.state, row.problem) == ("missing_scopes", "missing_scopes")
        assert set(row.granted_scopes) == set(google_oauth.SCOPES[:-1])
        assert house.queued() == []

    def test_what_was_missing_can_be_granted_afterwards(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        consent(house, browser, scope=google_oauth.SCOPES[0])

        consent(house, browser)

        row = connection_of(house, acme)
        assert (row.state, row.problem) == ("active", None)
        assert [m.trigger for m in house.queued()] == [Trigger.BACKFILL]

    @pytest.mark.parametrize("query", [{}, {"code": "4/code"}, {"error": "x"}])
    @pytest.mark.parametrize("state", [None, "", "guess", "\x00"])
    def test_a_state_that_nobody_asked_for_is_refused(
        self, house: House, query: dict[str, str], state: str | None
    ) -> None:
        known = query if state is None else query | {"state": state}

        answer = come_back(house.browser(), **known)

        assert answer.status_code == 400
        assert answer.content_type.startswith("text/html")
        assert house.google.received == []

    def test_a_state_works_once(self, house: House, acme: tables.Organization) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]
        come_back(browser, state=state, error="access_denied")

        answer = come_back(browser, state=state, code="4/code")

        assert answer.status_code == 400
        assert house.google.received == []

    def test_a_state_works_for_ten_minutes(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]
        house.clock.moment = NOW + timedelta(minutes=10)

        assert come_back(browser, state=state, code="4/code").status_code == 400

    @pytest.mark.parametrize(
        ("status", "body", "answered"),
        [
            (400, {"error": "invalid_grant"}, 400),
            (401, {"error": "invalid_client"}, 502),
            (503, None, 503),
            (429, {"error": "rate_limit_exceeded"}, 503),
            (200, {"hello": "Wi-Fi"}, 503),
        ],
    )
    def test_an_exchange_that_fails_is_told_and_changes_nothing(
        self,
        house: House,
        acme: tables.Organization,
        status: int,
        body: Any,  # noqa: ANN401 - JSON
        answered: int,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]
        house.google.answer(body, status=status)

        answer = come_back(browser, state=state, code="4/code")

        assert answer.status_code == answered
        assert answer.content_type.startswith("text/html")
        assert len(caplog.records) == 1
        with house.found() as work:
            assert work.connections.of_user(acme.id, "u1") is None

    @pytest.mark.parametrize(
        ("error", "status"), [("server_error", 503), ("invalid_scope", 400), ("", 400)]
    )
    def test_other_errors_of_google_are_told(
        self, house: House, acme: tables.Organization, error: str, status: int
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]

        assert come_back(browser, state=state, error=error).status_code == status

    @pytest.mark.parametrize("error", ["admin_policy_enforced", "org_internal"])
    def test_a_policy_of_the_google_administrator_is_explained(
        self, house: House, acme: tables.Organization, error: str
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]

        answer = come_back(browser, state=state, error=error)

        assert answer.status_code == 400
        assert "administrator of your account blocks this app" in answer.text

    def test_a_code_without_anything_in_it_is_none(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]

        answer = come_back(browser, state=state, code="")

        assert answer.status_code == 400
        assert "connect again" in answer.text

    def test_an_app_that_google_refuses_is_noted(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        state = connect(browser)["state"]
        house.google.answer({"error": "invalid_client"}, status=401)

        come_back(browser, state=state, code="4/code")

        app = house.caller(acme).get("/google-app").json
        assert app["state"] == "refused"
        assert app["checked_at"] is not None

    def test_a_connection_is_stored_though_its_sync_cannot_be_queued(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        house.is_broker_down = True

        answer = consent(house, browser)

        (job,) = house.caller(acme).get("/jobs").json["items"]
        assert answer.headers["Location"] == "/me?notice=connected"
        assert connection_of(house, acme).state == "active"
        assert job["state"] == "failed"

    def test_nothing_secret_is_logged(
        self,
        house: House,
        acme: tables.Organization,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level("DEBUG")

        consent(house, house.signed_in(acme))

        for secret in (google_oauth_stub.MARK, "hush", "4/code", "ann@example.com"):
            assert secret not in caplog.text.lower()
