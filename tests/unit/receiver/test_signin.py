"""How people get in and out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from shared.adapters import crypto
from shared.adapters.store import tables
from tests import store_rows
from tests.unit.receiver.house import API, LAUNCH_SECRET, NOW, House, csrf_token
from webhook_receiver import sessions
from webhook_receiver.app import create_app


def is_signed_in(browser: FlaskClient) -> bool:
    """Tell whether the browser's session is good."""
    return browser.get("/me").status_code == 200


class TestLogin:
    """One-time addresses."""

    def test_a_code_signs_in_and_leads_to_ones_page(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.browser()

        answer = browser.get(f"/login?code={house.login_code(acme)}")

        assert answer.status_code == 303
        assert answer.headers["Location"] == "/"
        assert is_signed_in(browser)

    def test_a_code_works_once(self, house: House, acme: tables.Organization) -> None:
        code = house.login_code(acme)
        house.browser().get(f"/login?code={code}")
        browser = house.browser()

        answer = browser.get(f"/login?code={code}")

        assert answer.status_code == 401
        assert "used before" in answer.text
        assert not is_signed_in(browser)

    def test_a_preview_does_not_use_up_a_code(
        self, house: House, acme: tables.Organization
    ) -> None:
        code = house.login_code(acme)
        browser = house.browser()

        browser.head(f"/login?code={code}")

        assert not is_signed_in(browser)
        assert browser.get(f"/login?code={code}").status_code == 303

    @pytest.mark.parametrize("query", ["", "?code=", "?code=guess", "?code=%00"])
    def test_a_guess_does_not_sign_in(self, house: House, query: str) -> None:
        assert house.browser().get(f"/login{query}").status_code == 401

    def test_a_code_that_has_expired_does_not_sign_in(
        self, house: House, acme: tables.Organization
    ) -> None:
        code = house.login_code(acme, expires_at=NOW)

        assert house.browser().get(f"/login?code={code}").status_code == 401


class TestLaunch:
    """Launches from the CRM."""

    @staticmethod
    def token(secret: str = LAUNCH_SECRET, **claims: Any) -> str:  # noqa: ANN401
        """Return a token as the CRM signs it; None leaves a claim out."""
        known = {
            "sub": "u1",
            "org": "acme",
            "role": "user",
            "exp": NOW + timedelta(minutes=5),
            "jti": "j1",
        }
        kept = {k: v for k, v in (known | claims).items() if v is not None}
        padded = secret.encode().ljust(32, b"\0")
        return jwt.encode(kept, padded, algorithm="HS256")

    @pytest.mark.usefixtures("acme")
    def test_a_token_signs_in(self, house: House) -> None:
        browser = house.browser()

        answer = browser.get(f"/launch?token={self.token()}")

        assert answer.status_code == 303
        assert answer.headers["Location"] == "/"
        assert is_signed_in(browser)

    def test_the_session_is_the_users_with_the_role(self, house: House) -> None:
        acme = house.organization(launch_secret="l" * 40)
        house.user(acme, "u7", name="Grace")
        browser = house.browser()

        browser.get(f"/launch?token={self.token('l' * 40, sub='u7', role='admin')}")

        assert "Grace" in browser.get("/me").text
        assert browser.get(f"{API}/settings").status_code == 200

    @pytest.mark.usefixtures("acme")
    def test_a_token_works_once(self, house: House) -> None:
        token = self.token()
        house.browser().get(f"/launch?token={token}")
        browser = house.browser()

        assert browser.get(f"/launch?token={token}").status_code == 401
        assert not is_signed_in(browser)

    @pytest.mark.usefixtures("acme")
    def test_a_token_of_one_organization_is_none_of_another(self, house: House) -> None:
        house.organization("other", launch_secret="another secret")  # noqa: S106
        first = house.browser().get(f"/launch?token={self.token()}")
        forged = house.browser().get(f"/launch?token={self.token(org='other')}")
        again = house.browser().get(
            f"/launch?token={self.token('another secret', org='other')}"
        )

        assert [first.status_code, forged.status_code, again.status_code] == [
            303,
            401,
            303,
        ]

    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": NOW},
            {"exp": NOW - timedelta(seconds=1)},
            {"exp": NOW + timedelta(minutes=6)},
            {"exp": None},
            {"exp": "soon"},
            {"exp": float("nan")},
            {"exp": 1e300},
            {"jti": None},
            {"jti": ""},
            {"jti": 7},
            {"sub": None},
            {"sub": ""},
            {"sub": "u\x00"},
            {"role": "owner"},
            {"role": None},
            {"org": "nobody"},
            {"org": None},
            {"org": ["acme"]},
        ],
    )
    @pytest.mark.usefixtures("acme")
    def test_a_token_that_is_not_as_agreed_is_refused_with_one_line(
        self, house: House, claims: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = house.browser().get(f"/launch?token={self.token(**claims)}")

        assert answer.status_code == 401
        assert answer.content_type.startswith("text/html")
        assert len(caplog.records) == 1

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "x",
            "a.b.c",
            "é.é.é",
            jwt.encode({"org": "acme"}, "k" * 32),
            # Not signed at all.
            jwt.encode(
                {"sub": "u1", "org": "acme", "role": "admin", "exp": 1, "jti": "j"},
                "",
                algorithm="none",
            ),
        ],
    )
    @pytest.mark.usefixtures("acme")
    def test_what_is_no_token_is_refused(self, house: House, token: str) -> None:
        assert house.browser().get(f"/launch?token={token}").status_code == 401

    @pytest.mark.usefixtures("acme")
    def test_a_token_with_a_wrong_signature_is_refused(self, house: House) -> None:
        token = self.token("guess")

        assert house.browser().get(f"/launch?token={token}").status_code == 401

    def test_without_launch_secret_nobody_is_launched(self, house: House) -> None:
        house.organization(launch_secret=None)

        token = self.token("")

        assert house.browser().get(f"/launch?token={token}").status_code == 401

    @pytest.mark.parametrize(
        ("wanted", "led_to"),
        [
            ("/me?notice=connected", "/me?notice=connected"),
            ("/admin/history/7", "/admin/history/7"),
            ("", "/"),
            ("//evil.example/me", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("\\\\evil.example", "/"),
            ("/%09/evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("me", "/"),
        ],
    )
    @pytest.mark.usefixtures("acme")
    def test_people_are_led_within_this_site_only(
        self, house: House, wanted: str, led_to: str
    ) -> None:
        answer = house.browser().get(f"/launch?token={self.token()}&next={wanted}")

        assert answer.headers["Location"] == led_to


class TestSession:
    """What a session is worth, and for how long."""

    def test_signing_in_again_begins_anew(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        before = csrf_token(browser)

        browser.get(f"/login?code={house.login_code(acme)}")

        assert csrf_token(browser) != before

    def test_an_idle_session_ends(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        house.clock.moment = NOW + sessions.IDLE + timedelta(seconds=1)

        assert not is_signed_in(browser)

    def test_a_session_in_use_goes_on_until_it_is_old(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        step = timedelta(minutes=50)
        used = []

        while house.clock.moment + step <= NOW + sessions.LONGEST:
            house.clock.moment += step
            used.append(is_signed_in(browser))
        house.clock.moment = NOW + sessions.LONGEST + timedelta(seconds=1)

        assert len(used) > 10
        assert all(used)
        assert not is_signed_in(browser)

    def test_signing_out_ends_the_session(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)

        answer = browser.post("/logout", data={"csrf_token": csrf_token(browser)})

        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert not is_signed_in(browser)

    def test_another_site_cannot_sign_people_out(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)

        assert browser.post("/logout").status_code == 403
        assert is_signed_in(browser)

    def test_a_cookie_that_was_made_up_is_worth_nothing(self, house: House) -> None:
        browser = house.browser()
        browser.set_cookie("calendar_sync_session", "eyJyb2xlIjoiYWRtaW4ifQ.x.y")

        assert not is_signed_in(browser)

    def test_sessions_outlive_the_rotation_of_keys(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        cookie = browser.get_cookie("calendar_sync_session")
        assert cookie
        keys = crypto.Keys([crypto.Keys.generate(), store_rows.KEY])
        rotated = create_app(replace(house.services, keys=keys)).test_client()

        rotated.set_cookie("calendar_sync_session", cookie.value)

        assert is_signed_in(rotated)

    def test_webhooks_do_not_touch_the_session(
        self, house: House, acme: tables.Organization
    ) -> None:
        browser = house.signed_in(acme)
        house.clock.moment = NOW + timedelta(minutes=10)

        answer = browser.post("/webhooks/google")

        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
