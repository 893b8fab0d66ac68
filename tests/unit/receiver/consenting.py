"""People who go to Google's consent page and come back."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.adapters.store import tables
from tests import google_oauth_stub
from tests.unit.receiver.house import API, House, query_of

CALLBACK = f"{API}/callback"


def connect(browser: FlaskClient, query: str = "") -> dict[str, str]:
    """Go to Google; return what its page is asked."""
    answer = browser.get(f"{API}/connect{query}")
    assert answer.status_code == 302
    return query_of(answer.headers["Location"])


def come_back(browser: FlaskClient, **query: str) -> TestResponse:
    """Come back from Google."""
    return browser.get(CALLBACK, query_string=query)


def consent(
    house: House, browser: FlaskClient, query: str = "", **answer: object
) -> TestResponse:
    """Go to Google, consent, and come back."""
    state = connect(browser, query)["state"]
    house.google.answer(google_oauth_stub.token_answer(**answer))
    return come_back(browser, state=state, code="4/code")


def connection_of(
    house: House, acme: tables.Organization, user_id: str = "u1"
) -> tables.Connection:
    """Return what is stored of a user's connection."""
    with house.found() as work:
        row = work.connections.of_user(acme.id, user_id)
    assert row is not None
    return row
