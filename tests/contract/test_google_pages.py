"""The frames of the simulated Google's calendar page; a browser test fills them."""

from dataclasses import dataclass

import flask
import pytest
from flask.testing import FlaskClient

from deploy.demo.google import model, pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account that has a calendar."""

    address: str
    name: str


def _mail(summary: str) -> model.Mail:
    return model.Mail(
        time="2026-11-24T09:00:00.000Z",
        to="ben@example.com",
        kind="invitation",
        event_id="abc123",
        calendar_id="anna@example.com",
        summary=summary,
    )


@pytest.fixture
def http() -> FlaskClient:
    people = [Person(address="anna@example.com", name="<i>Anna</i>")]
    app = flask.Flask("pages")
    mails = [_mail("<b>Kick-off</b>"), _mail("")]
    app.register_blueprint(pages.create_blueprint(lambda: people, lambda: mails))
    return app.test_client()


def test_the_choice_lists_every_account_as_text(http: FlaskClient) -> None:
    page = http.get("/")

    assert "&lt;i&gt;Anna&lt;/i&gt;" in page.text
    assert "/calendar?account=anna@example.com" in page.text


def test_the_calendar_names_its_account_and_week(http: FlaskClient) -> None:
    page = http.get("/calendar?account=anna@example.com&week=2026-11-24")

    assert 'data-account="anna@example.com"' in page.text
    assert 'data-week="2026-11-24"' in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_an_unknown_account_gets_the_choice_with_404(http: FlaskClient) -> None:
    page = http.get("/calendar?account=nobody%40example.com")

    assert page.status_code == 404
    assert "There is no account nobody@example.com here." in page.text


def test_a_week_that_is_no_date_is_refused(http: FlaskClient) -> None:
    page = http.get("/calendar?account=anna@example.com&week=soon")

    assert page.status_code == 400
    assert "week: must be a date such as 2026-11-23" in page.text


def test_the_scripts_and_the_style_come_from_the_same_server(http: FlaskClient) -> None:
    for name in ("calendar.js", "style.css", "icon.svg"):
        with http.get(f"/calendar/static/{name}") as file:
            assert file.status_code == 200


def test_the_mails_are_listed_as_text_newest_first(http: FlaskClient) -> None:
    page = http.get("/mails")

    assert page.text.index("(No title)") < page.text.index("&lt;b&gt;Kick-off")
    assert "to ben@example.com" in page.text
    assert "2026-11-24 09:00:00 UTC" in page.text
