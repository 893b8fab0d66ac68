"""The calls about an organization's Google app."""

from typing import Any

import pytest

from shared.adapters.store import tables
from tests.unit.receiver.house import (
    API,
    NOW,
    PUBLIC_URL,
    House,
    query_of,
    wrong_fields,
)


class TestGoogleApp:
    """The client id and secret."""

    def test_an_app_that_is_not_set_up(self, house: House) -> None:
        acme = house.organization(google_client_id=None, google_client_secret=None)

        assert house.caller(acme).get("/google-app").json == {
            "client_id": None,
            "redirect_uri": f"{PUBLIC_URL}{API}/callback",
            "state": "unchecked",
            "connected_as": None,
            "checked_at": None,
        }

    def test_a_new_app_is_stored_and_unchecked(
        self, house: House, acme: tables.Organization
    ) -> None:
        with house.store.begin() as work:
            row = work.organizations.by_id(acme.id)
            row.google_app_state, row.google_connected_as = "verified", "a@example.com"
            work.commit()
        caller = house.caller(acme)

        answer = caller.put(
            "/google-app", {"client_id": "new", "client_secret": "hush"}
        )

        with house.found() as work:
            row = work.organizations.by_id(acme.id)
        assert answer.status_code == 200
        assert answer.json == caller.get("/google-app").json
        assert "hush" not in answer.text
        assert (row.google_client_id, row.google_client_secret) == ("new", "hush")
        assert (row.google_app_state, row.google_connected_as) == ("unchecked", None)

    def test_a_new_app_has_those_who_wait_for_it_probed_at_once(
        self, house: House, acme: tables.Organization
    ) -> None:
        paused: dict[str, Any] = {"state": "paused", "probed_at": NOW}
        row = house.connection(acme, problem="client_refused", **paused)
        by_wish = house.connection(acme, "u2", **paused)
        with house.store.begin() as work:
            work.organizations.by_id(acme.id).probed_at = NOW
            work.commit()

        house.caller(acme).put(
            "/google-app", {"client_id": "acme", "client_secret": "right"}
        )

        with house.found() as work:
            assert work.organizations.by_id(acme.id).probed_at is None
            assert work.connections.by_id(row.id).probed_at is None
            assert work.connections.by_id(by_wish.id).probed_at == NOW

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, ["client_id", "client_secret"]),
            ({"client_id": " ", "client_secret": "s"}, ["client_id"]),
            ({"client_id": "a"}, ["client_secret"]),
            ({"client_id": "", "client_secret": "s"}, ["client_id"]),
            ({"client_id": 7, "client_secret": "s"}, ["client_id"]),
            ({"client_id": "a\x00", "client_secret": "s"}, ["client_id"]),
            ({"client_id": "\ud800", "client_secret": "s"}, ["client_id"]),
            ({"client_id": "a", "client_secret": "s", "x": 1}, ["x"]),
        ],
    )
    def test_a_bad_app_is_refused_by_field(
        self,
        house: House,
        acme: tables.Organization,
        body: dict[str, Any],
        fields: list[str],
    ) -> None:
        answer = house.caller(acme).put("/google-app", body)

        assert answer.status_code == 422
        assert wrong_fields(answer) == fields

    def test_the_apps_own_consent_begins_at_google(
        self, house: House, acme: tables.Organization
    ) -> None:
        answer = house.caller(acme).post("/google-app/connect")

        asked = query_of(answer.json["authorization_url"])
        assert answer.status_code == 200
        assert asked["client_id"] == "acme"
        assert "login_hint" not in asked

    def test_an_app_that_is_not_set_up_cannot_be_consented_to(
        self, house: House
    ) -> None:
        acme = house.organization(google_client_id=None)

        assert house.caller(acme).post("/google-app/connect").status_code == 409


class TestCheck:
    """What Google says to the client id and secret."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("unchecked", "accepted"),
            ("refused", "accepted"),
            ("redirect_refused", "accepted"),
            ("verified", "verified"),
            ("api_disabled", "api_disabled"),
        ],
    )
    def test_a_good_app_is_accepted_and_what_is_known_stays(
        self, house: House, before: str, after: str
    ) -> None:
        acme = house.organization(google_app_state=before)
        house.google.answer({"error": "invalid_grant"}, status=400)

        answer = house.caller(acme).post("/google-app/check")

        assert answer.json["state"] == after
        assert answer.json["checked_at"] is not None

    def test_those_who_wait_for_a_good_app_are_probed_at_once(
        self, house: House
    ) -> None:
        acme = house.organization(google_app_state="api_disabled", probed_at=NOW)
        row = house.connection(
            acme, state="paused", problem="api_disabled", probed_at=NOW
        )
        house.google.answer({"error": "invalid_grant"}, status=400)

        house.caller(acme).post("/google-app/check")

        with house.found() as work:
            assert work.organizations.by_id(acme.id).probed_at is None
            assert work.connections.by_id(row.id).probed_at is None

    @pytest.mark.parametrize(
        ("error", "state"),
        [
            ("invalid_client", "refused"),
            ("redirect_uri_mismatch", "redirect_refused"),
        ],
    )
    def test_what_is_wrong_is_told_apart(
        self, house: House, acme: tables.Organization, error: str, state: str
    ) -> None:
        house.google.answer({"error": error}, status=401)

        answer = house.caller(acme).post("/google-app/check")

        assert answer.json["state"] == state
        with house.found() as work:
            assert work.organizations.by_id(acme.id).google_app_state == state

    @pytest.mark.parametrize(
        ("status", "error"),
        [(400, "invalid_request"), (429, "slow_down"), (500, "internal_failure")],
    )
    def test_an_unclear_answer_changes_nothing(
        self, house: House, acme: tables.Organization, status: int, error: str
    ) -> None:
        house.google.answer({"error": error}, status=status)

        answer = house.caller(acme).post("/google-app/check")

        assert answer.status_code == 503
        with house.found() as work:
            row = work.organizations.by_id(acme.id)
        assert (row.google_app_state, row.google_checked_at) == ("unchecked", None)

    def test_an_app_that_is_not_set_up_cannot_be_checked(self, house: House) -> None:
        acme = house.organization(google_client_secret=None)

        assert house.caller(acme).post("/google-app/check").status_code == 409
