"""The pages: who you are, and how your calendar stands."""

import html

import pytest

from shared.adapters.store import tables
from shared.adapters.store.states import ConnectionState
from shared.domain.access import Problem
from tests.unit.receiver.house import House

CONNECT = 'href="/api/calendar-sync/connect"'


def test_a_stranger_is_told_how_to_sign_in(house: House) -> None:
    answer = house.browser().get("/")

    assert answer.status_code == 200
    assert "You are not signed in" in answer.text


def test_whoever_is_signed_in_is_led_to_their_page(
    house: House, acme: tables.Organization
) -> None:
    answer = house.signed_in(acme).get("/")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")


def test_a_stranger_sees_nobodys_page(house: House) -> None:
    answer = house.browser().get("/me")

    assert answer.status_code == 401
    assert answer.content_type.startswith("text/html")
    assert "sign-in link" in answer.text


def test_a_user_without_connection_is_offered_one(
    house: House, acme: tables.Organization
) -> None:
    house.user(acme, "u1", name="Ann <b>Lee</b>")

    page = house.signed_in(acme).get("/me").text

    assert "Ann &lt;b&gt;Lee&lt;/b&gt;" in page
    assert "acme" in page
    assert "is not connected" in page
    assert CONNECT in page


def test_a_connected_user_sees_the_account(
    house: House, acme: tables.Organization
) -> None:
    house.connection(acme, google_address="ann@gmail.example")

    page = house.signed_in(acme).get("/me").text

    assert "ann@gmail.example" in page
    assert "kept in step" in page


@pytest.mark.parametrize("state", list(ConnectionState))
def test_every_state_is_told_in_a_sentence(
    house: House, acme: tables.Organization, state: ConnectionState
) -> None:
    house.connection(acme, state=state)

    page = house.signed_in(acme).get("/me").text

    assert state not in page.split()
    assert CONNECT in page


@pytest.mark.parametrize("problem", Problem)
def test_every_problem_is_told_in_its_own_words(
    house: House, acme: tables.Organization, problem: Problem
) -> None:
    house.connection(acme, state="paused", problem=problem)

    page = house.signed_in(acme).get("/me").text

    assert html.escape(problem.detail) in html.escape(html.unescape(page))
    assert CONNECT in page


def test_nobody_is_sent_to_an_app_that_is_not_set_up(house: House) -> None:
    acme = house.organization(google_client_id=None)

    page = house.signed_in(acme).get("/me").text

    assert CONNECT not in page
    assert "has to set up the Google app" in page


def test_whoever_is_no_user_of_the_crm_has_nothing_to_connect(
    house: House, acme: tables.Organization
) -> None:
    page = house.signed_in(acme, "operator", None).get("/me").text

    assert "Operator" in page
    assert CONNECT not in page


def test_only_known_notices_are_shown(house: House, acme: tables.Organization) -> None:
    browser = house.signed_in(acme)

    assert "is connected" in browser.get("/me?notice=connected").text
    assert "nonsense" not in browser.get("/me?notice=nonsense").text


@pytest.mark.parametrize("name", ["style.css", "icon.svg"])
def test_pages_find_what_they_link_to(house: House, name: str) -> None:
    assert f"/static/{name}" in house.browser().get("/").text
    answer = house.browser().get(f"/static/{name}", buffered=True)
    assert answer.status_code == 200
